//! What is at the root of a host: `/`, where people go who have only the host's name, and `/robots.txt`.

use worker::{Env, Method, Request, Response, web_sys};

use crate::edge::Edge;
use crate::problem::Problem;
use crate::redirect::redirect;

/// Links may be followed, or no preview of one would show a picture; they say themselves that they are not to be listed.
const ROBOTS: &str =
    "User-agent: *\nDisallow: /api/\nDisallow: /dashboard\nDisallow: /docs\nDisallow: /stats/\n";

/// `GET /`: where the setting `home_url` leads.
pub(crate) fn lead(request: &web_sys::Request, env: &Env) -> Result<web_sys::Response, Problem> {
    if !matches!(request.method().as_str(), "GET" | "HEAD") {
        return Err(Problem::MethodNotAllowed("GET, HEAD"));
    }
    match Edge::of(env)?.config.home_url.as_str() {
        "" => Err(Problem::NotFound("There is nothing at this address")),
        url => Ok(redirect(302, url, false)),
    }
}

/// `GET /robots.txt`.
pub(crate) fn robots(request: &Request) -> Result<Response, Problem> {
    if !matches!(request.method(), Method::Get | Method::Head) {
        return Err(Problem::MethodNotAllowed("GET, HEAD"));
    }
    Ok(Response::ok(ROBOTS)?)
}
