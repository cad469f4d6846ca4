//! The journal: a shard of the visitors' journeys, and the log of what followed from them.
//!
//! Decisions, and their order, which is the promise: what a call changes and what follows from it is one row, written
//! before the caller is answered, and a message leaves only after its row is written. A call that comes again, whole or
//! in part, finds its footprints there and changes nothing.

mod cache;
mod database;
mod draft;
mod entries;
mod erase;
mod filter;
mod held;
#[cfg(test)]
mod laws;
mod merge;
mod page;
mod shelf;
mod shipping;
mod table;
#[cfg(test)]
mod tests;

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, VecDeque};

use analytics::{Footprint, VisitorKey};
use queues::Handed;

use crate::journey::{Calm, Newcomer, SPARE_MS, Terms, Visitor, write_blind};
use crate::outbox::Outbox;
use crate::{JournalName, Settings};
use cache::Cache;
use database::{Columns, fact};
pub use database::{Database, Failed};
use draft::{Draft, Written};
pub use erase::Merged;
use page::records;
use shelf::{Place, Shelf};
use shipping::{cut, frames_of, last};
pub use table::SCHEMA;

/// A row is written when it holds about so much, some three hundred visitors: it may have 2 MB, and who comes back is read
/// with the others of his row.
const ENTRY_BYTES: usize = 250_000;

/// So many visitors are looked at in one go, when many are due at once: some ten milliseconds of work.
const AT_ONCE: usize = 500;

/// So many that are due are put in order before the first of them are looked at.
const IN_ORDER: usize = 20_000;

/// Who had to be put together from more places than these is written as a whole: bytes are cheaper than rows that are
/// looked for, and whoever is not held comes back to as many again.
const PLACES_MAX: usize = 8;

/// How long the next go waits, so that calls get in between.
const PAUSE_MS: i64 = 20;

/// The name of the fact that says for which funnels every journey was worked out.
const TERMS: &str = "terms";

/// One shard of journeys.
#[derive(Debug)]
pub struct Journal {
    name: JournalName,
    settings: Settings,
    terms: Terms,
    /// Counts the changes of the terms; 0: they are not known yet.
    change: i64,
    shelf: Shelf,
    cache: Cache,
    /// Who is to be looked at, and when. One place for each visitor: whoever is not due by then gets a later one; and what
    /// is known of him until then.
    due: BTreeSet<(i64, VisitorKey)>,
    waiting: HashMap<VisitorKey, Calm>,
    /// Until when who is due is looked at now, if some of them are left.
    ripe_ms: Option<i64>,
    /// Places whose visitors are to be looked at because the terms changed.
    sweep: VecDeque<Place>,
    outbox: Outbox,
    /// The newest entry: its first message, its last, and outcomes ever emitted.
    newest: (i64, i64, i64),
    shipped_ms: i64,
    /// Time never goes back in a journal.
    clock_ms: i64,
    damaged: u64,
    /// Up to which entry outcomes have to go, because somebody was erased; 0: none has to.
    scrub: i64,
}

/// What a journal reports of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Outcomes ever emitted and committed.
    pub emitted: i64,
    /// Messages that the ledger did not have when it was last asked: number, and outcomes in it.
    pub unconfirmed: Vec<(i64, i64)>,
    /// Rows that the journeys take.
    pub rows: usize,
    /// Visitors whose session is open.
    pub open: usize,
    /// About how many bytes of visitors are held in memory.
    pub held_bytes: usize,
    /// Records that could not be read.
    pub damaged: u64,
}

impl Journal {
    /// A journal as its database tells it.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn open(
        db: &dyn Database,
        name: JournalName,
        settings: Settings,
        now_ms: i64,
    ) -> Result<Self, Failed> {
        let (shelf, due) = Shelf::open(db)?;
        let mut journal = Self {
            name,
            settings,
            terms: Terms::default(),
            change: 0,
            shelf,
            cache: Cache::default(),
            due: BTreeSet::new(),
            waiting: HashMap::new(),
            ripe_ms: None,
            sweep: VecDeque::new(),
            outbox: Outbox::default(),
            newest: (0, 0, 0),
            shipped_ms: 0,
            clock_ms: now_ms,
            damaged: 0,
            scrub: fact(db, erase::SCRUB)?,
        };
        for (due_ms, key) in due {
            journal.await_visitor(key, due_ms, None);
        }
        for row in db.run(table::entries())? {
            let mut row = Columns::of(row);
            let (seq, parts, emitted) = (row.integer()?, row.integer()?, row.integer()?);
            let (frames, records) = (row.blob()?, row.blob()?);
            for (number, part) in (seq..).zip(cut(&frames)) {
                let outcomes = frames_of(&frames, part).1;
                journal.outbox.recover(number, outcomes, now_ms);
            }
            for record in page::records(&records) {
                if let Some(due_ms) = record.due_ms {
                    journal.await_visitor(record.key, due_ms, None);
                }
            }
            journal.shelf.add(seq, last(seq, parts), records, false);
            journal.newest = (seq, last(seq, parts), emitted);
        }
        Ok(journal)
    }

    /// The journal's name.
    pub fn name(&self) -> JournalName {
        self.name
    }

    fn tick(&mut self, now_ms: i64) -> i64 {
        self.clock_ms = self.clock_ms.max(now_ms);
        self.clock_ms
    }

    /// Sets funnels, look-backs and the like; `change` counts their changes. If it is another than the one for which
    /// every journey was worked out, all of them are looked at again, a few at a time.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn set_terms(&mut self, db: &dyn Database, terms: Terms, change: i64) -> Result<(), Failed> {
        self.terms = terms;
        if change == self.change {
            return Ok(());
        }
        self.change = change;
        self.sweep.clear();
        if fact(db, TERMS)? != change {
            self.sweep.extend(self.shelf.all());
        }
        Ok(())
    }

    /// The change that the terms are of.
    pub fn change(&self) -> i64 {
        self.change
    }

    /// Takes what a consumer hands over. When it returns, everything is in the database.
    ///
    /// # Errors
    /// The database did not take all of it: the call has to come again. What it took, it finds there.
    pub fn hand(&mut self, db: &dyn Database, handed: &[Handed<'_>], now_ms: i64) -> Result<(), Failed> {
        let now_ms = self.tick(now_ms);
        // What was told of a visitor stays in its order. Not the footprints are sorted, each half a kilobyte.
        let mut order: Vec<(VisitorKey, usize)> =
            handed.iter().map(Handed::key).enumerate().map(|(place, key)| (key, place)).collect();
        order.sort_unstable();
        let mut draft = Draft::default();
        for of_visitor in order.chunk_by(|(one, _), (other, _)| one == other) {
            let Some(&(key, place)) = of_visitor.first() else { continue };
            let told = of_visitor.iter().filter_map(|(_, place)| handed.get(*place));
            if self.add_blindly(&mut draft, key, told.clone(), now_ms) {
                continue;
            }
            let known = self.load(db, key, now_ms)?;
            if known.is_none()
                && of_visitor.len() == 1
                && let Some(Handed::Footprint(_, footprint)) = handed.get(place)
                && self.welcome(&mut draft, key, footprint, now_ms)
            {
                continue;
            }
            let mut visitor = known.unwrap_or_else(|| Visitor::of(key));
            let mut changed = false;
            for one in told {
                changed |= match one {
                    Handed::Footprint(_, footprint) => visitor.add(footprint),
                    Handed::Bond(_, to) => visitor.bond(key, *to),
                };
            }
            if changed {
                self.advance(&mut draft, key, visitor, now_ms);
            } else {
                draft.unchanged.push((key, visitor));
            }
            if draft.page.len() + draft.frames.len() >= ENTRY_BYTES {
                self.commit(db, std::mem::take(&mut draft), now_ms)?;
            }
        }
        self.commit(db, draft, now_ms)
    }

    /// Does what is to be done without a call: sessions end, journeys are worked out anew, rows are merged. A bounded
    /// part of it: [`Journal::wake_ms`] says when to go on.
    ///
    /// # Errors
    /// The database failed; what was not done is done later.
    pub fn work(&mut self, db: &dyn Database, now_ms: i64) -> Result<(), Failed> {
        let now_ms = self.tick(now_ms);
        self.work_due(db, now_ms)?;
        self.work_sweep(db, now_ms)?;
        self.scrub_outcomes(db)?;
        // A sweep goes from place to place, so that none may be taken away under it.
        if self.sweep.is_empty() {
            self.shelf.tidy(db, self.needless_before(), now_ms)?;
            self.shelf.expire(db, now_ms)?;
        }
        Ok(())
    }

    /// When those who are due are looked at: not each by himself, which would be a row and an alarm for every session that
    /// ends, but once for all of a while, as long as events are waited for.
    fn ripe_at_ms(&self) -> Option<i64> {
        let (first_ms, _) = self.due.first()?;
        let soon = self.ripe_ms.is_some_and(|ripe_ms| *first_ms <= ripe_ms);
        Some(if soon { *first_ms } else { first_ms.saturating_add(self.terms.late_ms) })
    }

    /// Looks at visitors who are due, in the order of their keys: those whose sessions end together came together, so that
    /// their records share pages, each of which is read once then.
    fn work_due(&mut self, db: &dyn Database, now_ms: i64) -> Result<(), Failed> {
        if self.ripe_at_ms().is_none_or(|at_ms| at_ms > now_ms) {
            return Ok(());
        }
        let mut draft = Draft::default();
        let mut due: Vec<_> =
            self.due.iter().take(IN_ORDER).take_while(|(at_ms, _)| *at_ms <= now_ms).copied().collect();
        self.ripe_ms = due.last().map(|(at_ms, _)| *at_ms).filter(|_| due.len() > AT_ONCE);
        due.sort_unstable_by_key(|(_, key)| *key);
        due.truncate(AT_ONCE);
        for &(_, key) in &due {
            let Some(visitor) = self.load(db, key, now_ms)? else { continue };
            if visitor.due_ms().is_some_and(|due_ms| due_ms <= now_ms) {
                self.advance(&mut draft, key, visitor, now_ms);
            } else {
                draft.unchanged.push((key, visitor));
            }
        }
        // Before the commit, which puts those that are due again at their next place; if it fails, they are due still.
        for at in &due {
            self.due.remove(at);
            self.waiting.remove(&at.1);
        }
        let committed = self.commit(db, draft, now_ms);
        if committed.is_err() {
            for (at_ms, key) in due {
                self.await_visitor(key, at_ms, None);
            }
        }
        committed
    }

    /// Looks at the visitors of one place after the terms changed. Those from whom nothing else follows now stay as they
    /// are.
    fn work_sweep(&mut self, db: &dyn Database, now_ms: i64) -> Result<(), Failed> {
        let Some(&place) = self.sweep.front() else { return Ok(()) };
        let page = self.shelf.read(db, place)?;
        let mut draft = Draft::default();
        for record in records(&page) {
            let Some(visitor) = self.load(db, record.key, now_ms)? else { continue };
            let before = (draft.outcomes, draft.page.len());
            self.advance(&mut draft, record.key, visitor, now_ms);
            if draft.outcomes == before.0 {
                draft.page.truncate(before.1);
                // Not held: it takes itself for written.
                if let Some(Written { key, due_ms: Some(due_ms), .. }) = draft.written.pop() {
                    self.await_visitor(key, due_ms, None);
                }
            }
        }
        self.commit(db, draft, now_ms)?;
        self.sweep.pop_front();
        if self.sweep.is_empty() {
            db.run(table::put_fact(TERMS, self.change))?;
        }
        Ok(())
    }

    /// A visitor as last written, if there is one.
    fn load(&mut self, db: &dyn Database, key: VisitorKey, now_ms: i64) -> Result<Option<Visitor>, Failed> {
        if let Some(visitor) = self.cache.take(key) {
            return Ok(Some(visitor));
        }
        let read = self.shelf.find(db, key, now_ms, |bytes, expires_ms, places| {
            let mut visitor = Visitor::read(bytes, expires_ms)?;
            if places > PLACES_MAX {
                visitor.gather();
            }
            Some(visitor)
        })?;
        self.damaged += u64::from(matches!(read, Some(None)));
        Ok(read.flatten().map(|mut visitor| {
            visitor.know(key);
            visitor
        }))
    }

    /// Puts somebody whom nobody has seen before into the draft, with what follows; `false` if there is more to it.
    fn welcome(&self, draft: &mut Draft, key: VisitorKey, footprint: &Footprint<'_>, now_ms: i64) -> bool {
        let Some(newcomer) = Newcomer::of(key, footprint, &self.terms, now_ms) else { return false };
        newcomer.tell(&mut |outcome| draft.tell(&outcome));
        draft.body.clear();
        newcomer.encode(&mut draft.body);
        let (due_ms, expires_ms) = (newcomer.due_ms(), now_ms + self.terms.keep_ms + SPARE_MS);
        draft.record(key, due_ms, expires_ms);
        let calm = newcomer.calm(expires_ms, &self.terms);
        draft.written.push(Written { key, due_ms, visitor: None, calm });
        true
    }

    /// Puts footprints of somebody who is not held into the draft, without reading what is stored of him; `false` if
    /// something may follow from them now.
    fn add_blindly<'a>(
        &self,
        draft: &mut Draft,
        key: VisitorKey,
        told: impl Iterator<Item = &'a Handed<'a>>,
        now_ms: i64,
    ) -> bool {
        let Some(&(mut calm)) = self.waiting.get(&key).filter(|_| !self.cache.holds(key)) else {
            return false;
        };
        draft.body.clear();
        for one in told {
            let Handed::Footprint(_, footprint) = one else { return false };
            if !calm.take(key, footprint, &self.terms, now_ms) {
                return false;
            }
            write_blind(footprint, &mut draft.body);
        }
        let due_ms = Some(calm.due_ms());
        draft.record(key, due_ms, calm.expires_ms());
        draft.written.push(Written { key, due_ms, visitor: None, calm });
        true
    }

    /// Works out what follows for one visitor, and puts it into the draft.
    fn advance(&self, draft: &mut Draft, key: VisitorKey, mut visitor: Visitor, now_ms: i64) {
        visitor.advance(&self.terms, now_ms, &mut |outcome| draft.tell(&outcome));
        draft.put(key, visitor, &self.terms, now_ms);
    }

    /// Writes a draft as one entry.
    fn commit(&mut self, db: &dyn Database, draft: Draft, now_ms: i64) -> Result<(), Failed> {
        for (key, visitor) in draft.unchanged {
            self.hold(key, visitor, None);
        }
        if draft.written.is_empty() {
            return Ok(());
        }
        let parts: Vec<_> = cut(&draft.frames).collect();
        // The time, or one more than the last: a journal that lost its database cannot give a number twice.
        let seq = (self.newest.1 + 1).max(now_ms);
        let emitted = self.newest.2 + draft.outcomes;
        let count = parts.len() as i64;
        db.run(table::insert_entry(seq, count, emitted, draft.frames.clone(), draft.page.clone()))?;
        let last = last(seq, count);
        self.shelf.add(seq, last, draft.page, true);
        self.newest = (seq, last, emitted);
        let due_ms = now_ms + self.settings.confirm_after_ms;
        for (number, part) in (seq..).zip(parts) {
            let (bytes, outcomes) = frames_of(&draft.frames, part);
            self.outbox.add(number, bytes, outcomes, due_ms);
        }
        for Written { key, due_ms, visitor, calm } in draft.written {
            match (visitor, due_ms) {
                (Some(visitor), _) => self.hold(key, visitor, Some(calm)),
                (None, Some(due_ms)) => self.await_visitor(key, due_ms, Some(calm)),
                (None, None) => {}
            }
        }
        Ok(())
    }

    /// Keeps a visitor, who stands in the database as it is, at hand, if it came back and is going to be looked at again:
    /// nearly everybody comes once, and is soon read from the page that was written last.
    fn hold(&mut self, key: VisitorKey, visitor: Visitor, calm: Option<Calm>) {
        let Some(due_ms) = visitor.due_ms() else {
            if let Some(known) = self.waiting.get_mut(&key) {
                *known = Calm::default();
            }
            return;
        };
        self.await_visitor(key, due_ms, calm);
        if visitor.footprints() > 1 {
            self.cache.put(key, visitor);
        }
    }

    /// Has a visitor looked at then, or when it was said before. What is known of him stays if nothing is said.
    fn await_visitor(&mut self, key: VisitorKey, due_ms: i64, calm: Option<Calm>) {
        match self.waiting.entry(key) {
            Entry::Occupied(mut known) => *known.get_mut() = calm.unwrap_or(*known.get()),
            Entry::Vacant(place) => {
                place.insert(calm.unwrap_or_default());
                self.due.insert((due_ms, key));
            }
        }
    }

    /// Entries before it are not needed as such: their messages are confirmed, and there is a newer one for the totals.
    fn needless_before(&self) -> i64 {
        self.outbox.oldest().unwrap_or(i64::MAX).min(self.newest.0)
    }

    /// When the journal has to be woken, whoever else calls.
    pub fn wake_ms(&self, now_ms: i64) -> Option<i64> {
        let asked = self.ask_due_ms();
        let due = self.ripe_at_ms();
        let soon = !self.sweep.is_empty() || self.shelf.is_untidy(self.needless_before());
        let soon = soon || self.is_to_scrub();
        let soon = soon.then_some(now_ms + PAUSE_MS);
        asked.into_iter().chain(due).chain(soon).min().map(|at_ms| at_ms.max(now_ms))
    }

    /// What the journal reports of itself.
    pub fn report(&self) -> Report {
        Report {
            emitted: self.newest.2,
            unconfirmed: self.outbox.events().collect(),
            rows: self.shelf.rows(),
            open: self.waiting.len(),
            held_bytes: self.cache.bytes() + self.shelf.held_bytes(),
            damaged: self.damaged,
        }
    }
}
