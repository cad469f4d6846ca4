//! How far the numbers can be trusted: what machines did, what came twice, whose clocks were off, what led nowhere.

use serde_json::{Value, json};

use super::query::{GroupBy, Query, Source};
use super::{gathered, whole_of};
use crate::alert::judge::rounded as hundredths;
use crate::alert::read::Board;
use crate::counters::{Counters, Hit};
use crate::latency::{LATENCIES, quantile};
use crate::page::PageRow;
use crate::rank::busiest;
use crate::segment::Unreadable;
use crate::sheet::Sheet;
use crate::{Dimension, Kind, Reject, Scope};

/// Reads a query string: as of `/stats/clicks`, but of everything, a campaign or a link.
///
/// # Errors
/// Likewise, and `group_by` or a filter on anything else.
pub fn query(text: &str, now_ms: i64, zones: super::query::Zones) -> Result<Query, Vec<Reject>> {
    let mut query = Query::parse(text, now_ms, zones)?;
    let refuse = |name: &str, detail: &'static str| Err(vec![Reject::new(format!("/{name}"), detail)]);
    if query.group_by.is_some() {
        return refuse("group_by", "is not asked for here");
    }
    if let Some(filter) = query.filters.first().filter(|_| query.source != Source::Totals) {
        return refuse(filter.dimension.name(), "is no filter here; ask for campaign_id or link");
    }
    // Cells are read only where something is grouped by them.
    query.group_by = Some(GroupBy::Dimension(Dimension::Verdict));
    Ok(query)
}

/// Puts the answer together from what [`super::reads`] found.
///
/// # Errors
/// Stored sums that cannot be read.
pub fn answer(
    query: &Query,
    rows: &[PageRow],
    segments: &[String],
    now_ms: i64,
) -> Result<Value, Unreadable> {
    let whole = whole_of(query, &gathered(query, rows, segments)?);
    let totals = &whole.totals;
    let duplicates: u64 = Kind::ALL.iter().map(|&kind| totals.count(kind, Hit::Duplicate)).sum();
    let bots: u64 = Kind::ALL.iter().map(|&kind| totals.count(kind, Hit::Bot)).sum();
    let hits = totals.events() + duplicates;
    let part = |count: u64| if hits == 0 { Value::Null } else { json!(rounded(count as f64 / hits as f64)) };
    let events = |counters: &Counters| counters.events();
    let failed = |counters: &Counters| counters.admitted(Kind::Failed);
    let given: u64 = counts(&whole, Dimension::TimeSource, events).iter().map(|(_, count)| count).sum();
    let mut time_sources = counts(&whole, Dimension::TimeSource, events);
    time_sources.push(("received", totals.events().saturating_sub(given)));
    Ok(json!({
        "from": query.span.format(query.span.from_ms),
        "to": query.span.format(query.span.to_ms),
        "tz": query.span.zone.name(),
        "as_of": crate::time::rfc3339(now_ms),
        "hits": hits,
        "admitted": totals.events(),
        "duplicates": duplicates,
        "duplicate_rate": part(duplicates),
        "bots": bots,
        "bot_rate": part(bots),
        "failed": totals.admitted(Kind::Failed),
        "verdicts": named(&counts(&whole, Dimension::Verdict, events)),
        "bot_reasons": named(&counts(&whole, Dimension::BotReason, events)),
        "latency": latency(&whole),
        "failed_reasons": named(&counts(&whole, Dimension::Name, failed)),
        "time_sources": named(&time_sources),
        // In the order of their size, which is not that of their names.
        "skew": crate::skew::SKEWS.map(|(_, name)| {
            let counters = whole.detail.cells(Dimension::Skew).find(|(value, _)| *value == name);
            json!({ "value": name, "events": counters.map_or(0, |(_, counters)| counters.events()) })
        }),
    }))
}

/// How long redirects took to know their answer.
fn latency(whole: &Sheet) -> Value {
    let source = crate::Source::Redirect.name();
    let of = |dimension: Dimension, name: &str| {
        let counters = whole.detail.cells(dimension).find(|(value, _)| *value == name);
        counters.map_or(0, |(_, counters)| counters.events())
    };
    let all = of(Dimension::Source, source);
    let slow = LATENCIES.map(|(_, name)| of(Dimension::Latency, name));
    let tenths = |part| quantile(part, all, &slow).map(|ms| (ms * 10.0).round() / 10.0);
    let buckets =
        LATENCIES.iter().zip(slow).map(|((_, name), events)| json!({ "value": name, "events": events }));
    json!({ "redirects": all, "p50_ms": tenths(0.5), "p99_ms": tenths(0.99), "buckets": buckets.collect::<Vec<_>>() })
}

const QUARTER_MS: i64 = 900_000;

/// Where the latest hour of a report ends: sums are kept by the quarter.
pub fn last_hour(query: &Query, now_ms: i64) -> i64 {
    let end_ms = query.span.to_ms.min(now_ms);
    end_ms - end_ms.rem_euclid(QUARTER_MS)
}

/// The report with how unusual its latest hour was.
#[must_use]
pub fn scored(mut report: Value, board: &Board, scope: &Scope, end_ms: i64) -> Value {
    let (clicks, unusual) = board.hour(scope, end_ms);
    if let Some(members) = report.as_object_mut() {
        let said = json!({
            "to": crate::time::rfc3339(end_ms),
            "clicks": clicks,
            "expected": unusual.map(|score| hundredths(score.expected)),
            "z": unusual.map(|score| hundredths(score.z)),
            "weeks": unusual.map_or(0, |score| score.weeks),
        });
        members.insert("score".to_owned(), said);
    }
    report
}

fn counts(whole: &Sheet, dimension: Dimension, of: fn(&Counters) -> u64) -> Vec<(&str, u64)> {
    let mut counts: Vec<_> =
        whole.detail.cells(dimension).map(|(value, counters)| (value, of(counters))).collect();
    counts.retain(|(_, count)| *count > 0);
    busiest(counts, |&count| (count, 0))
}

fn named(counts: &[(&str, u64)]) -> Value {
    let entry = |(value, events): &(&str, u64)| json!({ "value": value, "events": events });
    counts.iter().map(entry).collect()
}

/// To a hundredth of a percent.
fn rounded(rate: f64) -> f64 {
    (rate * 1e4).round() / 1e4
}
