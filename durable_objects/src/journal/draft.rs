//! The draft: what a call or a look at those who are due changes, until it is written as one entry.

use analytics::{Outcome, VisitorKey};
use queues::Frame;

use super::page::Record;
use crate::journey::{Calm, Terms, Visitor};

/// Of whom a record is, and what is known then.
pub(super) struct Written {
    pub(super) key: VisitorKey,
    pub(super) due_ms: Option<i64>,
    /// Who is worth holding.
    pub(super) visitor: Option<Visitor>,
    pub(super) calm: Calm,
}

/// What is going to be one row.
#[derive(Default)]
pub(super) struct Draft {
    /// Records, in the order of their keys.
    pub(super) page: Vec<u8>,
    pub(super) written: Vec<Written>,
    /// Who was looked at and stays as written.
    pub(super) unchanged: Vec<(VisitorKey, Visitor)>,
    pub(super) frames: Vec<u8>,
    pub(super) outcomes: i64,
    /// The body that is being written.
    pub(super) body: Vec<u8>,
}

impl Draft {
    /// Puts a visitor into it, as it is now, to be kept as long as the terms say; callers go by the order of keys.
    pub(super) fn put(&mut self, key: VisitorKey, mut visitor: Visitor, terms: &Terms, now_ms: i64) {
        self.body.clear();
        // By when it was written, not by what it holds: a bond has no time, and what is written later must not expire
        // earlier, or an older record would come to light.
        let expires_ms = visitor.append(now_ms + terms.keep_ms, &mut self.body);
        let due_ms = visitor.due_ms();
        self.record(key, due_ms, expires_ms);
        let calm = visitor.calm(terms);
        self.written.push(Written { key, due_ms, visitor: Some(visitor), calm });
    }

    /// Writes the body as a visitor's record.
    pub(super) fn record(&mut self, key: VisitorKey, due_ms: Option<i64>, expires_ms: i64) {
        Record { key, due_ms, expires_ms, body: &self.body }.write(&mut self.page);
    }

    /// Notes an outcome.
    pub(super) fn tell(&mut self, outcome: &Outcome<'_>) {
        self.body.clear();
        outcome.encode(&mut self.body);
        Frame::Outcome(&self.body).write(&mut self.frames);
        self.outcomes += 1;
    }
}
