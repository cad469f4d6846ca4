//! `/api/campaigns/{id}/postback/...` and `/api/publishers/{id}/postback/...`: a test, and what did not get through.

use analytics::catalog::statements::by_id;
use analytics::catalog::{Item, Sort};
use percent_encoding::percent_decode_str;
use queues::delivery::{Postback, postback, statements};
use serde_json::json;
use worker::{Env, Method, Request, Response};

use crate::answer::json_response;
use crate::auth::{Scope, allowed};
use crate::clock::now_ms;
use crate::edge::Edge;
use crate::lookup::Record;
use crate::problem::Problem;
use crate::random::random_bits;
use crate::sql::{read, transact};
use crate::webhook_routes::{rows, tested};

/// `POST .../postback/test` and `.../postback/replay`. Both call somebody, and so want what changing an address wants.
pub(crate) async fn act(
    request: &Request,
    env: &Env,
    sort: Sort,
    (segment, verb): (&str, &str),
) -> Result<Response, Problem> {
    allowed(request, env, Scope::LinksWrite).await?;
    if request.method() != Method::Post {
        return Err(Problem::MethodNotAllowed("POST"));
    }
    let edge = Edge::of(env)?;
    let nothing = Problem::NotFound("There is nothing of this id that has a postback_url");
    let id = percent_decode_str(segment).decode_utf8_lossy();
    if verb == "replay" {
        // What is dead was filled in when it happened, and is told as it was, whatever the address is by now.
        let results =
            transact(&edge.db, statements::replay_all(&postback::owner(sort, &id), now_ms())).await?;
        edge.poke.set(true);
        return Ok(json_response(&json!({ "replayed": rows(results.first())?.len() }))?);
    }
    let records: Vec<Record> = read(&edge.db, by_id(sort, &id)).await?;
    let item = records.first().and_then(|record| Item::from_record(sort, record.text()));
    let postback = item.as_ref().and_then(Postback::of).ok_or(nothing)?;
    let (request, body) = postback.test();
    tested(&edge, &format!("pb_{:032x}", random_bits()), request, &body).await
}
