//! Reports: from sums to the answer of `GET /stats/clicks`.

pub mod conversions;
pub mod filter;
pub mod funnel;
pub mod journey;
#[cfg(test)]
mod laws;
pub mod metrics;
mod money;
mod numbers;
pub mod quality;
pub mod query;
pub mod sessions;
pub mod span;
pub mod statement;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::counters::Counters;
use crate::dimension::{Cube, Dimension};
use crate::page::{Page, PageRow, pages_of};
use crate::rank::busiest;
use crate::segment::{Unreadable, add_segment, partition};
use crate::sheet::{OTHER, Sheet, add_money};
use crate::statement::Statement;
use crate::{Scope, StatsAggregate};
use money::Currencies;
use numbers::{Numbers, kinds, people};
use query::{GroupBy, Query, Source};

/// The two reads of a report, which must see the same moment: between them, folding may move sums from one to the
/// other. Pages: `page, chunk, totals, detail, visitors`; segments: `body`.
pub fn reads(query: &Query) -> [Statement; 2] {
    let span = &query.span;
    let page_ms = query.level.page_ms();
    let first_page = span.from_ms - span.from_ms.rem_euclid(page_ms);
    let needs_detail =
        query.source != Source::Totals || matches!(query.group_by, Some(GroupBy::Dimension(_)));
    // Only what is needed crosses from D1: the cells of a page are a hundred times its totals.
    let pages = if needs_detail {
        "SELECT page, chunk, totals, detail, visitors FROM sums \
         WHERE level = ?1 AND scope = ?2 AND page >= ?3 AND page < ?4"
    } else {
        "SELECT page, chunk, totals, '' AS detail, visitors FROM sums \
         WHERE level = ?1 AND scope = ?2 AND page >= ?3 AND page < ?4 AND chunk = 0"
    };
    [
        Statement::new(
            pages,
            [query.level.code().into(), query.scope.key().into(), first_page.into(), span.to_ms.into()],
        ),
        Statement::new(
            "SELECT body FROM segments WHERE part = ?1",
            [i64::from(partition(&query.scope)).into()],
        ),
    ]
}

/// Puts the answer together from what [`reads`] found.
///
/// # Errors
/// Stored sums that cannot be read.
pub fn answer(
    query: &Query,
    rows: &[PageRow],
    segments: &[String],
    now_ms: i64,
) -> Result<Value, Unreadable> {
    Ok(render(query, &gathered(query, rows, segments)?, now_ms))
}

/// The sheets of a query's scope, by the time at which each begins.
fn gathered(query: &Query, rows: &[PageRow], segments: &[String]) -> Result<Page, Unreadable> {
    let mut kept = Page::new();
    for row in rows {
        row.add_to(&mut kept)?;
    }
    let mut live = StatsAggregate::default();
    let wanted = |at: i64, scope: &Scope| *scope == query.scope && query.span.place(at).is_some();
    for body in segments {
        add_segment(&mut live, body, wanted)?;
    }
    for page in pages_of(&live, query.level).values() {
        for (&at, sheet) in page {
            kept.entry(at).or_default().merge(sheet);
        }
    }
    Ok(kept)
}

/// All sheets of the span in one. A page can reach beyond it.
fn whole_of(query: &Query, kept: &Page) -> Sheet {
    let mut whole = Sheet::default();
    for (_, sheet) in kept.iter().filter(|(at, _)| query.span.place(**at).is_some()) {
        whole.merge(sheet);
    }
    whole
}

fn render(query: &Query, kept: &Page, now_ms: i64) -> Value {
    let whole = whole_of(query, kept);
    let mut points = vec![Sheet::default(); query.span.starts.len()];
    for (&at, sheet) in kept {
        let Some(point) = query.span.place(at).and_then(|place| points.get_mut(place)) else { continue };
        point.totals += &select(query, sheet);
        add_money(&mut point.money, &sheet.money);
        point.visitors.merge(&sheet.visitors);
    }
    let currency = Currencies::of(query, &whole.money);
    let series: Vec<Value> = (query.span.starts.iter().zip(&points))
        .map(|(&start, point)| {
            let mut entry = Numbers::of(point.totals, point, query).render(query, currency);
            entry.insert("time".to_owned(), json!(query.span.format(start)));
            Value::Object(entry)
        })
        .collect();
    let selected = select(query, &whole);
    let mut totals = Numbers::of(selected, &whole, query).render(query, currency);
    let mut by_kind = Map::new();
    by_kind.extend(kinds(&selected));
    totals.insert("kinds".to_owned(), Value::Object(by_kind));
    let mut answer = Map::new();
    let mut put = |name: &str, value: Value| answer.insert(name.to_owned(), value);
    put("from", json!(query.span.format(query.span.from_ms)));
    put("to", json!(query.span.format(query.span.to_ms)));
    put("interval", json!(query.span.interval.name()));
    put("tz", json!(query.span.zone.name()));
    put("as_of", json!(crate::time::rfc3339(now_ms)));
    put("include_bots", json!(query.include_bots));
    put("totals", Value::Object(totals));
    put("series", Value::Array(series));
    if let Source::Cells(dimension) = query.source
        && is_capped(&whole, dimension)
    {
        answer.insert("approximate".to_owned(), json!(true));
    }
    if let Some(group_by) = query.group_by {
        answer.insert("group_by".to_owned(), json!(group_by.name()));
        let groups = match group_by {
            GroupBy::Kind => kinds(&selected).map(|(name, numbers)| named("kind", &name, numbers)).collect(),
            GroupBy::Dimension(dimension) => groups(query, dimension, &whole, currency),
        };
        answer.insert("group_count".to_owned(), json!(groups.len()));
        answer.insert("groups".to_owned(), groups.into_iter().take(query.limit).collect());
    }
    Value::Object(answer)
}

/// Whether values beyond the busiest were put together under [`OTHER`]: one of them that a filter names is not
/// found there.
fn is_capped(sheet: &Sheet, dimension: Dimension) -> bool {
    sheet.detail.cells(dimension).any(|(value, _)| value == OTHER)
}

/// The counters of a sheet that the query's filters admit.
fn select(query: &Query, sheet: &Sheet) -> Counters {
    match query.source {
        Source::Totals => sheet.totals,
        Source::Cells(dimension) => {
            let cells = |admitted: bool| {
                let cells = sheet.detail.cells(dimension);
                sum(cells.filter(move |(value, _)| query.admits(value) == admitted))
            };
            // A value that is absent has no cell: it is in what is left of the total.
            if query.admits("") { sheet.totals.less(&cells(false)) } else { cells(true) }
        }
        Source::Cube => sum(cube(query, sheet)),
    }
}

fn sum<'a>(cells: impl Iterator<Item = (&'a str, &'a Counters)>) -> Counters {
    cells.fold(Counters::default(), |mut sum, (_, counters)| {
        sum += counters;
        sum
    })
}

/// The cells of the cube that every filter admits.
fn cube<'a>(query: &'a Query, sheet: &'a Sheet) -> impl Iterator<Item = (&'a str, &'a Counters)> {
    let admitted = |key: &str| {
        query
            .filters
            .iter()
            .all(|filter| Cube::part(key, filter.dimension).is_some_and(|value| filter.admits(value)))
    };
    sheet.detail.cells(Dimension::Cube).filter(move |(key, _)| admitted(key))
}

/// The cells of a dimension as far as the query admits them. What lacks the dimension is under the empty value.
fn cells_by<'w>(query: &'w Query, dimension: Dimension, whole: &'w Sheet) -> Vec<(&'w str, Counters)> {
    let mut groups: BTreeMap<&str, Counters> = BTreeMap::new();
    match (query.scope.own(), query.source) {
        (Some((own, value)), _) if own == dimension => {
            groups.insert(value, select(query, whole));
        }
        (_, Source::Cube) => {
            for (key, counters) in cube(query, whole) {
                *groups.entry(Cube::part(key, dimension).unwrap_or_default()).or_default() += counters;
            }
        }
        _ => {
            for (value, counters) in whole.detail.cells(dimension).filter(|(value, _)| query.admits(value)) {
                *groups.entry(value).or_default() += counters;
            }
            // An event can have several bot reasons: there the cells do not add up to the total.
            if dimension != Dimension::BotReason && query.admits("") {
                groups.insert("", whole.totals.less(&sum(whole.detail.cells(dimension))));
            }
        }
    }
    groups.into_iter().filter(|(_, counters)| !counters.is_empty()).collect()
}

/// The groups, busiest first.
fn groups(query: &Query, dimension: Dimension, whole: &Sheet, currency: Currencies<'_>) -> Vec<Value> {
    let groups = cells_by(query, dimension, whole);
    let clicks = |counters: &Counters| people(query, counters, crate::Kind::Click);
    let groups = busiest(groups, |counters| (clicks(counters), counters.events()));
    let render = |(value, counters)| {
        let currency = if dimension == Dimension::Currency { currency.only(value) } else { currency };
        let numbers = Numbers { counters, visitors: None, money: None }.render(query, currency);
        named(dimension.name(), value, Value::Object(numbers))
    };
    groups.into_iter().map(render).collect()
}

/// A group with its value, under `value` and under the dimension's name.
fn named(dimension: &str, value: &str, numbers: Value) -> Value {
    let mut entry = match numbers {
        Value::Object(numbers) => numbers,
        _ => Map::new(),
    };
    entry.insert("value".to_owned(), json!(value));
    entry.insert(dimension.to_owned(), json!(value));
    Value::Object(entry)
}
