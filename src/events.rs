//! `POST /events` and `POST /events/{kind}`: events from browsers and servers.

use std::borrow::Cow;

use analytics::capture::{self, Invalid, Refused, Rules};
use analytics::{Kind, RawEvent, Reject};
use serde_json::json;
use worker::{Env, Method, Request, Response, web_sys};

use crate::answer::{json_body, preflight};
use crate::auth::{Scope, allowed};
use crate::body::bounded;
use crate::campaigns::is_kept;
use crate::config::Unknown;
use crate::edge::Edge;
use crate::headers;
use crate::heed::heed;
use crate::problem::Problem;
use crate::record::{Verdict, record, record_all};
use crate::senders::admit;
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
) -> Result<web_sys::Response, Problem> {
    if request.method() == Method::Options {
        return Ok(preflight()?.into());
    }
    if request.method() != Method::Post {
        return Err(Problem::MethodNotAllowed("POST, OPTIONS"));
    }
    let kind = Kind::of_client(kind).ok_or(Problem::NotFound(
        "There are events of the kinds click, impression, page, conversion and session_end",
    ))?;
    let edge = Edge::of(env)?;
    let (visit, trusted) = visit(request, env, &edge, query, false).await?;
    let body = body(request).await?;
    let rules = &*rules(&edge, trusted);
    let mut event = if body.is_empty() && !query.is_empty() {
        capture::beacon_query(kind, query, &visit.facts(), rules)?
    } else {
        capture::beacon(kind, &body, &visit.facts(), rules)?
    };
    if let Some(reject) = stray(&edge, &event, trusted).await {
        return Err(reject.into());
    }
    // By hand: neither an id nor a reason has anything in it that JSON would have to escape.
    let id = event.id.to_string();
    let said = |json: String| Ok(headers::answer(json.as_bytes(), "application/json", "no-store", ""));
    if let Some(why) = heed(&edge, &visit, &mut event) {
        return said(format!(r#"{{"status":"dropped","reason":"{why}","event_id":"{id}"}}"#));
    }
    match record(&edge, &event, None).await {
        Verdict::Accepted => said(format!(r#"{{"status":"accepted","event_id":"{id}"}}"#)),
        Verdict::Duplicate => said(format!(r#"{{"status":"duplicate","event_id":"{id}"}}"#)),
        Verdict::TooLarge => Err(Problem::TooLarge("the event is larger than 62 KB".into())),
        Verdict::Full | Verdict::Malformed | Verdict::Lost => Err(Problem::NotRecorded),
    }
}

/// A batch; a result for each event.
pub(crate) async fn batch(request: &mut Request, env: &Env, query: &str) -> Result<Response, Problem> {
    if request.method() == Method::Options {
        return Ok(preflight()?);
    }
    if request.method() != Method::Post {
        return Err(Problem::MethodNotAllowed("POST, OPTIONS"));
    }
    let edge = Edge::of(env)?;
    let (visit, trusted) = visit(request, env, &edge, query, true).await?;
    let body = body(request).await?;
    let facts = visit.facts();
    let rules = rules(&edge, trusted);
    let mut batch = capture::batch(&body, &facts, &rules).map_err(|refused| match refused {
        Refused::Malformed(reject) => Problem::from(reject),
        Refused::TooMany(reject) => Problem::TooLarge(format!("the body {}", reject.detail).into()),
    })?;
    for (index, read) in batch.events.iter_mut().enumerate() {
        if let Ok(event) = read
            && let Some(reject) = stray(&edge, event, trusted).await
        {
            let reject = Reject::new(format!("/{index}{}", reject.pointer), reject.detail);
            *read = Err(Invalid { event_id: Some(event.id.to_string()), rejects: vec![reject] });
        }
    }
    let mut heeded = Vec::with_capacity(batch.events.len());
    for read in &mut batch.events {
        heeded.push(read.as_mut().ok().and_then(|event| heed(&edge, &visit, event)));
    }
    let events: Vec<_> = (batch.events.iter().zip(&heeded))
        .filter_map(|(event, dropped)| event.as_ref().ok().filter(|_| dropped.is_none()))
        .collect();
    let mut verdicts = record_all(&edge, &events).await.into_iter();
    // By hand but for what is wrong, as above: a tree for each event would be a dozen pieces of memory.
    let mut answer = String::with_capacity(32 + 80 * batch.events.len());
    answer.push_str(r#"{"results":["#);
    for (place, (event, dropped)) in batch.events.iter().zip(heeded).enumerate() {
        if place > 0 {
            answer.push(',');
        }
        let event = match event {
            Ok(event) => event,
            Err(Invalid { event_id, rejects }) => {
                let result = json!({ "event_id": event_id, "status": "invalid", "errors": rejects });
                answer.push_str(&result.to_string());
                continue;
            }
        };
        let id = event.id.to_string();
        let (errors, reason, status) = match dropped {
            Some(why) => ("", [r#","reason":""#, why, "\""].concat(), "dropped"),
            None => match verdicts.next().unwrap_or(Verdict::Lost) {
                Verdict::Accepted => ("", String::new(), "accepted"),
                Verdict::Duplicate => ("", String::new(), "duplicate"),
                Verdict::TooLarge => (TOO_LARGE, String::new(), "invalid"),
                Verdict::Full | Verdict::Malformed | Verdict::Lost => ("", String::new(), "retry"),
            },
        };
        answer.extend(["{", errors, r#""event_id":""#, &id, "\"", &reason, r#","status":""#, status, "\"}"]);
    }
    answer.push_str("]}");
    Ok(json_body(answer)?)
}

/// What is wrong with an event that no message holds.
const TOO_LARGE: &str = r#""errors":[{"pointer":"","detail":"is larger than 62 KB"}],"#;

/// The visitor: the client, or whom a trusted server names; and whether the sender has a key and is believed.
async fn visit(
    request: &Request,
    env: &Env,
    edge: &Edge,
    query: &str,
    batch: bool,
) -> Result<(Visit, bool), Problem> {
    let address = request.headers().get(ADDRESS_HEADER)?;
    let visit = Visit::of(request.inner(), edge, address.as_deref(), query);
    if address.is_some() {
        allowed(request, env, Scope::EventsWrite).await?;
        return Ok((visit, true));
    }
    let trusted = admit(request, edge, &visit, batch).await?;
    Ok((visit, trusted))
}

/// What capture is told: the links that a trusted server names are those that there are.
fn rules(edge: &Edge, trusted: bool) -> Cow<'_, Rules> {
    if trusted && edge.rules.gathers {
        return Cow::Owned(Rules { gathers: false, ..edge.rules.clone() });
    }
    Cow::Borrowed(&edge.rules)
}

/// Why an event is refused where only campaigns of the catalog are taken.
pub(crate) async fn stray(edge: &Edge, event: &RawEvent<'_>, trusted: bool) -> Option<Reject> {
    if trusted || edge.config.unknown_campaigns != Unknown::Refuse || is_kept(edge, &event.campaign_id).await
    {
        return None;
    }
    Some(Reject::new("/campaign_id", "is not a campaign that events are taken for"))
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
