//! `/api/campaigns`, `/api/publishers`, `/api/funnels`, `/api/webhooks` and `/api/alerts`: create, read, change, delete,
//! restore.
//!
//! A deleted item is out of sight and costs nothing, but its id stays taken: what was counted for it is still there,
//! and must not become another's.

use analytics::audit::{Action, Entry, changes};
use analytics::catalog::statements::{List, by_id, insert, update};
use analytics::catalog::unknown::{known, named};
use analytics::catalog::{Item, Sort};
use analytics::{Reject, template};
use futures_util::future::try_join_all;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use worker::{D1Result, Env, Method, Request, Response};

use crate::answer::{json_response, json_status, no_content};
use crate::auth::{Actor, Scope, allowed};
use crate::body::bounded;
use crate::clock::now_ms;
use crate::edge::Edge;
use crate::lookup::Record;
use crate::precondition::{Precondition, tagged};
use crate::problem::Problem;
use crate::random::random_bits;
use crate::sql::{read, transact};
use crate::webhook_routes::secret;

const BODY_MAX_BYTES: usize = 64 << 10;

/// `GET` and `POST` on a whole sort.
pub(crate) async fn collection(
    request: &mut Request,
    env: &Env,
    query: &str,
    sort: Sort,
) -> Result<Response, Problem> {
    let edge = Edge::of(env)?;
    match request.method() {
        Method::Get => {
            let actor = allowed(request, env, scopes(sort).0).await?;
            let mut list = List::new(sort);
            for (name, value) in form_urlencoded::parse(query.as_bytes()) {
                list.set(&name, &value)?;
            }
            if list.is_of_unknown() && !edge.away.is_empty() {
                let records = unknown(&edge, &mut list).await?;
                let answer = list.answer(records.iter().map(String::as_str)).ok_or_else(damaged)?;
                return Ok(json_response(&answer)?);
            }
            let records: Vec<Record> = read(&edge.db, list.page(now_ms())).await?;
            let mut answer = list.answer(records.iter().map(Record::text)).ok_or_else(damaged)?;
            if !actor.writes()
                && let Some(items) = answer.get_mut("data").and_then(Value::as_array_mut)
            {
                items.iter_mut().for_each(mask);
            }
            Ok(json_response(&answer)?)
        }
        Method::Post => {
            let actor = allowed(request, env, scopes(sort).1).await?;
            let fresh = format!("{:016x}", random_bits() as u64);
            let item = Item::create(sort, &body(request).await?, fresh, now_ms())?;
            if store(&edge, &actor, Action::Created, None, &item).await? {
                created(&edge, &item)
            } else {
                Err(Problem::Conflict("There is one with this id already, or was and is deleted"))
            }
        }
        _ => Err(Problem::MethodNotAllowed("GET, POST")),
    }
}

/// The records of the list of unknown ids, where sums lie in several databases.
async fn unknown(edge: &Edge, list: &mut List) -> Result<Vec<String>, Problem> {
    let mut records = Vec::new();
    loop {
        let asked = [&edge.db].into_iter().chain(&edge.away);
        let rows = asked.map(|db| read::<Record>(db, list.page(now_ms())));
        let rows: Vec<Vec<Record>> = try_join_all(rows).await?;
        let answers: Vec<Vec<&str>> =
            rows.iter().map(|rows| rows.iter().map(Record::text).collect()).collect();
        let mut united = list.united(&answers);
        let taken: Vec<Record> = read(&edge.db, known(united.records.keys())).await?;
        for id in taken.iter().filter_map(|record| named(record.text())) {
            united.records.remove(&id);
        }
        records.extend(united.records.into_values());
        match united.upto {
            Some(upto) if !list.has_enough(records.len()) => list.go_on(upto),
            _ => return Ok(records),
        }
    }
}

/// One item: `{id}` and `{id}/restore`.
pub(crate) async fn item(
    request: &mut Request,
    env: &Env,
    rest: &str,
    sort: Sort,
) -> Result<Response, Problem> {
    let (segment, restore) = match rest.strip_suffix("/restore") {
        Some(segment) => (segment, true),
        None => (rest, false),
    };
    let method = request.method();
    let scope = match (&method, restore) {
        (Method::Get, false) => scopes(sort).0,
        (Method::Patch | Method::Put | Method::Delete, false) | (Method::Post, true) => scopes(sort).1,
        (_, true) => return Err(Problem::MethodNotAllowed("POST")),
        (_, false) => return Err(Problem::MethodNotAllowed("GET, PUT, PATCH, DELETE")),
    };
    let actor = allowed(request, env, scope).await?;
    let edge = Edge::of(env)?;
    let nothing = || Problem::NotFound("There is nothing of this id");
    let id = percent_decode_str(segment).decode_utf8().map_err(|_| nothing())?;
    let rows: Vec<Record> = read(&edge.db, by_id(sort, &id)).await?;
    let found = match rows.first() {
        Some(row) => Some(Item::from_record(sort, row.text()).ok_or_else(damaged)?),
        None => None,
    };
    let asked = Precondition::of(request)?;
    let live = found.as_ref().filter(|item| !item.is_deleted());
    let now_ms = now_ms();
    let (action, after) = match (method, live, &found) {
        (Method::Put, live, found) => {
            asked.check(live.map(Item::version))?;
            let body = body(request).await?;
            match found {
                Some(item) if live.is_some() => (Action::Updated, item.replace(&body, now_ms)?),
                Some(item) => (Action::Restored, item.replace(&body, now_ms)?),
                None => (Action::Created, Item::create_as(sort, &id, &body, now_ms)?),
            }
        }
        (Method::Post, None, Some(item)) => (Action::Restored, item.restore(now_ms)),
        (_, None, _) => return Err(nothing()),
        (Method::Post, Some(_), _) => return Err(Problem::Conflict("It is not deleted")),
        (Method::Patch, Some(item), _) => {
            asked.check(Some(item.version()))?;
            (Action::Updated, item.edit(&body(request).await?, now_ms)?)
        }
        (Method::Delete, Some(item), _) => {
            asked.check(Some(item.version()))?;
            (Action::Deleted, item.delete(now_ms))
        }
        (_, Some(item), _) if actor.writes() => return shown(item, 200),
        (_, Some(item), _) => return Ok(tagged(json_status(200, &noted(item))?, item.version())?),
    };
    let unchanged = found.as_ref().is_some_and(|item| item.version() == after.version());
    if !unchanged && !store(&edge, &actor, action, found.as_ref(), &after).await? {
        return Err(asked.lost());
    }
    match action {
        Action::Deleted => Ok(no_content()?),
        Action::Created => created(&edge, &after),
        _ => shown(&after, 200),
    }
}

/// Writes the item and notes the change in one transaction. `false`: somebody else was faster.
async fn store(
    edge: &Edge,
    actor: &Actor,
    action: Action,
    before: Option<&Item>,
    after: &Item,
) -> Result<bool, Problem> {
    if !after.is_deleted() {
        judge(edge, after)?;
    }
    let note = Entry {
        at_ms: now_ms(),
        actor: actor.name().to_owned(),
        action,
        entity: after.sort().entity(),
        entity_id: after.id().to_owned(),
        changes: changes(before.map(noted).as_ref(), Some(&noted(after))),
    };
    let change = match before {
        Some(before) => update(before.version(), after),
        None => insert(after),
    };
    let results = transact(&edge.db, vec![change, note.insert()]).await?;
    let written = results.first().map_or(Ok(Vec::new()), D1Result::results::<Record>)?;
    Ok(!written.is_empty())
}

/// What is for the settings to judge: whom the service may call, and how long a journey remembers a click.
fn judge(edge: &Edge, item: &Item) -> Result<(), Reject> {
    let config = &edge.config;
    if item.sort() == Sort::Webhook {
        let callable = links::may_be_called(&item.text("url"), false, config.webhook_private);
        callable.map_err(|detail| Reject::new("/url", detail))?;
    }
    let template = item.text("postback_url");
    if !template.is_empty() {
        let plain = template::fill(&template, |_| String::new());
        let callable = links::may_be_called(&plain, true, config.webhook_private);
        callable.map_err(|detail| Reject::new("/postback_url", detail))?;
    }
    if item.number("billing_window_seconds").unwrap_or(0) > config.journey_days * 86_400 {
        let why = format!("is longer than the {} days that journeys are kept", config.journey_days);
        return Err(Reject::new("/billing_window_seconds", why));
    }
    Ok(())
}

/// An item as the trail has it, and whoever may only look.
fn noted(item: &Item) -> Value {
    let mut noted = item.to_json();
    mask(&mut noted);
    noted
}

/// What a network gave to call it with is for those who may change it.
fn mask(item: &mut Value) {
    if let Some(template) = item.get_mut("postback_url")
        && let Some(text) = template.as_str()
    {
        *template = template::masked(text).into();
    }
}

/// Who may look at a sort, and who may change it. A webhook carries data out of the house.
fn scopes(sort: Sort) -> (Scope, Scope) {
    match sort {
        Sort::Webhook => (Scope::Admin, Scope::Admin),
        Sort::Alert => (Scope::StatsRead, Scope::LinksWrite),
        Sort::Campaign | Sort::Publisher | Sort::Funnel => (Scope::LinksRead, Scope::LinksWrite),
    }
}

/// A new item; of a webhook with its secret, which no other answer shows.
fn created(edge: &Edge, item: &Item) -> Result<Response, Problem> {
    let mut answer = item.to_json();
    if let (Sort::Webhook, Some(members)) = (item.sort(), answer.as_object_mut()) {
        members.insert("secret".to_owned(), secret(edge, item).into());
    }
    Ok(tagged(json_status(201, &answer)?, item.version())?)
}

fn shown(item: &Item, status: u16) -> Result<Response, Problem> {
    Ok(tagged(json_status(status, &item.to_json())?, item.version())?)
}

fn damaged() -> Problem {
    Problem::Unavailable("a stored record cannot be read".into())
}

async fn body(request: &mut Request) -> Result<Vec<u8>, Problem> {
    let too_large = Problem::TooLarge("the body is larger than 64 KiB".into());
    bounded(request, BODY_MAX_BYTES).await?.ok_or(too_large)
}
