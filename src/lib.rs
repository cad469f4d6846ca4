//! The shell: everything that says `worker::`. Facts go from here into the pure crates, and their decisions are
//! carried out here.
//!
//! Four doors: `fetch` for requests, `queue` for messages, `scheduled` for the minute, and the Durable Object classes
//! of src/entry.mjs. A redirect is told by its path before anything is parsed; all else goes through `route`, where
//! each arm names the file that answers. Bindings have their names in `bindings`, settings in `config`, statuses in
//! `problem`. docs/architecture.md walks a click from here to its report.

mod access;
mod alerts;
mod answer;
mod archive;
mod archive_upkeep;
mod audit_routes;
mod auth;
mod bindings;
mod body;
mod call;
mod campaigns;
mod catalog_routes;
mod clock;
mod config;
mod consumer;
mod dashboard;
mod dead_letters;
mod deliveries;
mod edge;
mod erase;
mod erasures;
mod event_export;
mod events;
mod forward;
mod gate;
mod group_commit;
mod guided;
mod handover;
mod headers;
mod heed;
mod home;
mod journal;
mod journey_stats;
mod key_routes;
mod layout;
mod limits;
mod link_changes;
mod link_files;
mod link_routes;
mod live;
mod lookup;
mod meter;
mod metrics;
mod notice;
mod once;
mod openapi;
mod outbound;
mod page;
mod password;
mod person;
mod pixel;
mod planning;
mod postback;
mod postback_routes;
mod precondition;
mod privacy_routes;
mod problem;
mod qr_route;
mod random;
mod rebuild;
mod record;
mod redirect;
mod retention_route;
mod schedule;
mod senders;
mod session_routes;
mod shipping;
mod sql;
mod stats;
mod sums;
mod tag;
mod terms;
mod tries;
mod try_route;
mod turn;
mod unzip;
mod visit;
mod watch;
mod webhook_routes;
mod zone;

use worker::js_sys::Array;
use worker::wasm_bindgen::JsCast;
use worker::wasm_bindgen::prelude::*;
use worker::{
    Context, Env, Method, Request, Response, Result, ScheduleContext, ScheduledEvent, event, web_sys,
};

use analytics::catalog::Sort;
use edge::Edge;
use links::statements::Label;
use problem::Problem;
use redirect::host_of;

/// A request. As the platform hands it over: of a redirect, the SDK's request and response would read and write much
/// that nobody needs.
#[event(fetch, respond_with_errors)]
async fn fetch(request: web_sys::Request, env: Env, ctx: Context) -> Result<web_sys::Response> {
    let url = request.url();
    let (path, query) = address(&url);
    let followed = match path.strip_prefix("/r/") {
        Some(segment) => Some(redirect::follow(&request, &env, &ctx, (&host_of(&url), segment), query).await),
        None if path == "/" => Some(home::lead(&request, &env)),
        None => forward::route(&request, &env, &ctx, &url, path, query).await,
    };
    let answer = match followed {
        Some(Ok(response)) => response,
        Some(Err(problem)) => redirect::explain(&request, &problem)?,
        None => {
            let request = &mut understood(Clone::clone(&request))?;
            let answer = match hit(request, &env, path, query).await {
                Some(answer) => answer,
                None => route(request, &env, path, query).await.map(Into::into),
            };
            note_keys(&env, &ctx);
            heed::write_behind(&env, &ctx);
            deliveries::wake_behind(&env, &ctx);
            answer.or_else(|problem| problem.response().map(Into::into))?
        }
    };
    if let Ok(edge) = Edge::of(&env) {
        notice::sampled(edge.config.log_sample, path, || answer.status());
    }
    headers::finished(&request, &env, (&url, path), answer)
}

/// The SDK takes every method that it does not know for GET. REPORT is one that it knows and no route has: each refuses it
/// and says which it has.
fn understood(request: web_sys::Request) -> Result<Request> {
    let understood: Request = request.into();
    if understood.method() != Method::Get || understood.inner().method() == "GET" {
        return Ok(understood);
    }
    let unknown = web_sys::RequestInit::new();
    unknown.set_method("REPORT");
    Ok(web_sys::Request::new_with_request_and_init(understood.inner(), &unknown)?.into())
}

/// Notes the keys that were used, behind the answer. A note that is lost is made again at the next use.
fn note_keys(env: &Env, ctx: &Context) {
    let Ok(edge) = Edge::of(env) else { return };
    let notes = edge.used.borrow_mut().take();
    if !notes.is_empty() {
        ctx.wait_until(async move {
            if let Err(error) = sql::transact(&edge.db, notes).await {
                notice::warn("keys", "use_not_noted", &"", &error);
            }
        });
    }
}

/// Path and raw query of an absolute URL, as they came: they are passed on as they came.
fn address(url: &str) -> (&str, &str) {
    let behind_host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = behind_host.find('/').and_then(|slash| behind_host.get(slash..)).unwrap_or("/");
    let path = path.split_once('#').map_or(path, |(path, _)| path);
    path.split_once('?').unwrap_or((path, ""))
}

/// Answers if the path is one of those that hits come by, besides redirects: what they are answered is made in one go.
async fn hit(
    request: &mut Request,
    env: &Env,
    path: &str,
    query: &str,
) -> Option<Result<web_sys::Response, Problem>> {
    match path {
        "/1x1.gif" | "/1%C3%971.gif" | "/1%c3%971.gif" => Some(match request.method() {
            // What a browser asks before it shows a picture is no impression.
            Method::Get | Method::Head | Method::Post => Ok(pixel::show(request, env, query).await),
            _ => Err(Problem::MethodNotAllowed("GET, HEAD, POST")),
        }),
        _ => Some(events::one(request, env, path.strip_prefix("/events/")?, query).await),
    }
}

async fn route(request: &mut Request, env: &Env, path: &str, query: &str) -> Result<Response, Problem> {
    match path {
        "/healthz" | "/openapi.json" | "/tag.js"
            if !matches!(request.method(), Method::Get | Method::Head) =>
        {
            Err(Problem::MethodNotAllowed("GET, HEAD"))
        }
        "/openapi.json" => openapi::show().await,
        "/robots.txt" => home::robots(request),
        "/postback" => postback::tell(request, env, query).await,
        "/tag.js" => tag::show(request, env).await,
        "/events" => events::batch(request, env, query).await,
        "/dashboard" => dashboard::enter(request),
        "/docs" => dashboard::show(request.clone()?, env).await,
        "/stats/live" => live::watch(request.clone()?, env).await,
        "/stats/recent" => live::recent(request, env).await,
        "/api/session" => session_routes::route(request, env).await,
        "/stats/clicks" => stats::clicks(request, env, query).await,
        "/stats/quality" => stats::quality(request, env, query).await,
        "/stats/sessions" => journey_stats::sessions(request, env, query).await,
        "/stats/cohorts" => journey_stats::cohorts(request, env, query).await,
        "/stats/funnel" => journey_stats::funnel(request, env, query).await,
        "/stats/conversions" => journey_stats::conversions(request, env, query).await,
        "/stats/integrity" => stats::integrity(request, env).await,
        "/metrics" => metrics::show(request, env).await,
        "/api/links" => link_routes::collection(request, env, query).await,
        "/api/links/bulk" => link_files::bulk(request, env).await,
        "/api/import" => link_files::import(request, env, query).await,
        "/api/export" => link_files::export(request, env, query).await,
        "/api/export/events" => event_export::show(request, env, query).await,
        "/api/rebuild" => rebuild::item(request, env).await,
        "/api/retention" => retention_route::show(request, env).await,
        "/api/privacy/erasures" => erasures::collection(request, env).await,
        "/api/privacy/access" => access::show(request, env).await,
        "/api/tags" => link_files::label(request, env, query, Label::Tag).await,
        "/api/folders" => link_files::label(request, env, query, Label::Folder).await,
        "/api/sign" => forward::sign(request, env).await,
        "/api/campaigns" | "/api/publishers" | "/api/funnels" | "/api/webhooks" | "/api/alerts" => {
            catalog_routes::collection(request, env, query, sort_of(path)).await
        }
        "/api/alert-states" => alerts::list(request, env).await,
        "/api/deliveries" => webhook_routes::deliveries(request, env, query).await,
        "/api/keys" => key_routes::collection(request, env).await,
        "/api/privacy" => privacy_routes::policies(request, env).await,
        "/opt-out" => privacy_routes::opt(request, env, true),
        "/opt-in" => privacy_routes::opt(request, env, false),
        "/api/audit" => audit_routes::collection(request, env, query).await,
        "/api/dead-letters" => dead_letters::collection(request, env, query).await,
        // A binding or secret that is missing shows here, not at the first click.
        "/healthz" => Ok(Edge::of(env).and_then(|_| Response::ok("ok"))?),
        _ => {
            if let Some(rest) = path.strip_prefix("/api/links/") {
                match rest.rsplit_once('/') {
                    Some((name, "qr")) => qr_route::show(request, env, name, query).await,
                    Some((name, "try")) => try_route::run(request, env, name, query).await,
                    _ => link_routes::item(request, env, rest, query).await,
                }
            } else if let Some(rest) = kept(path) {
                let verb = webhook_routes::verb(rest);
                let called = verb.and_then(|(of, verb)| Some((of.strip_suffix("/postback")?, verb)));
                match (sort_of(path), called, verb, rest.strip_suffix("/statement")) {
                    (sort @ (Sort::Campaign | Sort::Publisher), Some(called), ..) => {
                        postback_routes::act(request, env, sort, called).await
                    }
                    (Sort::Webhook, _, Some(verb), _) => webhook_routes::act(request, env, verb).await,
                    (Sort::Publisher, .., Some(id)) => {
                        journey_stats::statement(request, env, id, query).await
                    }
                    (sort, ..) => catalog_routes::item(request, env, rest, sort).await,
                }
            } else if let Some(rest) = path.strip_prefix("/api/deliveries/") {
                webhook_routes::delivery(request, env, rest).await
            } else if path.starts_with("/dashboard/") || path.starts_with("/docs/") {
                dashboard::show(request.clone()?, env).await
            } else if let Some(id) = path.strip_prefix("/api/keys/") {
                key_routes::item(request, env, id).await
            } else if let Some(id) = path.strip_prefix("/api/privacy/erasures/") {
                erasures::item(request, env, id).await
            } else if let Some(rest) = path.strip_prefix("/api/dead-letters/") {
                dead_letters::item(request, env, rest).await
            } else {
                Err(Problem::NotFound("There is nothing at this address"))
            }
        }
    }
}

/// What is behind the address of what is kept by name.
fn kept(path: &str) -> Option<&str> {
    path.strip_prefix("/api/campaigns/")
        .or_else(|| path.strip_prefix("/api/publishers/"))
        .or_else(|| path.strip_prefix("/api/funnels/"))
        .or_else(|| path.strip_prefix("/api/webhooks/"))
        .or_else(|| path.strip_prefix("/api/alerts/"))
}

fn sort_of(path: &str) -> Sort {
    match path.split('/').nth(2) {
        Some("publishers") => Sort::Publisher,
        Some("funnels") => Sort::Funnel,
        Some("webhooks") => Sort::Webhook,
        Some("alerts") => Sort::Alert,
        _ => Sort::Campaign,
    }
}

/// A batch of messages. Exported by hand: the SDK's macro turns an error into a panic.
#[wasm_bindgen]
pub async fn queue(batch: JsValue, env: Env, _ctx: JsValue) {
    let of = |name: &str| worker::js_sys::Reflect::get(&batch, &name.into()).unwrap_or_default();
    let messages = Array::from(&of("messages")).iter().map(JsCast::unchecked_into).collect();
    // Whatever it is called elsewhere: `-dead` is the same, because a nudge is a nudge.
    if of("queue").as_string().is_some_and(|name| name.contains("deliveries")) {
        deliveries::consume(messages, &env).await;
    } else {
        consumer::consume(messages, &env).await;
    }
}

/// The minute's tick.
#[event(scheduled)]
async fn scheduled(event: ScheduledEvent, env: Env, _ctx: ScheduleContext) {
    schedule::every_minute(&env).await;
    let minute = (event.schedule() / 60_000.0) as i64;
    if minute % 60 == 0 {
        schedule::every_hour(&env).await;
    }
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn an_address_is_cut_as_it_came() {
        assert_eq!(address("https://a.example/r/x?q=%2F#f"), ("/r/x", "q=%2F"));
        assert_eq!(address("http://127.0.0.1:8787/r/%C3%97?a?b"), ("/r/%C3%97", "a?b"));
        assert_eq!(address("https://a.example"), ("/", ""));
        assert_eq!(address("https://a.example/?"), ("/", ""));
    }
}
