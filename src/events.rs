//! `POST /events` and `POST /events/{kind}`: events from browsers and servers.

use analytics::capture::{self, Refused};
use analytics::{Kind, Reject};
use serde_json::{Value, json};
use worker::{Env, Method, Request, Response};

use crate::answer::{json_response, preflight};
use crate::auth::{Scope, allowed};
use crate::body::bounded;
use crate::edge::Edge;
use crate::problem::Problem;
use crate::record::{Verdict, record, record_all};
use crate::unzip::unzip;
use crate::visit::{ADDRESS_HEADER, Visit};

/// The largest body on the wire: 500 events of 2 KB.
const BODY_MAX_BYTES: usize = 1 << 20;

/// One event; fields in a JSON body or in the query.
pub(crate) async fn one(
    request: &mut Request,
    env: &Env,
    kind: &str,
    query: &str,
) -> Result<Response, Problem> {
    if request.method() == Method::Options {
        return Ok(preflight()?);
    }
    if request.method() != Method::Post {
        return Err(Problem::MethodNotAllowed("POST, OPTIONS"));
    }
    let kind = Kind::of_client(kind).ok_or(Problem::NotFound(
        "There are events of the kinds click, impression, page, conversion and session_end",
    ))?;
    let edge = Edge::of(env)?;
    let visit = visit(request, env, &edge).await?;
    let body = body(request).await?;
    let event = if body.is_empty() && !query.is_empty() {
        capture::beacon_query(kind, query, &visit.facts(), &edge.rules)?
    } else {
        capture::beacon(kind, &body, &visit.facts(), &edge.rules)?
    };
    let event_id = event.id.to_string();
    match record(&edge, &event, None).await {
        Verdict::Accepted => Ok(json_response(&json!({ "status": "accepted", "event_id": event_id }))?),
        Verdict::Duplicate => Ok(json_response(&json!({ "status": "duplicate", "event_id": event_id }))?),
        Verdict::TooLarge => Err(Problem::TooLarge("the event is larger than 62 KB".into())),
        Verdict::Full | Verdict::Malformed | Verdict::Lost => Err(Problem::NotRecorded),
    }
}

/// A batch; a result for each event.
pub(crate) async fn batch(request: &mut Request, env: &Env) -> Result<Response, Problem> {
    if request.method() == Method::Options {
        return Ok(preflight()?);
    }
    if request.method() != Method::Post {
        return Err(Problem::MethodNotAllowed("POST, OPTIONS"));
    }
    let edge = Edge::of(env)?;
    let visit = visit(request, env, &edge).await?;
    let body = body(request).await?;
    let facts = visit.facts();
    let batch = capture::batch(&body, &facts, &edge.rules).map_err(|refused| match refused {
        Refused::Malformed(reject) => Problem::from(reject),
        Refused::TooMany(reject) => Problem::TooLarge(format!("the body {}", reject.detail).into()),
    })?;
    let events: Vec<_> = batch.events.iter().filter_map(|event| event.as_ref().ok()).collect();
    let mut verdicts = record_all(&edge, &events).await.into_iter();
    let results: Vec<Value> = batch
        .events
        .iter()
        .map(|event| match event {
            Ok(event) => {
                let verdict = verdicts.next().unwrap_or(Verdict::Lost);
                let id = event.id.to_string();
                match verdict {
                    Verdict::Accepted => json!({ "event_id": id, "status": "accepted" }),
                    Verdict::Duplicate => json!({ "event_id": id, "status": "duplicate" }),
                    Verdict::TooLarge => {
                        let errors = [Reject::new("", "is larger than 62 KB")];
                        json!({ "event_id": id, "status": "invalid", "errors": errors })
                    }
                    Verdict::Full | Verdict::Malformed | Verdict::Lost => {
                        json!({ "event_id": id, "status": "retry" })
                    }
                }
            }
            Err(invalid) => {
                json!({ "event_id": invalid.event_id, "status": "invalid", "errors": invalid.rejects })
            }
        })
        .collect();
    Ok(json_response(&json!({ "results": results }))?)
}

/// The visitor: the client, or whom a trusted server names.
async fn visit(request: &Request, env: &Env, edge: &Edge) -> Result<Visit, Problem> {
    let address = request.headers().get(ADDRESS_HEADER)?;
    if address.is_some() {
        allowed(request, env, Scope::EventsWrite).await?;
    }
    Ok(Visit::of(request.inner(), edge, address.as_deref()))
}

/// The body, unpacked.
async fn body(request: &mut Request) -> Result<Vec<u8>, Problem> {
    let headers = request.headers();
    let media_type = headers.get("content-type")?.unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    // text/plain is what sendBeacon may send without asking first.
    if !matches!(
        &*essence,
        "" | "application/json" | "text/plain" | "application/x-ndjson" | "application/ndjson"
    ) {
        return Err(Problem::UnsupportedMediaType(
            "Send application/json, text/plain (for sendBeacon) or application/x-ndjson",
        ));
    }
    let encoding = headers.get("content-encoding")?.unwrap_or_default().trim().to_ascii_lowercase();
    let too_large = || Problem::TooLarge("the body is larger than 1 MiB".into());
    let bytes = bounded(request, BODY_MAX_BYTES).await?.ok_or_else(too_large)?;
    match &*encoding {
        "" | "identity" => Ok(bytes),
        "gzip" | "x-gzip" => unzip(&bytes).await,
        _ => Err(Problem::UnsupportedMediaType("The body may be compressed with gzip, and nothing else")),
    }
}
