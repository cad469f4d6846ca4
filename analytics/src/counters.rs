//! The numbers of one cell.

use std::fmt;
use std::ops::AddAssign;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeSeq, Serializer};

use crate::Kind;

/// What became of a hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hit {
    /// A person's, admitted.
    Human,
    /// A machine's, admitted: kept and marked, left out of `clicks`.
    Bot,
    /// A copy of an event that the gate had admitted within its window.
    Duplicate,
}

/// Slots are kept by place, so that they are only ever appended: three for each kind that was there first, what they
/// were worth, and what came later. What follows from journeys is kept in the same slots under other scopes, where they
/// mean something else ([`crate::measure`]): only the value is the same everywhere.
const SLOTS: usize = 21;
pub(crate) const VALUE: usize = 15;
const COST: usize = 19;
const PAYOUT: usize = 20;

/// How often what happened, what it was worth and what it cost. Addition is the only operation, so counters may be summed
/// in any order and any grouping.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters([i64; SLOTS]);

/// The slot that counts them.
pub(crate) fn slot(kind: Kind, hit: Hit) -> usize {
    let place = 3 * kind as usize + hit as usize;
    if place < VALUE { place } else { place + 1 }
}

impl Counters {
    /// `times` hits of a kind.
    pub fn hits(kind: Kind, hit: Hit, times: u64) -> Self {
        let mut counters = Self::default();
        if let Some(count) = counters.0.get_mut(slot(kind, hit)) {
            *count = i64::try_from(times).unwrap_or(i64::MAX);
        }
        counters
    }

    /// The same, with a value in millionths.
    #[must_use]
    pub fn worth(self, value_micros: i64) -> Self {
        self.with(VALUE, value_micros)
    }

    /// The same, with a cost in thousand-millionths.
    #[must_use]
    pub fn costing(self, cost_nanos: i64) -> Self {
        self.with(COST, cost_nanos)
    }

    /// The same, with a payout in thousand-millionths.
    #[must_use]
    pub fn paying(self, payout_nanos: i64) -> Self {
        self.with(PAYOUT, payout_nanos)
    }

    /// The same, with so many more people's conversions, or fewer.
    #[must_use]
    pub fn converting(self, conversions: i64) -> Self {
        self.with(slot(Kind::Conversion, Hit::Human), conversions)
    }

    /// The same, with so much more in a slot, or less.
    #[must_use]
    pub(crate) fn with(mut self, slot: usize, more: i64) -> Self {
        if let Some(sum) = self.0.get_mut(slot) {
            *sum = sum.saturating_add(more);
        }
        self
    }

    /// What is in a slot.
    pub(crate) fn at(&self, slot: usize) -> i64 {
        self.0.get(slot).copied().unwrap_or(0)
    }

    /// Adds hits that count in a [`slot`] without making counters of them first: the inner loop of the roll-up. `money` is
    /// value, cost and payout, which most hits have none of.
    #[inline]
    pub(crate) fn add_hits(&mut self, slot: usize, times: u64, money: Option<&[i64; 3]>) {
        if let Some(count) = self.0.get_mut(slot) {
            *count = count.saturating_add_unsigned(times);
        }
        if let Some([value_micros, cost_nanos, payout_nanos]) = money {
            *self = self.worth(*value_micros).costing(*cost_nanos).paying(*payout_nanos);
        }
    }

    /// How many hits of a kind.
    pub fn count(&self, kind: Kind, hit: Hit) -> u64 {
        self.0.get(slot(kind, hit)).map_or(0, |&count| count.max(0) as u64)
    }

    /// People's and machines' events of a kind: everything the gate admitted.
    pub fn admitted(&self, kind: Kind) -> u64 {
        self.count(kind, Hit::Human) + self.count(kind, Hit::Bot)
    }

    /// Events of every kind that the gate admitted.
    pub fn events(&self) -> u64 {
        Kind::ALL.iter().map(|&kind| self.admitted(kind)).sum()
    }

    /// What people's events were worth, in millionths of the currency's unit.
    pub fn value_micros(&self) -> i64 {
        self.at(VALUE)
    }

    /// What people's events cost, in thousand-millionths of the campaign's currency: a thousandth of a price for a
    /// thousand impressions is a whole number of them. An `i64` holds nine thousand million units.
    pub fn cost_nanos(&self) -> i64 {
        self.at(COST)
    }

    /// What publishers get for people's events, likewise.
    pub fn payout_nanos(&self) -> i64 {
        self.at(PAYOUT)
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// These counters less `other`'s: what is left of a total when its parts are taken away.
    #[must_use]
    pub fn less(mut self, other: &Self) -> Self {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine = mine.saturating_sub(theirs);
        }
        self
    }
}

impl AddAssign<&Counters> for Counters {
    fn add_assign(&mut self, other: &Counters) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine = mine.saturating_add(theirs);
        }
    }
}

impl fmt::Debug for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        for kind in Kind::ALL {
            for (hit, word) in [(Hit::Human, ""), (Hit::Bot, " by bots"), (Hit::Duplicate, " again")] {
                let count = self.count(kind, hit);
                if count > 0 {
                    parts.push(format!("{count} {}{word}", kind.name()));
                }
            }
        }
        if self.value_micros() != 0 {
            parts.push(format!("{} micros", self.value_micros()));
        }
        if self.cost_nanos() != 0 {
            parts.push(format!("{} nanos of cost", self.cost_nanos()));
        }
        if self.payout_nanos() != 0 {
            parts.push(format!("{} nanos of payout", self.payout_nanos()));
        }
        f.write_str(&parts.join(", "))
    }
}

/// Stored as a bit mask of the slots that are not zero, and their values: three bytes for a typical cell.
impl Serialize for Counters {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut set = self.0.iter().rev().fold(0u32, |mask, &count| mask << 1 | u32::from(count != 0));
        let mut seq = serializer.serialize_seq(Some(set.count_ones() as usize + 1))?;
        seq.serialize_element(&i64::from(set))?;
        while set != 0 {
            seq.serialize_element(&self.at(set.trailing_zeros() as usize))?;
            set &= set - 1;
        }
        seq.end()
    }
}

impl<'de> Deserialize<'de> for Counters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Masked;
        impl<'de> Visitor<'de> for Masked {
            type Value = Counters;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mask and the counters it names")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Counters, A::Error> {
                let mut next =
                    || seq.next_element::<i64>()?.ok_or_else(|| A::Error::invalid_length(0, &self));
                let mask = next()?;
                // Its counters would be left unread, and taken for what follows.
                if mask >> SLOTS != 0 {
                    return Err(A::Error::custom("a slot that is not known"));
                }
                let mut counters = Counters::default();
                for (place, count) in counters.0.iter_mut().enumerate() {
                    if mask >> place & 1 == 1 {
                        *count = next()?;
                    }
                }
                Ok(counters)
            }
        }
        deserializer.deserialize_seq(Masked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every kept sum is made of these bytes.
    #[test]
    fn the_bytes_are_pinned() {
        let mut counters = Counters::hits(Kind::Click, Hit::Human, 300);
        counters += &Counters::hits(Kind::Page, Hit::Duplicate, 1).worth(-2);
        let bytes = postcard::to_allocvec(&counters).unwrap();
        assert_eq!(bytes, [4, 0x82, 0x84, 0x04, 0xd8, 0x04, 2, 3]);
        assert_eq!(postcard::from_bytes::<Counters>(&bytes).unwrap(), counters);
        assert_eq!(format!("{counters:?}"), "300 click, 1 page again, -2 micros");
        counters += &Counters::hits(Kind::Failed, Hit::Bot, 4).costing(5);
        let bytes = postcard::to_allocvec(&counters).unwrap();
        assert_eq!(bytes, [6, 0x82, 0x84, 0x54, 0xd8, 0x04, 2, 3, 8, 10]);
        assert_eq!(postcard::from_bytes::<Counters>(&bytes).unwrap(), counters);
        let shown = "300 click, 1 page again, 4 failed by bots, -2 micros, 5 nanos of cost";
        assert_eq!(format!("{counters:?}"), shown);
        counters += &Counters::default().paying(6).converting(-1);
        let bytes = postcard::to_allocvec(&counters).unwrap();
        assert_eq!(bytes, [8, 0x82, 0x8c, 0xd4, 0x01, 0xd8, 0x04, 2, 1, 3, 8, 10, 12]);
        assert_eq!(postcard::from_bytes::<Counters>(&bytes).unwrap(), counters);
    }

    /// A slot that two things share is a sum of both.
    #[test]
    fn every_count_has_a_slot_of_its_own() {
        let mut slots = vec![VALUE, COST, PAYOUT];
        slots.extend(
            Kind::ALL
                .iter()
                .flat_map(|&kind| [Hit::Human, Hit::Bot, Hit::Duplicate].map(|hit| slot(kind, hit))),
        );
        slots.sort_unstable();
        assert_eq!(slots, (0..SLOTS).collect::<Vec<_>>());
    }

    #[test]
    fn counters_with_a_slot_that_is_not_known_are_refused() {
        for mask in [1 << SLOTS, -1i64] {
            let bytes = postcard::to_allocvec(&vec![mask, 1]).unwrap();
            assert!(postcard::from_bytes::<Counters>(&bytes).is_err());
        }
    }

    #[test]
    fn what_is_left_is_the_total_less_its_parts() {
        let mut total = Counters::hits(Kind::Click, Hit::Human, 3);
        total += &Counters::hits(Kind::Click, Hit::Bot, 2);
        let left = total.less(&Counters::hits(Kind::Click, Hit::Human, 1));
        assert_eq!(left.count(Kind::Click, Hit::Human), 2);
        assert_eq!(left.admitted(Kind::Click), 4);
    }
}
