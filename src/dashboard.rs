//! `GET /dashboard/` and `GET /docs`: the pages, from the platform's static assets.
//!
//! The Worker comes first (`run_worker_first`) and passes on what is the pages', so that a click is not first looked up
//! among their files. Their headers stand in dashboard/_headers.

use worker::{Env, Method, Request, Response, ResponseBuilder};

use crate::bindings::ASSETS;
use crate::problem::Problem;

/// A file of a page.
pub(crate) async fn show(request: Request, env: &Env) -> Result<Response, Problem> {
    if !matches!(request.method(), Method::Get | Method::Head) {
        return Err(Problem::MethodNotAllowed("GET, HEAD"));
    }
    let answer = env.assets(ASSETS)?.fetch_request(request).await?;
    if answer.status_code() == 404 {
        return Err(Problem::NotFound("There is no such page"));
    }
    Ok(answer)
}

/// To the page itself, for whoever leaves out the end.
pub(crate) fn enter(request: &Request) -> Result<Response, Problem> {
    if !matches!(request.method(), Method::Get | Method::Head) {
        return Err(Problem::MethodNotAllowed("GET, HEAD"));
    }
    let builder = ResponseBuilder::new().with_status(308).with_header("location", "/dashboard/")?;
    Ok(builder.empty())
}
