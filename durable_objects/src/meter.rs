//! The meter: of the people who follow a link, lets as many through as its limit says.
//!
//! Decisions only, as with the gate, and the same order is the promise: a grant is written before anybody hears of
//! it. So a crash can cost a grant that nobody heard of, whose id gets it when it asks again, and can never make one
//! too many.

use std::collections::HashMap;

use analytics::{EventId, Statement};

use crate::gate::soonest;
use crate::seen::Seen;

pub mod grants;
use grants::{PART_MAX_BYTES, Part};

/// So long at least does an id that was granted get the same answer: the platform retries within seconds, people
/// within minutes, and the gate takes a second hit for the same click as long.
const REMEMBERED_MS: i64 = 300_000;

/// What may be held in memory, in ids of some 60 bytes: 12 MB. At the 500 grants/s that a meter takes, no window
/// holds more; what goes beyond is links that were asked for once, and storage has them.
const HELD_MAX: usize = 200_000;

/// What a link is held at besides its ids.
const HELD_PER_LINK: usize = 8;

/// What the meter says to one who wants to follow a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// The way is free.
    pub granted: bool,
    /// How often the link was granted, this time included.
    pub used: u64,
}

/// A decision, and whether it may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// The decision.
    pub taken: Taken,
    /// It stands or falls with the next commit: a grant of that, or a refusal because of one.
    pub pending: bool,
}

/// One meter's memory: of the links it was asked for of late.
#[derive(Debug)]
pub struct Meter {
    links: HashMap<String, Counter>,
    /// Links with something to write.
    pending: Vec<String>,
    held: usize,
    held_max: usize,
    commit_interval_ms: i64,
    committed_ms: i64,
}

#[derive(Debug, Default)]
struct Counter {
    used: i64,
    seen: Seen,
    /// Parts that became full since the last commit.
    full: Vec<Part>,
    open: Option<Part>,
    pending: bool,
    /// A part was begun: older ones may have become needless.
    begun: bool,
}

/// Grants on their way into storage.
#[derive(Debug)]
pub struct Commit {
    links: Vec<String>,
    statements: Vec<Statement>,
}

impl Commit {
    /// What to write. Each statement leaves its link consistent, count and ids being of one row, so that it does not
    /// matter where a failure cuts them off.
    pub fn statements(&mut self) -> Vec<Statement> {
        std::mem::take(&mut self.statements)
    }
}

impl Meter {
    /// A meter that remembers nothing yet; busy, it commits at most once in the interval.
    pub fn new(commit_interval_ms: i64) -> Self {
        Self {
            links: HashMap::new(),
            pending: Vec::new(),
            held: 0,
            held_max: HELD_MAX,
            commit_interval_ms,
            committed_ms: 0,
        }
    }

    /// Decides whether the event `id` may follow the link, of whose `max` it then uses one up. An id that was granted
    /// stays granted. One that was refused is not remembered, for those have no limit: it is refused as long as the
    /// limit stands, and may be granted when that is raised. With a `max` of 0 it is a question how often the link was
    /// granted.
    ///
    /// # Errors
    /// The link is not in memory: the statement reads what [`Meter::learn`] wants to know, then ask again.
    pub fn take(&mut self, link: &str, id: EventId, max: u64, now_ms: i64) -> Result<Decision, Statement> {
        let horizon_ms = now_ms - REMEMBERED_MS;
        let Some(counter) = self.links.get_mut(link) else { return Err(grants::recall(link, horizon_ms)) };
        counter.seen.forget(horizon_ms);
        let mut granted = counter.seen.get(id).is_some();
        if !granted && counter.used.unsigned_abs() < max {
            counter.grant(id, now_ms);
            granted = true;
            self.held += 1;
            if !counter.pending {
                counter.pending = true;
                self.pending.push(link.to_owned());
            }
        }
        let taken = Taken { granted, used: counter.used.unsigned_abs() };
        Ok(Decision { taken, pending: counter.pending })
    }

    /// What storage has of a link; nothing, of a new one.
    pub fn learn(&mut self, link: &str, parts: impl IntoIterator<Item = Part>, now_ms: i64) {
        if self.held >= self.held_max {
            self.links.retain(|_, counter| counter.pending);
            self.held = self.links.values().map(Counter::held).sum();
        }
        let mut counter = Counter::default();
        for part in parts {
            if part.at_ms >= now_ms - REMEMBERED_MS {
                for &id in part.ids.as_chunks().0 {
                    counter.seen.insert(EventId::from_bytes(id), part.at_ms);
                }
            }
            counter.used = part.used;
            counter.open = Some(part);
        }
        self.held += counter.held();
        self.links.insert(link.to_owned(), counter);
    }

    /// When the grants are to be committed: as with the gate, an idle meter adds no delay, and a busy one writes few
    /// rows.
    pub fn commit_due_ms(&self, now_ms: i64) -> i64 {
        soonest(self.committed_ms, self.commit_interval_ms, now_ms)
    }

    /// Takes the grants that are not written yet. Nobody may take before the caller has written them, or said that
    /// they [failed](Meter::failed).
    pub fn commit(&mut self, now_ms: i64) -> Commit {
        self.committed_ms = now_ms;
        let links = std::mem::take(&mut self.pending);
        let mut statements = Vec::with_capacity(links.len());
        for link in &links {
            if let Some(counter) = self.links.get_mut(link) {
                counter.write(link, now_ms, &mut statements);
            }
        }
        Commit { links, statements }
    }

    /// The commit failed. How much of it is written only storage can say: its links are read again.
    pub fn failed(&mut self, commit: &Commit) {
        for link in &commit.links {
            self.links.remove(link);
        }
    }

    /// A link is gone for good. Returns what removes it from storage.
    pub fn forget(&mut self, link: &str) -> Statement {
        self.links.remove(link);
        grants::forget(link)
    }
}

impl Counter {
    fn held(&self) -> usize {
        HELD_PER_LINK + self.seen.len()
    }

    fn grant(&mut self, id: EventId, now_ms: i64) {
        let new = |number| Part { number, used: 0, at_ms: now_ms, ids: Vec::new() };
        let mut part = match self.open.take() {
            // Nobody asks for its ids any more: it is begun afresh, which spares a row to remove.
            Some(old) if old.at_ms < now_ms - REMEMBERED_MS => new(old.number),
            Some(full) if full.ids.len() >= PART_MAX_BYTES => {
                let part = Part { at_ms: now_ms.max(full.at_ms), ..new(full.number + 1) };
                self.full.push(full);
                part
            }
            Some(open) => open,
            None => new(0),
        };
        self.begun |= part.ids.is_empty() && part.number > 0;
        self.used += 1;
        part.used = self.used;
        // The clock may have been set back.
        part.at_ms = part.at_ms.max(now_ms);
        part.ids.extend_from_slice(id.as_bytes());
        self.seen.insert(id, part.at_ms);
        self.open = Some(part);
    }

    fn write(&mut self, link: &str, now_ms: i64, statements: &mut Vec<Statement>) {
        if !std::mem::take(&mut self.pending) {
            return;
        }
        let parts = self.full.drain(..).chain(self.open.clone());
        statements.extend(parts.map(|part| part.write(link)));
        if std::mem::take(&mut self.begun)
            && let Some(open) = &self.open
        {
            statements.push(grants::prune(link, open.number, now_ms - REMEMBERED_MS));
        }
    }
}

#[cfg(test)]
mod tests;
