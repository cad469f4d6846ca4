//! `GET /metrics`, for Prometheus and what reads its format.

use std::cell::RefCell;

use analytics::alert::keep::{Kept, states};
use analytics::report::metrics::{Facts, Waiting, counted, render, today, waiting};
use analytics::report::reads;
use worker::{Env, Headers, Request, Response, ResponseBuilder};

use crate::clock::now_ms;
use crate::edge::Edge;
use crate::lookup::Record;
use crate::problem::Problem;
use crate::sql::transact;
use crate::stats::{compared, found, no_answer, reader, unreadable};
use crate::zone::zone;

/// How long an isolate answers the same. Each fresh answer is a call to every gate and journal and four statements: with
/// 22 of them and one a minute, a million calls a month, $0.15.
const FRESH_MS: i64 = 10_000;

thread_local! {
    static SAID: RefCell<(i64, String)> = const { RefCell::new((0, String::new())) };
}

/// Answers, or says which part does not: a scrape that fails is what tells that D1 is down.
pub(crate) async fn show(request: &Request, env: &Env) -> Result<Response, Problem> {
    reader(request, env).await?;
    let now_ms = now_ms();
    let said = SAID.with_borrow(|(at_ms, text)| (now_ms - at_ms < FRESH_MS).then(|| text.clone()));
    let text = if let Some(text) = said {
        text
    } else {
        let text = found_out(&*Edge::of(env)?, now_ms).await?;
        SAID.set((now_ms, text.clone()));
        text
    };
    let headers = Headers::new();
    headers.set("content-type", "application/openmetrics-text; version=1.0.0; charset=utf-8")?;
    headers.set("cache-control", "no-store")?;
    Ok(ResponseBuilder::new().with_headers(headers).fixed(text.into_bytes()))
}

async fn found_out(edge: &Edge, now_ms: i64) -> Result<String, Problem> {
    let (gates, journeys) = compared(edge).await?;
    let query = today(now_ms, zone)?;
    let [pages, segments] = reads(&query);
    let results = transact(&edge.db, [pages, segments, waiting(now_ms), states()]).await?;
    let [pages, segments, waits, alerts] = results.as_slice() else { return Err(no_answer()) };
    let (rows, bodies) = found(&query, pages, segments)?;
    let records = alerts.results::<Record>()?;
    let alerts: Vec<Kept> = records.iter().filter_map(|record| Kept::of(record.text())).collect();
    let size = waits.meta()?.and_then(|meta| meta.size_after);
    Ok(render(&Facts {
        gates: &gates.each,
        journeys: &journeys.each,
        today: counted(&query, &rows, &bodies).map_err(unreadable)?,
        waiting: waits.results::<Waiting>()?.pop().unwrap_or_default(),
        alerts: &alerts,
        database_bytes: size.and_then(|size| i64::try_from(size).ok()),
        version: env!("CARGO_PKG_VERSION"),
        now_ms,
    }))
}
