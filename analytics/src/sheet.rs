//! Everything that is known about one scope in one span of time.

mod detail;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::counters::Counters;
use crate::uniques::Uniques;
pub(crate) use detail::{Cell, Gathered};
pub use detail::{Detail, OTHER};

/// What people's events were worth, in millionths, by currency: the value of [`Counters`] is their sum, which is
/// a sum of money only where there is one currency. What they cost and what was paid out is in thousand-millionths, under
/// [`COST_IN`] and [`PAYOUT_IN`] and the currency; no currency has a slash in it.
pub type Money = BTreeMap<Arc<str>, i64>;

/// Before the currency of a cost.
pub(crate) const COST_IN: &str = "cost/";
/// Before the currency of a payout.
pub(crate) const PAYOUT_IN: &str = "payout/";

/// Totals, cells and visitors of one scope in one span of time: a commutative monoid under [`Sheet::merge`].
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Sheet {
    /// All events.
    pub totals: Counters,
    /// The totals' value by currency.
    pub money: Money,
    /// By dimension and value.
    pub detail: Detail,
    /// People who clicked.
    pub visitors: Uniques,
}

impl Sheet {
    /// Adds everything of `other`.
    pub fn merge(&mut self, other: &Self) {
        self.totals += &other.totals;
        add_money(&mut self.money, &other.money);
        self.detail.merge(&other.detail);
        self.visitors.merge(&other.visitors);
    }
}

/// The cell of a line of a publisher's statement: one campaign and one currency. The currency comes first, because a value
/// that is too long is cut.
pub(crate) fn line_of(currency: &str, campaign: &str) -> String {
    let mut line = String::with_capacity(currency.len() + 1 + campaign.len());
    line.extend([currency, "\u{1f}", campaign]);
    line
}

/// Adds an amount in a currency.
pub(crate) fn put_money(money: &mut Money, purpose: &str, currency: &str, amount: i64) {
    if amount != 0 {
        let key: Arc<str> =
            if purpose.is_empty() { currency.into() } else { [purpose, currency].concat().into() };
        let sum = money.entry(key).or_default();
        *sum = sum.saturating_add(amount);
    }
}

/// Adds the amounts of `other` by currency.
pub(crate) fn add_money(money: &mut Money, other: &Money) {
    for (currency, micros) in other {
        let mine = money.entry(currency.clone()).or_default();
        *mine = mine.saturating_add(*micros);
    }
}

impl fmt::Debug for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?}; {:?} visitors", self.totals, self.visitors)?;
        for (currency, micros) in &self.money {
            writeln!(f, "  {micros} micros of {currency:?}")?;
        }
        self.detail.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::counters::Hit;
    use crate::{Dimension, Kind};

    #[test]
    fn the_cap_keeps_the_busiest_and_loses_no_click() {
        let mut detail = Detail::default();
        for (city, clicks) in [("a", 5), ("b", 1), ("c", 9), ("d", 1)] {
            detail.add(Dimension::City, city, &Counters::hits(Kind::Click, Hit::Human, clicks));
        }
        detail.cap(2, Counters::events);
        assert_eq!(
            format!("{detail:?}"),
            "  city (other) .. 2 click\n  city a .. 5 click\n  city c .. 9 click\n"
        );
        detail.add(Dimension::City, "e", &Counters::hits(Kind::Click, Hit::Human, 50));
        detail.cap(2, Counters::events);
        assert_eq!(
            format!("{detail:?}"),
            "  city (other) .. 7 click\n  city c .. 9 click\n  city e .. 50 click\n"
        );
    }

    #[test]
    fn pieces_are_light_and_make_the_whole() {
        let mut detail = Detail::default();
        for city in ["a", "bb", "c".repeat(300).as_str(), "d"] {
            detail.add(Dimension::City, city, &Counters::hits(Kind::Click, Hit::Human, 1));
        }
        let pieces = detail.pieces(30);
        assert_eq!(pieces.iter().map(|piece| piece.len()).collect::<Vec<_>>(), [2, 1, 1]);
        let mut whole = Detail::default();
        for piece in &pieces {
            whole.merge(piece);
        }
        assert_eq!(whole, detail);
        assert_eq!(Detail::default().pieces(30).len(), 1);
    }

    fn cells() -> impl Strategy<Value = Vec<(usize, String, u64)>> {
        prop::collection::vec((0..4usize, "[ab]{0,3}", 1..9u64), 0..40)
    }

    fn detail(cells: &[(usize, String, u64)]) -> (Detail, Gathered) {
        let (mut detail, mut gathered) = (Detail::default(), Gathered::default());
        for (dimension, value, clicks) in cells {
            let dimension = Dimension::all().nth(*dimension).unwrap();
            let counters = Counters::hits(Kind::Click, Hit::Human, *clicks);
            detail.add(dimension, value, &counters);
            gathered.add(dimension, value, &counters);
        }
        (detail, gathered)
    }

    proptest! {
        #[test]
        fn cells_are_the_same_however_they_came_together(mine in cells(), theirs in cells()) {
            let ((mut merged, _), (other, gathered)) = (detail(&mine), detail(&theirs));
            prop_assert_eq!(&other, &Detail::from(gathered));
            merged.merge(&other);
            let (whole, _) = detail(&[mine, theirs].concat());
            prop_assert_eq!(&merged, &whole);
            let found = whole.dimensions().flat_map(|dimension| whole.cells(dimension)).count();
            prop_assert_eq!(found, whole.len());
            // As maps of maps have it, which all kept sums are.
            let mut maps = BTreeMap::<u8, BTreeMap<&str, Counters>>::new();
            for dimension in whole.dimensions() {
                maps.insert(dimension.code(), whole.cells(dimension).map(|(value, counters)| (value, *counters)).collect());
            }
            let bytes = postcard::to_allocvec(&whole).unwrap();
            prop_assert_eq!(&bytes, &postcard::to_allocvec(&maps).unwrap());
            prop_assert_eq!(postcard::from_bytes::<Detail>(&bytes).unwrap(), whole);
        }
    }
}
