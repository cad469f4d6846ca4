//! `/api/keys`: make, list and revoke API keys.

use analytics::audit::{Action, Entity, Entry, changes};
use analytics::key::KeyHash;
use analytics::{Reject, Statement};
use serde::Deserialize;
use serde_json::{Value, json};
use worker::{D1Result, Env, Method, Request, Response};

use crate::answer::{json_response, json_status, no_content};
use crate::auth::{Actor, Scope, allowed};
use crate::body::bounded;
use crate::clock::now_ms;
use crate::edge::Edge;
use crate::problem::Problem;
use crate::random::random_bits;
use crate::sql::{read, transact};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    name: String,
    scopes: Vec<String>,
    expires_at: Option<String>,
}

#[derive(Deserialize)]
struct Kept {
    hash: String,
    name: String,
    scopes: String,
    created_at_ms: i64,
    expires_at_ms: Option<i64>,
    last_used_at_ms: Option<i64>,
}

impl Kept {
    fn to_json(&self) -> Value {
        json!({
            "id": self.hash,
            "name": self.name,
            "scopes": self.scopes.split(' ').collect::<Vec<_>>(),
            "created_at": analytics::time::rfc3339(self.created_at_ms),
            "expires_at": self.expires_at_ms.map(analytics::time::rfc3339),
            "last_used_at": self.last_used_at_ms.map(analytics::time::rfc3339),
        })
    }
}

/// `/api/keys`
pub(crate) async fn collection(request: &mut Request, env: &Env) -> Result<Response, Problem> {
    let actor = allowed(request, env, Scope::Admin).await?;
    let edge = Edge::of(env)?;
    match request.method() {
        Method::Get => {
            let all = "SELECT hash, name, scopes, created_at_ms, expires_at_ms, last_used_at_ms FROM keys \
                       ORDER BY created_at_ms";
            let keys: Vec<Kept> = read(&edge.db, Statement::new(all, [])).await?;
            let data: Vec<_> = keys.iter().map(Kept::to_json).collect();
            Ok(json_response(&json!({ "data": data }))?)
        }
        Method::Post => create(request, &edge, &actor).await,
        _ => Err(Problem::MethodNotAllowed("GET, POST")),
    }
}

/// `DELETE /api/keys/{id}`: the key is refused from the next request on.
pub(crate) async fn item(request: &Request, env: &Env, id: &str) -> Result<Response, Problem> {
    let actor = allowed(request, env, Scope::Admin).await?;
    if request.method() != Method::Delete {
        return Err(Problem::MethodNotAllowed("DELETE"));
    }
    let edge = Edge::of(env)?;
    let find =
        "SELECT hash, name, scopes, created_at_ms, expires_at_ms, last_used_at_ms FROM keys WHERE hash = ?1";
    let found: Vec<Kept> = read(&edge.db, Statement::new(find, [id.into()])).await?;
    let key = found.first().ok_or(Problem::NotFound("There is no such key"))?;
    let revoke = "DELETE FROM keys WHERE hash = ?1 \
                  RETURNING hash, name, scopes, created_at_ms, expires_at_ms, last_used_at_ms";
    let revoke = Statement::new(revoke, [id.into()]);
    let noted = note(&actor, Action::Revoked, &key.hash, &changes(Some(&key.to_json()), None));
    let results = transact(&edge.db, [revoke, noted]).await?;
    let gone = results.first().map_or(Ok(Vec::new()), D1Result::results::<Kept>)?;
    if gone.is_empty() { Err(Problem::NotFound("There is no such key")) } else { Ok(no_content()?) }
}

fn note(actor: &Actor, action: Action, hash: &str, changes: &Value) -> Statement {
    let entry = Entry {
        at_ms: now_ms(),
        actor: actor.name().to_owned(),
        action,
        entity: Entity::Key,
        entity_id: hash.to_owned(),
        changes: changes.clone(),
    };
    entry.insert()
}

async fn create(request: &mut Request, edge: &Edge, actor: &Actor) -> Result<Response, Problem> {
    let body =
        bounded(request, 4_096).await?.ok_or(Problem::TooLarge("the body is larger than 4 KiB".into()))?;
    let wanted: Wanted = serde_json::from_slice(&body)
        .map_err(|error| Reject::new("", format!("is no key to make: {error}")))?;
    if wanted.name.is_empty() || wanted.name.chars().count() > 100 {
        return Err(Reject::new("/name", "has to have 1 to 100 characters").into());
    }
    let known = |name: &String| Scope::ALL.iter().any(|scope| scope.name() == name);
    if let Some(place) = wanted.scopes.iter().position(|name| !known(name)) {
        let names: Vec<_> = Scope::ALL.into_iter().map(Scope::name).collect();
        return Err(
            Reject::new(format!("/scopes/{place}"), format!("is not one of {}", names.join(", "))).into()
        );
    }
    if wanted.scopes.is_empty() {
        return Err(Reject::new("/scopes", "is empty: the key would be good for nothing").into());
    }
    let expires_at_ms = wanted.expires_at.as_deref().map(analytics::time::parse_time).transpose();
    let expires_at_ms = expires_at_ms.map_err(|detail| Reject::new("/expires_at", detail))?;
    // Two draws of 122 bits: more than anybody can try.
    let key = format!("ck_{:032x}{:032x}", random_bits(), random_bits());
    let kept = Kept {
        hash: KeyHash::of(&key).to_string(),
        name: wanted.name,
        scopes: wanted.scopes.join(" "),
        created_at_ms: now_ms(),
        expires_at_ms,
        last_used_at_ms: None,
    };
    let insert = Statement::new(
        "INSERT INTO keys (hash, name, scopes, created_at_ms, expires_at_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
        [
            kept.hash.as_str().into(),
            kept.name.as_str().into(),
            kept.scopes.as_str().into(),
            kept.created_at_ms.into(),
            expires_at_ms.map_or(analytics::Param::Null, Into::into),
        ],
    );
    let noted = note(actor, Action::Created, &kept.hash, &changes(None, Some(&kept.to_json())));
    transact(&edge.db, [insert, noted]).await?;
    // The only time that the key itself is shown.
    let mut body = kept.to_json();
    if let Some(members) = body.as_object_mut() {
        members.insert("key".to_owned(), key.into());
    }
    Ok(json_status(201, &body)?)
}
