//! `/api/links`: list, create, read, change, delete, restore, and what was done to a link.

use analytics::Reject;
use analytics::audit::{Entity, Filter};
use links::operation::{Name, Operation, Outcome, Verb};
use links::{Link, List, statements};
use serde_json::{Value, json};
use worker::{Env, Headers, Method, Request, Response, ResponseBuilder};

use crate::answer::{json_response, json_status, no_content};
use crate::auth::{Actor, Scope, allowed};
use crate::body::bounded;
use crate::clock::now_ms;
use crate::edge::Edge;
use crate::guided::meter_key;
use crate::link_changes::{Answer, Wish, carry_out, live_within_seconds};
use crate::lookup::Record;
use crate::meter;
use crate::once::Once;
use crate::precondition::{Precondition, tagged};
use crate::problem::Problem;
use crate::sql::read;

const BODY_MAX_BYTES: usize = 128 << 10;

/// How long it takes until everybody sees a change.
pub(crate) const LIVE_WITHIN_HEADER: &str = "x-clicktrail-live-within";

/// `/api/links`
pub(crate) async fn collection(request: &mut Request, env: &Env, query: &str) -> Result<Response, Problem> {
    match request.method() {
        Method::Get => {
            allowed(request, env, Scope::LinksRead).await?;
            list(&*Edge::of(env)?, &origin(request)?, query).await
        }
        Method::Post => {
            let actor = allowed(request, env, Scope::LinksWrite).await?;
            create(request, &*Edge::of(env)?, &actor).await
        }
        _ => Err(Problem::MethodNotAllowed("GET, POST")),
    }
}

async fn list(edge: &Edge, origin: &str, query: &str) -> Result<Response, Problem> {
    let mut list = List::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        list.set(&name, &value)?;
    }
    let (links, next) = page(edge, &list).await?;
    let now_ms = now_ms();
    let data: Vec<Value> = links.iter().map(|link| link.to_json(origin, now_ms)).collect();
    Ok(json_response(&json!({ "data": data, "next_cursor": next }))?)
}

/// A page of the list, and the cursor of the next.
///
/// # Errors
/// The cursor is of no such list, or D1 is down.
pub(crate) async fn page(edge: &Edge, list: &List) -> Result<(Vec<Link>, Option<String>), Problem> {
    let mut rows: Vec<Record> = read(&edge.db, list.page(now_ms())?).await?;
    let more = rows.len() > list.limit();
    rows.truncate(list.limit());
    let links: worker::Result<Vec<Link>> = rows.iter().map(Record::link).collect();
    let links = links?;
    let end = links.last().zip(rows.last()).filter(|_| more);
    let next = end.map(|(link, row)| list.cursor(row.place(), &link.token, &link.domain));
    Ok((links, next))
}

async fn create(request: &mut Request, edge: &Edge, actor: &Actor) -> Result<Response, Problem> {
    let body = body(request).await?;
    let keyed = match Once::of(request, edge, actor, &body).await? {
        Once::Again(response) => return Ok(response),
        Once::First(keyed) => Some(keyed),
        Once::Unkeyed => None,
    };
    let (origin, host) = (origin(request)?, host(request)?);
    let answer = |outcomes: &[Outcome]| {
        let link = outcomes.first().and_then(Outcome::link);
        (201_u16, link.map_or(Value::Null, |link| link.to_json(&origin, now_ms())).to_string())
    };
    let keep = keyed.as_ref().map(|keyed| (keyed, &answer as Answer<'_>));
    let wish = Wish { actor, host: &host, holds: &|_| true, keep };
    let outcomes = carry_out(edge, &wish, &[Operation::new(Verb::Create, body)]).await?;
    changed(edge, &outcomes, &origin)
}

/// `/api/links/{name}`, `/api/links/{name}/restore`, `/api/links/{name}/history`. A name is a token, of the host
/// `?domain=` if there is one, or `ext:` and an external id.
pub(crate) async fn item(
    request: &mut Request,
    env: &Env,
    rest: &str,
    query: &str,
) -> Result<Response, Problem> {
    let (segment, act) = rest.split_once('/').unwrap_or((rest, ""));
    let verb = match (request.method(), act) {
        (Method::Get, "" | "history") => None,
        (Method::Patch, "") => Some(Verb::Update),
        (Method::Put, "") => Some(Verb::Put),
        (Method::Delete, "") => Some(Verb::Delete),
        (Method::Post, "restore") => Some(Verb::Restore),
        (_, "") => return Err(Problem::MethodNotAllowed("GET, PUT, PATCH, DELETE")),
        (_, "restore") => return Err(Problem::MethodNotAllowed("POST")),
        (_, "history") => return Err(Problem::MethodNotAllowed("GET")),
        _ => return Err(Problem::NotFound("There is nothing at this address")),
    };
    let scope = if verb.is_some() { Scope::LinksWrite } else { Scope::LinksRead };
    let actor = allowed(request, env, scope).await?;
    let edge = Edge::of(env)?;
    if act == "history" {
        return history(&edge, segment, query).await;
    }
    let (mut domain, mut purge) = (String::new(), false);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match (&*name, verb) {
            ("domain", _) => domain = value.into_owned(),
            ("purge", Some(Verb::Delete)) => {
                purge = value.parse().map_err(|_| Reject::new("/purge", "is neither true nor false"))?;
            }
            _ => return Err(Reject::new(format!("/{name}"), "is no parameter of this route").into()),
        }
    }
    let name = Name::of_path(segment, &domain).ok_or(NO_LINK)?;
    let asked = Precondition::of(request)?;
    let origin = origin(request)?;
    let Some(verb) = verb else { return show(&edge, &name, &asked, &origin).await };
    let verb = if purge { Verb::Purge } else { verb };
    let body = match verb {
        Verb::Update | Verb::Put => body(request).await?,
        _ => Vec::new(),
    };
    let host = host(request)?;
    let wish =
        Wish { actor: &actor, host: &host, holds: &|version| asked.check(version).is_ok(), keep: None };
    let outcomes = carry_out(&edge, &wish, &[Operation::on(name, verb, body)]).await?;
    changed(&edge, &outcomes, &origin)
}

pub(crate) const NO_LINK: Problem = Problem::NotFound("There is no such link");

/// The answer to one operation.
fn changed(edge: &Edge, outcomes: &[Outcome], origin: &str) -> Result<Response, Problem> {
    let outcome = outcomes.first().ok_or(NO_LINK)?;
    match outcome {
        Outcome::Invalid(rejects) => return Err(rejects.clone().into()),
        Outcome::Taken(reject) => return Err(Problem::Taken(reject.clone())),
        Outcome::NotFound => return Err(NO_LINK),
        Outcome::Stale => return Err(Problem::PreconditionFailed),
        Outcome::Twice => return Err(Problem::Conflict("It is changed twice")),
        Outcome::Change(..) | Outcome::Same(_) | Outcome::Skipped(_) => {}
    }
    let status = outcome.status();
    let mut response = match outcome.link() {
        Some(link) if !matches!(status, "deleted" | "purged") => {
            let answer = link.to_json(origin, now_ms());
            tagged(json_status(if status == "created" { 201 } else { 200 }, &answer)?, link.version)?
        }
        _ => no_content()?,
    };
    if let Some(seconds) = live_within_seconds(edge, outcomes) {
        response.headers_mut().set(LIVE_WITHIN_HEADER, &seconds.to_string())?;
    }
    Ok(response)
}

/// The link of this name, deleted or not.
pub(crate) async fn find(edge: &Edge, name: &Name) -> Result<Option<Link>, Problem> {
    let statement = match &name.token {
        Some(token) => statements::by_token(&name.domain, token),
        None => statements::by_external_id(&name.external_id),
    };
    let rows: Vec<Record> = read(&edge.db, statement).await?;
    Ok(rows.first().map(Record::link).transpose()?)
}

async fn show(edge: &Edge, name: &Name, asked: &Precondition, origin: &str) -> Result<Response, Problem> {
    let link = find(edge, name).await?.filter(|link| link.deleted_at_ms.is_none()).ok_or(NO_LINK)?;
    let mut answer = link.to_json(origin, now_ms());
    if link.max_clicks.is_some() {
        if let Some(members) = answer.as_object_mut() {
            let used = meter::read(edge, &meter_key(&link)).await?;
            members.insert("clicks_used".to_owned(), used.into());
        }
    } else if asked.has(link.version) {
        // Not where clicks are counted: their number has no version.
        let builder = ResponseBuilder::new().with_status(304).with_headers(Headers::new());
        return Ok(tagged(builder.empty(), link.version)?);
    }
    Ok(tagged(json_response(&answer)?, link.version)?)
}

/// What was done to a link, newest first; also to one that is deleted or purged.
async fn history(edge: &Edge, segment: &str, query: &str) -> Result<Response, Problem> {
    let mut filter = Filter::default();
    let mut domain = String::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "domain" => domain = value.into_owned(),
            "entity" | "entity_id" => {
                return Err(Reject::new(format!("/{name}"), "is no parameter of this route").into());
            }
            _ => filter.set(&name, &value)?,
        }
    }
    let name = Name::of_path(segment, &domain).ok_or(NO_LINK)?;
    let key = match &name.token {
        Some(token) => links::key(&name.domain, token).into_owned(),
        None => find(edge, &name).await?.ok_or(NO_LINK)?.key().into_owned(),
    };
    filter.set("entity", Entity::Link.name())?;
    filter.set("entity_id", &key)?;
    let rows: Vec<Record> = read(&edge.db, filter.page()).await?;
    Ok(json_response(&filter.answer(rows.iter().map(Record::text)))?)
}

async fn body(request: &mut Request) -> Result<Vec<u8>, Problem> {
    let too_large = Problem::TooLarge("the body is larger than 128 KiB".into());
    bounded(request, BODY_MAX_BYTES).await?.ok_or(too_large)
}

/// Scheme and host under which the request came in: short links are on the same.
pub(crate) fn origin(request: &Request) -> Result<String, Problem> {
    Ok(request.url()?.origin().ascii_serialization())
}

/// The host that the service answers on.
pub(crate) fn host(request: &Request) -> Result<String, Problem> {
    Ok(request.url()?.host_str().unwrap_or_default().to_owned())
}
