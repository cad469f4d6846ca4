//! `/api/dead-letters`: what could not be counted, until somebody replays or deletes it.

use analytics::{Reject, Statement};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use durable_objects::Region;
use percent_encoding::percent_decode_str;
use queues::delivery::Told;
use queues::ledger::DeadLetter;
use queues::letter::{self, Replayed};
use queues::plan::Counted;
use queues::{Head, Message};
use serde::Deserialize;
use serde_json::json;
use worker::{Env, Method, Request, Response};

use crate::answer::{json_response, no_content};
use crate::archive::keep;
use crate::auth::{Scope, allowed};
use crate::campaigns::refresh;
use crate::clock::now_ms;
use crate::consumer::archived;
use crate::deliveries::wake;
use crate::edge::Edge;
use crate::journal::{hand, hand_to};
use crate::problem::Problem;
use crate::record::admit_again;
use crate::sql::{read, transact};

const PAGE: i64 = 100;

#[derive(Deserialize)]
struct Letter {
    id: String,
    reason: String,
    body: String,
    at_ms: i64,
}

/// `GET /api/dead-letters`: newest first; `before` pages on.
pub(crate) async fn collection(request: &Request, env: &Env, query: &str) -> Result<Response, Problem> {
    if request.method() != Method::Get {
        return Err(Problem::MethodNotAllowed("GET"));
    }
    allowed(request, env, Scope::Admin).await?;
    let mut before = i64::MAX >> 11;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match (&*name, value.parse()) {
            ("before", Ok(ms)) => before = ms,
            ("before", Err(_)) => return Err(Reject::new("/before", "is not epoch ms").into()),
            _ => return Err(Reject::new(format!("/{name}"), "is no parameter of this route").into()),
        }
    }
    let page = Statement::new(
        "SELECT id, reason, body, at_ms FROM dead_letters WHERE at_ms < ?1 ORDER BY at_ms DESC, id LIMIT ?2",
        [before.into(), PAGE.into()],
    );
    let letters: Vec<Letter> = read(&Edge::of(env)?.db, page).await?;
    let data: Vec<_> = letters
        .iter()
        .map(|letter| {
            json!({
                "id": letter.id,
                "reason": letter.reason,
                "at": analytics::time::rfc3339(letter.at_ms),
                "body_base64": letter.body,
            })
        })
        .collect();
    let next = (letters.len() as i64 == PAGE).then(|| letters.last().map(|letter| letter.at_ms));
    Ok(json_response(&json!({ "data": data, "next_before": next.flatten() }))?)
}

/// `POST /api/dead-letters/{id}/replay` and `DELETE /api/dead-letters/{id}`.
pub(crate) async fn item(request: &Request, env: &Env, rest: &str) -> Result<Response, Problem> {
    allowed(request, env, Scope::Admin).await?;
    let edge = Edge::of(env)?;
    let (segment, replay) = match rest.strip_suffix("/replay") {
        Some(segment) => (segment, true),
        None => (rest, false),
    };
    let id = percent_decode_str(segment).decode_utf8_lossy();
    match (request.method(), replay) {
        (Method::Post, true) => {
            let find = Statement::new(
                "SELECT id, reason, body, at_ms FROM dead_letters WHERE id = ?1",
                [(&*id).into()],
            );
            let letters: Vec<Letter> = read(&edge.db, find).await?;
            let letter =
                letters.into_iter().next().ok_or(Problem::NotFound("There is no such dead letter"))?;
            let letter = DeadLetter { id: letter.id, reason: letter.reason, body: letter.body };
            count(&edge, &letter).await?;
            Ok(json_response(&json!({ "id": letter.id, "status": "replayed" }))?)
        }
        (Method::Delete, false) => {
            let gone: Vec<Letter> = read(
                &edge.db,
                Statement::new(
                    "DELETE FROM dead_letters WHERE id = ?1 RETURNING id, reason, body, at_ms",
                    [(&*id).into()],
                ),
            )
            .await?;
            if gone.is_empty() {
                Err(Problem::NotFound("There is no such dead letter"))
            } else {
                Ok(no_content()?)
            }
        }
        (_, true) => Err(Problem::MethodNotAllowed("POST")),
        (_, false) => Err(Problem::MethodNotAllowed("DELETE")),
    }
}

/// Counts a dead letter that can be read by now, or has its hits admitted.
async fn count(edge: &Edge, letter: &DeadLetter) -> Result<(), Problem> {
    let bytes = STANDARD.decode(&letter.body).unwrap_or_default();
    if let Ok(Message { head: Head::Unadmitted { region }, frames }) = Message::decode(&bytes) {
        let region = Region::parse(region).unwrap_or(Region::World);
        let left = admit_again(edge, frames, false).await;
        if !left.is_empty() {
            // Only what is left stays: the rest is counted, and must not be replayed again.
            let kept = Message::encode(Head::Unadmitted { region: region.name() }, &left);
            transact(&edge.db, [letter::keep(&letter.id, &STANDARD.encode(kept))]).await?;
            return Err(Problem::Unavailable("a gate did not take all of it; what is left is kept".into()));
        }
        transact(&edge.db, [letter::forget(&letter.id)]).await?;
        return Ok(());
    }
    if let Ok(Message { head: Head::Unhanded { shard }, frames }) = Message::decode(&bytes) {
        hand_to(edge, shard, frames).await?;
        transact(&edge.db, [letter::forget(&letter.id)]).await?;
        return Ok(());
    }
    refresh(edge).await?;
    let (mut lines, journals) = (archived(edge), edge.config.journey_shards);
    let (counted, told) = {
        let held = edge.campaigns.borrow();
        let mut told = Told::new(&held.hooks);
        let counted = letter::replay(letter, &held.campaigns, journals, now_ms(), |counted| match counted {
            Counted::Event(event) => {
                told.add(event);
                if let Some(lines) = &mut lines {
                    lines.add(event);
                }
            }
            Counted::Session { about, session } => told.add_session(about, session),
            Counted::Converted(converted) => {
                told.add_postbacks(held.postbacks.tell(converted, &edge.signer, now_ms()));
            }
        });
        (counted, told.statements(now_ms()))
    };
    let Replayed { handover, copies, outcomes, mut statements } =
        counted.map_err(|why| Problem::Unreadable(why.into()))?;
    for (shard, call) in handover.finish().0 {
        hand(edge, shard, &call).await?;
    }
    if let Some(lines) = &mut lines {
        for copies in &copies {
            lines.add_copies(copies);
        }
        for (at_ms, body) in &outcomes {
            lines.add_outcome(*at_ms, body);
        }
    }
    statements.extend(keep(edge, lines).await?);
    let tells = !told.is_empty();
    statements.extend(told);
    transact(&edge.db, statements).await?;
    if tells {
        wake(edge, 0).await;
    }
    Ok(())
}
