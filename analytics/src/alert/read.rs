//! What a rule says right now, from the sums.

use serde_json::json;

use super::judge::{Condition, Rule};
use super::metric::{count, is_count, share};
use super::score::{Score, WEEKS, score};
use crate::aggregate::MINUTE_MS;
use crate::counters::Counters;
use crate::page::{Level, Page, PageRow, pages_of};
use crate::segment::{Unreadable, add_segment};
use crate::sheet::Sheet;
use crate::{Scope, Statement, StatsAggregate};

const HOUR_MS: i64 = 60 * MINUTE_MS;
const QUARTER_MS: i64 = 15 * MINUTE_MS;
const WEEK_MS: i64 = 7 * 24 * HOUR_MS;
/// The longest window of a rule.
const WINDOW_MAX_MS: i64 = HOUR_MS;

/// What one rule reads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// The metric.
    pub value: f64,
    /// How many events it is made of.
    pub events: u64,
    /// How unusual it is, for a spike or a drop.
    pub score: Option<Score>,
}

/// What no sum tells: how the service itself is doing, as of `/stats/integrity`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Service {
    /// Admitted and gone.
    pub lost: i64,
    /// Admitted and on the way.
    pub in_flight: i64,
    /// Admitted and unreadable.
    pub dead_lettered: i64,
}

/// The sums that rules are read from, as of one moment.
#[derive(Debug, Default)]
pub struct Board {
    scopes: Vec<Seen>,
    live: StatsAggregate,
}

/// What is known of one scope.
#[derive(Debug)]
struct Seen {
    scope: Scope,
    minutes: Page,
    quarters: Page,
    days: Counters,
}

/// The two reads of a partition's rules, which must see the same moment: pages with their keys (`level, scope, page,
/// chunk, totals, detail, visitors`) and segments (`body`).
pub fn reads(part: u8, rules: &[&Rule], now_ms: i64) -> [Statement; 2] {
    let scopes = |wanted: &dyn Fn(&Rule) -> bool| {
        let keys: Vec<_> = rules.iter().filter(|rule| wanted(rule)).map(|rule| rule.scope.key()).collect();
        let mut once: Vec<&String> = Vec::new();
        for key in &keys {
            if !once.contains(&key) {
                once.push(key);
            }
        }
        json!(once).to_string()
    };
    let visitors = rules.iter().any(|rule| rule.metric == "clicks_per_visitor");
    let hours = hours(now_ms - WINDOW_MAX_MS, now_ms + QUARTER_MS * 2);
    [
        Statement::new(
            "SELECT level, scope, page, chunk, totals, '' AS detail, iif(?2, visitors, '') AS visitors \
             FROM json_each(?1) AS s CROSS JOIN sums \
             ON level = 'm' AND scope = s.value AND page >= ?3 AND chunk = 0 \
             UNION ALL SELECT level, scope, page, chunk, totals, '', '' FROM json_each(?4) AS s \
             CROSS JOIN json_each(?5) AS h CROSS JOIN sums \
             ON level = 'h' AND scope = s.value AND page = h.value AND chunk = 0 \
             UNION ALL SELECT level, scope, page, chunk, totals, '', '' FROM json_each(?6) AS s CROSS JOIN sums \
             ON level = 'd' AND scope = s.value AND chunk = 0",
            [
                scopes(&|_| true).into(),
                i64::from(visitors).into(),
                floor(now_ms - WINDOW_MAX_MS - 2 * MINUTE_MS, HOUR_MS).into(),
                scopes(&|rule| rule.condition.compares()).into(),
                hours.into(),
                scopes(&|rule| rule.metric == "budget_percent").into(),
            ],
        ),
        Statement::new("SELECT part, origin, body FROM segments WHERE part = ?1", [i64::from(part).into()]),
    ]
}

/// The pages of hours of a scope that [`Board::unusual`] needs for the hour that ends at `end_ms`, that hour's own
/// among them: columns as of [`reads`].
pub fn hour_reads(scope: &Scope, end_ms: i64) -> Statement {
    Statement::new(
        "SELECT level, scope, page, chunk, totals, '' AS detail, '' AS visitors FROM json_each(?2) AS h \
         CROSS JOIN sums ON level = 'h' AND scope = ?1 AND page = h.value AND chunk = 0",
        [scope.key().into(), hours(end_ms - HOUR_MS, end_ms).into()],
    )
}

/// The hours of this week and the past ones that a span touches, as a list.
fn hours(from_ms: i64, to_ms: i64) -> String {
    let mut hours = Vec::new();
    for week in 0..=WEEKS {
        let mut hour = floor(from_ms, HOUR_MS) - week * WEEK_MS;
        while hour < to_ms - week * WEEK_MS {
            hours.push(hour);
            hour += HOUR_MS;
        }
    }
    json!(hours).to_string()
}

fn floor(at_ms: i64, unit_ms: i64) -> i64 {
    at_ms - at_ms.rem_euclid(unit_ms)
}

impl Board {
    /// Adds a page.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn add(&mut self, row: &PageRow) -> Result<(), Unreadable> {
        let seen = self.seen(&row.key.scope);
        match row.key.level {
            Level::Minute => row.add_to(&mut seen.minutes),
            Level::Hour => row.add_to(&mut seen.quarters),
            Level::Day | Level::Cube => {
                let mut page = Page::new();
                row.add_to(&mut page)?;
                for sheet in page.values() {
                    seen.days += &sheet.totals;
                }
                Ok(())
            }
        }
    }

    fn place(&self, scope: &Scope) -> Option<usize> {
        self.scopes.iter().position(|seen| seen.scope == *scope)
    }

    #[allow(clippy::indexing_slicing, reason = "it was found, or put there")]
    fn seen(&mut self, scope: &Scope) -> &mut Seen {
        let place = self.place(scope).unwrap_or_else(|| {
            let scope = scope.clone();
            let seen = Seen { scope, minutes: Page::new(), quarters: Page::new(), days: Counters::default() };
            self.scopes.push(seen);
            self.scopes.len() - 1
        });
        &mut self.scopes[place]
    }

    fn known(&self, scope: &Scope) -> Option<&Seen> {
        self.scopes.get(self.place(scope)?)
    }

    /// Adds what is not in pages yet.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn add_segment(&mut self, body: &str, wanted: impl Fn(&Scope) -> bool) -> Result<(), Unreadable> {
        add_segment(&mut self.live, body, |_, scope| wanted(scope))
    }

    /// Puts what was added last beside the rest.
    pub fn settle(&mut self) {
        let live = std::mem::take(&mut self.live);
        for level in [Level::Minute, Level::Hour] {
            for (key, page) in pages_of(&live, level) {
                let seen = self.seen(&key.scope);
                let kept = if level == Level::Minute { &mut seen.minutes } else { &mut seen.quarters };
                for (at, sheet) in page {
                    kept.entry(at).or_default().merge(&sheet);
                }
            }
        }
        for ((_, scope), sheet) in &live.sheets {
            self.seen(scope).days += &sheet.totals;
        }
    }

    /// What a rule says. `budget` is its campaign's, in millionths. `None`: nothing can be said.
    pub fn read(&self, rule: &Rule, service: Service, budget: Option<i64>, now_ms: i64) -> Option<Reading> {
        let plain = |value: f64| Some(Reading { value, events: u64::MAX, score: None });
        match rule.metric.as_str() {
            "lost" => return plain(service.lost as f64),
            "in_flight" => return plain(service.in_flight as f64),
            "dead_lettered" => return plain(service.dead_lettered as f64),
            "budget_percent" => {
                let budget = budget.filter(|budget| *budget > 0)?;
                let spent = self.known(&rule.scope).map_or(0, |seen| seen.days.cost_nanos());
                return plain(spent as f64 / 10.0 / budget as f64);
            }
            _ => {}
        }
        // A click takes seconds to get here: whoever looks for what is missing waits a minute for it.
        let late_ms = if rule.condition.is_low() { MINUTE_MS } else { 0 };
        let end_ms = floor(now_ms, MINUTE_MS) - late_ms;
        let start_ms = end_ms - rule.window_ms;
        let mut sheet = Sheet::default();
        for (_, minute) in
            self.known(&rule.scope).into_iter().flat_map(|seen| seen.minutes.range(start_ms..end_ms))
        {
            sheet.totals += &minute.totals;
            sheet.visitors.merge(&minute.visitors);
        }
        if is_count(&rule.metric) {
            let value = count(&rule.metric, &sheet.totals);
            let score = if rule.condition.compares() {
                Some(self.unusual(&rule.scope, &rule.metric, value as f64, start_ms, end_ms)?)
            } else {
                None
            };
            return Some(Reading { value: value as f64, events: value, score });
        }
        let (value, events) = share(&rule.metric, &sheet)?;
        Some(Reading { value, events, score: None })
    }

    /// How unusual a count from `start_ms` to `end_ms` is, by at least three quarters of an hour around the same time of
    /// past weeks: so many, because a few minutes of eight weeks would be as much luck as what is compared with them; and
    /// around it, so that a morning's rise cancels out.
    pub fn unusual(
        &self,
        scope: &Scope,
        metric: &str,
        observed: f64,
        start_ms: i64,
        end_ms: i64,
    ) -> Option<Score> {
        let window_ms = (end_ms - start_ms).max(1);
        let quarters = ((window_ms + QUARTER_MS - 1) / QUARTER_MS).max(3);
        let span_ms = quarters * QUARTER_MS;
        let from_ms = floor(i64::midpoint(start_ms, end_ms) - span_ms / 2 + QUARTER_MS / 2, QUARTER_MS);
        let page = &self.known(scope)?.quarters;
        // Before the first week in which anything was counted at that hour, there was nothing to count.
        let around =
            |week: i64| from_ms - week * WEEK_MS - HOUR_MS..from_ms - week * WEEK_MS + span_ms + HOUR_MS;
        let known = (1..=WEEKS).rev().find(|&week| page.range(around(week)).next().is_some())?;
        let mut past = Vec::new();
        for week in 1..=known {
            let from_ms = from_ms - week * WEEK_MS;
            let counted: u64 =
                page.range(from_ms..from_ms + span_ms).map(|(_, sheet)| count(metric, &sheet.totals)).sum();
            past.push(counted as f64 * window_ms as f64 / span_ms as f64);
        }
        score(observed, &past)
    }

    /// The clicks of the hour before `end_ms`, and how unusual they are.
    pub fn hour(&self, scope: &Scope, end_ms: i64) -> (u64, Option<Score>) {
        let start_ms = end_ms - HOUR_MS;
        let sheets = self.known(scope).into_iter().flat_map(|seen| seen.quarters.range(start_ms..end_ms));
        let clicks = sheets.map(|(_, sheet)| count("clicks", &sheet.totals)).sum();
        (clicks, self.unusual(scope, "clicks", clicks as f64, start_ms, end_ms))
    }
}

impl Condition {
    /// Whether it is about past weeks.
    pub fn compares(self) -> bool {
        matches!(self, Self::Spike | Self::Drop)
    }

    fn is_low(self) -> bool {
        matches!(self, Self::Below | Self::Drop)
    }
}
