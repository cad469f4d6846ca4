//! Which ids a gate has seen, and when.

use std::collections::{HashMap, VecDeque};

use analytics::EventId;

/// The ids of one window: forgotten oldest first, so that the clock alone bounds it.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    first_ms: HashMap<EventId, i64>,
    order: VecDeque<(i64, EventId)>,
    /// What was seen before it is forgotten.
    horizon_ms: i64,
}

impl Seen {
    /// When the id was first seen.
    pub(crate) fn get(&self, id: EventId) -> Option<i64> {
        self.first_ms.get(&id).copied()
    }

    /// Remembers the id from now on. Returns when it had been seen before.
    pub(crate) fn insert(&mut self, id: EventId, now_ms: i64) -> Option<i64> {
        self.order.push_back((now_ms, id));
        self.first_ms.insert(id, now_ms)
    }

    /// Every id, and when it was first seen.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (EventId, i64)> {
        self.first_ms.iter().map(|(&id, &first_ms)| (id, first_ms))
    }

    /// Remembers ids that were first seen elsewhere. They are out of order, and so remembered for up to twice as long
    /// as they need: longer is never wrong.
    pub(crate) fn take_in(&mut self, ids: impl IntoIterator<Item = (EventId, i64)>) {
        for (id, first_ms) in ids {
            let known_ms = self.first_ms.entry(id).or_insert(first_ms);
            *known_ms = first_ms.max(*known_ms);
            self.order.push_back((first_ms, id));
        }
    }

    /// Takes an id out whose event could not be kept: it was last seen `before_ms`, or never.
    pub(crate) fn remove(&mut self, id: EventId, before_ms: Option<i64>) {
        // What is forgotten stays so: nobody would come by to forget it again. The oldest place does not tell, for what
        // was taken in may stand behind younger ones.
        match before_ms.filter(|before_ms| *before_ms >= self.horizon_ms) {
            Some(before_ms) => self.first_ms.insert(id, before_ms),
            None => self.first_ms.remove(&id),
        };
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
            if self.first_ms.get(&id) == Some(&at_ms) {
                self.first_ms.remove(&id);
            }
        }
    }

    /// How many places are taken: removed ids count until their time is up.
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }
}
