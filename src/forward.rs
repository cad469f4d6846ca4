//! Redirects whose target or link the caller names: `/log-and-redirect`, `/t/click`, and `/{token}+`.

use analytics::Reject;
use analytics::capture::{self, FailedReason};
use links::{Allowed, Destination};
use serde::Deserialize;
use serde_json::json;
use worker::web_sys::{Request, Response};
use worker::{Context, Env};

use crate::answer::json_response;
use crate::auth::{Scope, allowed};
use crate::body::bounded;
use crate::clock::now_ms;
use crate::edge::Edge;
use crate::heed::{heed, write_dropped};
use crate::limits::Guesser;
use crate::problem::Problem;
use crate::record::record;
use crate::redirect::{Asked, fail, follow, host_of, redirect};
use crate::senders::{is_listed, within};
use crate::visit::Visit;

const FORM_MAX_BYTES: usize = 16 << 10;

/// Parameters of `/log-and-redirect` that say where it leads.
const OURS: [&str; 2] = ["url", "sig"];

/// Answers if the path is one of these.
pub(crate) async fn route(
    request: &Request,
    env: &Env,
    ctx: &Context,
    url: &str,
    path: &str,
    query: &str,
) -> Option<Result<Response, Problem>> {
    let host = host_of(url);
    match path {
        "/t/click" => Some(campaign_link(request, env, ctx, &host, query).await),
        "/log-and-redirect" => Some(log_and_redirect(request, env, ctx, &host, query).await),
        _ => {
            let segment = path.strip_prefix('/').filter(|rest| rest.ends_with('+') && !rest.contains('/'))?;
            Some(follow(request, env, ctx, (&host, segment), query).await)
        }
    }
}

/// `GET /t/click?cl={token}&...`: older trackers' way to write a link. The rest of the query is passed on.
async fn campaign_link(
    request: &Request,
    env: &Env,
    ctx: &Context,
    host: &str,
    query: &str,
) -> Result<Response, Problem> {
    let is_token = |part: &&str| part.split_once('=').is_some_and(|(name, _)| name == "cl");
    let Some(token) = query.split('&').find(is_token).and_then(|part| part.get("cl=".len()..)) else {
        return Err(Reject::new("/cl", "is missing; it names the link").into());
    };
    let rest: Vec<_> = query.split('&').filter(|part| !is_token(part)).collect();
    follow(request, env, ctx, (host, token), &rest.join("&")).await
}

/// `GET|POST /log-and-redirect?url=...`: to a page that the caller names, if its host is on the list or the operator
/// has signed it. Everything else would be an open redirect, which phishers look for.
async fn log_and_redirect(
    request: &Request,
    env: &Env,
    ctx: &Context,
    host: &str,
    query: &str,
) -> Result<Response, Problem> {
    let edge = &Edge::of(env)?;
    let (query, status) = match &*request.method() {
        "GET" | "HEAD" => (query.to_owned(), 302),
        "POST" => (form(request, query).await?, 303),
        _ => return Err(Problem::MethodNotAllowed("GET, HEAD, POST")),
    };
    let given = |wanted: &str| {
        let mut fields = form_urlencoded::parse(query.as_bytes());
        fields.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    let text = given("url").ok_or_else(|| Reject::new("/url", "is missing"))?;
    let config = &edge.config;
    let allowed = Allowed {
        app_schemes: &config.app_schemes,
        domains: &config.domains,
        own_host: host,
        ..Allowed::default()
    };
    let url = Destination::parse("/url", &text, &allowed)?;
    let signed = match given("sig") {
        None => false,
        Some(sig) if edge.signer.signed_url(&text, &sig) => true,
        Some(_) => {
            Guesser::new(request).guess(edge).await?;
            let asked = Asked { request, edge, ctx, host, query: "", began_ms: now_ms() };
            fail(&asked, None, FailedReason::Signature);
            return Err(Reject::new("/sig", "is not the signature of this url").into());
        }
    };
    if !signed && !is_listed(&config.redirect_hosts, &host_of(url.as_str())) {
        return Err(
            Reject::new("/url", "is on a host that is not listed in redirect_hosts, and has no sig").into()
        );
    }
    let visit = Visit::of(request, edge, None, &query);
    let rest: Vec<_> = query
        .split('&')
        .filter(|part| !OURS.contains(&part.split_once('=').map_or(*part, |(name, _)| name)))
        .collect();
    let (rest, target, edge) = (rest.join("&"), url.as_str().to_owned(), std::rc::Rc::clone(edge));
    ctx.wait_until(async move {
        // A visitor is sent on in any case; but these clicks are no link's, and anybody can make them up.
        if !within(&edge, &visit, false).await {
            return;
        }
        let mut event = capture::forward(&target, &rest, &visit.facts(), &edge.rules);
        if heed(&edge, &visit, &mut event).is_some() {
            return write_dropped(&edge).await;
        }
        record(&edge, &event, None).await;
    });
    Ok(redirect(status, url.as_str(), false))
}

/// `POST /api/sign {"url"}`: the signature that lets `/log-and-redirect` lead there.
pub(crate) async fn sign(request: &mut worker::Request, env: &Env) -> Result<worker::Response, Problem> {
    if request.method() != worker::Method::Post {
        return Err(Problem::MethodNotAllowed("POST"));
    }
    allowed(request, env, Scope::LinksWrite).await?;
    let edge = Edge::of(env)?;
    let origin = request.url()?.origin().ascii_serialization();
    let too_large = Problem::TooLarge("the body is larger than 16 KiB".into());
    let body = bounded(request, FORM_MAX_BYTES).await?.ok_or(too_large)?;
    let wanted: Wanted = serde_json::from_slice(&body)
        .map_err(|error| Reject::new("", format!("is not an object with a url: {error}")))?;
    let schemes = Allowed { app_schemes: &edge.config.app_schemes, ..Allowed::default() };
    Destination::parse("/url", &wanted.url, &schemes)?;
    let sig = edge.signer.sign_url(&wanted.url);
    let encoded: String = form_urlencoded::byte_serialize(wanted.url.as_bytes()).collect();
    let signed_url = format!("{origin}/log-and-redirect?url={encoded}&sig={sig}");
    Ok(json_response(&json!({ "url": wanted.url, "sig": sig, "signed_url": signed_url }))?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    url: String,
}

/// The form of a POST, behind the query that it was sent with.
async fn form(request: &Request, query: &str) -> Result<String, Problem> {
    let too_large = Problem::TooLarge("the form is larger than 16 KiB".into());
    let body = bounded(&mut Clone::clone(request).into(), FORM_MAX_BYTES).await?.ok_or(too_large)?;
    let form = String::from_utf8(body).map_err(|_| Reject::new("", "is not UTF-8"))?;
    Ok(if query.is_empty() { form } else { format!("{query}&{form}") })
}
