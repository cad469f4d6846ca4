//! The amounts of one line of a report.
//!
//! Revenue is what people's events were worth, cost what campaigns paid for them, payout what publishers get; profit is
//! revenue less the other two, and ROI profit by them. A line keeps each as one number, whatever its currency, so that a
//! report is about one currency or says that it cannot tell.

use serde_json::{Map, Value, json};

use super::query::{Query, Source};
use crate::Dimension;
use crate::counters::Counters;
use crate::sheet::{COST_IN, Money, PAYOUT_IN};

/// The one currency of some amounts, and whether there is more than one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct One<'m> {
    currency: &'m str,
    several: bool,
}

impl<'m> One<'m> {
    fn and(&mut self, currency: &'m str) {
        self.several |= !self.currency.is_empty() && !currency.is_empty() && self.currency != currency;
        if self.currency.is_empty() {
            self.currency = currency;
        }
    }
}

/// What a report's amounts are in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Currencies<'m> {
    revenue: One<'m>,
    /// Revenue without a currency beside some that has one.
    mixed: bool,
    cost: One<'m>,
    payout: One<'m>,
}

impl<'m> Currencies<'m> {
    pub(super) fn of(query: &Query, money: &'m Money) -> Self {
        let mut currencies = Self::default();
        let (mut named, mut unnamed) = (false, false);
        for (key, _) in money.iter().filter(|(_, amount)| **amount != 0) {
            match purpose(key) {
                (Purpose::Revenue, currency) if is_admitted(query, currency) => {
                    currencies.revenue.and(currency);
                    named |= !currency.is_empty();
                    unnamed |= currency.is_empty();
                }
                (Purpose::Revenue, _) => {}
                (Purpose::Cost, currency) => currencies.cost.and(currency),
                (Purpose::Payout, currency) => currencies.payout.and(currency),
            }
        }
        currencies.mixed = named && unnamed;
        currencies
    }

    /// The same where only revenue of one currency counts.
    pub(super) fn only(self, currency: &'m str) -> Self {
        Self { revenue: One { currency, several: false }, mixed: false, ..self }
    }

    /// The one currency of everything; `None`: there are several.
    fn all(&self) -> Option<&'m str> {
        let mut all = self.revenue;
        for other in [self.cost, self.payout] {
            all.several |= other.several;
            all.and(other.currency);
        }
        (!all.several && !self.mixed).then_some(all.currency)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Revenue,
    Cost,
    Payout,
}

fn purpose(key: &str) -> (Purpose, &str) {
    if let Some(currency) = key.strip_prefix(COST_IN) {
        (Purpose::Cost, currency)
    } else if let Some(currency) = key.strip_prefix(PAYOUT_IN) {
        (Purpose::Payout, currency)
    } else {
        (Purpose::Revenue, key)
    }
}

/// Filters that are on other dimensions than the currency let every currency through.
fn is_admitted(query: &Query, currency: &str) -> bool {
    query.source != Source::Cells(Dimension::Currency) || query.admits(currency)
}

/// An amount in units: the nearest number to millionths has no more than six places.
pub(super) fn units(micros: i64) -> Value {
    json!(micros as f64 / 1e6)
}

fn ratio(part: i64, whole: i64) -> Value {
    json!((whole > 0).then(|| (part as f64 / whole as f64 * 1e4).round() / 1e4))
}

/// An amount by each of so many, in units.
fn each(micros: Option<i64>, times: i64, count: u64) -> Value {
    match micros.filter(|_| count > 0) {
        // A product of a large amount and a thousand may be beyond 64 bits.
        Some(micros) => {
            let each = i128::from(micros) * i128::from(times) / i128::from(count);
            units(each.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)
        }
        None => Value::Null,
    }
}

/// Puts the amounts of a line: `clicks` and `impressions` are people's. `money` is known of a whole scope only.
pub(super) fn render(
    query: &Query,
    (counters, clicks, impressions): (&Counters, u64, u64),
    currencies: Currencies<'_>,
    money: Option<&Money>,
    put: &mut impl FnMut(&str, Value),
) {
    let known = |one: One<'_>, mixed: bool, micros: i64| (!one.several && !mixed).then_some(micros);
    let revenue = known(currencies.revenue, currencies.mixed, counters.value_micros());
    // As many whole millionths as there are; what is left of a thousandth of a price for a thousand is not shown.
    let cost = known(currencies.cost, false, counters.cost_nanos() / 1_000);
    let payout = known(currencies.payout, false, counters.payout_nanos() / 1_000);
    let one = currencies.all();
    let spent = cost.zip(payout).filter(|_| one.is_some()).map(|(cost, payout)| cost.saturating_add(payout));
    let profit = revenue.zip(spent).map(|(revenue, spent)| revenue.saturating_sub(spent));
    put("cost", json!(cost.map(|_| counters.cost_nanos() as f64 / 1e9)));
    for (name, in_micros, micros) in [
        ("revenue", "revenue_micros", revenue),
        ("payout", "payout_micros", payout),
        ("profit", "profit_micros", profit),
        ("", "cost_micros", cost),
    ] {
        if !name.is_empty() {
            put(name, micros.map_or(Value::Null, units));
        }
        put(in_micros, json!(micros));
    }
    put("roi", profit.zip(spent).map_or(Value::Null, |(profit, spent)| ratio(profit, spent)));
    put("ecpc", each(cost, 1, clicks));
    put("ecpm", each(cost, 1_000, impressions));
    put("epc", each(revenue, 1, clicks));
    put("currency", json!(one.filter(|currency| !currency.is_empty())));
    let Some(money) = money.filter(|_| one.is_none()) else { return };
    for (wanted, name, divisor) in [
        (Purpose::Revenue, "revenue_by_currency", 1),
        (Purpose::Cost, "cost_by_currency", 1_000),
        (Purpose::Payout, "payout_by_currency", 1_000),
    ] {
        let mut by_currency = Map::new();
        for (key, amount) in money.iter().filter(|(_, amount)| **amount != 0) {
            let (found, currency) = purpose(key);
            if found == wanted && (wanted != Purpose::Revenue || is_admitted(query, currency)) {
                by_currency.insert(currency.to_owned(), units(amount / divisor));
            }
        }
        put(name, Value::Object(by_currency));
    }
}

/// Puts the value of a line, of which nothing was paid, under a name.
pub(super) fn worth(
    name: &str,
    query: &Query,
    counters: &Counters,
    currencies: Currencies<'_>,
    money: Option<&Money>,
    put: &mut impl FnMut(&str, Value),
) {
    let one = currencies.all();
    put(name, one.map_or(Value::Null, |_| units(counters.value_micros())));
    put("currency", json!(one.filter(|currency| !currency.is_empty())));
    if let Some(money) = money.filter(|_| one.is_none()) {
        let admitted =
            money.iter().filter(|(currency, micros)| **micros != 0 && is_admitted(query, currency));
        let mut by_currency = Map::new();
        by_currency.extend(admitted.map(|(currency, micros)| (currency.to_string(), units(*micros))));
        put(&[name, "_by_currency"].concat(), Value::Object(by_currency));
    }
}
