//! The log: one row for each commit, which is the event, the mark that it was seen, and the outbox in one.

use analytics::{Param, Statement};

/// The table. `seq` is the time of the commit in epoch ms, or one more than the row before; so it is never used
/// twice, not even by a gate that lost its storage, and `(gate, seq)` may stand for a message for ever. The newest
/// row is never pruned: it holds the running totals.
pub const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS log (
  seq        INTEGER PRIMARY KEY,
  message    INTEGER NOT NULL, -- seq of the first row of the message that carries this one
  at_ms      INTEGER NOT NULL, -- the window of the events in it begins here
  admitted   INTEGER NOT NULL, -- events ever admitted, this row's included
  duplicates INTEGER NOT NULL, -- copies ever turned away, those told in this row included
  body       BLOB    NOT NULL  -- frames
)";

/// A row of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its number.
    pub seq: i64,
    /// The message that carries it.
    pub message: i64,
    /// When it was opened, gate's clock, epoch ms.
    pub at_ms: i64,
    /// Events ever admitted.
    pub admitted: i64,
    /// Copies ever turned away.
    pub duplicates: i64,
    /// Frames.
    pub body: Vec<u8>,
}

impl Row {
    /// Writes the row; in the place of one that nobody needs any more, if there is one. A row that is written over is
    /// billed as one, key and all, and one that is deleted and another that is inserted are two.
    pub fn write(self, over: Option<i64>) -> Statement {
        let sql = match over {
            None => {
                "INSERT INTO log (seq, message, at_ms, admitted, duplicates, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
            }
            Some(_) => {
                "UPDATE log SET seq = ?1, message = ?2, at_ms = ?3, admitted = ?4, duplicates = ?5, body = ?6 \
                 WHERE seq = ?7"
            }
        };
        let columns = [
            self.seq.into(),
            self.message.into(),
            self.at_ms.into(),
            self.admitted.into(),
            self.duplicates.into(),
            self.body.into(),
        ];
        Statement::new(sql, columns.into_iter().chain(over.map(Param::from)).collect::<Vec<_>>())
    }
}

/// All rows, oldest first: `seq, message, at_ms, admitted, duplicates, body`.
pub fn rows() -> Statement {
    Statement::new("SELECT seq, message, at_ms, admitted, duplicates, body FROM log ORDER BY seq", [])
}

/// The frames of one message: `body`.
pub fn message(number: i64) -> Statement {
    // By the primary key: the rows of a message lie one behind the other, from its own number on.
    Statement::new("SELECT body FROM log WHERE seq >= ?1 AND message = ?1 ORDER BY seq", [number.into()])
}

/// The rows since a moment, newest first: `seq, body`.
pub fn since(ms: i64) -> Statement {
    // `seq` is the time of the commit, or hardly later.
    Statement::new("SELECT seq, body FROM log WHERE seq >= ?1 ORDER BY seq DESC", [ms.into()])
}

/// Takes back rows from `seq` on: those of a commit that failed half-way.
pub fn undo(from_seq: i64) -> Statement {
    Statement::new("DELETE FROM log WHERE seq >= ?1", [from_seq.into()])
}

/// Removes what is confirmed and out of the window: rows before `seq` that are older than `at_ms`.
pub fn prune(before_seq: i64, before_ms: i64) -> Statement {
    Statement::new("DELETE FROM log WHERE seq < ?1 AND at_ms < ?2", [before_seq.into(), before_ms.into()])
}

/// Leaves of a row nothing but its totals.
pub fn fade(seq: i64) -> Statement {
    Statement::new("UPDATE log SET body = x'' WHERE seq = ?1", [seq.into()])
}
