//! `/stats/...`: reports, from sums alone.

use std::collections::HashSet;

use analytics::alert::read::{Board, Service, hour_reads};
use analytics::page::PageRow;
use analytics::privacy::dropped;
use analytics::report::query::Query;
use analytics::report::{answer, quality, reads};
use analytics::segment::{Unreadable, partition};
use durable_objects::{GateName, JournalName};
use futures_util::future::{join, join_all};
use queues::ledger;
use serde::Deserialize;
use serde_json::{Value, json};
use wasm_bindgen_futures::JsFuture;
use worker::js_sys::Promise;
use worker::{D1Result, Env, Method, Request, Response};

use crate::answer::json_response;
use crate::auth::{Scope, allowed};
use crate::clock::now_ms;
use crate::edge::Edge;
use crate::lookup::Record;
use crate::problem::Problem;
use crate::sql::{StoredPage, read, transact};
use crate::sums::{Found, read_sums};
use crate::zone::zone;

pub(crate) async fn reader(request: &Request, env: &Env) -> Result<(), Problem> {
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
    let (part, [pages, segments]) = (partition(&query.scope), reads(&query));
    let hours = hour_reads(&query.scope, end_ms);
    let Found { mut pages, segments } =
        read_sums(&edge, vec![(part, pages), (part, hours)], segments).await?;
    let hours = pages.pop().unwrap_or_default();
    let rows = rows_of(&query, pages);
    let dropped: Vec<Record> = read(&edge.db, dropped::read(query.span.from_ms, query.span.to_ms)).await?;
    let answer = quality::answer(&query, &rows, &segments, now_ms()).and_then(|report| {
        let mut board = Board::default();
        for row in hours.into_iter().filter_map(|page| page.keyed().ok()) {
            board.add(&row)?;
        }
        for body in &segments {
            board.add_segment(body, |scope| *scope == query.scope)?;
        }
        board.settle();
        Ok(quality::scored(report, &board, &query.scope, end_ms))
    });
    let answer = answer.map(|report| dropped::told(report, dropped.iter().map(Record::text)));
    Ok(json_response(&answer.map_err(unreadable)?)?)
}

/// Puts an answer together from pages, segments and the time.
type Answer = fn(&Query, &[PageRow], &[String], i64) -> Result<Value, Unreadable>;

async fn report_of(env: &Env, query: &Query, answer: Answer) -> Result<Response, Problem> {
    let (rows, segments) = found(&*Edge::of(env)?, query).await?;
    Ok(json_response(&answer(query, &rows, &segments, now_ms()).map_err(unreadable)?)?)
}

#[allow(clippy::needless_pass_by_value, reason = "what `map_err` gives")]
pub(crate) fn unreadable(why: Unreadable) -> Problem {
    Problem::Unavailable(format!("stored sums cannot be read: {why:?}").into())
}

/// The pages and segments of a report.
pub(crate) async fn found(edge: &Edge, query: &Query) -> Result<(Vec<PageRow>, Vec<String>), Problem> {
    let [pages, segments] = reads(query);
    let Found { pages, segments } = read_sums(edge, vec![(partition(&query.scope), pages)], segments).await?;
    Ok((rows_of(query, pages), segments))
}

fn rows_of(query: &Query, pages: Vec<Vec<StoredPage>>) -> Vec<PageRow> {
    pages.into_iter().flatten().map(|page| page.into_row(query.level, query.scope.clone())).collect()
}

/// What a gate or a journal says of itself.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reported {
    admitted: i64,
    duplicates: i64,
    unconfirmed: Vec<(i64, i64)>,
    rows: usize,
    ids: usize,
    open: usize,
    held_bytes: usize,
    damaged: u64,
    rows_written: u64,
    rows_read: u64,
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

/// `GET /stats/integrity`: what the gates' logs say was admitted, beside what the ledger says was counted; and the same of
/// the journeys' outcomes. Neither side is computed from the other.
pub(crate) async fn integrity(request: &Request, env: &Env) -> Result<Response, Problem> {
    reader(request, env).await?;
    let edge = Edge::of(env)?;
    let (gates, journeys) = compared(&edge).await?;
    Ok(json_response(&json!({
        "admitted": gates.admitted,
        "applied": gates.applied,
        "in_flight": gates.in_flight,
        "dead_lettered": gates.dead,
        "lost": gates.lost,
        "duplicates": gates.duplicates,
        "duplicates_applied": gates.duplicates_applied,
        "gates_unreached": gates.unreached,
        "gates": gates.each,
        "journeys": {
            "emitted": journeys.admitted,
            "applied": journeys.applied,
            "in_flight": journeys.in_flight,
            "dead_lettered": journeys.dead,
            "lost": journeys.lost,
            "unreached": journeys.unreached,
            "shards": journeys.each,
        },
    }))?)
}

/// The same for alerts: events and outcomes together. `None`: a gate, a journal or D1 did not answer.
pub(crate) async fn service(edge: &Edge) -> Option<Service> {
    let (gates, journeys) = compared(edge).await.ok()?;
    (gates.unreached + journeys.unreached == 0).then_some(Service {
        lost: gates.lost + journeys.lost,
        in_flight: gates.in_flight + journeys.in_flight,
        dead_lettered: gates.dead + journeys.dead,
    })
}

/// What gates say, and what journals say.
pub(crate) async fn compared(edge: &Edge) -> Result<(Tally, Tally), Problem> {
    let gates = names(edge);
    let journals: Vec<_> = (0..edge.config.journey_shards).map(|shard| JournalName { shard }).collect();
    // The gates first: what is counted between the two reads makes nothing look lost.
    let (of_gates, of_journals) = join(
        join_all(gates.iter().map(|&name| report(edge.gate(name).map(|stub| stub.report())))),
        join_all(journals.iter().map(|&name| report(edge.journal(name).map(|stub| stub.report())))),
    )
    .await;
    let named = |names: Vec<String>, reports: Vec<Option<Reported>>| names.into_iter().zip(reports).collect();
    let of_gates: Vec<_> = named(gates.iter().map(GateName::to_string).collect(), of_gates);
    let of_journals: Vec<_> = named(journals.iter().map(JournalName::to_string).collect(), of_journals);
    let unconfirmed: Vec<(String, i64)> = (of_gates.iter().chain(&of_journals))
        .flat_map(|(name, report)| {
            let messages = report.as_ref().map_or(&[][..], |report| &report.unconfirmed);
            messages.iter().map(move |(number, _)| (name.clone(), *number))
        })
        .collect();
    let results = transact(&edge.db, [ledger::applied(), ledger::counted(&unconfirmed)]).await?;
    let [applied, counted] = results.as_slice() else {
        return Err(Problem::Unavailable("the database gave no answer".into()));
    };
    let applied = applied.results::<Applied>()?;
    let counted = counted_of(counted)?;
    let mut gates = Tally::default();
    for (name, report) in &of_gates {
        gates.add("gate", name, report.as_ref(), &applied, &counted);
    }
    let mut journeys = Tally::default();
    for (name, report) in &of_journals {
        journeys.add("journey", name, report.as_ref(), &applied, &counted);
    }
    Ok((gates, journeys))
}

/// What several logs say, added up.
#[derive(Default)]
pub(crate) struct Tally {
    admitted: i64,
    applied: i64,
    in_flight: i64,
    dead: i64,
    lost: i64,
    duplicates: i64,
    duplicates_applied: i64,
    unreached: i64,
    pub(crate) each: Vec<Value>,
}

impl Tally {
    fn add(
        &mut self,
        sort: &str,
        name: &str,
        report: Option<&Reported>,
        applied: &[Applied],
        counted: &HashSet<(String, i64)>,
    ) {
        let nothing = Applied::default();
        let applied = applied.iter().find(|row| row.gate == name).unwrap_or(&nothing);
        let Some(report) = report else {
            self.unreached += 1;
            self.each.push(json!({ sort: name, "unreached": true, "applied": applied.events }));
            return;
        };
        if report.admitted == 0 && report.duplicates == 0 && applied.messages == 0 && report.open == 0 {
            return;
        }
        let in_flight: i64 = (report.unconfirmed.iter())
            .filter(|(number, _)| !counted.contains(&(name.to_owned(), *number)))
            .map(|(_, events)| events)
            .sum();
        let lost = (report.admitted - applied.events - applied.dead - in_flight).max(0);
        self.admitted += report.admitted;
        self.duplicates += report.duplicates;
        self.applied += applied.events;
        self.duplicates_applied += applied.duplicates;
        self.in_flight += in_flight;
        self.dead += applied.dead;
        self.lost += lost;
        let mut said = json!({
            sort: name,
            "applied": applied.events,
            "in_flight": in_flight,
            "dead_lettered": applied.dead,
            "lost": lost,
            "messages_applied": applied.messages,
            "messages_unconfirmed": report.unconfirmed.len(),
        });
        let mut put = |name: &str, value: Value| {
            if let Some(said) = said.as_object_mut() {
                said.insert(name.to_owned(), value);
            }
        };
        if sort == "gate" {
            put("admitted", report.admitted.into());
            put("duplicates", report.duplicates.into());
            put("duplicates_applied", applied.duplicates.into());
            put("log_rows", report.rows.into());
            put("ids", report.ids.into());
        } else {
            put("emitted", report.admitted.into());
            put("rows", report.rows.into());
            put("open_sessions", report.open.into());
            put("held_bytes", report.held_bytes.into());
            put("damaged", report.damaged.into());
            put("rows_written", report.rows_written.into());
            put("rows_read", report.rows_read.into());
        }
        self.each.push(said);
    }
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
pub(crate) fn names(edge: &Edge) -> Vec<GateName> {
    edge.maps.gates()
}

async fn report(asked: worker::Result<Promise>) -> Option<Reported> {
    let answer = JsFuture::from(asked.ok()?).await.ok()?.as_string()?;
    serde_json::from_str(&answer).ok()
}
