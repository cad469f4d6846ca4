//! `/api/privacy/erasures`: who is to be erased, and the receipts. [`erase`](crate::erase) does it.

use analytics::audit::{Action, Entity, Entry};
use analytics::erasure::{DATABASE, JOURNEYS, Run, Subject, look, receipt, receipts};
use analytics::time::rfc3339;
use analytics::{Reject, erasure};
use serde_json::{Map, Value, json};
use worker::{Env, Method, Request, Response};

use crate::answer::{json_response, json_status};
use crate::auth::{Scope, allowed};
use crate::body::bounded;
use crate::clock::now_ms;
use crate::edge::Edge;
use crate::erase::work;
use crate::lookup::Record;
use crate::notice;
use crate::person;
use crate::problem::Problem;
use crate::random::random_bits;
use crate::sql::{read, transact};

/// So long is worked on it before whoever asked is answered: mostly all there is to do.
const AT_ONCE_MS: i64 = 2_000;

/// Reads the object that a request's body is.
pub(crate) async fn object_of(request: &mut Request) -> Result<Map<String, Value>, Problem> {
    // A cursor has the names that were found so far.
    let body = bounded(request, 64 << 10).await?;
    let body = body.ok_or(Problem::TooLarge("the body is larger than 64 KiB".into()))?;
    match serde_json::from_slice(&body) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(Reject::new("", "is no JSON object").into()),
    }
}

/// `GET` lists receipts, `POST` asks for an erasure.
pub(crate) async fn collection(request: &mut Request, env: &Env) -> Result<Response, Problem> {
    let method = request.method();
    if !matches!(method, Method::Get | Method::Post) {
        return Err(Problem::MethodNotAllowed("GET, POST"));
    }
    let actor = allowed(request, env, Scope::Admin).await?;
    let edge = Edge::of(env)?;
    if method == Method::Get {
        let rows: Vec<Record> = read(&edge.db, receipts()).await?;
        let data: Vec<_> = rows.iter().map(|row| shown(row.text())).collect();
        return Ok(json_response(&json!({ "data": data }))?);
    }
    let subject = Subject::read(&object_of(request).await?, &[])?;
    let keys = person::better_names(&edge, subject.key()).await?;
    let (id, now_ms) = (format!("er_{:032x}", random_bits()), now_ms());
    let hash = edge.signer.person(subject.kind, &subject.id);
    let noted = Entry {
        at_ms: now_ms,
        actor: actor.name().to_owned(),
        action: Action::Created,
        entity: Entity::Erasure,
        entity_id: id.clone(),
        changes: json!({ "hash": [null, hash] }),
    };
    let asked = erasure::request(&id, &subject, &hash, actor.name(), &keys, now_ms);
    transact(&edge.db, asked.into_iter().chain([noted.insert()])).await?;
    // It is taken; what is not done by now is done by the clock.
    if let Err(error) = work(&edge, AT_ONCE_MS).await {
        notice::warn("erasure", "goes_on_later", &"", &error);
    }
    Ok(json_status(202, &one(&edge, &id).await?)?)
}

/// `GET /api/privacy/erasures/{id}`: the receipt.
pub(crate) async fn item(request: &Request, env: &Env, id: &str) -> Result<Response, Problem> {
    if request.method() != Method::Get {
        return Err(Problem::MethodNotAllowed("GET"));
    }
    allowed(request, env, Scope::Admin).await?;
    Ok(json_response(&one(&*Edge::of(env)?, id).await?)?)
}

async fn one(edge: &Edge, id: &str) -> Result<Value, Problem> {
    let rows: Vec<Record> = read(&edge.db, receipt(id)).await?;
    let row = rows.first().ok_or(Problem::NotFound("There is no such receipt"))?;
    let mut shown = shown(row.text());
    let [run, ..] = look();
    let run: Vec<Run> = read(&edge.db, run).await?;
    let running = shown.get("state").and_then(Value::as_str) == Some("running");
    if let (Some(run), Some(members)) = (run.first().filter(|_| running), shown.as_object_mut()) {
        let phase = match run.phase {
            JOURNEYS => "journeys",
            DATABASE => "database",
            _ => "archive",
        };
        let progress = json!({ "phase": phase, "place": run.place, "of": run.upto, "round": run.round });
        members.insert("progress".to_owned(), progress);
    }
    Ok(shown)
}

/// A receipt as it is shown.
fn shown(record: &str) -> Value {
    let record: Value = serde_json::from_str(record).unwrap_or_default();
    let of = |name: &str| record.get(name).cloned().unwrap_or_default();
    let time = |name: &str| record.get(name).and_then(Value::as_i64).map(rfc3339);
    json!({
        "id": of("id"),
        "state": of("state"),
        "subject": of("subject"),
        "hash": of("hash"),
        "requested_by": of("actor"),
        "requested_at": time("requested_ms"),
        "started_at": time("started_ms"),
        "erased_at": time("erased_ms"),
        "finished_at": time("finished_ms"),
        "names": of("names"),
        "counts": of("counts"),
    })
}
