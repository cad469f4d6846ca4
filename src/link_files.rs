//! Links by the thousand: `/api/links/bulk`, `/api/import` and `/api/export`; and the labels they are found by.

use std::rc::Rc;

use analytics::Reject;
use futures_util::stream;
use links::import::{self, Format};
use links::operation::{OPERATIONS_MAX, OnConflict, Operation, Outcome, Verb};
use links::statements::{Label, labels};
use links::{List, export};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use worker::{Env, Error, Headers, Method, Request, Response, ResponseBuilder};

use crate::answer::json_response;
use crate::auth::{Scope, allowed};
use crate::body::bounded;
use crate::clock::now_ms;
use crate::edge::Edge;
use crate::link_changes::{Answer, Wish, carry_out, live_within_seconds, rehearse};
use crate::link_routes::{LIVE_WITHIN_HEADER, host, origin, page};
use crate::notice;
use crate::once::Once;
use crate::problem::Problem;
use crate::sql::read;

const BULK_MAX_BYTES: usize = 4 << 20;
const LABELS_DEFAULT: u32 = 100;
const LABELS_MAX: u32 = 1_000;

/// `POST /api/links/bulk`
pub(crate) async fn bulk(request: &mut Request, env: &Env) -> Result<Response, Problem> {
    if request.method() != Method::Post {
        return Err(Problem::MethodNotAllowed("POST"));
    }
    let actor = allowed(request, env, Scope::LinksWrite).await?;
    let edge = Edge::of(env)?;
    let too_large = Problem::TooLarge("the body is larger than 4 MiB".into());
    let body = bounded(request, BULK_MAX_BYTES).await?.ok_or(too_large)?;
    let keyed = match Once::of(request, &edge, &actor, &body).await? {
        Once::Again(response) => return Ok(response),
        Once::First(keyed) => Some(keyed),
        Once::Unkeyed => None,
    };
    let operations = Operation::bulk(&body)?;
    let answer = |outcomes: &[Outcome]| {
        let results = operations.iter().zip(outcomes).map(|(operation, outcome)| operation.result(outcome));
        json!({ "results": results.collect::<Vec<_>>() })
    };
    let kept = |outcomes: &[Outcome]| (200_u16, answer(outcomes).to_string());
    let keep = keyed.as_ref().map(|keyed| (keyed, &kept as Answer<'_>));
    let host = host(request)?;
    let wish = Wish { actor: &actor, host: &host, holds: &|_| true, keep };
    let outcomes = carry_out(&edge, &wish, &operations).await?;
    let mut response = json_response(&answer(&outcomes))?;
    if let Some(seconds) = live_within_seconds(&edge, &outcomes) {
        response.headers_mut().set(LIVE_WITHIN_HEADER, &seconds.to_string())?;
    }
    Ok(response)
}

/// What a file is to be read as, and what becomes of it.
struct Wanted {
    format: Format,
    dry_run: bool,
    on_conflict: OnConflict,
}

impl Wanted {
    fn parse(query: &str) -> Result<Self, Reject> {
        let mut wanted = Self { format: Format::Auto, dry_run: false, on_conflict: OnConflict::Skip };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let say = |detail: &'static str| Reject::new(format!("/{name}"), detail);
            match &*name {
                "format" => {
                    wanted.format = Format::parse(&value).ok_or_else(|| say("is no format that is known"))?;
                }
                "dry_run" => {
                    wanted.dry_run = value.parse().map_err(|_| say("is neither true nor false"))?;
                }
                "on_conflict" => {
                    let known = OnConflict::parse(&value);
                    wanted.on_conflict = known.ok_or_else(|| say("is none of skip, update, error"))?;
                }
                _ => return Err(say("is no parameter of this route")),
            }
        }
        Ok(wanted)
    }
}

/// `POST /api/import`: a file of links, a thousand at a time. What was answered as stored is stored, whatever becomes
/// of the rest; a file that is sent again meets its own links.
pub(crate) async fn import(request: &mut Request, env: &Env, query: &str) -> Result<Response, Problem> {
    if request.method() != Method::Post {
        return Err(Problem::MethodNotAllowed("POST"));
    }
    let actor = allowed(request, env, Scope::LinksWrite).await?;
    let edge = Edge::of(env)?;
    let wanted = Wanted::parse(query)?;
    let content_type = request.headers().get("content-type")?.unwrap_or_default();
    let too_large = Problem::TooLarge("the body is larger than 8 MiB".into());
    let body = bounded(request, import::BODY_MAX_BYTES).await?.ok_or(too_large)?;
    let host = host(request)?;
    let wish = Wish { actor: &actor, host: &host, holds: &|_| true, keep: None };
    let mut lines = import::read(&body, &content_type, wanted.format, now_ms())?;
    let format = lines.format().name();
    let mut report = Report::default();
    loop {
        let (mut told, mut operations) = (Vec::new(), Vec::new());
        for line in lines.by_ref().take(OPERATIONS_MAX) {
            let verb = Verb::Import(wanted.on_conflict);
            operations.push(match line.result {
                Ok(members) => Operation::new(verb, Value::Object(members).to_string().into_bytes()),
                Err(rejects) => Operation::flawed(verb, rejects),
            });
            told.push((line.number, line.warnings));
        }
        if operations.is_empty() {
            break;
        }
        let outcomes = if wanted.dry_run {
            rehearse(&edge, &wish, &operations).await
        } else {
            carry_out(&edge, &wish, &operations).await
        };
        match outcomes {
            Ok(outcomes) => {
                for (((number, warnings), operation), outcome) in
                    told.into_iter().zip(&operations).zip(&outcomes)
                {
                    report.add(number, operation.result(outcome), outcome.status(), &warnings);
                }
            }
            // Nothing was stored so far: then it is the request that failed.
            Err(problem) if report.lines.is_empty() => return Err(problem),
            Err(problem) => {
                notice::error("links", "import_cut_short", &"", &format_args!("{problem:?}"));
                let errors = [Reject::new("", "was not stored; send the file again")];
                for (number, warnings) in told {
                    report.add(number, json!({ "status": "failed", "errors": errors }), "failed", &warnings);
                }
            }
        }
    }
    Ok(json_response(&report.answer(format, wanted.dry_run))?)
}

/// What became of the lines of a file.
#[derive(Default)]
struct Report {
    counts: Map<String, Value>,
    lines: Vec<Value>,
}

impl Report {
    fn add(&mut self, number: usize, mut result: Value, status: &str, warnings: &[String]) {
        let count = self.counts.get(status).and_then(Value::as_u64).unwrap_or_default() + 1;
        self.counts.insert(status.to_owned(), count.into());
        if let Some(members) = result.as_object_mut() {
            members.insert("line".to_owned(), number.into());
            if !warnings.is_empty() {
                members.insert("warnings".to_owned(), warnings.into());
            }
        }
        self.lines.push(result);
    }

    fn answer(self, format: &str, dry_run: bool) -> Value {
        json!({ "format": format, "dry_run": dry_run, "counts": self.counts, "results": self.lines })
    }
}

/// `GET /api/export`: every link of a list, page by page, so that a hundred thousand never stand in memory together.
pub(crate) async fn export(request: &Request, env: &Env, query: &str) -> Result<Response, Problem> {
    if request.method() != Method::Get {
        return Err(Problem::MethodNotAllowed("GET"));
    }
    allowed(request, env, Scope::LinksRead).await?;
    let (mut list, mut csv) = (List::default(), true);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match (&*name, &*value) {
            ("format", "csv") => csv = true,
            ("format", "ndjson") => csv = false,
            ("format", _) => return Err(Reject::new("/format", "is neither csv nor ndjson").into()),
            ("limit", _) => return Err(Reject::new("/limit", "is no parameter of this route").into()),
            _ => list.set(&name, &value)?,
        }
    }
    let list = list.in_large_pages();
    list.page(now_ms())?; // A cursor that is none is refused before the answer begins.
    let (content_type, name) =
        if csv { ("text/csv; charset=utf-8", "links.csv") } else { ("application/x-ndjson", "links.ndjson") };
    let headers = Headers::new();
    headers.set("content-type", content_type)?;
    headers.set("content-disposition", &format!("attachment; filename=\"{name}\""))?;
    headers.set("cache-control", "no-store")?;
    let (edge, origin) = (Edge::of(env)?, origin(request)?);
    let pages = stream::try_unfold(Some((list, csv)), move |at| {
        let (edge, origin) = (Rc::clone(&edge), origin.clone());
        async move {
            let Some((list, first_of_csv)) = at else { return Ok(None) };
            let (links, next) = page(&edge, &list).await.map_err(|problem| {
                notice::error("links", "export_cut_short", &"", &format_args!("{problem:?}"));
                Error::RustError("the export was cut short".to_owned())
            })?;
            let mut text = if first_of_csv { export::csv_header() } else { String::new() };
            let now_ms = now_ms();
            for link in &links {
                let link = link.to_json(&origin, now_ms);
                text.push_str(&if csv { export::csv_row(&link) } else { export::ndjson_row(&link) });
            }
            let next = next.map(|cursor| (list.behind(cursor), false));
            Ok::<_, Error>(Some((text.into_bytes(), next)))
        }
    });
    Ok(ResponseBuilder::new().with_headers(headers).from_stream(pages)?)
}

#[derive(Deserialize)]
struct Counted {
    label: String,
    links: u64,
}

/// `GET /api/tags`, `GET /api/folders`: which there are, in order, and on how many links.
pub(crate) async fn label(
    request: &Request,
    env: &Env,
    query: &str,
    kind: Label,
) -> Result<Response, Problem> {
    if request.method() != Method::Get {
        return Err(Problem::MethodNotAllowed("GET"));
    }
    allowed(request, env, Scope::LinksRead).await?;
    let (mut after, mut limit) = (String::new(), LABELS_DEFAULT);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "cursor" => after = value.into_owned(),
            "limit" => {
                let parsed = value.parse().ok().filter(|limit| (1..=LABELS_MAX).contains(limit));
                limit = parsed.ok_or_else(|| Reject::new("/limit", "is not a number from 1 to 1,000"))?;
            }
            _ => return Err(Reject::new(format!("/{name}"), "is no parameter of this route").into()),
        }
    }
    let mut rows: Vec<Counted> = read(&Edge::of(env)?.db, labels(kind, &after, limit + 1)).await?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more).map(|row| &row.label);
    let data: Vec<Value> = rows.iter().map(|row| json!({ "name": row.label, "links": row.links })).collect();
    Ok(json_response(&json!({ "data": data, "next_cursor": next }))?)
}
