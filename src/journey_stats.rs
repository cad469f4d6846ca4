//! `/stats/sessions`, `/stats/cohorts`, `/stats/funnel`, `/stats/conversions` and a publisher's statement: reports on journeys and money.

use analytics::catalog::statements::by_id;
use analytics::catalog::{Item, Sort};
use analytics::funnel::Funnel;
use analytics::page::PageRow;
use analytics::report::journey::Question;
use analytics::report::statement::Asked;
use analytics::report::{cohorts, conversions, funnel, sessions};
use analytics::segment::{Unreadable, partition};
use percent_encoding::percent_decode_str;
use worker::{Env, Headers, Request, Response};

use crate::answer::json_response;
use crate::clock::now_ms;
use crate::edge::Edge;
use crate::lookup::Record;
use crate::problem::Problem;
use crate::sql::read;
use crate::stats::reader;
use crate::sums::{Found, read_sums};
use crate::zone::zone;

/// `GET /stats/sessions`
pub(crate) async fn sessions(request: &Request, env: &Env, query: &str) -> Result<Response, Problem> {
    reader(request, env).await?;
    let question = sessions::query(query, now_ms(), zone)?;
    let (rows, segments) = found(env, &question).await?;
    let answer = sessions::answer(&question, &rows, &segments, now_ms()).map_err(unreadable)?;
    Ok(json_response(&answer)?)
}

/// `GET /stats/conversions`
pub(crate) async fn conversions(request: &Request, env: &Env, query: &str) -> Result<Response, Problem> {
    reader(request, env).await?;
    let question = conversions::query(query, now_ms(), zone)?;
    let (rows, segments) = found(env, &question).await?;
    let answer = conversions::answer(&question, &rows, &segments, now_ms()).map_err(unreadable)?;
    Ok(json_response(&answer)?)
}

/// `GET /stats/cohorts`
pub(crate) async fn cohorts(request: &Request, env: &Env, query: &str) -> Result<Response, Problem> {
    reader(request, env).await?;
    let asked = cohorts::query(query, now_ms())?;
    let (rows, segments) = found(env, &asked.question).await?;
    let reach_days = Edge::of(env)?.config.journey_days;
    let answer = cohorts::answer(&asked, &rows, &segments, reach_days, now_ms()).map_err(unreadable)?;
    Ok(json_response(&answer)?)
}

/// `GET /stats/funnel`
pub(crate) async fn funnel(request: &Request, env: &Env, query: &str) -> Result<Response, Problem> {
    reader(request, env).await?;
    let (id, query) = funnel::query(query, now_ms(), zone)?;
    let item = kept(env, Sort::Funnel, &id).await?.filter(|item| !item.is_deleted());
    let item = item.ok_or(Problem::NotFound("There is no funnel of this id"))?;
    let funnel = Funnel::of(&item);
    let question = funnel::question(query, &funnel);
    let (rows, segments) = found(env, &question).await?;
    let named = (&funnel, &*item.name());
    let answer = funnel::answer(&question, named, &rows, &segments, now_ms()).map_err(unreadable)?;
    Ok(json_response(&answer)?)
}

/// `GET /api/publishers/{id}/statement`. Who is deleted still gets one: what was paid out was paid out.
pub(crate) async fn statement(
    request: &Request,
    env: &Env,
    segment: &str,
    query: &str,
) -> Result<Response, Problem> {
    reader(request, env).await?;
    let nothing = || Problem::NotFound("There is nothing of this id");
    let id = percent_decode_str(segment).decode_utf8().map_err(|_| nothing())?;
    let asked = Asked::parse(&id, query, now_ms())?;
    kept(env, Sort::Publisher, &id).await?.ok_or_else(nothing)?;
    let edge = Edge::of(env)?;
    let [pages, segments] = asked.reads();
    let Found { pages, segments } =
        read_sums(&edge, vec![(partition(&asked.scope), pages)], segments).await?;
    let rows = pages.into_iter().flatten();
    let rows: Vec<PageRow> = rows.map(|page| page.into_row(asked.level(), asked.scope.clone())).collect();
    if !asked.csv {
        let answer = asked.answer(&rows, &segments, now_ms()).map_err(unreadable)?;
        return Ok(json_response(&answer)?);
    }
    let csv = asked.csv(&rows, &segments).map_err(unreadable)?;
    let headers = Headers::new();
    headers.set("content-type", "text/csv; charset=utf-8")?;
    headers.set("cache-control", "no-store")?;
    headers.set("access-control-allow-origin", "*")?;
    Ok(Response::ok(csv)?.with_headers(headers))
}

async fn kept(env: &Env, sort: Sort, id: &str) -> Result<Option<Item>, Problem> {
    let rows: Vec<Record> = read(&Edge::of(env)?.db, by_id(sort, id)).await?;
    Ok(rows.first().and_then(|row| Item::from_record(sort, row.text())))
}

/// What the reads of a question find: the pages of each scope, and the segments of all.
async fn found(env: &Env, question: &Question) -> Result<(Vec<Vec<PageRow>>, Vec<String>), Problem> {
    let (pages, segments) = question.reads();
    let parts = question.scopes.iter().map(partition);
    let found = read_sums(&*Edge::of(env)?, parts.zip(pages).collect(), segments).await?;
    let rows = question.scopes.iter().zip(found.pages).map(|(scope, pages)| {
        pages.into_iter().map(|page| page.into_row(question.query.level, scope.clone())).collect()
    });
    Ok((rows.collect(), found.segments))
}

#[allow(clippy::needless_pass_by_value)] // for map_err
fn unreadable(unreadable: Unreadable) -> Problem {
    Problem::Unavailable(format!("stored sums cannot be read: {unreadable:?}").into())
}
