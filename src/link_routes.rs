//! `/api/links`: create, read, change, delete.

use std::rc::Rc;

use analytics::Reject;
use links::{Allowed, Cursor, Link, Token, Written, kv_key, statements};
use serde::Deserialize;
use serde_json::{Value, json};
use worker::{Env, Method, Request, Response, console_warn};

use crate::answer::{json_response, json_status, no_content};
use crate::auth::{Scope, allowed};
use crate::body::bounded;
use crate::clock::now_ms;
use crate::edge::Edge;
use crate::guided::meter_key;
use crate::lookup::{Record, from_d1};
use crate::meter;
use crate::password;
use crate::problem::Problem;
use crate::random::random_bits;
use crate::sql::{read, transact};
use crate::zone;

const BODY_MAX_BYTES: usize = 64 << 10;
const PAGE_DEFAULT: u32 = 50;
const PAGE_MAX: u32 = 500;

/// A generated token of 7 characters is taken once in 3.7e11 / number of links draws; three in a row are a fault.
const DRAWS: usize = 3;

#[derive(Deserialize)]
struct Touched {
    #[serde(rename = "token")]
    _token: String,
}

/// `/api/links`
pub(crate) async fn collection(request: &mut Request, env: &Env, query: &str) -> Result<Response, Problem> {
    match request.method() {
        Method::Get => {
            allowed(request, env, Scope::LinksRead).await?;
            list(&*Edge::of(env)?, &origin(request)?, query).await
        }
        Method::Post => {
            allowed(request, env, Scope::LinksWrite).await?;
            create(request, &*Edge::of(env)?).await
        }
        _ => Err(Problem::MethodNotAllowed("GET, POST")),
    }
}

/// `/api/links/{token}`
pub(crate) async fn item(request: &mut Request, env: &Env, segment: &str) -> Result<Response, Problem> {
    let scope = match request.method() {
        Method::Get => Scope::LinksRead,
        Method::Patch | Method::Delete => Scope::LinksWrite,
        _ => return Err(Problem::MethodNotAllowed("GET, PATCH, DELETE")),
    };
    allowed(request, env, scope).await?;
    let edge = Edge::of(env)?;
    let link = match Token::from_segment(segment) {
        Some(token) => from_d1(&edge, "", &token).await?,
        None => None,
    };
    let link = link.ok_or(Problem::NotFound("There is no such link"))?;
    match request.method() {
        Method::Patch => change(request, &edge, &link).await,
        Method::Delete => {
            transact(&edge.db, [statements::delete(&link)]).await?;
            publish(&edge, &link, false).await;
            Ok(no_content()?)
        }
        _ => {
            let mut answer = link.to_json(&origin(request)?, now_ms());
            if link.max_clicks.is_some()
                && let Some(members) = answer.as_object_mut()
            {
                let used = meter::read(&edge, &meter_key(&link)).await?;
                members.insert("clicks_used".to_owned(), used.into());
            }
            Ok(json_response(&answer)?)
        }
    }
}

async fn list(edge: &Edge, origin: &str, query: &str) -> Result<Response, Problem> {
    let (mut cursor, mut limit) = (None, PAGE_DEFAULT);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "cursor" => cursor = Some(Cursor::parse(&value)?),
            "limit" => {
                let parsed = value.parse().ok().filter(|limit| (1..=PAGE_MAX).contains(limit));
                limit = parsed.ok_or_else(|| Reject::new("/limit", "is not a number from 1 to 500"))?;
            }
            _ => return Err(Reject::new(format!("/{name}"), "is no parameter of this route").into()),
        }
    }
    let records: Vec<Record> = read(&edge.db, statements::page(cursor.as_ref(), limit + 1)).await?;
    let links: Result<Vec<Link>, _> = records.iter().take(limit as usize).map(Record::link).collect();
    let links = links?;
    let more = records.len() > limit as usize;
    let next = links.last().filter(|_| more).map(|link| Cursor::after(link).to_string());
    let data: Vec<Value> = links.iter().map(|link| link.to_json(origin, now_ms())).collect();
    Ok(json_response(&json!({ "data": data, "next_cursor": next }))?)
}

async fn create(request: &mut Request, edge: &Edge) -> Result<Response, Problem> {
    let (body, host) = (body(request).await?, host(request)?);
    for _ in 0..DRAWS {
        let fresh = Token::generate(random_bits() as u64);
        let link = sealed(Link::create(&body, fresh.clone(), now_ms(), &rules(edge, &host))?).await?;
        let created: Vec<Touched> = read(&edge.db, statements::insert(&link)).await?;
        if !created.is_empty() {
            publish(edge, &link, true).await;
            return Ok(json_status(201, &link.to_json(&origin(request)?, now_ms()))?);
        }
        if link.token != fresh {
            return Err(Problem::Conflict("There is a link with this token already"));
        }
    }
    Err(Problem::Unavailable("no free token was found".into()))
}

async fn change(request: &mut Request, edge: &Edge, link: &Link) -> Result<Response, Problem> {
    let (body, host) = (body(request).await?, host(request)?);
    let edited = sealed(link.edit(&body, now_ms(), &rules(edge, &host))?).await?;
    if edited != *link {
        let changed: Vec<Touched> = read(&edge.db, statements::update(link, &edited)).await?;
        if changed.is_empty() {
            return Err(Problem::Conflict("Somebody else changed or deleted this link meanwhile"));
        }
        publish(edge, &edited, true).await;
    }
    Ok(json_response(&edited.to_json(&origin(request)?, now_ms()))?)
}

/// Lets the edge know: this isolate at once, KV before the answer. D1 has it already, so a KV that is down costs
/// freshness and nothing else.
async fn publish(edge: &Edge, link: &Link, exists: bool) {
    edge.known.borrow_mut().learn(link.key().into_owned(), exists.then(|| Rc::new(link.clone())));
    let key = kv_key(&link.domain, &link.token);
    let told = if exists {
        match edge.links.put(&key, link.to_record()) {
            Ok(put) => put.execute().await,
            Err(error) => Err(error),
        }
    } else {
        edge.links.delete(&key).await
    };
    if let Err(error) = told {
        console_warn!("KV was not told of {key}: {error}");
    }
}

/// A link that somebody wrote, with its new password hashed.
async fn sealed(written: Written) -> Result<Link, Problem> {
    let mut link = written.link;
    if let Some(word) = &written.password {
        link.password = password::hash(word).await?;
    }
    Ok(link)
}

/// What links may be, at a service that answers on `host`.
fn rules<'a>(edge: &'a Edge, host: &'a str) -> Allowed<'a> {
    Allowed {
        app_schemes: &edge.config.app_schemes,
        domains: &edge.config.domains,
        own_host: host,
        is_zone: zone::is_zone,
    }
}

fn host(request: &Request) -> Result<String, Problem> {
    Ok(request.url()?.host_str().unwrap_or_default().to_owned())
}

async fn body(request: &mut Request) -> Result<Vec<u8>, Problem> {
    let too_large = Problem::TooLarge("the body is larger than 64 KiB".into());
    bounded(request, BODY_MAX_BYTES).await?.ok_or(too_large)
}

/// Scheme and host under which the request came in: short links are on the same.
pub(crate) fn origin(request: &Request) -> Result<String, Problem> {
    Ok(request.url()?.origin().ascii_serialization())
}
