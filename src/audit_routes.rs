//! `/api/audit`: who changed what.

use analytics::audit::Filter;
use worker::{Env, Method, Request, Response};

use crate::answer::json_response;
use crate::auth::{Scope, allowed};
use crate::edge::Edge;
use crate::lookup::Record;
use crate::problem::Problem;
use crate::sql::read;

/// `GET /api/audit`: newest first.
pub(crate) async fn collection(request: &Request, env: &Env, query: &str) -> Result<Response, Problem> {
    if request.method() != Method::Get {
        return Err(Problem::MethodNotAllowed("GET"));
    }
    allowed(request, env, Scope::Admin).await?;
    let mut filter = Filter::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        filter.set(&name, &value)?;
    }
    let rows: Vec<Record> = read(&Edge::of(env)?.db, filter.page()).await?;
    Ok(json_response(&filter.answer(rows.iter().map(Record::text)))?)
}
