//! Pages at hand: those that were written or read last, so that neighbours are not read twice.
//!
//! Whoever is looked for is looked for in the order of keys, a thousand at a time, and a page holds some hundred of them:
//! without this each of the thousand would bring a page of its own from the database.

use std::collections::VecDeque;
use std::rc::Rc;

use super::database::{Database, Failed, one_blob};
use super::shelf::Place;
use super::table;

/// So much is held: a page of each of the thirty runs that a large shelf has, and of what was written last the records of
/// some 15,000 visitors.
const MAX_BYTES: usize = 16 << 20;
/// They are looked through one by one.
const MAX_PAGES: usize = 128;

/// Pages, the last used at the end.
#[derive(Debug, Default)]
pub(super) struct Held {
    pages: VecDeque<(Place, Rc<Vec<u8>>)>,
    bytes: usize,
}

impl Held {
    /// Holds a page as it is in the database.
    pub(super) fn put(&mut self, place: Place, page: Rc<Vec<u8>>) {
        self.bytes += page.len();
        self.pages.push_back((place, page));
        while self.pages.len() > MAX_PAGES || self.bytes > MAX_BYTES {
            let Some((_, page)) = self.pages.pop_front() else { break };
            self.bytes -= page.len();
        }
    }

    /// The page at a place, to be looked into again soon.
    pub(super) fn read(&mut self, db: &dyn Database, place: Place) -> Result<Rc<Vec<u8>>, Failed> {
        let at = self.pages.iter().rposition(|(other, _)| *other == place);
        let held = at.and_then(|at| self.pages.remove(at));
        if let Some((_, page)) = held {
            self.pages.push_back((place, Rc::clone(&page)));
            return Ok(page);
        }
        let page = Rc::new(read(db, place)?);
        self.put(place, Rc::clone(&page));
        Ok(page)
    }

    /// The page at a place, to be looked into once.
    pub(super) fn read_once(&self, db: &dyn Database, place: Place) -> Result<Rc<Vec<u8>>, Failed> {
        match self.pages.iter().rev().find(|(other, _)| *other == place) {
            Some((_, page)) => Ok(Rc::clone(page)),
            None => read(db, place).map(Rc::new),
        }
    }

    /// Lets go what is there no more, or not as it was.
    pub(super) fn forget(&mut self, gone: impl Fn(Place) -> bool) {
        let bytes = &mut self.bytes;
        self.pages.retain(|(place, page)| {
            let goes = gone(*place);
            *bytes -= if goes { page.len() } else { 0 };
            !goes
        });
    }

    /// How many bytes are held.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
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
