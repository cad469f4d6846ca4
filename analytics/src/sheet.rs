//! Everything that is known about one scope in one span of time.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::counters::Counters;
use crate::dimension::Dimension;
use crate::rank::order;
use crate::uniques::Uniques;

/// The cells of one dimension: what was counted under each value. A value that is absent from an event has no
/// cell; the report shows it as the rest of the total.
///
/// A value is shared by the sheets of its minute: most of them appear in the scopes of everybody, a campaign
/// and a link.
pub type Cells = BTreeMap<Arc<str>, Counters>;

/// What people's events were worth, in millionths, by currency: the value of [`Counters`] is their sum, which is
/// a sum of money only where there is one currency. What they cost and what was paid out is in thousand-millionths, under
/// [`COST_IN`] and [`PAYOUT_IN`] and the currency; no currency has a slash in it.
pub type Money = BTreeMap<Arc<str>, i64>;

/// Before the currency of a cost.
pub(crate) const COST_IN: &str = "cost/";
/// Before the currency of a payout.
pub(crate) const PAYOUT_IN: &str = "payout/";

/// The value under which cells beyond the cap are kept.
pub const OTHER: &str = "(other)";

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

/// Cells by the dimension's code.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail(BTreeMap<u8, Cells>);

impl Detail {
    /// Adds to one cell.
    pub fn add(&mut self, dimension: Dimension, value: &str, counters: &Counters) {
        let cells = self.0.entry(dimension.code()).or_default();
        match cells.get_mut(value) {
            Some(cell) => *cell += counters,
            None => {
                cells.insert(value.into(), *counters);
            }
        }
    }

    /// The cells of one dimension, all at once.
    pub(crate) fn put(&mut self, dimension: Dimension, cells: Cells) {
        self.0.insert(dimension.code(), cells);
    }

    /// Adds every cell of `other`.
    pub fn merge(&mut self, other: &Self) {
        self.merge_where(other, |_| true);
    }

    /// Adds the cells of those dimensions of `other` whose code is `wanted`.
    pub(crate) fn merge_where(&mut self, other: &Self, wanted: impl Fn(u8) -> bool) {
        for (&code, theirs) in other.0.iter().filter(|(code, _)| wanted(**code)) {
            let mine = self.0.entry(code).or_default();
            for (value, counters) in theirs {
                match mine.get_mut(value) {
                    Some(cell) => *cell += counters,
                    None => {
                        mine.insert(value.clone(), *counters);
                    }
                }
            }
        }
    }

    /// The cells of a dimension.
    pub fn cells(&self, dimension: Dimension) -> impl Iterator<Item = (&str, &Counters)> {
        self.0.get(&dimension.code()).into_iter().flatten().map(|(value, counters)| (&**value, counters))
    }

    /// The dimensions that have cells.
    pub fn dimensions(&self) -> impl Iterator<Item = Dimension> {
        self.0.keys().filter_map(|&code| Dimension::from_code(code))
    }

    /// How many cells there are.
    pub fn len(&self) -> usize {
        self.0.values().map(BTreeMap::len).sum()
    }

    /// Whether there is no cell.
    pub fn is_empty(&self) -> bool {
        self.0.values().all(BTreeMap::is_empty)
    }

    /// About how long the cells are when they are stored.
    pub fn weight(&self) -> usize {
        self.0.values().flat_map(BTreeMap::keys).map(|value| weight(value)).sum()
    }

    /// The same cells in pieces that weigh at most `most`: at least one piece, and merging them gives the whole.
    pub fn pieces(&self, most: usize) -> Vec<Cow<'_, Self>> {
        if self.weight() <= most {
            return vec![Cow::Borrowed(self)];
        }
        let mut pieces = Vec::new();
        let (mut piece, mut filled) = (Self::default(), 0);
        for (&code, all) in &self.0 {
            for (value, counters) in all {
                if filled > 0 && filled + weight(value) > most {
                    pieces.push(Cow::Owned(std::mem::take(&mut piece)));
                    filled = 0;
                }
                piece.0.entry(code).or_default().insert(value.clone(), *counters);
                filled += weight(value);
            }
        }
        pieces.push(Cow::Owned(piece));
        pieces
    }

    /// Folds all but the `most` busiest values of each dimension into [`OTHER`], so that a sheet's size is
    /// bounded whatever is sent. A cube is left whole: its values are bounded by nature, and a filter on it must
    /// be exact; lengths of time likewise, of which a median is made. `size` says how busy a cell is. What was taken back
    /// as a whole has no cell left.
    pub fn cap(&mut self, most: usize, size: impl Fn(&Counters) -> u64) {
        for (&code, cells) in &mut self.0 {
            cells.retain(|_, counters| !counters.is_empty());
            let whole = code == Dimension::Cube.code() || code == Dimension::Lapse.code();
            if whole || cells.len() <= most {
                continue;
            }
            let all = std::mem::take(cells);
            // Busiest first, then by name: the same cells survive wherever the sheet was put together.
            let keys = all.iter().map(|(value, counters)| {
                (u64::from(value.as_ref() == OTHER), !size(counters), value.as_ref())
            });
            let mut kept = vec![false; all.len()];
            for place in order(keys).into_iter().take(most) {
                if let Some(kept) = kept.get_mut(place) {
                    *kept = true;
                }
            }
            let mut other = Counters::default();
            for ((value, counters), kept) in all.into_iter().zip(kept) {
                if kept {
                    cells.insert(value, counters);
                } else {
                    other += &counters;
                }
            }
            *cells.entry(Arc::from(OTHER)).or_default() += &other;
        }
    }
}

/// A cell's length when it is stored: the value, and the counters of a cell that is not quite typical.
fn weight(value: &str) -> usize {
    value.len() + 12
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

impl fmt::Debug for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (&code, cells) in &self.0 {
            let name = Dimension::from_code(code).map_or("?", Dimension::name);
            for (value, counters) in cells {
                writeln!(f, "  {name} {} .. {counters:?}", value.replace('\u{1f}', "|"))?;
            }
        }
        Ok(())
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
    use super::*;
    use crate::Kind;
    use crate::counters::Hit;

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
}
