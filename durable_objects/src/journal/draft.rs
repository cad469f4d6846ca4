//! The draft: what a call or a look at those who are due changes, until it is written as one entry.

use analytics::{Outcome, VisitorKey};
use queues::Frame;

use super::page::Record;
use crate::journey::Visitor;

/// What is going to be one row.
#[derive(Default)]
pub(super) struct Draft {
    /// Records, in the order of their keys.
    pub(super) page: Vec<u8>,
    /// Of whom, and who is worth holding.
    pub(super) written: Vec<(VisitorKey, Option<i64>, Option<Visitor>)>,
    /// Who was looked at and stays as written.
    pub(super) unchanged: Vec<(VisitorKey, Visitor)>,
    pub(super) frames: Vec<u8>,
    pub(super) outcomes: i64,
    /// The body that is being written.
    pub(super) body: Vec<u8>,
}

impl Draft {
    /// Puts a visitor into it, as it is now, to be kept until then; callers go by the order of keys.
    pub(super) fn put(&mut self, key: VisitorKey, mut visitor: Visitor, until_ms: i64) {
        self.body.clear();
        let expires_ms = visitor.append(until_ms, &mut self.body);
        let due_ms = visitor.due_ms();
        self.record(key, due_ms, expires_ms);
        self.written.push((key, due_ms, Some(visitor)));
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
