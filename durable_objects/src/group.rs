//! The open group: what goes into the log with the next commit.

use std::collections::BTreeMap;

use analytics::{EventId, Kind, RawEvent, Statement};
use queues::{Duplicates, Frame, MESSAGE_MAX_BYTES};

use crate::log::{Row, undo};

/// What a message's frames may take: the rest is for version, head and number, of which the gate's name and a
/// dozen bytes are needed.
pub(crate) const FRAMES_MAX_BYTES: usize = MESSAGE_MAX_BYTES - 64;

/// Copies turned away, by link, campaign and kind.
type Copies = BTreeMap<(String, String, Kind), u64>;

/// A row that still takes frames.
#[derive(Debug, Default)]
struct OpenRow {
    body: Vec<u8>,
    events: i64,
    duplicates: i64,
}

/// Events and copies since the last commit.
#[derive(Debug, Default)]
pub(crate) struct Group {
    rows: Vec<OpenRow>,
    ids: Vec<(EventId, Option<i64>)>,
    copies: Copies,
}

/// A group of events on its way into the log.
#[derive(Debug)]
pub struct Commit {
    pub(crate) rows: Vec<Row>,
    /// Rows that they are written over, as far as there are any.
    pub(crate) over: Vec<i64>,
    /// Ids of its events, each with when it had been seen before, were that still remembered.
    pub(crate) ids: Vec<(EventId, Option<i64>)>,
    copies: Copies,
    /// By the caller's clock.
    pub(crate) began_ms: i64,
}

impl Commit {
    /// What to write, all of it or nothing. Each writes one row: one that does not has found nothing to write over,
    /// and the commit failed.
    pub fn statements(&self) -> impl Iterator<Item = Statement> {
        let over = self.over.iter().copied().map(Some).chain(std::iter::repeat(None));
        self.rows.iter().zip(over).map(|(row, over)| row.clone().write(over))
    }

    /// Takes back what was written of a commit that failed half-way. If that fails too, what is in the log is
    /// not known: the gate has to be rebuilt from it.
    pub fn undo(&self) -> Option<Statement> {
        self.rows.first().map(|row| undo(row.seq))
    }
}

impl Group {
    pub(crate) fn holds(&self, id: EventId) -> bool {
        self.ids.iter().any(|(held, _)| *held == id)
    }

    /// Adds an event; `before_ms` is when its id had been seen before.
    pub(crate) fn add(&mut self, id: EventId, before_ms: Option<i64>, body: &[u8]) {
        self.ids.push((id, before_ms));
        if let Some(row) = self.row(Frame::event_len(body)) {
            Frame::Event { id, body }.write(&mut row.body);
            row.events += 1;
        }
    }

    /// Counts a copy that was turned away. A body that cannot be read is a copy of one that was admitted all the
    /// same; it counts for nobody.
    pub(crate) fn add_copy(&mut self, body: &[u8]) {
        let (link, campaign_id, kind) = RawEvent::peek(body).unwrap_or(("", "", Kind::Click));
        *self.copies.entry((link.to_owned(), campaign_id.to_owned(), kind)).or_default() += 1;
    }

    /// The row that has room for so many bytes: always one.
    fn row(&mut self, bytes: usize) -> Option<&mut OpenRow> {
        if self.rows.last().is_none_or(|row| row.body.len() + bytes > FRAMES_MAX_BYTES) {
            self.rows.push(OpenRow::default());
        }
        self.rows.last_mut()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.copies.is_empty()
    }

    /// How many copies wait to be told.
    pub(crate) fn copies(&self) -> i64 {
        self.copies.values().sum::<u64>() as i64
    }

    /// Closes the group: its rows, numbered and totalled on from `newest`. Each row begins a message of its own
    /// until the outbox says otherwise.
    pub(crate) fn close(&mut self, newest: &Row, at_ms: i64, began_ms: i64) -> Commit {
        let copies = std::mem::take(&mut self.copies);
        for ((link, campaign_id, kind), &times) in &copies {
            let frame = Frame::Duplicates(Duplicates { link, campaign_id, kind: *kind, times, at_ms });
            let mut bytes = Vec::new();
            frame.write(&mut bytes);
            if let Some(row) = self.row(bytes.len()) {
                row.body.extend_from_slice(&bytes);
                row.duplicates += times as i64;
            }
        }
        let group = std::mem::take(self);
        let (mut seq, mut admitted, mut duplicates) = (newest.seq, newest.admitted, newest.duplicates);
        let rows = group.rows.into_iter().map(|row| {
            seq = seq.max(at_ms - 1) + 1;
            admitted += row.events;
            duplicates += row.duplicates;
            Row { seq, message: seq, at_ms, admitted, duplicates, body: row.body }
        });
        Commit { rows: rows.collect(), over: Vec::new(), ids: group.ids, copies, began_ms }
    }

    /// Takes back the copies of a commit that failed: they have yet to be told.
    pub(crate) fn take_back(&mut self, commit: Commit) {
        for (key, times) in commit.copies {
            *self.copies.entry(key).or_default() += times;
        }
    }
}
