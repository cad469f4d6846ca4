//! What the cube combines beside campaign and link: how its keys end.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;

use super::facets::{Facet, Facets, Sort};
use super::index::Index;
use crate::rank::order;

/// Stands for a corner.
pub(super) type Number = u32;

/// Every corner seen so far. They are some hundreds where the cells of all campaigns and links are as many as the events.
#[derive(Debug, Default)]
pub(super) struct Corners {
    index: Index,
    known: Vec<Corner>,
}

/// What hits that count in one slot have in common.
#[derive(Debug)]
pub(super) struct Corner {
    /// The slot.
    pub(super) slot: usize,
    /// The parts that the facets have in it, one behind the other.
    parts: u128,
    /// How the key ends.
    pub(super) end: String,
}

impl Corners {
    /// The corner of these facets, of hits that count in this slot.
    pub(super) fn number(&mut self, slot: usize, all: [Facet; Sort::ALL.len()], facets: &Facets) -> Number {
        let parts = all.iter().fold(0u128, |parts, facet| parts << 32 | u128::from(facets.part_of(*facet)));
        let mut hasher = FixedState::default().build_hasher();
        hasher.write_u128(parts);
        hasher.write_u8(slot as u8);
        let hash = hasher.finish();
        let known = &self.known;
        let is = |number| {
            known
                .get(number as usize)
                .is_some_and(|corner: &Corner| (corner.parts, corner.slot) == (parts, slot))
        };
        self.index.find(hash, is).unwrap_or_else(|| {
            let end = all.into_iter().map(|facet| facets.part_text(facets.part_of(facet))).collect();
            self.known.push(Corner { slot, parts, end });
            self.index.add(hash)
        })
    }

    /// The corner of a number.
    pub(super) fn corner(&self, number: Number) -> Option<&Corner> {
        self.known.get(number as usize)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// Numbers them anew, in the order of their keys. No more are to be added. Tells which number each has now, by the one
    /// that it had.
    pub(super) fn settle(&mut self) -> Vec<Number> {
        let order = order(self.known.iter().map(|corner| (0, 0, &*corner.end)));
        let mut now = vec![0; self.known.len()];
        let mut known: Vec<_> = std::mem::take(&mut self.known).into_iter().map(Some).collect();
        for (number, before) in (0..).zip(order) {
            self.known.extend(known.get_mut(before).and_then(Option::take));
            if let Some(now) = now.get_mut(before) {
                *now = number;
            }
        }
        now
    }
}
