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
use super::table;

/// A page is written when it is about this large: a row holds 2 MB at most, and a visitor who is looked for costs the
/// reading of a page.
const PAGE_BYTES: usize = 256 << 10;

/// So many bytes are looked at in one go, some ten milliseconds of work: calls wait meanwhile.
const STEP_BYTES: usize = 1 << 20;

/// What is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Entry(i64),
    Run { run: i64, tier: i64, pages: i64 },
}

impl Source {
    /// Whether a place is of it.
    pub(super) fn has(self, place: Place) -> bool {
        match (self, place) {
            (Self::Entry(seq), Place::Entry(other)) => seq == other,
            (Self::Run { run, tier, .. }, Place::Page { run: other, tier: of, .. }) => {
                (run, tier) == (other, of)
            }
            _ => false,
        }
    }

    fn place(self, page: i64) -> Option<Place> {
        match self {
            Self::Entry(seq) => (page == 0).then_some(Place::Entry(seq)),
            Self::Run { run, tier, pages } => (page < pages).then_some(Place::Page { run, tier, page }),
        }
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
    body: Vec<u8>,
    summary: Summary,
    begun: bool,
}

impl Merge {
    pub(super) fn new(run: i64, upto: i64, tier: i64, sources: Vec<Source>) -> Self {
        let reader = |source| Reader { source, next_page: 0, page: Rc::default(), at: 0 };
        Self {
            run: Run { number: run, tier, upto, pages: Vec::new() },
            readers: sources.into_iter().map(reader).collect(),
            heads: BinaryHeap::new(),
            passed: None,
            open: None,
            body: Vec::new(),
            summary: Summary::default(),
            begun: false,
        }
    }

    /// Merges a piece. `false`: that was the last.
    pub(super) fn step(&mut self, db: &dyn Database, held: &Held, now_ms: i64) -> Result<bool, Failed> {
        if !self.begun {
            // Of one that failed half-way.
            db.run(table::delete_pages(self.run.number, self.run.tier))?;
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
                    close(&mut self.open, &mut self.summary, &mut self.body);
                    let Record { due_ms, expires_ms, .. } = record;
                    let open = Open { key, due_ms, expires_ms, story: Story::default() };
                    self.open = Some(open).filter(|_| expires_ms > now_ms);
                }
                // Once it is written, what is older is worth nothing.
                if let Some(open) = &mut self.open
                    && let Some(body) = open.story.add(record.body)
                {
                    let record = Record { body: &body, due_ms: open.due_ms, ..record };
                    put(&record, &mut self.summary, &mut self.body);
                    self.open = None;
                }
                (reader.at, seen) = (reader.at + length, seen + length);
            }
            self.heads.extend(reader.fill(db, held)?.map(|key| (Reverse(key), place)));
            if self.body.len() >= PAGE_BYTES {
                self.write_page(db)?;
            }
        }
        Ok(true)
    }

    fn write_page(&mut self, db: &dyn Database) -> Result<(), Failed> {
        let (summary, body) = (std::mem::take(&mut self.summary), std::mem::take(&mut self.body));
        let Some(&first) = summary.keys.first() else { return Ok(()) };
        let filter = Filter::of(&summary.keys);
        db.run(table::insert_page(
            [self.run.number, self.run.tier, self.run.pages.len() as i64],
            first.as_bytes().to_vec(),
            [summary.due_ms, summary.expires_ms],
            filter.as_bytes().to_vec(),
            body,
        ))?;
        self.run.pages.push(Page { first, filter, expires_ms: summary.expires_ms });
        Ok(())
    }

    /// Puts the run in the place of what was merged.
    pub(super) fn finish(mut self, db: &dyn Database) -> Result<(Run, Vec<Source>), Failed> {
        close(&mut self.open, &mut self.summary, &mut self.body);
        self.write_page(db)?;
        if !self.run.pages.is_empty() {
            // From here on the run is there. A crash between this and what follows is mended at the next start.
            db.run(table::insert_run(self.run.number, self.run.upto, self.run.tier))?;
        }
        let sources: Vec<_> = self.readers.iter().map(|reader| reader.source).collect();
        for source in &sources {
            match *source {
                Source::Entry(seq) => db.run(table::delete_entries(seq, seq))?,
                Source::Run { run, tier, .. } => {
                    db.run(table::delete_run(run, tier))?;
                    db.run(table::delete_pages(run, tier))?
                }
            };
        }
        Ok((self.run, sources))
    }
}

fn put(record: &Record<'_>, summary: &mut Summary, page: &mut Vec<u8>) {
    summary.add(record);
    record.write(page);
}

/// What they go on from is in another run.
fn close(open: &mut Option<Open>, summary: &mut Summary, page: &mut Vec<u8>) {
    let Some(Open { key, due_ms, expires_ms, story }) = open.take() else { return };
    if let Some(body) = story.end() {
        put(&Record { key, due_ms, expires_ms, body: &body }, summary, page);
    }
}
