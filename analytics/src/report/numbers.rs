//! The numbers of one line of a report.

use serde_json::{Map, Value, json};

use super::money::{self, Currencies};
use super::query::{Query, Source};
use crate::counters::{Counters, Hit};
use crate::sheet::{Money, Sheet};
use crate::{Dimension, Kind};

/// One line's.
#[derive(Debug)]
pub(super) struct Numbers<'s> {
    pub(super) counters: Counters,
    /// Known of a whole scope only.
    pub(super) visitors: Option<u64>,
    /// Likewise, or by currency itself.
    pub(super) money: Option<&'s Money>,
}

impl<'s> Numbers<'s> {
    /// The numbers of a sheet of which `counters` are selected.
    pub(super) fn of(counters: Counters, sheet: &'s Sheet, query: &Query) -> Self {
        let by_currency = matches!(query.source, Source::Totals | Source::Cells(Dimension::Currency));
        // The estimate errs by a percent or two, but nobody comes without a click.
        let visitors = || sheet.visitors.estimate().min(counters.count(Kind::Click, Hit::Human));
        Self {
            counters,
            visitors: (query.source == Source::Totals).then(visitors),
            money: by_currency.then_some(&sheet.money),
        }
    }

    /// `clicks` are deduplicated people's; `raw` is every hit: clicks, bots and duplicates. `revenue` and
    /// `cost` are people's, whether machines are included or not.
    pub(super) fn render(&self, query: &Query, currencies: Currencies<'_>) -> Map<String, Value> {
        let counters = &self.counters;
        let duplicates = counters.count(Kind::Click, Hit::Duplicate);
        let people = |kind| people(query, counters, kind);
        let (clicks, impressions) = (people(Kind::Click), people(Kind::Impression));
        let mut numbers = Map::new();
        let mut put = |name: &str, value: Value| {
            numbers.insert(name.to_owned(), value);
        };
        put("clicks", json!(clicks));
        put("raw", json!(counters.admitted(Kind::Click) + duplicates));
        put("bots", json!(counters.count(Kind::Click, Hit::Bot)));
        put("duplicates", json!(duplicates));
        put("uniques", json!(self.visitors));
        put("impressions", json!(impressions));
        put("pages", json!(people(Kind::Page)));
        put("conversions", json!(people(Kind::Conversion)));
        put("failed", json!(people(Kind::Failed)));
        put("ctr", json!((impressions > 0).then(|| clicks as f64 / impressions as f64)));
        money::render(query, (counters, clicks, impressions), currencies, self.money, &mut put);
        numbers
    }
}

/// How many of a kind count as people's.
pub(super) fn people(query: &Query, counters: &Counters, kind: Kind) -> u64 {
    if query.include_bots { counters.admitted(kind) } else { counters.count(kind, Hit::Human) }
}

/// Everything that came in, by kind: `events` were admitted, `humans` and `bots` are their parts, and
/// `duplicates` were turned away; whoever sent `events + duplicates` finds every one of them here.
pub(super) fn kinds(counters: &Counters) -> impl Iterator<Item = (String, Value)> {
    Kind::ALL.into_iter().map(|kind| {
        let count = |hit| counters.count(kind, hit);
        let numbers = json!({
            "events": counters.admitted(kind),
            "humans": count(Hit::Human),
            "bots": count(Hit::Bot),
            "duplicates": count(Hit::Duplicate),
        });
        (kind.name().to_owned(), numbers)
    })
}
