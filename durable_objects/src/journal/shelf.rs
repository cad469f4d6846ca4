//! The shelf: where visitors' records lie, and how they are found.
//!
//! What a call touched is written as one row, an *entry*. Entries are merged into *runs* of larger pages, and runs into
//! larger runs (a log-structured merge tree): a record is rewritten a few times in its life, a thousand of them in a row,
//! instead of having a row of its own that is written at each visit. The newest record of a visitor is the one that holds.

use std::rc::Rc;

use analytics::VisitorKey;

use super::database::{Columns, Database, Failed};
use super::entries::Entries;
use super::filter::Filter;
use super::held::{Held, read};
use super::merge::{Merge, Source};
use super::page::{Record, Story, find, first, records};
use super::table;

/// So many runs of a tier are merged: a record is rewritten once for each power of it that the shelf holds.
const MERGE_AT: usize = 8;

/// A page of a run.
#[derive(Debug)]
pub(super) struct Page {
    /// The first visitor of each of its pieces.
    pub(super) firsts: Vec<VisitorKey>,
    pub(super) filter: Filter,
    pub(super) expires_ms: i64,
}

impl Page {
    fn first(&self) -> Option<VisitorKey> {
        self.firsts.first().copied()
    }
}

/// Records that were merged.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) number: i64,
    pub(super) tier: i64,
    pub(super) upto: i64,
    /// The number of its first page; 0: its pages have none, and are of before.
    pub(super) leaf: i64,
    pub(super) pages: Vec<Page>,
}

impl Run {
    /// The page that a visitor's record is on, and the piece of it, if it may be on one.
    fn place(&self, key: VisitorKey) -> Option<(Place, i64)> {
        let page = self.pages.partition_point(|page| page.first() <= Some(key)).checked_sub(1)?;
        let Page { firsts, filter, .. } = self.pages.get(page)?;
        let piece = firsts.partition_point(|first| *first <= key).checked_sub(1)?;
        filter.may_hold(key).then(|| (self.page(page), piece as i64))
    }

    fn page(&self, page: usize) -> Place {
        Place::of_page(self.number, self.tier, self.leaf, page as i64)
    }

    fn source(&self) -> Source {
        let pages = self.pages.len() as i64;
        Source::Run { run: self.number, tier: self.tier, leaf: self.leaf, pages }
    }
}

/// A place of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Entry(i64),
    Leaf(i64),
    /// A page of before.
    Page {
        run: i64,
        tier: i64,
        page: i64,
    },
}

impl Place {
    /// The page of a run.
    pub(super) fn of_page(run: i64, tier: i64, leaf: i64, page: i64) -> Self {
        if leaf > 0 { Self::Leaf(leaf + page) } else { Self::Page { run, tier, page } }
    }
}

/// The index of all places, in memory: some 34 bits for each visitor.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    entries: Entries,
    /// Oldest first: each is older than every entry.
    runs: Vec<Run>,
    merge: Option<Merge>,
    held: Held,
}

impl Shelf {
    /// The shelf as it is stored, without its entries; and who is due, and when.
    pub(super) fn open(db: &dyn Database) -> Result<(Self, Vec<(i64, VisitorKey)>), Failed> {
        let mut shelf = Self::default();
        for row in db.run(table::runs())? {
            let mut row = Columns::of(row);
            let (run, upto, tier) = (row.integer()?, row.integer()?, row.integer()?);
            shelf.runs.push(Run { number: run, upto, tier, leaf: 0, pages: Vec::new() });
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
        for statement in table::delete_orphans() {
            db.run(statement)?;
        }
        let mut due = Vec::new();
        let mut rows = db.run(table::pages())?;
        rows.append(&mut db.run(table::leaves())?);
        for row in rows {
            let mut row = Columns::of(row);
            let (leaf, number, tier) = (row.integer()?, row.integer()?, row.integer()?);
            let firsts = keys_of(&row.blob()?)?;
            let (due_ms, expires_ms) = (row.integer()?, row.integer()?);
            let filter = Filter::from_bytes(row.blob()?);
            let run = shelf.runs.iter_mut().find(|run| (run.number, run.tier) == (number, tier));
            let Some(run) = run else { continue };
            if run.pages.is_empty() {
                run.leaf = leaf;
            }
            if due_ms < table::NEVER {
                let body = read(db, run.page(run.pages.len()))?;
                due.extend(records(&body).filter_map(|record| Some((record.due_ms?, record.key))));
            }
            run.pages.push(Page { firsts, filter, expires_ms });
        }
        Ok((shelf, due))
    }

    /// Takes an entry that is stored, with its records. One that was written just now is kept at hand.
    pub(super) fn add(&mut self, seq: i64, last: i64, page: Vec<u8>, just_now: bool) {
        self.entries.add(seq, last, &page);
        if just_now {
            self.held.put(Place::Entry(seq), 0, Rc::new(page));
        }
    }

    /// What a visitor's newest record says, by `read`, of all its bytes, until when it is worth something, and in how many
    /// places it was; `None` if it is worth nothing, or there is none.
    pub(super) fn find<T>(
        &mut self,
        db: &dyn Database,
        key: VisitorKey,
        now_ms: i64,
        read: impl FnOnce(&[u8], i64, usize) -> T,
    ) -> Result<Option<T>, Failed> {
        let lives = |record: &Record<'_>| record.expires_ms > now_ms && !record.body.is_empty();
        let (mut story, mut places) = (Story::default(), 0);
        for (seq, at) in self.entries.find(key) {
            let page = self.held.read(db, Place::Entry(seq), 0)?;
            let record = page.get(at..).and_then(first).map(|(record, _)| record);
            let record = record.filter(|record| record.key == key);
            let Some(record) = record.filter(lives) else { return Ok(None) };
            places += 1;
            if let Some(body) = story.add(record.body) {
                return Ok(Some(read(&body, record.expires_ms, places)));
            }
        }
        for run in self.runs.iter().rev() {
            let Some((place, piece)) = run.place(key) else { continue };
            let page = self.held.read(db, place, piece)?;
            let Some(record) = find(&page, key) else { continue };
            if !lives(&record) {
                return Ok(None);
            }
            places += 1;
            if let Some(body) = story.add(record.body) {
                return Ok(Some(read(&body, record.expires_ms, places)));
            }
        }
        // Sequels of nothing: who reads them is to say so.
        Ok(story.end().map(|body| read(&body, 0, places)))
    }

    /// Where a visitor's records can be, those that newer ones hide too.
    fn places(&self, key: VisitorKey) -> Vec<(Place, i64)> {
        let entries = self.entries.iter().map(|entry| (Place::Entry(entry.seq), 0));
        entries.chain(self.runs.iter().filter_map(|run| run.place(key))).collect()
    }

    /// Takes a visitor's records out of every row, those that newer ones hide too. A merge that is under way begins anew: it
    /// may hold them, and what it has written is removed.
    pub(super) fn scrub(&mut self, db: &dyn Database, key: VisitorKey) -> Result<(), Failed> {
        if self.merge.take().is_some() {
            db.run(table::delete_leaves(self.next_leaf(), table::NEVER))?;
        }
        for (place, piece) in self.places(key) {
            let page = self.held.read(db, place, piece)?;
            if !records(&page).any(|record| record.key == key) {
                continue;
            }
            let mut rest = Vec::with_capacity(page.len());
            records(&page).filter(|record| record.key != key).for_each(|record| record.write(&mut rest));
            self.held.forget(|other| other == place);
            if let Place::Entry(seq) = place {
                self.entries.rewritten(seq, &rest, key);
            }
            db.run(table::rewrite(place, piece, rest))?;
        }
        Ok(())
    }

    /// Every place there is.
    pub(super) fn all(&self) -> Vec<Place> {
        let pages = self.runs.iter().flat_map(|run| (0..run.pages.len()).map(|page| run.page(page)));
        pages.chain(self.entries.iter().map(|entry| Place::Entry(entry.seq))).collect()
    }

    /// Where records can be whose keys begin with these bytes.
    pub(super) fn between(&self, from: u8, upto: u8) -> Vec<Place> {
        let first = |page: &Page| page.first().and_then(|key| key.as_bytes().first().copied()).unwrap_or(0);
        let pages = self.runs.iter().flat_map(|run| {
            // The page before the first that begins so may end so.
            let begin = run.pages.partition_point(|page| first(page) < from).saturating_sub(1);
            let end = run.pages.partition_point(|page| first(page) <= upto);
            (begin..end).map(|page| run.page(page))
        });
        pages.chain(self.entries.iter().map(|entry| Place::Entry(entry.seq))).collect()
    }

    /// A page that is looked into once.
    pub(super) fn read(&self, db: &dyn Database, place: Place) -> Result<Rc<Vec<u8>>, Failed> {
        self.held.read_once(db, place)
    }

    /// How many bytes of pages are held.
    pub(super) fn held_bytes(&self) -> usize {
        self.held.bytes()
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
        if merge.step(db, &self.held, now_ms)? {
            self.merge = Some(merge);
            return Ok(());
        }
        let (run, sources) = merge.finish(db)?;
        let from = run.number;
        if sources.iter().any(|source| matches!(source, Source::Entry(_))) {
            self.entries.merged(run.upto);
        }
        self.held.forget(|place| sources.iter().any(|source| source.has(place)));
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
        if let Some((first, last)) = self.entries.mergeable(confirmed) {
            let merged = self.entries.iter().take_while(|entry| entry.seq <= last);
            let sources = merged.map(|entry| Source::Entry(entry.seq)).collect();
            return Some(Merge::new(first, last, 1, self.next_leaf(), sources));
        }
        let of_tier = |runs: &&[Run]| runs.len() >= MERGE_AT;
        let runs = self.runs.chunk_by(|a, b| a.tier == b.tier).find(of_tier)?;
        let (first, last) = (runs.first()?, runs.last()?);
        let sources = runs.iter().map(Run::source).collect();
        Some(Merge::new(first.number, last.upto, first.tier + 1, self.next_leaf(), sources))
    }

    /// The number behind those of all pages.
    fn next_leaf(&self) -> i64 {
        self.runs.iter().map(|run| run.leaf + run.pages.len() as i64).max().unwrap_or(0).max(1)
    }

    /// Removes a run of which nothing is worth anything any more.
    pub(super) fn expire(&mut self, db: &dyn Database, now_ms: i64) -> Result<(), Failed> {
        let expired = |run: &Run| run.pages.iter().all(|page| page.expires_ms <= now_ms);
        if self.merge.is_some() {
            return Ok(());
        }
        while let Some(place) = self.runs.iter().position(expired) {
            let run = self.runs.remove(place);
            self.held.forget(|place| run.source().has(place));
            run.source().delete(db)?;
        }
        Ok(())
    }
}

fn keys_of(bytes: &[u8]) -> Result<Vec<VisitorKey>, Failed> {
    let (keys, rest) = bytes.as_chunks::<16>();
    if keys.is_empty() || !rest.is_empty() {
        return Err(Failed("storage has a key that is none".to_owned()));
    }
    Ok(keys.iter().map(|key| VisitorKey::from_bytes(*key)).collect())
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
