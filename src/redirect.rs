//! `GET /r/{token}`: where a click is answered, and kept.

use std::borrow::Cow;
use std::rc::Rc;

use analytics::capture::{self, FailedReason, LinkFacts};
use futures_channel::oneshot;
use links::{Closed, Link, Token, target};
use worker::wasm_bindgen;
use worker::wasm_bindgen::prelude::*;
use worker::web_sys::{Request, Response};
use worker::{Context, Env};

use crate::clock::now_ms;
use crate::edge::Edge;
use crate::guided;
use crate::heed::{heed, write_dropped};
use crate::limits::Guesser;
use crate::lookup::find;
use crate::page::open_app;
use crate::problem::Problem;
use crate::record::{Audience, record};
use crate::visit::Visit;

#[wasm_bindgen(module = "/src/redirect.js")]
extern "C" {
    pub(crate) fn redirect(status: u16, location: &str, asks: bool) -> Response;
}

/// A request for a link, and what it came with.
pub(crate) struct Asked<'a> {
    pub(crate) request: &'a Request,
    pub(crate) edge: &'a Rc<Edge>,
    pub(crate) ctx: &'a Context,
    /// The host that the request was sent to.
    pub(crate) host: &'a str,
    /// The query as it came, without what is for the service.
    pub(crate) query: &'a str,
    /// When it came in, epoch ms.
    pub(crate) began_ms: i64,
}

/// Follows a link. The visitor waits for the gate at most `record_wait_ms`, and is sent on in any case.
pub(crate) async fn follow(
    request: &Request,
    env: &Env,
    ctx: &Context,
    (host, segment): (&str, &str),
    query: &str,
) -> Result<Response, Problem> {
    let edge = &Edge::of(env)?;
    let asked = Asked { request, edge, ctx, host, query, began_ms: now_ms() };
    let looks = matches!(&*request.method(), "GET" | "HEAD");
    if looks && let Some(segment) = segment.strip_suffix('+') {
        return guided::inspect(&asked, segment).await;
    }
    let guesser = Guesser::new(request);
    let link = lookup(&asked, segment, &guesser).await?;
    // A form is sent to a link that asks for a word, and to no other.
    let takes_a_form = || link.as_ref().is_some_and(|link| !link.password.is_empty());
    if !looks && (request.method() != "POST" || !takes_a_form()) {
        return Err(Problem::MethodNotAllowed("GET, HEAD"));
    }
    let Some(link) = link else {
        guesser.guess(edge).await?;
        fail(&asked, None, FailedReason::NotFound);
        return nowhere(edge);
    };
    if !link.is_plain() {
        return guided::follow(&asked, link).await;
    }
    if let Some(why) = link.closed(asked.began_ms) {
        return turn_away(&asked, &link, why);
    }
    let visit = Visit::of(request, edge, None, query);
    let answer = match link.fallback_url.as_ref().filter(|_| link.url.is_app()) {
        Some(fallback) => open_app(&target(&link, &link.url, query, ""), &target(&link, fallback, query, "")),
        None => redirect(link.status.code(), &target(&link, &link.url, query, ""), asks(edge, &visit)),
    };
    keep(&asked, visit, link, String::new()).await;
    Ok(answer)
}

/// Whether a redirect asks the browser for the hints that it sends to nobody who did not ask.
pub(crate) fn asks(edge: &Edge, visit: &Visit) -> bool {
    edge.config.client_hints && visit.is_known() && visit.knows_more()
}

/// The link of a path's segment. On a host that has links of its own they come first.
pub(crate) async fn lookup(
    asked: &Asked<'_>,
    segment: &str,
    guesser: &Guesser<'_>,
) -> Result<Option<Rc<Link>>, Problem> {
    let Some(token) = Token::from_segment(segment) else { return Ok(None) };
    if asked.edge.config.domains.iter().any(|domain| domain == asked.host) {
        match find(asked.edge, asked.ctx, asked.host, &token, guesser).await {
            // Whoever guesses too often may still mean a link of every host.
            Ok(None) | Err(Problem::TooMany(_)) => {}
            found => return found,
        }
    }
    find(asked.edge, asked.ctx, "", &token, guesser).await
}

/// What statistics know of a link.
pub(crate) fn facts_of<'a>(link: &'a Link, key: &'a str, variant: &'a str) -> LinkFacts<'a> {
    LinkFacts {
        token: key,
        campaign_id: &link.campaign_id,
        publisher_id: &link.publisher_id,
        medium: &link.medium,
        ad_id: &link.ad_id,
        variant,
        honeypot: link.honeypot,
    }
}

/// Records the click, which outlives the answer if it takes longer.
pub(crate) async fn keep(asked: &Asked<'_>, mut visit: Visit, link: Rc<Link>, variant: String) {
    visit.answered(asked.began_ms);
    let query = asked.query.to_owned();
    let (waiting, sent_on) = oneshot::channel();
    let patience_ms = asked.edge.config.record_wait_ms;
    let audience = (patience_ms > 0).then(move || Audience { patience_ms, _waiting: waiting });
    let edge = Rc::clone(asked.edge);
    asked.ctx.wait_until(async move {
        let key = link.key();
        let mut event = capture::redirect(&facts_of(&link, &key, &variant), &query, &visit.facts());
        if heed(&edge, &visit, &mut event).is_some() {
            drop(audience);
            return write_dropped(&edge).await;
        }
        record(&edge, &event, audience).await;
    });
    // Nothing is ever sent: it ends when the other side is dropped.
    let _ = sent_on.await;
}

/// Records that a redirect led nowhere. Nobody waits for it.
pub(crate) fn fail(asked: &Asked<'_>, link: Option<&Rc<Link>>, reason: FailedReason) {
    if !asked.edge.config.record_failed {
        return;
    }
    let mut visit = Visit::of(asked.request, asked.edge, None, asked.query);
    visit.answered(asked.began_ms);
    let (query, link, edge) = (asked.query.to_owned(), link.map(Rc::clone), Rc::clone(asked.edge));
    asked.ctx.wait_until(async move {
        let facts = visit.facts();
        let link = link.as_deref();
        let key = link.map(Link::key).unwrap_or_default();
        let mut event = capture::failed_redirect(&key, reason, &query, &facts);
        if let Some(link) = link {
            event.campaign_id = link.campaign_id.as_str().into();
            event.publisher_id = link.publisher_id.as_str().into();
        }
        if heed(&edge, &visit, &mut event).is_some() {
            return write_dropped(&edge).await;
        }
        record(&edge, &event, None).await;
    });
}

/// The answer of a link that is closed.
pub(crate) fn turn_away(asked: &Asked<'_>, link: &Rc<Link>, why: Closed) -> Result<Response, Problem> {
    let (reason, problem) = match why {
        Closed::Deleted => {
            fail(asked, None, FailedReason::NotFound);
            return nowhere(asked.edge);
        }
        Closed::Archived => (FailedReason::Archived, Problem::Gone("This link was taken out of service")),
        Closed::NotStarted => {
            (FailedReason::NotStarted, Problem::NotFound("This link does not lead anywhere yet"))
        }
        Closed::Expired => {
            (FailedReason::Expired, Problem::Gone("This link led somewhere until its time was over"))
        }
        Closed::LimitReached => {
            (FailedReason::LimitReached, Problem::Gone("This link was followed as often as it may be"))
        }
    };
    fail(asked, Some(link), reason);
    match link.turned_away(why) {
        links::Outcome::Closed(_, Some(url)) => Ok(redirect(302, url, false)),
        _ => Err(problem),
    }
}

fn nowhere(edge: &Edge) -> Result<Response, Problem> {
    match edge.config.not_found_url.as_str() {
        "" => Err(Problem::NotFound("There is no such link")),
        url => Ok(redirect(302, url, false)),
    }
}

/// A problem as its asker can read it: a page for a browser.
pub(crate) fn explain(request: &Request, problem: &Problem) -> worker::Result<Response> {
    let accepts = request.headers().get("accept")?.unwrap_or_default();
    if accepts.contains("text/html") {
        return problem.page();
    }
    Ok(problem.response()?.into())
}

/// The host of a URL without its port, in lower case.
pub(crate) fn host_of(url: &str) -> Cow<'_, str> {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        host.to_ascii_lowercase().into()
    } else {
        host.into()
    }
}

#[cfg(test)]
mod tests {
    use super::host_of;

    #[test]
    fn a_host_is_told_from_the_rest_of_its_url() {
        for (url, host) in [
            ("https://go.example/r/x", "go.example"),
            ("http://GO.example:8787?x", "go.example"),
            ("http://[::1]:8787/", "[::1]"),
            ("http://[::1]/", "[::1]"),
            ("https://go.example", "go.example"),
        ] {
            assert_eq!(host_of(url), host, "{url}");
        }
    }
}
