//! The shelf: where visitors' records lie, and how they are found.
//!
//! What a call touched is written as one row, an *entry*. Entries are merged into *runs* of larger pages, and runs into
//! larger runs (a log-structured merge tree): a record is rewritten a few times in its life, a thousand of them in a row,
//! instead of having a row of its own that is written at each visit. The newest record of a visitor is the one that holds.

use std::collections::VecDeque;

use analytics::VisitorKey;

use super::database::{Columns, Database, Failed, one_blob};
use super::filter::Filter;
use super::merge::{Merge, Source};
use super::page::{Record, find, records};
use super::table;

/// So many entries, or runs of a tier, are merged: a record is rewritten once for each power of it that the shelf holds.
const MERGE_AT: usize = 8;

/// An entry that is not merged yet.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) seq: i64,
    /// The last of its messages.
    pub(super) last: i64,
    filter: Filter,
}

/// A page of a run.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) first: VisitorKey,
    pub(super) filter: Filter,
    pub(super) expires_ms: i64,
}

/// Records that were merged.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) number: i64,
    pub(super) tier: i64,
    pub(super) upto: i64,
    pub(super) pages: Vec<Page>,
}

impl Run {
    fn source(&self) -> Source {
        Source::Run { run: self.number, tier: self.tier, pages: self.pages.len() as i64 }
    }
}

/// A place of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Entry(i64),
    Page { run: i64, tier: i64, page: i64 },
}

/// The index of all places, in memory: some 12 bits for each visitor.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    /// Oldest first.
    entries: VecDeque<Entry>,
    /// Oldest first: each is older than every entry.
    runs: Vec<Run>,
    merge: Option<Merge>,
}

impl Shelf {
    /// The shelf as it is stored, without its entries; and who is due, and when.
    pub(super) fn open(db: &dyn Database) -> Result<(Self, Vec<(i64, VisitorKey)>), Failed> {
        let mut shelf = Self::default();
        for row in db.run(table::runs())? {
            let mut row = Columns::of(row);
            let (run, upto, tier) = (row.integer()?, row.integer()?, row.integer()?);
            shelf.runs.push(Run { number: run, upto, tier, pages: Vec::new() });
        }
        // What lies within a larger run was merged into it, and a crash came before it was removed.
        let within = |run: &Run, other: &Run| {
            other.tier > run.tier && other.number <= run.number && run.upto <= other.upto
        };
        let merged = |run: &Run| shelf.runs.iter().any(|other| within(run, other));
        let left: Vec<_> =
            shelf.runs.iter().filter(|run| merged(run)).map(|run| (run.number, run.tier)).collect();
        for &(run, tier) in &left {
            db.run(table::delete_run(run, tier))?;
        }
        shelf.runs.retain(|run| !left.contains(&(run.number, run.tier)));
        if let Some(upto) = shelf.runs.iter().map(|run| run.upto).max() {
            db.run(table::delete_entries(0, upto))?;
        }
        db.run(table::delete_orphans())?;
        let mut due = Vec::new();
        for row in db.run(table::index())? {
            let mut row = Columns::of(row);
            let (number, tier, page) = (row.integer()?, row.integer()?, row.integer()?);
            let first = key_of(row.blob()?)?;
            let (due_ms, expires_ms) = (row.integer()?, row.integer()?);
            let filter = Filter::from_bytes(row.blob()?);
            if due_ms < table::NEVER {
                let body = read(db, Place::Page { run: number, tier, page })?;
                due.extend(records(&body).filter_map(|record| Some((record.due_ms?, record.key))));
            }
            let run = shelf.runs.iter_mut().find(|run| (run.number, run.tier) == (number, tier));
            if let Some(run) = run {
                run.pages.push(Page { first, filter, expires_ms });
            }
        }
        Ok((shelf, due))
    }

    /// Takes an entry that is stored.
    pub(super) fn add(&mut self, seq: i64, last: i64, page: &[u8]) {
        let keys: Vec<_> = records(page).map(|record| record.key).collect();
        self.entries.push_back(Entry { seq, last, filter: Filter::of(&keys) });
    }

    /// The body of a visitor's newest record, if it is worth something.
    pub(super) fn find(
        &self,
        db: &dyn Database,
        key: VisitorKey,
        now_ms: i64,
    ) -> Result<Option<Vec<u8>>, Failed> {
        for place in self.places(key) {
            let page = read(db, place)?;
            if let Some(record) = find(&page, key) {
                let lives = record.expires_ms > now_ms && !record.body.is_empty();
                return Ok(lives.then(|| record.body.to_vec()));
            }
        }
        Ok(None)
    }

    /// Where a visitor's record can be, the newest first.
    pub(super) fn places(&self, key: VisitorKey) -> impl Iterator<Item = Place> {
        let entries = self.entries.iter().rev().filter(move |entry| entry.filter.may_hold(key));
        let runs = self.runs.iter().rev().filter_map(move |run| {
            let page = run.pages.partition_point(|page| page.first <= key).checked_sub(1)?;
            let place = Place::Page { run: run.number, tier: run.tier, page: page as i64 };
            run.pages.get(page)?.filter.may_hold(key).then_some(place)
        });
        entries.map(|entry| Place::Entry(entry.seq)).chain(runs)
    }

    /// Every place there is.
    pub(super) fn all(&self) -> Vec<Place> {
        let pages = |run: &Run| {
            let (run, tier, count) = (run.number, run.tier, run.pages.len() as i64);
            (0..count).map(move |page| Place::Page { run, tier, page })
        };
        let entries = self.entries.iter().map(|entry| Place::Entry(entry.seq));
        self.runs.iter().flat_map(pages).chain(entries).collect()
    }

    /// Where records can be whose keys begin with these bytes.
    pub(super) fn between(&self, from: u8, upto: u8) -> Vec<Place> {
        let first = |page: &Page| page.first.as_bytes().first().copied().unwrap_or(0);
        let pages = |run: &Run| {
            // The page before the first that begins so may end so.
            let begin = run.pages.partition_point(|page| first(page) < from).saturating_sub(1);
            let end = run.pages.partition_point(|page| first(page) <= upto);
            let (run, tier) = (run.number, run.tier);
            (begin..end).map(move |page| Place::Page { run, tier, page: page as i64 })
        };
        let entries = self.entries.iter().map(|entry| Place::Entry(entry.seq));
        self.runs.iter().flat_map(pages).chain(entries).collect()
    }

    /// Gives up the merge that is under way; whether there was one.
    pub(super) fn abandon(&mut self) -> bool {
        self.merge.take().is_some()
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        self.entries.len() + self.runs.iter().map(|run| 1 + run.pages.len()).sum::<usize>()
    }

    /// Whether there is something to merge. Entries whose last message is not before `confirmed` have to stay: their
    /// messages may have to be sent again.
    pub(super) fn is_untidy(&self, confirmed: i64) -> bool {
        self.merge.is_some() || self.mergeable(confirmed).is_some()
    }

    /// Merges a bounded part of what there is to merge.
    pub(super) fn tidy(&mut self, db: &dyn Database, confirmed: i64, now_ms: i64) -> Result<(), Failed> {
        let mut merge = match self.merge.take() {
            Some(merge) => merge,
            None => match self.mergeable(confirmed) {
                Some(merge) => merge,
                None => return Ok(()),
            },
        };
        if merge.step(db, now_ms)? {
            self.merge = Some(merge);
            return Ok(());
        }
        let (run, sources) = merge.finish(db)?;
        let from = run.number;
        self.entries.retain(|entry| !sources.contains(&Source::Entry(entry.seq)));
        self.runs.retain(|old| !sources.contains(&old.source()));
        if !run.pages.is_empty() {
            let place = self.runs.partition_point(|old| old.number < from);
            self.runs.insert(place, run);
        }
        Ok(())
    }

    /// The next merge: of the oldest entries, or of neighbouring runs of one tier. Neighbours alone, or an old record
    /// would pass a newer one.
    fn mergeable(&self, confirmed: i64) -> Option<Merge> {
        let settled: Vec<_> = self.entries.iter().take_while(|entry| entry.last < confirmed).collect();
        if let (MERGE_AT.., [first, .., last]) = (settled.len(), settled.as_slice()) {
            let sources = settled.iter().map(|entry| Source::Entry(entry.seq)).collect();
            return Some(Merge::new(first.seq, last.seq, 1, sources));
        }
        let of_tier = |runs: &&[Run]| runs.len() >= MERGE_AT;
        let runs = self.runs.chunk_by(|a, b| a.tier == b.tier).find(of_tier)?;
        let (first, last) = (runs.first()?, runs.last()?);
        let sources = runs.iter().map(Run::source).collect();
        Some(Merge::new(first.number, last.upto, first.tier + 1, sources))
    }

    /// Removes a run of which nothing is worth anything any more.
    pub(super) fn expire(&mut self, db: &dyn Database, now_ms: i64) -> Result<(), Failed> {
        let expired = |run: &Run| run.pages.iter().all(|page| page.expires_ms <= now_ms);
        if self.merge.is_some() {
            return Ok(());
        }
        while let Some(place) = self.runs.iter().position(expired) {
            let run = self.runs.remove(place);
            db.run(table::delete_run(run.number, run.tier))?;
            db.run(table::delete_pages(run.number, run.tier))?;
        }
        Ok(())
    }
}

/// The page at a place. What was there when it was put into the index is there still.
pub(super) fn read(db: &dyn Database, place: Place) -> Result<Vec<u8>, Failed> {
    let statement = match place {
        Place::Entry(seq) => table::entry_records(seq),
        Place::Page { run, tier, page } => table::page(run, tier, page),
    };
    one_blob(db.run(statement)?)?.ok_or_else(|| Failed(format!("there is nothing at {place:?}")))
}

fn key_of(bytes: Vec<u8>) -> Result<VisitorKey, Failed> {
    let bytes = bytes.try_into().map_err(|_| Failed("storage has a key that is none".to_owned()))?;
    Ok(VisitorKey::from_bytes(bytes))
}

/// What an index says of a page.
#[derive(Debug)]
pub(super) struct Summary {
    pub(super) keys: Vec<VisitorKey>,
    pub(super) due_ms: i64,
    pub(super) expires_ms: i64,
}

impl Default for Summary {
    fn default() -> Self {
        Self { keys: Vec::new(), due_ms: table::NEVER, expires_ms: 0 }
    }
}

impl Summary {
    pub(super) fn add(&mut self, record: &Record<'_>) {
        self.keys.push(record.key);
        self.due_ms = self.due_ms.min(record.due_ms.unwrap_or(table::NEVER));
        self.expires_ms = self.expires_ms.max(record.expires_ms);
    }
}
