//! Cohorts: in which weeks somebody came back, and bought, counted from the week of the first click.
//!
//! A week counts a visitor once, however often there was a visit; so what is told of a week whose footprints have gone must
//! not be told again of those that come late. A bar stands for each of the two (came, bought) until the end of the last
//! week that was told for good. The first click stays as a remain for as long as the visitor is known: without it, who
//! comes back after [`super::Terms::keep_ms`] would begin a cohort anew. Who stays away for so long is forgotten, and does.

use analytics::cohort::{Cohort, WEEK_MS, WEEKS_MAX, week_of};
use analytics::{Dimension, Footprint, Text};
use serde::{Deserialize, Serialize};

use super::attribution::is_click;
use super::fact::{Fact, Place};
use super::facts::{Bar, Before, bar};
use super::sessions::visits;
use super::transactions::Transaction;

/// What somebody did in a week since the first click: came, or bought.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Week {
    pub(crate) first: Place,
    /// What was done.
    pub(crate) at: Place,
    pub(crate) age: u8,
    pub(crate) came: bool,
    /// Whether it is the week's first conversion.
    pub(crate) converted: bool,
    pub(crate) conversions: u8,
    pub(crate) value_micros: i64,
    pub(crate) currency: Place,
}

impl Week {
    /// Says it in full. `None` only where a footprint lacks that it speaks of.
    pub(crate) fn tell<'a>(&self, trail: &'a [Footprint<'a>]) -> Option<Cohort<'a>> {
        let at = |place: Place| trail.get(usize::from(place));
        let first = at(self.first)?;
        let currency = at(self.currency).filter(|_| self.value_micros != 0);
        Some(Cohort {
            times: 1,
            week_ms: week_of(first.at_ms),
            age: self.age,
            came: self.came,
            converted: self.converted,
            conversions: self.conversions.into(),
            value_micros: self.value_micros,
            currency: Text::from(currency.map_or("", |event| event.currency.as_str())),
            campaign: Text::from(first.traits.get(Dimension::Campaign)),
        })
    }
}

/// What a bar is for.
const CAME: u8 = 2;
const BOUGHT: u8 = 3;

/// What somebody did in weeks since the first click; nothing where no link or campaign was clicked.
#[derive(Debug, Default)]
pub(crate) struct Weeks {
    pub(crate) facts: Vec<Fact>,
    /// The first click, where it is about to go and has to stay.
    pub(crate) stays: Option<Place>,
    /// What stands beside those of before.
    pub(crate) bars: Vec<Bar>,
}

/// Works out the weeks of a visitor whose name outlasts the day, of whom the footprints before `past` are about to go.
/// Transactions are in the order of their first events.
pub(crate) fn weeks(
    trail: &[Footprint<'_>],
    before: Before<'_>,
    past: usize,
    transactions: &[Transaction<'_>],
) -> Weeks {
    let mut weeks = Weeks::default();
    let leads = |click: &&Footprint<'_>| {
        let of = |dimension| !click.traits.get(dimension).is_empty();
        is_click(click) && (of(Dimension::Campaign) || of(Dimension::Link))
    };
    let Some(first) = trail.iter().position(|click| leads(&click)) else { return weeks };
    weeks.stays = (first < past).then_some(first as Place);
    let begun = trail.get(first).map_or(0, |click| week_of(click.at_ms));
    let (mut came, mut bought) = (None, None);
    let mut closed = [i64::MIN; 2];
    let mut tell = |sort: u8, fact: Week| {
        if usize::from(fact.at) < past
            && let Some(until_ms) = closed.get_mut(usize::from(sort - CAME))
        {
            *until_ms = (*until_ms).max(begun + (i64::from(fact.age) + 1) * WEEK_MS);
        }
        weeks.facts.push(Fact::Week(fact));
    };
    // Remains are what was told of before.
    let from = before.remains.max(first);
    let bars = [bar(CAME, ""), bar(BOUGHT, "")];
    let week = |place: usize, bar: u64| {
        let at_ms = trail.get(place).filter(|_| place >= from)?.at_ms;
        let age = (week_of(at_ms) - begun) / WEEK_MS;
        let age = u8::try_from(age).ok().filter(|age| *age <= WEEKS_MAX)?;
        Some((age, before.bars(bar, at_ms)))
    };
    for place in (from..trail.len()).filter(|place| trail.get(*place).is_some_and(visits)) {
        let Some((age, barred)) = week(place, bars[0]) else { continue };
        if !barred && came.replace(age) != Some(age) {
            tell(
                CAME,
                Week {
                    first: first as Place,
                    at: place as Place,
                    currency: first as Place,
                    age,
                    came: true,
                    ..Week::default()
                },
            );
        }
    }
    for transaction in transactions.iter().filter(|transaction| transaction.counts()) {
        let Some((age, barred)) = week(usize::from(transaction.holder), bars[1]) else { continue };
        let again = bought.replace(age) == Some(age) || barred;
        tell(
            BOUGHT,
            Week {
                first: first as Place,
                at: transaction.holder,
                age,
                came: false,
                converted: !again,
                conversions: 1,
                value_micros: transaction.worth_micros(),
                currency: transaction.currency,
            },
        );
    }
    weeks.bars = bars.into_iter().zip(closed).filter(|(_, until_ms)| *until_ms > i64::MIN).collect();
    weeks
}
