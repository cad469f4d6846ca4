//! `/api/webhooks/{id}/...` and `/api/deliveries`: secrets, tests, the log, replays.

use analytics::audit::{Action, Entity, Entry, changes};
use analytics::catalog::statements::{by_id, update};
use analytics::catalog::{Item, Sort};
use analytics::signature::WebhookSecret;
use percent_encoding::percent_decode_str;
use queues::delivery::list::{self, List};
use queues::delivery::{self, Answer, Hook, statements};
use serde_json::json;
use worker::{D1Result, Env, Method, Request, Response};

use crate::answer::json_response;
use crate::auth::{Scope, allowed};
use crate::clock::now_ms;
use crate::edge::Edge;
use crate::lookup::Record;
use crate::outbound::send_all;
use crate::problem::Problem;
use crate::random::random_bits;
use crate::sql::{read, transact};

const NO_HOOK: Problem = Problem::NotFound("There is no such webhook");
const NO_DELIVERY: Problem = Problem::NotFound("There is no such delivery");

/// The secret of a webhook, as its receiver has to know it.
pub(crate) fn secret(edge: &Edge, webhook: &Item) -> String {
    let version = webhook.number("secret_version").unwrap_or(1);
    WebhookSecret::of(&edge.signer, webhook.id(), version).reveal()
}

/// A webhook's id and what is to be done with it; `None`: it is looked at, or changed.
pub(crate) fn verb(rest: &str) -> Option<(&str, &str)> {
    rest.rsplit_once('/').filter(|(_, verb)| matches!(*verb, "rotate" | "test" | "replay"))
}

/// `POST /api/webhooks/{id}/rotate`, `.../test`, `.../replay`.
pub(crate) async fn act(
    request: &Request,
    env: &Env,
    (segment, verb): (&str, &str),
) -> Result<Response, Problem> {
    let actor = allowed(request, env, Scope::Admin).await?;
    if request.method() != Method::Post {
        return Err(Problem::MethodNotAllowed("POST"));
    }
    let edge = Edge::of(env)?;
    let id = percent_decode_str(segment).decode_utf8().map_err(|_| NO_HOOK)?;
    let records: Vec<Record> = read(&edge.db, by_id(Sort::Webhook, &id)).await?;
    let found = records.first().and_then(|record| Item::from_record(Sort::Webhook, record.text()));
    let webhook = found.filter(|item| !item.is_deleted()).ok_or(NO_HOOK)?;
    let now_ms = now_ms();
    match verb {
        "test" => test(&edge, &Hook::of(&webhook)).await,
        "replay" => {
            let results = transact(&edge.db, statements::replay_all(&id, now_ms)).await?;
            edge.poke.set(true);
            Ok(json_response(&json!({ "replayed": rows(results.first())?.len() }))?)
        }
        _ => {
            let version = webhook.number("secret_version").unwrap_or(1) + 1;
            let turned = webhook.set("secret_version", version.into(), now_ms);
            let after = turned.set("rotated_at", analytics::time::rfc3339(now_ms).into(), now_ms);
            let note = Entry {
                at_ms: now_ms,
                actor: actor.name().to_owned(),
                action: Action::Updated,
                entity: Entity::Webhook,
                entity_id: id.to_string(),
                changes: changes(Some(&webhook.to_json()), Some(&after.to_json())),
            };
            let results = transact(&edge.db, [update(webhook.version(), &after), note.insert()]).await?;
            if rows(results.first())?.is_empty() {
                return Err(Problem::Conflict("Somebody else changed it right now; try again"));
            }
            let mut shown = after.to_json();
            if let Some(members) = shown.as_object_mut() {
                members.insert("secret".to_owned(), secret(&edge, &after).into());
            }
            Ok(json_response(&shown)?)
        }
    }
}

/// Sends a message that says that it is a test, now and once.
async fn test(edge: &Edge, hook: &Hook) -> Result<Response, Problem> {
    let began_ms = now_ms();
    let id = format!("msg_{:032x}", random_bits());
    let at = analytics::time::rfc3339(began_ms);
    let body =
        json!({ "type": "webhook.test", "timestamp": at, "data": { "webhook_id": hook.id } }).to_string();
    let request = hook.request(&edge.signer, &id, &body, began_ms);
    tested(edge, &id, request, &body).await
}

/// Sends a request now and once, and answers what came of it.
pub(crate) async fn tested(
    edge: &Edge,
    id: &str,
    request: delivery::Request,
    body: &str,
) -> Result<Response, Problem> {
    let began_ms = now_ms();
    let (plain, url) = (request.plain, request.url.clone());
    let answers = send_all(edge, &[(request, body)]).await;
    let (status, why) = match answers.into_iter().next() {
        Some((Answer::Status(status, _), why)) => (Some(status), why),
        Some((Answer::None(_), why)) => (None, why),
        None => (None, Some("no answer".to_owned())),
    };
    let why = why.map(|why| if plain { delivery::discreet(why, &url) } else { why });
    Ok(json_response(&json!({
        "id": id,
        "delivered": why.is_none(),
        "status": status,
        "error": why,
        "milliseconds": now_ms() - began_ms,
    }))?)
}

pub(crate) fn rows(result: Option<&D1Result>) -> Result<Vec<Record>, Problem> {
    Ok(result.map_or(Ok(Vec::new()), D1Result::results)?)
}

/// `GET /api/deliveries`: newest first.
pub(crate) async fn deliveries(request: &Request, env: &Env, query: &str) -> Result<Response, Problem> {
    if request.method() != Method::Get {
        return Err(Problem::MethodNotAllowed("GET"));
    }
    allowed(request, env, Scope::Admin).await?;
    let mut asked = List::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        asked.set(&name, &value)?;
    }
    let records: Vec<Record> = read(&Edge::of(env)?.db, asked.page()).await?;
    Ok(json_response(&asked.answer(records.iter().map(|record| (record.text(), record.place()))))?)
}

/// `GET /api/deliveries/{id}` and `POST /api/deliveries/{id}/replay`.
pub(crate) async fn delivery(request: &Request, env: &Env, rest: &str) -> Result<Response, Problem> {
    allowed(request, env, Scope::Admin).await?;
    let edge = Edge::of(env)?;
    let (segment, replay) = match rest.strip_suffix("/replay") {
        Some(segment) => (segment, true),
        None => (rest, false),
    };
    let id = percent_decode_str(segment).decode_utf8_lossy();
    match (request.method(), replay) {
        (Method::Get, false) => {
            let records: Vec<Record> = read(&edge.db, list::by_id(&id)).await?;
            let record = records.first().ok_or(NO_DELIVERY)?;
            Ok(json_response(&serde_json::from_str(record.text()).unwrap_or_default())?)
        }
        (Method::Post, true) => {
            let results = transact(&edge.db, statements::replay(&id, now_ms())).await?;
            if rows(results.first())?.is_empty() {
                return Err(Problem::NotFound("There is no such delivery, or it is not dead"));
            }
            edge.poke.set(true);
            Ok(json_response(&json!({ "replayed": 1 }))?)
        }
        (_, true) => Err(Problem::MethodNotAllowed("POST")),
        (_, false) => Err(Problem::MethodNotAllowed("GET")),
    }
}
