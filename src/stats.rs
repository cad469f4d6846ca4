//! `/stats/...`: reports, from sums alone.

use std::collections::HashSet;

use analytics::alert::read::{Board, Service, hour_reads};
use analytics::page::PageRow;
use analytics::report::query::Query;
use analytics::report::{answer, quality, reads};
use analytics::segment::Unreadable;
use durable_objects::{GateName, Region};
use futures_util::future::join_all;
use queues::ledger;
use serde::Deserialize;
use serde_json::{Value, json};
use wasm_bindgen_futures::JsFuture;
use worker::{D1Result, Env, Method, Request, Response};

use crate::alerts::Segment;
use crate::answer::json_response;
use crate::auth::{Scope, allowed};
use crate::clock::now_ms;
use crate::consumer::page_rows;
use crate::edge::Edge;
use crate::problem::Problem;
use crate::sql::{StoredPage, transact};
use crate::zone::zone;

async fn reader(request: &Request, env: &Env) -> Result<(), Problem> {
    if request.method() != Method::Get {
        return Err(Problem::MethodNotAllowed("GET"));
    }
    allowed(request, env, Scope::StatsRead).await?;
    Ok(())
}

/// `GET /stats/clicks`
pub(crate) async fn clicks(request: &Request, env: &Env, query: &str) -> Result<Response, Problem> {
    reader(request, env).await?;
    report_of(env, &Query::parse(query, now_ms(), zone)?, answer).await
}

/// `GET /stats/quality`
pub(crate) async fn quality(request: &Request, env: &Env, query: &str) -> Result<Response, Problem> {
    reader(request, env).await?;
    let query = quality::query(query, now_ms(), zone)?;
    let edge = Edge::of(env)?;
    let end_ms = quality::last_hour(&query, now_ms());
    let statements = reads(&query).into_iter().chain([hour_reads(&query.scope, end_ms)]);
    let results = transact(&edge.db, statements).await?;
    let [pages, segments, hours] = results.as_slice() else { return Err(no_answer()) };
    let (rows, segments) = found(&query, pages, segments)?;
    let answer = quality::answer(&query, &rows, &segments, now_ms()).and_then(|report| {
        let mut board = Board::default();
        for row in page_rows(hours).unwrap_or_default() {
            board.add(&row)?;
        }
        for body in &segments {
            board.add_segment(body, |scope| *scope == query.scope)?;
        }
        board.settle();
        Ok(quality::scored(report, &board, &query.scope, end_ms))
    });
    Ok(json_response(&answer.map_err(unreadable)?)?)
}

/// Puts an answer together from pages, segments and the time.
type Answer = fn(&Query, &[PageRow], &[String], i64) -> Result<Value, Unreadable>;

async fn report_of(env: &Env, query: &Query, answer: Answer) -> Result<Response, Problem> {
    let edge = Edge::of(env)?;
    let results = transact(&edge.db, reads(query)).await?;
    let [pages, segments] = results.as_slice() else { return Err(no_answer()) };
    let (rows, segments) = found(query, pages, segments)?;
    Ok(json_response(&answer(query, &rows, &segments, now_ms()).map_err(unreadable)?)?)
}

fn no_answer() -> Problem {
    Problem::Unavailable("the database gave no answer".into())
}

#[allow(clippy::needless_pass_by_value, reason = "what `map_err` gives")]
fn unreadable(why: Unreadable) -> Problem {
    Problem::Unavailable(format!("stored sums cannot be read: {why:?}").into())
}

/// The pages and segments of a report.
fn found(
    query: &Query,
    pages: &D1Result,
    segments: &D1Result,
) -> Result<(Vec<PageRow>, Vec<String>), Problem> {
    let rows: Vec<PageRow> = pages
        .results::<StoredPage>()?
        .into_iter()
        .map(|page| page.into_row(query.level, query.scope.clone()))
        .collect();
    let segments: Vec<String> =
        segments.results::<Segment>()?.into_iter().map(|segment| segment.body).collect();
    Ok((rows, segments))
}

/// What a gate says of itself.
#[derive(Debug, Default, Deserialize)]
struct GateReport {
    admitted: i64,
    duplicates: i64,
    unconfirmed: Vec<(i64, i64)>,
    rows: usize,
    ids: usize,
}

/// What the consumer counted for a gate.
#[derive(Debug, Default, Deserialize)]
struct Applied {
    gate: String,
    messages: i64,
    events: i64,
    dead: i64,
    duplicates: i64,
}

/// `GET /stats/integrity`: what the gates' logs say was admitted, beside what the ledger says was counted. Neither
/// is computed from the other.
pub(crate) async fn integrity(request: &Request, env: &Env) -> Result<Response, Problem> {
    reader(request, env).await?;
    let edge = Edge::of(env)?;
    let (sum, gates) = compared(&edge).await?;
    Ok(json_response(&json!({
        "admitted": sum.admitted,
        "applied": sum.applied,
        "in_flight": sum.in_flight,
        "dead_lettered": sum.dead,
        "lost": sum.lost,
        "duplicates": sum.duplicates,
        "duplicates_applied": sum.duplicates_applied,
        "gates_unreached": sum.unreached,
        "gates": gates,
    }))?)
}

/// The same for alerts. `None`: a gate or D1 did not answer.
pub(crate) async fn service(edge: &Edge) -> Option<Service> {
    let (sum, _) = compared(edge).await.ok()?;
    (sum.unreached == 0).then_some(Service {
        lost: sum.lost,
        in_flight: sum.in_flight,
        dead_lettered: sum.dead,
    })
}

async fn compared(edge: &Edge) -> Result<(Sum, Vec<Value>), Problem> {
    // The gates first: what is counted between the two reads makes nothing look lost.
    let names = names(edge);
    let reports = join_all(names.iter().map(|&name| report(edge, name))).await;
    let unconfirmed: Vec<(String, i64)> = names
        .iter()
        .zip(&reports)
        .flat_map(|(name, report)| {
            let messages = report.as_ref().map_or(&[][..], |report| &report.unconfirmed);
            messages.iter().map(|(number, _)| (name.to_string(), *number))
        })
        .collect();
    let results = transact(&edge.db, [ledger::applied(), ledger::counted(&unconfirmed)]).await?;
    let [applied, counted] = results.as_slice() else {
        return Err(Problem::Unavailable("the database gave no answer".into()));
    };
    let mut applied = applied.results::<Applied>()?;
    let counted = counted_of(counted)?;
    let mut gates = Vec::new();
    let mut sum = Sum::default();
    for (name, report) in names.iter().zip(reports) {
        let name = name.to_string();
        let place = applied.iter().position(|row| row.gate == name);
        let applied = place.map(|place| applied.swap_remove(place)).unwrap_or_default();
        let Some(report) = report else {
            sum.unreached += 1;
            gates.push(json!({ "gate": name, "unreached": true, "applied": applied.events }));
            continue;
        };
        if report.admitted == 0 && report.duplicates == 0 && applied.messages == 0 {
            continue;
        }
        let in_flight: i64 = (report.unconfirmed.iter())
            .filter(|(number, _)| !counted.contains(&(name.clone(), *number)))
            .map(|(_, events)| events)
            .sum();
        let lost = (report.admitted - applied.events - applied.dead - in_flight).max(0);
        sum.admitted += report.admitted;
        sum.duplicates += report.duplicates;
        sum.applied += applied.events;
        sum.duplicates_applied += applied.duplicates;
        sum.in_flight += in_flight;
        sum.dead += applied.dead;
        sum.lost += lost;
        gates.push(json!({
            "gate": name,
            "admitted": report.admitted,
            "applied": applied.events,
            "in_flight": in_flight,
            "dead_lettered": applied.dead,
            "lost": lost,
            "duplicates": report.duplicates,
            "duplicates_applied": applied.duplicates,
            "messages_applied": applied.messages,
            "messages_unconfirmed": report.unconfirmed.len(),
            "log_rows": report.rows,
            "ids": report.ids,
        }));
    }
    Ok((sum, gates))
}

#[derive(Default)]
struct Sum {
    admitted: i64,
    applied: i64,
    in_flight: i64,
    dead: i64,
    lost: i64,
    duplicates: i64,
    duplicates_applied: i64,
    unreached: i64,
}

fn counted_of(result: &D1Result) -> Result<HashSet<(String, i64)>, Problem> {
    #[derive(Deserialize)]
    struct Counted {
        gate: String,
        number: i64,
    }
    Ok(result.results::<Counted>()?.into_iter().map(|row| (row.gate, row.number)).collect())
}

/// Every gate that hits may have gone to.
fn names(edge: &Edge) -> Vec<GateName> {
    let regions =
        Region::ALL.into_iter().filter(|&region| (region != Region::World) == edge.config.gate_regions);
    regions
        .flat_map(|region| (0..edge.config.gate_shards).map(move |shard| GateName { region, shard }))
        .collect()
}

async fn report(edge: &Edge, name: GateName) -> Option<GateReport> {
    let stub = edge.gate(name).ok()?;
    let answer = JsFuture::from(stub.report()).await.ok()?.as_string()?;
    serde_json::from_str(&answer).ok()
}
