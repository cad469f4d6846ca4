//! Which ids a gate has seen, and when.

use std::collections::{HashMap, VecDeque};

use analytics::EventId;

use crate::region::Region;

/// Bits of a time that say whose visitor it was, so that an entry is not a third larger for it.
const REGION_BITS: u32 = 4;

/// When an id was seen, and of which region's visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark(i64);

impl Mark {
    fn new(at_ms: i64, place: Region) -> Self {
        Self((at_ms << REGION_BITS) | i64::from(place.code()))
    }

    fn at_ms(self) -> i64 {
        self.0 >> REGION_BITS
    }

    /// The world: nobody knows whose.
    fn place(self) -> Region {
        Region::of_code((self.0 & ((1 << REGION_BITS) - 1)) as u8).unwrap_or(Region::World)
    }
}

/// The ids of one window: forgotten oldest first, so that the clock alone bounds it.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    first: HashMap<EventId, Mark>,
    order: VecDeque<(i64, EventId)>,
    /// What was seen before it is forgotten.
    horizon_ms: i64,
}

impl Seen {
    /// When the id was first seen.
    pub(crate) fn get(&self, id: EventId) -> Option<i64> {
        self.first.get(&id).map(|mark| mark.at_ms())
    }

    /// Remembers the id from now on. Returns when it had been seen before.
    pub(crate) fn insert(&mut self, id: EventId, now_ms: i64) -> Option<i64> {
        self.insert_of(Region::World, id, now_ms)
    }

    /// The same of a visitor of that region.
    pub(crate) fn insert_of(&mut self, place: Region, id: EventId, now_ms: i64) -> Option<i64> {
        self.order.push_back((now_ms, id));
        self.first.insert(id, Mark::new(now_ms, place)).map(Mark::at_ms)
    }

    /// Every id, when it was first seen, and of which region's visitor.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (EventId, i64, Region)> {
        self.first.iter().map(|(&id, mark)| (id, mark.at_ms(), mark.place()))
    }

    /// Remembers ids that were first seen elsewhere. They are out of order, and so remembered for up to twice as long
    /// as they need: longer is never wrong.
    pub(crate) fn take_in(&mut self, ids: impl IntoIterator<Item = (EventId, i64, Region)>) {
        for (id, first_ms, place) in ids {
            let known = self.first.entry(id).or_insert(Mark::new(first_ms, place));
            if known.at_ms() < first_ms {
                *known = Mark::new(first_ms, known.place());
            }
            self.order.push_back((first_ms, id));
        }
    }

    /// Takes an id out whose event could not be kept: it was last seen `before_ms`, or never.
    pub(crate) fn remove(&mut self, id: EventId, before_ms: Option<i64>) {
        // What is forgotten stays so: nobody would come by to forget it again. The oldest place does not tell, for what
        // was taken in may stand behind younger ones.
        match before_ms.filter(|before_ms| *before_ms >= self.horizon_ms) {
            Some(before_ms) => {
                let known = self.first.entry(id).or_insert(Mark::new(before_ms, Region::World));
                *known = Mark::new(before_ms, known.place());
            }
            None => drop(self.first.remove(&id)),
        }
    }

    /// Forgets what was first seen before `horizon_ms`.
    pub(crate) fn forget(&mut self, horizon_ms: i64) {
        self.horizon_ms = self.horizon_ms.max(horizon_ms);
        while let Some(&(at_ms, id)) = self.order.front() {
            if at_ms >= horizon_ms {
                break;
            }
            self.order.pop_front();
            // An id that was seen again after its window has a younger entry further back.
            if self.get(id) == Some(at_ms) {
                self.first.remove(&id);
            }
        }
    }

    /// How many places are taken: removed ids count until their time is up.
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }
}
