//! What a meter keeps: of every link how often it was granted, and to whom of late.

use analytics::Statement;

/// The table. Grants stand packed in parts, as a row each would cost three writes: the count, the id, and its
/// removal. So a one-time link is one row written once, and a busy meter writes one row per link and commit.
pub const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS grants (
  link  TEXT    NOT NULL,
  part  INTEGER NOT NULL,
  used  INTEGER NOT NULL, -- grants of the link ever, up to and with this part's
  at_ms INTEGER NOT NULL, -- the newest of its grants
  ids   BLOB    NOT NULL, -- event ids, 16 bytes each
  PRIMARY KEY (link, part)
) WITHOUT ROWID"; // one tree, so one write, where a table and its index would be two

/// What a part's ids may take. At 48 of them the row still fits beside three others in a page of 4 KiB.
pub(super) const PART_MAX_BYTES: usize = 48 * 16;

/// A row of the table, but for its link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its number.
    pub number: i64,
    /// Grants of the link ever, up to and with this part's.
    pub used: i64,
    /// The newest of its grants, epoch ms. Never less than that of the part before.
    pub at_ms: i64,
    /// Event ids.
    pub ids: Vec<u8>,
}

impl Part {
    pub(super) fn write(self, link: &str) -> Statement {
        Statement::new(
            "INSERT INTO grants (link, part, used, at_ms, ids) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (link, part) DO UPDATE SET used = excluded.used, at_ms = excluded.at_ms, ids = excluded.ids",
            [link.into(), self.number.into(), self.used.into(), self.at_ms.into(), self.ids.into()],
        )
    }
}

/// The parts of a link that are still needed, oldest first: `part, used, at_ms, ids`. The newest is, whatever its age,
/// for the count.
pub(super) fn recall(link: &str, since_ms: i64) -> Statement {
    Statement::new(
        "SELECT part, used, at_ms, ids FROM grants
         WHERE link = ?1 AND (at_ms >= ?2 OR part = (SELECT max(part) FROM grants WHERE link = ?1)) ORDER BY part",
        [link.into(), since_ms.into()],
    )
}

/// Removes the parts of a link before `number` whose ids nobody asks for any more.
pub(super) fn prune(link: &str, number: i64, before_ms: i64) -> Statement {
    Statement::new(
        "DELETE FROM grants WHERE link = ?1 AND part < ?2 AND at_ms < ?3",
        [link.into(), number.into(), before_ms.into()],
    )
}

/// Removes everything about a link.
pub(super) fn forget(link: &str) -> Statement {
    Statement::new("DELETE FROM grants WHERE link = ?1", [link.into()])
}
