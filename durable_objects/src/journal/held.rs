//! Pages at hand: those that were written or read last, so that neighbours are not read twice.
//!
//! Whoever is looked for is looked for in the order of keys, a thousand at a time, and a piece of a page holds some dozens
//! of them: without this each of the thousand would bring a piece of its own from the database.

use std::collections::VecDeque;
use std::rc::Rc;

use super::database::{Columns, Database, Failed, one_blob};
use super::shelf::Place;
use super::table::{self, PIECES};

/// So much is held: a piece of each of the thirty runs that a large shelf has, and of what was written last the records of
/// some 10,000 visitors.
const MAX_BYTES: usize = 10 << 20;
/// They are looked through one by one, the last used first, among which nearly all are that are looked for.
const MAX_PIECES: usize = 256;

/// A piece of what is at a place.
type At = (Place, i64);

/// Pieces of pages, and entries, the last used at the end.
#[derive(Debug, Default)]
pub(super) struct Held {
    pieces: VecDeque<(At, Rc<Vec<u8>>)>,
    bytes: usize,
}

impl Held {
    /// Holds an entry, or a piece of a page, as it is in the database.
    pub(super) fn put(&mut self, place: Place, piece: i64, records: Rc<Vec<u8>>) {
        self.bytes += records.len();
        self.pieces.push_back(((place, piece), records));
        while self.pieces.len() > MAX_PIECES || self.bytes > MAX_BYTES {
            let Some((_, records)) = self.pieces.pop_front() else { break };
            self.bytes -= records.len();
        }
    }

    /// The piece at a place, to be looked into again soon.
    pub(super) fn read(
        &mut self,
        db: &dyn Database,
        place: Place,
        piece: i64,
    ) -> Result<Rc<Vec<u8>>, Failed> {
        let at = self.pieces.iter().rposition(|(other, _)| *other == (place, piece));
        let held = at.and_then(|at| self.pieces.remove(at));
        if let Some((_, records)) = held {
            self.pieces.push_back(((place, piece), Rc::clone(&records)));
            return Ok(records);
        }
        let records = Rc::new(read_piece(db, place, piece)?);
        self.put(place, piece, Rc::clone(&records));
        Ok(records)
    }

    /// All that is at a place, to be looked into once.
    pub(super) fn read_once(&self, db: &dyn Database, place: Place) -> Result<Rc<Vec<u8>>, Failed> {
        let whole = |other: Place| other == place && !matches!(place, Place::Leaf(_));
        match self.pieces.iter().rev().find(|((other, _), _)| whole(*other)) {
            Some((_, records)) => Ok(Rc::clone(records)),
            None => read(db, place).map(Rc::new),
        }
    }

    /// Lets go what is there no more, or not as it was.
    pub(super) fn forget(&mut self, gone: impl Fn(Place) -> bool) {
        let bytes = &mut self.bytes;
        self.pieces.retain(|((place, _), records)| {
            let goes = gone(*place);
            *bytes -= if goes { records.len() } else { 0 };
            !goes
        });
    }

    /// How many bytes are held.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// All that is at a place. What was there when it was put into the index is there still.
pub(super) fn read(db: &dyn Database, place: Place) -> Result<Vec<u8>, Failed> {
    let Place::Leaf(leaf) = place else { return read_piece(db, place, 0) };
    let row = db.run(table::leaf(leaf))?.into_iter().next().ok_or_else(|| nothing(place))?;
    let (mut row, mut page) = (Columns::of(row), Vec::new());
    for _ in 0..PIECES {
        page.extend_from_slice(&row.blob()?);
    }
    Ok(page)
}

/// One piece of what is at a place.
fn read_piece(db: &dyn Database, place: Place, piece: i64) -> Result<Vec<u8>, Failed> {
    let statement = match place {
        Place::Entry(seq) => table::entry_records(seq),
        Place::Page { run, tier, page } => table::page(run, tier, page),
        Place::Leaf(leaf) => table::piece(leaf, piece),
    };
    one_blob(db.run(statement)?)?.ok_or_else(|| nothing(place))
}

fn nothing(place: Place) -> Failed {
    Failed(format!("there is nothing at {place:?}"))
}
