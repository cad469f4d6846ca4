//! What a gate says of itself.

use super::Gate;

/// What a gate reports of itself; from its log, not from the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Events ever admitted and committed.
    pub admitted: i64,
    /// Copies ever turned away.
    pub duplicates: i64,
    /// Messages that the ledger did not have when it was last asked: number, and events in it.
    pub unconfirmed: Vec<(i64, i64)>,
    /// Rows in the log.
    pub rows: usize,
    /// Ids it remembers.
    pub ids: usize,
}

impl Gate {
    /// What the gate reports of itself.
    pub fn report(&self) -> Report {
        Report {
            admitted: self.newest.admitted,
            duplicates: self.newest.duplicates + self.open.copies(),
            unconfirmed: self.outbox.events().collect(),
            rows: self.rows.len(),
            ids: self.seen.len(),
        }
    }
}
