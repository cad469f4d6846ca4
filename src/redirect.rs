//! `GET /r/{token}`: where a click is answered, and kept.

use std::rc::Rc;

use analytics::capture::{self, LinkFacts};
use futures_channel::oneshot;
use links::{Link, Outcome, Token, decide, target};
use worker::wasm_bindgen;
use worker::wasm_bindgen::prelude::*;
use worker::web_sys::{Request, Response};
use worker::{Context, Env};

use crate::clock::now_ms;
use crate::edge::Edge;
use crate::lookup::find;
use crate::problem::Problem;
use crate::record::{Audience, record};
use crate::visit::Visit;

#[wasm_bindgen(module = "/src/redirect.js")]
extern "C" {
    fn redirect(status: u16, location: &str) -> Response;
}

/// Follows a link. The visitor waits for the gate at most `record_wait_ms`, and is sent on in any case.
pub(crate) async fn follow(
    request: &Request,
    env: &Env,
    ctx: &Context,
    segment: &str,
    query: &str,
) -> Result<Response, Problem> {
    if !matches!(&*request.method(), "GET" | "HEAD") {
        return Err(Problem::MethodNotAllowed("GET, HEAD"));
    }
    let edge = Edge::of(env)?;
    let link = match Token::from_segment(segment) {
        Some(token) => find(&edge, ctx, &token).await?,
        None => None,
    };
    let Some(link) = link else { return nowhere(&edge) };
    match decide(&link, now_ms()) {
        Outcome::Expired { url: Some(url) } => Ok(redirect(302, url)),
        Outcome::Expired { url: None } | Outcome::Gone => Err(Problem::Gone),
        Outcome::Go { status } => {
            keep(request, &edge, ctx, Rc::clone(&link), query).await;
            Ok(redirect(status.code(), &target(&link, query)))
        }
    }
}

/// Records the click, which outlives the answer if it takes longer.
async fn keep(request: &Request, edge: &Rc<Edge>, ctx: &Context, link: Rc<Link>, query: &str) {
    let visit = Visit::of(request, edge, None);
    let query = query.to_owned();
    let (waiting, sent_on) = oneshot::channel();
    let patience_ms = edge.config.record_wait_ms;
    let audience = (patience_ms > 0).then(move || Audience { patience_ms, _waiting: waiting });
    let edge = Rc::clone(edge);
    ctx.wait_until(async move {
        let facts = LinkFacts {
            token: link.token.as_str(),
            campaign_id: &link.campaign_id,
            publisher_id: &link.publisher_id,
            medium: &link.medium,
            ad_id: &link.ad_id,
            variant: "",
        };
        let event = capture::redirect(&facts, &query, &visit.facts());
        record(&edge, &event, audience).await;
    });
    // Nothing is ever sent: it ends when the other side is dropped.
    let _ = sent_on.await;
}

fn nowhere(edge: &Edge) -> Result<Response, Problem> {
    match edge.config.not_found_url.as_str() {
        "" => Err(Problem::NotFound("There is no such link")),
        url => Ok(redirect(302, url)),
    }
}
