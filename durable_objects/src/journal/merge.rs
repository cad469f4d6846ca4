//! A merge: many sorted pages become fewer, a bounded piece at a time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;

use analytics::VisitorKey;

use super::database::{Database, Failed};
use super::filter::Filter;
use super::held::Held;
use super::page::{Record, Story, first};
use super::shelf::{Page, Place, Run, Summary};
use super::table::{self, PIECES};

/// A page is written when it is about this large: a row holds 2 MB at most.
const PAGE_BYTES: usize = 256 << 10;

/// A piece of it ends when it is about this large: a visitor who is looked for costs the reading of a piece, from its
/// beginning to his record.
const PIECE_BYTES: usize = PAGE_BYTES / PIECES;

/// So many bytes are looked at in one go, some ten milliseconds of work: calls wait meanwhile.
const STEP_BYTES: usize = 1 << 20;

/// What is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Entry(i64),
    /// `leaf`: the number of its first page; 0: they have none, and are of before.
    Run {
        run: i64,
        tier: i64,
        leaf: i64,
        pages: i64,
    },
}

impl Source {
    /// Whether a place is of it.
    pub(super) fn has(self, place: Place) -> bool {
        match (self, place) {
            (Self::Entry(seq), Place::Entry(other)) => seq == other,
            (Self::Run { run, tier, leaf: 0, .. }, Place::Page { run: other, tier: of, .. }) => {
                (run, tier) == (other, of)
            }
            (Self::Run { leaf, pages, .. }, Place::Leaf(other)) => (leaf..leaf + pages).contains(&other),
            _ => false,
        }
    }

    fn place(self, page: i64) -> Option<Place> {
        match self {
            Self::Entry(seq) => (page == 0).then_some(Place::Entry(seq)),
            Self::Run { run, tier, leaf, pages } => {
                (page < pages).then(|| Place::of_page(run, tier, leaf, page))
            }
        }
    }

    /// Removes it: a run first, without which its pages are nobody's.
    pub(super) fn delete(self, db: &dyn Database) -> Result<(), Failed> {
        match self {
            Self::Entry(seq) => db.run(table::delete_entries(seq, seq))?,
            Self::Run { run, tier, leaf, pages } => {
                db.run(table::delete_run(run, tier))?;
                db.run(match leaf {
                    0 => table::delete_pages(run, tier),
                    _ => table::delete_leaves(leaf, leaf + pages - 1),
                })?
            }
        };
        Ok(())
    }
}

/// A source that is read page by page.
#[derive(Debug)]
struct Reader {
    source: Source,
    next_page: i64,
    page: Rc<Vec<u8>>,
    at: usize,
}

impl Reader {
    /// The record that comes next; `None` at the end of the page.
    fn peek(&self) -> Option<Record<'_>> {
        self.page.get(self.at..).and_then(first).map(|(record, _)| record)
    }

    /// Whose record comes next, of this page or the next one; `None` at the end.
    fn fill(&mut self, db: &dyn Database, held: &Held) -> Result<Option<VisitorKey>, Failed> {
        loop {
            if let Some(record) = self.peek() {
                return Ok(Some(record.key));
            }
            let Some(place) = self.source.place(self.next_page) else { return Ok(None) };
            self.page = held.read_once(db, place)?;
            self.at = 0;
            self.next_page += 1;
        }
    }
}

/// A record of which only sequels were seen.
#[derive(Debug)]
struct Open {
    key: VisitorKey,
    due_ms: Option<i64>,
    expires_ms: i64,
    story: Story,
}

/// A merge that is under way. What it has written is seen by nobody before it is finished.
#[derive(Debug)]
pub(super) struct Merge {
    run: Run,
    /// Oldest first.
    readers: Vec<Reader>,
    /// Whose record comes next in each reader; of one visitor's, the newest first. There may be a hundred readers, and
    /// whoever looked at all of them for each record would compare more than he copies.
    heads: BinaryHeap<(Reverse<VisitorKey>, usize)>,
    /// Whose record was looked at last: what comes of the same is older.
    passed: Option<VisitorKey>,
    /// The same, while only sequels of it were seen.
    open: Option<Open>,
    page: Draft,
    begun: bool,
}

/// A page that is going to be written.
#[derive(Debug, Default)]
struct Draft {
    body: Vec<u8>,
    /// Where each piece begins, and with whom.
    pieces: Vec<(usize, VisitorKey)>,
    summary: Summary,
}

impl Draft {
    fn put(&mut self, record: &Record<'_>) {
        let begun = self.pieces.last().map(|(begin, _)| self.body.len() - begin);
        if begun.is_none_or(|bytes| bytes >= PIECE_BYTES && self.pieces.len() < PIECES) {
            self.pieces.push((self.body.len(), record.key));
        }
        self.summary.add(record);
        record.write(&mut self.body);
    }

    fn pieces(&self) -> [Vec<u8>; PIECES] {
        std::array::from_fn(|piece| {
            let begin = |piece: usize| self.pieces.get(piece).map_or(self.body.len(), |(begin, _)| *begin);
            self.body.get(begin(piece)..begin(piece + 1)).unwrap_or_default().to_vec()
        })
    }
}

impl Merge {
    /// A merge of these; its pages are numbered from `leaf` on, where nothing is but what a merge left that failed.
    pub(super) fn new(run: i64, upto: i64, tier: i64, leaf: i64, sources: Vec<Source>) -> Self {
        let reader = |source| Reader { source, next_page: 0, page: Rc::default(), at: 0 };
        Self {
            run: Run { number: run, tier, upto, leaf, pages: Vec::new() },
            readers: sources.into_iter().map(reader).collect(),
            heads: BinaryHeap::new(),
            passed: None,
            open: None,
            page: Draft::default(),
            begun: false,
        }
    }

    /// Merges a piece. `false`: that was the last.
    pub(super) fn step(&mut self, db: &dyn Database, held: &Held, now_ms: i64) -> Result<bool, Failed> {
        if !self.begun {
            // Of one that failed half-way.
            db.run(table::delete_leaves(self.run.leaf, table::NEVER))?;
            for (place, reader) in self.readers.iter_mut().enumerate() {
                self.heads.extend(reader.fill(db, held)?.map(|key| (Reverse(key), place)));
            }
            self.begun = true;
        }
        let mut seen = 0;
        while seen < STEP_BYTES {
            let Some((Reverse(key), place)) = self.heads.pop() else { return Ok(false) };
            let Some(reader) = self.readers.get_mut(place) else { continue };
            if let Some(record) = reader.peek() {
                let length = record.len();
                if self.passed.replace(key) != Some(key) {
                    close(&mut self.open, &mut self.page);
                    let Record { due_ms, expires_ms, .. } = record;
                    let open = Open { key, due_ms, expires_ms, story: Story::default() };
                    self.open = Some(open).filter(|_| expires_ms > now_ms);
                }
                // Once it is written, what is older is worth nothing.
                if let Some(open) = &mut self.open
                    && let Some(body) = open.story.add(record.body)
                {
                    let record = Record { body: &body, due_ms: open.due_ms, ..record };
                    self.page.put(&record);
                    self.open = None;
                }
                (reader.at, seen) = (reader.at + length, seen + length);
            }
            self.heads.extend(reader.fill(db, held)?.map(|key| (Reverse(key), place)));
            if self.page.body.len() >= PAGE_BYTES {
                self.write_page(db)?;
            }
        }
        Ok(true)
    }

    fn write_page(&mut self, db: &dyn Database) -> Result<(), Failed> {
        let page = std::mem::take(&mut self.page);
        let Draft { summary, pieces, .. } = &page;
        if pieces.is_empty() {
            return Ok(());
        }
        let filter = Filter::of(&summary.keys);
        let firsts: Vec<_> = pieces.iter().map(|(_, first)| *first).collect();
        db.run(table::insert_leaf(
            [self.run.leaf + self.run.pages.len() as i64, self.run.number, self.run.tier],
            firsts.iter().flat_map(|first| *first.as_bytes()).collect(),
            [summary.due_ms, summary.expires_ms],
            filter.as_bytes().to_vec(),
            page.pieces(),
        ))?;
        self.run.pages.push(Page { firsts, filter, expires_ms: summary.expires_ms });
        Ok(())
    }

    /// Puts the run in the place of what was merged.
    pub(super) fn finish(mut self, db: &dyn Database) -> Result<(Run, Vec<Source>), Failed> {
        close(&mut self.open, &mut self.page);
        self.write_page(db)?;
        if !self.run.pages.is_empty() {
            // From here on the run is there. A crash between this and what follows is mended at the next start.
            db.run(table::insert_run(self.run.number, self.run.upto, self.run.tier))?;
        }
        let sources: Vec<_> = self.readers.iter().map(|reader| reader.source).collect();
        for source in &sources {
            source.delete(db)?;
        }
        Ok((self.run, sources))
    }
}

/// What they go on from is in another run.
fn close(open: &mut Option<Open>, page: &mut Draft) {
    let Some(Open { key, due_ms, expires_ms, story }) = open.take() else { return };
    if let Some(body) = story.end() {
        page.put(&Record { key, due_ms, expires_ms, body: &body });
    }
}
