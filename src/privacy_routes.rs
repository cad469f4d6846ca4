//! `/opt-out` and `/opt-in`, for visitors; `/api/privacy`, for whoever answers for the service.

use analytics::privacy::{Heed, Ip};
use serde_json::json;
use worker::{Env, Method, Request, Response};

use crate::answer::json_response;
use crate::auth::{Scope, allowed};
use crate::bindings::VISITOR_SECRET_BEFORE;
use crate::config::Consent;
use crate::edge::Edge;
use crate::page;
use crate::problem::Problem;
use crate::session_routes::is_secure;

/// The longest that browsers keep a cookie (RFC 6265bis): 400 days.
const COOKIE_SECONDS: u32 = 400 * 86_400;

/// `GET /opt-out`, `GET /opt-in`: sets or takes back the cookie that says that nothing is to be recorded.
///
/// A picture or frame of this address on somebody else's page would opt its visitors out without their asking, and
/// silence the clicks of a competitor: so it has to be the page that the visitor opens.
pub(crate) fn opt(request: &Request, env: &Env, out: bool) -> Result<Response, Problem> {
    if !matches!(request.method(), Method::Get | Method::Head) {
        return Err(Problem::MethodNotAllowed("GET, HEAD"));
    }
    if Edge::of(env)?.config.opt_out == Heed::Ignore {
        return Err(Problem::NotFound("Nobody can opt out here"));
    }
    let headers = request.headers();
    if headers.get("sec-fetch-dest")?.is_some_and(|place| place != "document") {
        return Err(Problem::CrossSite);
    }
    // With `None` it is sent along from the pages that a pixel or the tag is on; browsers take that only over TLS.
    let site = if is_secure(&request.inner().url()) { "SameSite=None; Secure" } else { "SameSite=Lax" };
    let (value, seconds) = if out { ("1", COOKIE_SECONDS) } else { ("", 0) };
    let answer: Response = page::opted(out).into();
    let cookie = format!("clicktrail_off={value}; Path=/; Max-Age={seconds}; {site}");
    answer.headers().set("set-cookie", &cookie)?;
    Ok(answer)
}

/// `GET /api/privacy`: what is in force.
pub(crate) async fn policies(request: &Request, env: &Env) -> Result<Response, Problem> {
    if request.method() != Method::Get {
        return Err(Problem::MethodNotAllowed("GET"));
    }
    allowed(request, env, Scope::Admin).await?;
    let edge = Edge::of(env)?;
    let config = &edge.config;
    let changing = env.secret(VISITOR_SECRET_BEFORE).is_ok() && !config.visitor_secret_from.is_empty();
    let consent = if config.consent == Consent::Required { "required" } else { "optional" };
    Ok(json_response(&json!({
        "ip": config.store_ip.name(),
        "full_ip_allowed": config.store_full_ip,
        "do_not_track": config.do_not_track.name(),
        "opt_out": config.opt_out.name(),
        "consent": consent,
        "strict": {
            "countries": config.strict_countries,
            "consent": "required",
            "ip": Ip::None.name(),
        },
        "strip_urls": config.strip_urls,
        "strip_parameters": config.strip_parameters,
        "keep_parameters": config.keep_parameters,
        "visitor_hash": {
            "lives": "a day",
            "new_secret_from": changing.then_some(&config.visitor_secret_from),
        },
        "jurisdiction": config.jurisdiction.name(),
    }))?)
}
