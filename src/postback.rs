//! `GET|POST /postback`: conversions that another server tells of.

use analytics::capture::{Proof, postback};
use analytics::signature::Signer;
use serde_json::json;
use worker::{Env, Method, Request, Response};

use crate::answer::json_response;
use crate::auth::{Scope, allowed, key_allowed};
use crate::body::bounded;
use crate::config::PostbackAuth;
use crate::edge::Edge;
use crate::problem::Problem;
use crate::record::{Verdict, record};
use crate::visit::Visit;

/// A form of a few parameters.
const BODY_MAX_BYTES: usize = 16 << 10;

/// Records the conversion; what is told again is a duplicate.
pub(crate) async fn tell(request: &mut Request, env: &Env, query: &str) -> Result<Response, Problem> {
    let method = request.method();
    if !matches!(method, Method::Get | Method::Post) {
        return Err(Problem::MethodNotAllowed("GET, POST"));
    }
    let edge = Edge::of(env)?;
    let visit = Visit::of(request.inner(), &edge, None, "");
    let mut text = query.to_owned();
    if method == Method::Post {
        let too_large = || Problem::TooLarge("the body is larger than 16 KiB".into());
        let body = bounded(request, BODY_MAX_BYTES).await?.ok_or_else(too_large)?;
        // The query's parameters come first, and the first of a name is taken.
        text.push('&');
        text.push_str(&String::from_utf8_lossy(&body));
    }
    let mut told = postback(&text, &visit.facts(), &edge.rules)?;
    edge.privacy.clean(&mut told.event);
    vouched(request, env, &edge, &told.proof).await?;
    let event_id = told.event.id.to_string();
    let status = match record(&edge, &told.event, None).await {
        Verdict::Accepted => "accepted",
        Verdict::Duplicate => "duplicate",
        Verdict::TooLarge => return Err(Problem::TooLarge("the event is larger than 62 KB".into())),
        Verdict::Full | Verdict::Malformed | Verdict::Lost => return Err(Problem::NotRecorded),
    };
    Ok(json_response(&json!({ "status": status, "event_id": event_id }))?)
}

/// Whether the caller may speak: by a key, a signature, or, where that is enough, by naming a click that the service
/// made. Who names only a user could name anybody.
async fn vouched(request: &Request, env: &Env, edge: &Edge, proof: &Proof<'_>) -> Result<(), Problem> {
    if let Some((sig, signed)) = &proof.sig {
        let signer = edge.postback_secret.as_deref().and_then(Signer::new);
        let known = signer.is_some_and(|signer| signer.signed_text(signed, sig));
        return if known { Ok(()) } else { Err(Problem::Unauthenticated) };
    }
    if let Some(key) = &proof.key {
        return key_allowed(request, env, key, Scope::EventsWrite).await.map(drop);
    }
    if request.headers().has("authorization")? {
        return allowed(request, env, Scope::EventsWrite).await.map(drop);
    }
    if proof.click && edge.config.postback_auth == PostbackAuth::Click {
        Ok(())
    } else {
        Err(Problem::Unauthenticated)
    }
}
