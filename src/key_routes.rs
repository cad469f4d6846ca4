//! `/api/keys`: make, list and revoke API keys.

use analytics::key::KeyHash;
use analytics::{Reject, Statement};
use serde::Deserialize;
use serde_json::json;
use worker::{Env, Method, Request, Response};

use crate::answer::{json_response, json_status, no_content};
use crate::auth::{Scope, allowed};
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
}

#[derive(Deserialize)]
struct Gone {
    #[serde(rename = "hash")]
    _hash: String,
}

/// `/api/keys`
pub(crate) async fn collection(request: &mut Request, env: &Env) -> Result<Response, Problem> {
    allowed(request, env, Scope::Admin).await?;
    let edge = Edge::of(env)?;
    match request.method() {
        Method::Get => {
            let all =
                "SELECT hash, name, scopes, created_at_ms, expires_at_ms FROM keys ORDER BY created_at_ms";
            let keys: Vec<Kept> = read(&edge.db, Statement::new(all, [])).await?;
            let data: Vec<_> = keys
                .iter()
                .map(|key| {
                    json!({
                        "id": key.hash,
                        "name": key.name,
                        "scopes": key.scopes.split(' ').collect::<Vec<_>>(),
                        "created_at": analytics::time::rfc3339(key.created_at_ms),
                        "expires_at": key.expires_at_ms.map(analytics::time::rfc3339),
                    })
                })
                .collect();
            Ok(json_response(&json!({ "data": data }))?)
        }
        Method::Post => create(request, &edge).await,
        _ => Err(Problem::MethodNotAllowed("GET, POST")),
    }
}

/// `DELETE /api/keys/{id}`: the key is refused from the next request on.
pub(crate) async fn item(request: &Request, env: &Env, id: &str) -> Result<Response, Problem> {
    allowed(request, env, Scope::Admin).await?;
    if request.method() != Method::Delete {
        return Err(Problem::MethodNotAllowed("DELETE"));
    }
    let revoke = Statement::new("DELETE FROM keys WHERE hash = ?1 RETURNING hash", [id.into()]);
    let gone: Vec<Gone> = read(&Edge::of(env)?.db, revoke).await?;
    if gone.is_empty() { Err(Problem::NotFound("There is no such key")) } else { Ok(no_content()?) }
}

async fn create(request: &mut Request, edge: &Edge) -> Result<Response, Problem> {
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
    let expires_at_ms = match &wanted.expires_at {
        None => analytics::Param::Null,
        Some(text) => {
            analytics::time::parse_time(text).map_err(|detail| Reject::new("/expires_at", detail))?.into()
        }
    };
    // Two draws of 122 bits: more than anybody can try.
    let key = format!("ck_{:032x}{:032x}", random_bits(), random_bits());
    let hash = KeyHash::of(&key).to_string();
    let insert = Statement::new(
        "INSERT INTO keys (hash, name, scopes, created_at_ms, expires_at_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
        [
            hash.as_str().into(),
            wanted.name.as_str().into(),
            wanted.scopes.join(" ").into(),
            now_ms().into(),
            expires_at_ms,
        ],
    );
    transact(&edge.db, [insert]).await?;
    // The only time that the key itself is shown.
    let body = json!({ "id": hash, "key": key, "name": wanted.name, "scopes": wanted.scopes });
    Ok(json_status(201, &body)?)
}
