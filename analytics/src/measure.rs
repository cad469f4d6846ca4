//! What the slots of counters mean where they are not of hits: under the scopes of what follows from journeys.
//!
//! The counters are those of hits, so that one machinery packs, folds, caps and reads all sums. Every meaning is a number
//! that can be taken back: what is told with `times` -1 leaves nothing behind.

use crate::Scope;
use crate::counters::{Counters, VALUE};
use crate::lapse::{BUCKETS, bucket};

/// How many sessions; how many came in a week; how often a step was reached; how much weight a length of time has.
pub(crate) const TIMES: usize = 0;
/// Sessions of one event.
pub(crate) const BOUNCES: usize = 1;
/// Events in sessions.
pub(crate) const EVENTS: usize = 2;
/// Page views in sessions.
pub(crate) const PAGES: usize = 3;
/// Sessions that hold a conversion; visitors who converted in a week.
pub(crate) const CONVERTED: usize = 4;
/// Conversions in sessions, or in a week.
pub(crate) const CONVERSIONS: usize = 5;
/// Shares of conversions in millionths, by the code of their status: from here four slots.
pub(crate) const SHARES: usize = 0;
/// How many touches have a share.
pub(crate) const TOUCHES: usize = 4;
/// Shares of conversions to which nothing led that is known, in millionths.
pub(crate) const UNATTRIBUTED: usize = 5;
/// Lengths of time times their weight, ms.
pub(crate) const LASTED: usize = 6;
/// A weight by length of time: from here thirteen slots, around the value.
const HISTOGRAM: usize = 7;

/// The slot of a bucket.
const fn slot(bucket: usize) -> usize {
    let place = HISTOGRAM + bucket;
    if place < VALUE { place } else { place + 1 }
}

impl Counters {
    /// The same, with so much more weight at a length of time.
    #[must_use]
    pub(crate) fn lasting(self, ms: i64, weight: i64) -> Self {
        self.with(slot(bucket(ms)), weight).with(LASTED, ms.saturating_mul(weight))
    }

    /// The weight by bucket of length.
    pub(crate) fn histogram(&self) -> [i64; BUCKETS] {
        std::array::from_fn(|bucket| self.at(slot(bucket)))
    }

    /// Shares of conversions in millionths, of every status but rejected: those are none.
    pub(crate) fn credited(&self) -> i64 {
        [0, 1, 3].iter().fold(0i64, |sum, status| sum.saturating_add(self.at(SHARES + status)))
    }
}

impl Scope {
    /// How busy a cell of this scope is: which are kept where there are too many, and which come first.
    pub(crate) fn size(&self, counters: &Counters) -> u64 {
        let size = match self {
            Self::Sessions(_) | Self::Step(..) | Self::Cohorts(_) => counters.at(TIMES),
            Self::Credits(..) => counters.credited().saturating_add(counters.at(SHARES + 2)),
            Self::All | Self::Campaign(_) | Self::Link(_) => return counters.events(),
            // Who is paid for a share has few events and much money.
            Self::Publisher(_) => counters.payout_nanos().max(counters.events() as i64),
        };
        size.max(0) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A slot that two things share is a sum of both.
    #[test]
    fn every_measure_has_a_slot_of_its_own() {
        let mut slots = vec![TIMES, BOUNCES, EVENTS, PAGES, CONVERTED, CONVERSIONS, LASTED, VALUE];
        slots.extend((0..BUCKETS).map(slot));
        slots.sort_unstable();
        assert_eq!(slots, (0..21).collect::<Vec<_>>());
        let mut slots =
            vec![SHARES, SHARES + 1, SHARES + 2, SHARES + 3, TOUCHES, UNATTRIBUTED, LASTED, VALUE];
        slots.extend((0..BUCKETS).map(slot));
        slots.sort_unstable();
        assert_eq!(slots, (0..21).collect::<Vec<_>>());
    }
}
