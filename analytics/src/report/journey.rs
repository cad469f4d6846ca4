//! What the reports on journeys have in common: which sums they read, and how lines are made of them.

use form_urlencoded::Serializer;
use serde_json::{Map, Value, json};

use super::query::{GroupBy, Query, Source, Zones};
use super::{cells_by, select, whole_of};
use crate::aggregate::{Scope, StatsAggregate};
use crate::counters::Counters;
use crate::lapse::{median_of_buckets, median_of_cells};
use crate::measure::LASTED;
use crate::page::{Page, PageRow, pages_of};
use crate::rank::busiest;
use crate::segment::{Unreadable, add_segment, partition};
use crate::sheet::Sheet;
use crate::{Dimension, Reject, Statement};

/// A question about journeys: of which scopes, all cut in the same way.
#[derive(Debug, Clone)]
pub struct Question {
    /// Its time, filters and groups.
    pub query: Query,
    /// Of what; the answer tells them apart by their order.
    pub scopes: Vec<Scope>,
}

/// What an event has, and what follows from it has not.
const NOT_KEPT: [Dimension; 9] = [
    Dimension::BotReason,
    Dimension::Element,
    Dimension::Trigger,
    Dimension::TimeSource,
    Dimension::Skew,
    Dimension::TimeZone,
    Dimension::Brand,
    Dimension::Model,
    Dimension::Latency,
];

/// Takes the parameters of these names out of a query: they are this report's own.
///
/// # Errors
/// One is given twice.
pub(super) fn taken<const N: usize>(
    text: &str,
    names: [&'static str; N],
) -> Result<([Option<String>; N], String), Vec<Reject>> {
    let mut own = [const { None }; N];
    let mut rest = Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        let place = names.iter().position(|own| *own == name);
        match place.and_then(|place| own.get_mut(place)) {
            Some(own) => {
                if own.replace(value.into_owned()).is_some() {
                    return Err(vec![Reject::new(format!("/{name}"), "is given twice")]);
                }
            }
            None => {
                rest.append_pair(&name, &value);
            }
        }
    }
    Ok((own, rest.finish()))
}

/// Reads a query string as that of `/stats/clicks`. Journeys are people's, and their sums are kept by one dimension at a
/// time; the scopes of some are those of a campaign or a link too, and `scoped` says of which.
///
/// # Errors
/// Likewise, and whatever no sum is kept for.
pub(super) fn query(
    text: &str,
    now_ms: i64,
    zones: Zones,
    scoped: &[Dimension],
) -> Result<Query, Vec<Reject>> {
    let refuse = |name: &str, detail: &'static str| Err(vec![Reject::new(format!("/{name}"), detail)]);
    let mut query = Query::parse(text, now_ms, zones)?;
    if query.include_bots {
        return refuse("include_bots", "is not for journeys: machines have none");
    }
    let grouped = match query.group_by {
        Some(GroupBy::Kind) => return refuse("group_by", "is no dimension"),
        Some(GroupBy::Dimension(dimension)) => Some(dimension),
        None => None,
    };
    if let Some((own, value)) = query.scope.own().filter(|(own, _)| !scoped.contains(own)) {
        query.filters.push(super::filter::Filter {
            dimension: own,
            include: vec![value.to_owned()],
            exclude: Vec::new(),
        });
        query.scope = Scope::All;
        // A link's scope comes before its campaign's.
        let campaign = query.filters.iter().position(|filter| filter.dimension == Dimension::Campaign);
        if let Some(place) = campaign.filter(|_| scoped.contains(&Dimension::Campaign))
            && let Some(id) = query.filters.get(place).and_then(super::filter::Filter::single)
        {
            query.scope = Scope::Campaign(id.into());
            query.filters.remove(place);
        }
    }
    let filtered = query.filters.iter().map(|filter| (filter.dimension, filter.dimension.name()));
    for (dimension, parameter) in filtered.chain(grouped.map(|dimension| (dimension, "group_by"))) {
        if NOT_KEPT.contains(&dimension) {
            return refuse(parameter, "is not kept for journeys");
        }
    }
    let same = |dimension: Dimension| grouped.is_none_or(|grouped| grouped == dimension);
    query.source = match query.filters.as_slice() {
        [] => Source::Totals,
        [one] if same(one.dimension) => Source::Cells(one.dimension),
        [one, ..] => {
            let detail = "cannot be combined: of journeys, sums are kept by one dimension at a time";
            return refuse(one.dimension.name(), detail);
        }
    };
    query.level = query.span.level();
    Ok(query)
}

impl Question {
    /// The reads, which must see the same moment: the pages of each scope (`page, chunk, totals, detail, visitors`), and
    /// at last the segments of all (`body`).
    pub fn reads(&self) -> (Vec<Statement>, Statement) {
        let (query, span) = (&self.query, &self.query.span);
        let first_page = span.from_ms - span.from_ms.rem_euclid(query.level.page_ms());
        let pages = |scope: &Scope| {
            Statement::new(
                "SELECT page, chunk, totals, detail, '' AS visitors FROM sums \
                 WHERE level = ?1 AND scope = ?2 AND page >= ?3 AND page < ?4",
                [query.level.code().into(), scope.key().into(), first_page.into(), span.to_ms.into()],
            )
        };
        let parts: Vec<u8> = self.scopes.iter().map(partition).collect();
        let segments = Statement::new(
            "SELECT part, origin, body FROM segments WHERE part IN (SELECT value FROM json_each(?1))",
            [json!(parts).to_string().into()],
        );
        (self.scopes.iter().map(pages).collect(), segments)
    }

    /// The sheets of each scope, by the time at which each begins.
    pub(super) fn gathered(
        &self,
        rows: &[Vec<PageRow>],
        segments: &[String],
    ) -> Result<Vec<Page>, Unreadable> {
        let mut live = StatsAggregate::default();
        for body in segments {
            let wanted =
                |at: i64, scope: &Scope| self.scopes.contains(scope) && self.query.span.place(at).is_some();
            add_segment(&mut live, body, wanted)?;
        }
        let mut pages: Vec<Page> = vec![Page::new(); self.scopes.len()];
        for (page, rows) in pages.iter_mut().zip(rows) {
            for row in rows {
                row.add_to(page)?;
            }
        }
        for (key, page) in pages_of(&live, self.query.level) {
            let place = self.scopes.iter().position(|scope| *scope == key.scope);
            let Some(mine) = place.and_then(|place| pages.get_mut(place)) else { continue };
            for (at, sheet) in page {
                mine.entry(at).or_default().merge(&sheet);
            }
        }
        Ok(pages)
    }
}

/// One line: what was counted, and the middle one of how long it took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) counters: Counters,
    median_ms: Option<f64>,
}

impl Line {
    /// What the query's filters admit of a sheet.
    pub(super) fn of(query: &Query, sheet: &Sheet) -> Self {
        let counters = select(query, sheet);
        let median_ms = match query.source {
            Source::Totals => {
                median_of_cells(sheet.detail.cells(Dimension::Lapse).map(|(_, counters)| counters))
            }
            _ => median_of_buckets(&counters),
        };
        Self { counters, median_ms }
    }

    /// A group.
    pub(super) fn of_cell(counters: Counters) -> Self {
        Self { median_ms: median_of_buckets(&counters), counters }
    }

    /// How many of a slot.
    pub(super) fn count(&self, slot: usize) -> u64 {
        self.counters.at(slot).max(0) as u64
    }

    /// The median in seconds.
    pub(super) fn median(&self) -> Value {
        json!(self.median_ms.map(seconds))
    }

    /// The mean in seconds.
    pub(super) fn mean(&self) -> Value {
        let weight: i64 = self.counters.histogram().iter().sum();
        json!((weight > 0).then(|| seconds(self.counters.at(LASTED).max(0) as f64 / weight as f64)))
    }
}

/// To the millisecond.
fn seconds(ms: f64) -> f64 {
    ms.round() / 1e3
}

/// One number by another, to a hundredth of a percent.
pub(super) fn rate(part: u64, whole: u64) -> Value {
    json!((whole > 0).then(|| (part as f64 / whole as f64 * 1e4).round() / 1e4))
}

/// What every answer begins with.
pub(super) fn head(query: &Query, now_ms: i64) -> Map<String, Value> {
    let mut head = Map::new();
    for (name, value) in [
        ("from", query.span.format(query.span.from_ms)),
        ("to", query.span.format(query.span.to_ms)),
        ("tz", query.span.zone.name().to_owned()),
        ("as_of", crate::time::rfc3339(now_ms)),
    ] {
        head.insert(name.to_owned(), value.into());
    }
    head
}

/// How a line is shown: `money` is known of a whole scope only.
pub(super) type Render<'r> = &'r dyn Fn(Line, Option<&Sheet>) -> Map<String, Value>;

/// Puts totals, series and groups of one scope.
pub(super) fn put_lines(
    answer: &mut Map<String, Value>,
    question: &Question,
    page: &Page,
    whole: &Sheet,
    render: Render<'_>,
) {
    let query = &question.query;
    let span = &query.span;
    let mut points = vec![Sheet::default(); span.starts.len()];
    for (&at, sheet) in page {
        if let Some(point) = span.place(at).and_then(|place| points.get_mut(place)) {
            point.merge(sheet);
        }
    }
    let point = |(&start, point): (&i64, &Sheet)| {
        let mut line = render(Line::of(query, point), Some(point));
        line.insert("time".to_owned(), span.format(start).into());
        Value::Object(line)
    };
    let series: Vec<Value> = span.starts.iter().zip(&points).map(point).collect();
    answer.insert("interval".to_owned(), span.interval.name().into());
    answer.insert("totals".to_owned(), render(Line::of(query, whole), Some(whole)).into());
    answer.insert("series".to_owned(), series.into());
    if let Some(GroupBy::Dimension(dimension)) = query.group_by {
        let groups = groups(question, dimension, whole);
        answer.insert("group_by".to_owned(), dimension.name().into());
        answer.insert("group_count".to_owned(), groups.len().into());
        let shown = groups.into_iter().take(query.limit);
        let shown =
            shown.map(|(value, counters)| named(dimension, value, render(Line::of_cell(counters), None)));
        answer.insert("groups".to_owned(), shown.collect());
    }
}

/// The groups of a scope, busiest first.
pub(super) fn groups<'w>(
    question: &'w Question,
    dimension: Dimension,
    whole: &'w Sheet,
) -> Vec<(&'w str, Counters)> {
    let groups = cells_by(&question.query, dimension, whole);
    busiest(groups, |counters| (question.query.scope.size(counters), 0))
}

/// A group with its value, under `value` and under the dimension's name.
pub(super) fn named(dimension: Dimension, value: &str, mut group: Map<String, Value>) -> Value {
    group.insert("value".to_owned(), value.into());
    group.insert(dimension.name().to_owned(), value.into());
    Value::Object(group)
}

/// All of a scope in the span.
pub(super) fn whole(question: &Question, page: &Page) -> Sheet {
    whole_of(&question.query, page)
}

#[cfg(test)]
mod tests;
