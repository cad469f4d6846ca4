//! `GET /dashboard/` and `GET /docs`: the pages, from the platform's static assets.
//!
//! The Worker comes first (`run_worker_first`) and passes on what is the pages', so that a click is not first looked up
//! among their files. Their headers stand in dashboard/_headers.

use worker::{Env, Fetcher, Method, Request, Response, ResponseBuilder, Url};

use crate::bindings::ASSETS;
use crate::problem::Problem;

const HOME: &str = "/dashboard/";
const FILES: &str = "/dashboard/files/";

/// A file of a page.
pub(crate) async fn show(request: Request, env: &Env) -> Result<Response, Problem> {
    if !matches!(request.method(), Method::Get | Method::Head) {
        return Err(Problem::MethodNotAllowed("GET, HEAD"));
    }
    let (mut url, assets) = (request.url()?, env.assets(ASSETS)?);
    let reads = request.headers().get("accept")?.is_some_and(|accept| accept.contains("text/html"));
    let answer = assets.fetch_request(request).await?;
    if answer.status_code() != 404 {
        return Ok(answer);
    }
    // A person who mistyped is shown the way; a script or picture that is missing is missing.
    if reads && url.path().starts_with(HOME) && !url.path().starts_with(FILES) {
        url.set_path(HOME);
        url.set_query(None);
        return lost(&assets, &url).await;
    }
    Err(Problem::NotFound("There is no such page"))
}

/// The page itself, which says that there is no such page in it.
async fn lost(assets: &Fetcher, home: &Url) -> Result<Response, Problem> {
    let page = assets.fetch(home.as_str(), None).await?;
    let headers = page.headers().clone();
    // Of the page, whose address this is not.
    headers.delete("etag")?;
    headers.set("cache-control", "no-store")?;
    Ok(page.with_status(404).with_headers(headers))
}

/// To the page itself, for whoever leaves out the end.
pub(crate) fn enter(request: &Request) -> Result<Response, Problem> {
    if !matches!(request.method(), Method::Get | Method::Head) {
        return Err(Problem::MethodNotAllowed("GET, HEAD"));
    }
    let builder = ResponseBuilder::new().with_status(308).with_header("location", HOME)?;
    Ok(builder.empty())
}
