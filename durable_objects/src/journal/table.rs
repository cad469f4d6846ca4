//! The tables of a journal, in its object's own database.

use analytics::{Param, Statement};

use super::shelf::Place;

/// What a page says that nobody is due in: the largest number that crosses into JavaScript as it is.
pub(super) const NEVER: i64 = (1 << 53) - 1;

/// A journal's entries, newest last; runs, and their pages.
///
/// An entry holds what was written of the visitors that a call touched *and* what followed from it: one row, so that
/// neither can be there without the other.
pub const SCHEMA: [&str; 4] = [
    "CREATE TABLE IF NOT EXISTS entries (
  seq     INTEGER PRIMARY KEY, -- number of its first message; the next entry's is at least `parts` more
  parts   INTEGER NOT NULL,    -- how many messages its frames make
  emitted INTEGER NOT NULL,    -- outcomes ever emitted, this entry's included
  frames  BLOB    NOT NULL,    -- outcomes
  records BLOB    NOT NULL     -- a page
)",
    "CREATE TABLE IF NOT EXISTS runs (
  run  INTEGER NOT NULL, -- number of the first entry in it
  tier INTEGER NOT NULL, -- how often its records were merged
  upto INTEGER NOT NULL, -- number of the last entry in it
  PRIMARY KEY (run, tier)
) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS pages (
  run        INTEGER NOT NULL, -- pages without a run are what a crash left of a merge
  tier       INTEGER NOT NULL,
  page       INTEGER NOT NULL,
  first      BLOB    NOT NULL,
  due_ms     INTEGER NOT NULL, -- when the first of its visitors is due; 2^53 - 1: none is
  expires_ms INTEGER NOT NULL, -- when the last of its records expires
  filter     BLOB    NOT NULL,
  body       BLOB    NOT NULL,
  PRIMARY KEY (run, tier, page)
) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
];

/// `seq, parts, emitted, frames, records` of every entry, oldest first.
pub(super) fn entries() -> Statement {
    Statement::new("SELECT seq, parts, emitted, frames, records FROM entries ORDER BY seq", [])
}

/// The records of an entry.
pub(super) fn entry_records(seq: i64) -> Statement {
    Statement::new("SELECT records FROM entries WHERE seq = ?1", [seq.into()])
}

/// `seq, frames` of the entry that holds a message.
pub(super) fn entry_of_message(number: i64) -> Statement {
    Statement::new(
        "SELECT seq, frames FROM entries WHERE seq <= ?1 ORDER BY seq DESC LIMIT 1",
        [number.into()],
    )
}

/// Writes an entry.
pub(super) fn insert_entry(
    seq: i64,
    parts: i64,
    emitted: i64,
    frames: Vec<u8>,
    records: Vec<u8>,
) -> Statement {
    Statement::new(
        "INSERT INTO entries (seq, parts, emitted, frames, records) VALUES (?1, ?2, ?3, ?4, ?5)",
        [seq.into(), parts.into(), emitted.into(), frames.into(), records.into()],
    )
}

/// Removes entries that were merged.
pub(super) fn delete_entries(from: i64, upto: i64) -> Statement {
    Statement::new("DELETE FROM entries WHERE seq BETWEEN ?1 AND ?2", [from.into(), upto.into()])
}

/// `run, upto, tier` of every run.
pub(super) fn runs() -> Statement {
    Statement::new("SELECT run, upto, tier FROM runs ORDER BY run, tier", [])
}

/// Makes the pages of a merge a run.
pub(super) fn insert_run(run: i64, upto: i64, tier: i64) -> Statement {
    Statement::new(
        "INSERT INTO runs (run, upto, tier) VALUES (?1, ?2, ?3)",
        [run.into(), upto.into(), tier.into()],
    )
}

/// Removes a run that was merged into a larger one.
pub(super) fn delete_run(run: i64, tier: i64) -> Statement {
    Statement::new("DELETE FROM runs WHERE run = ?1 AND tier = ?2", [run.into(), tier.into()])
}

/// Removes the pages of a run.
pub(super) fn delete_pages(run: i64, tier: i64) -> Statement {
    Statement::new("DELETE FROM pages WHERE run = ?1 AND tier = ?2", [run.into(), tier.into()])
}

/// `run, tier, page, first, due_ms, expires_ms, filter` of every page.
pub(super) fn index() -> Statement {
    Statement::new(
        "SELECT run, tier, page, first, due_ms, expires_ms, filter FROM pages ORDER BY run, tier, page",
        [],
    )
}

/// A page's body.
pub(super) fn page(run: i64, tier: i64, page: i64) -> Statement {
    Statement::new(
        "SELECT body FROM pages WHERE run = ?1 AND tier = ?2 AND page = ?3",
        [run.into(), tier.into(), page.into()],
    )
}

/// Writes a page.
pub(super) fn insert_page(
    key: [i64; 3],
    first: Vec<u8>,
    times: [i64; 2],
    filter: Vec<u8>,
    body: Vec<u8>,
) -> Statement {
    let [run, tier, page] = key.map(Param::from);
    let [due_ms, expires_ms] = times.map(Param::from);
    Statement::new(
        "INSERT INTO pages (run, tier, page, first, due_ms, expires_ms, filter, body) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        [run, tier, page, first.into(), due_ms, expires_ms, filter.into(), body.into()],
    )
}

/// Puts other records in the place of those that are there.
pub(super) fn rewrite(place: Place, records: Vec<u8>) -> Statement {
    match place {
        Place::Entry(seq) => {
            Statement::new("UPDATE entries SET records = ?2 WHERE seq = ?1", [seq.into(), records.into()])
        }
        Place::Page { run, tier, page } => Statement::new(
            "UPDATE pages SET body = ?4 WHERE run = ?1 AND tier = ?2 AND page = ?3",
            [run.into(), tier.into(), page.into(), records.into()],
        ),
    }
}

/// Removes the outcomes of entries up to one, whose last message is before `settled`.
pub(super) fn scrub_entries(upto: i64, settled: i64) -> Statement {
    Statement::new(
        "UPDATE entries SET frames = x'' WHERE seq <= ?1 AND seq + max(parts, 1) - 1 < ?2 AND length(frames) > 0",
        [upto.into(), settled.into()],
    )
}

/// Removes what a crash left of a merge.
pub(super) fn delete_orphans() -> Statement {
    Statement::new("DELETE FROM pages WHERE (run, tier) NOT IN (SELECT run, tier FROM runs)", [])
}

/// The value of a fact.
pub(super) fn fact(name: &'static str) -> Statement {
    Statement::new("SELECT value FROM facts WHERE name = ?1", [name.into()])
}

/// Keeps a fact.
pub(super) fn put_fact(name: &'static str, value: i64) -> Statement {
    Statement::new("INSERT OR REPLACE INTO facts (name, value) VALUES (?1, ?2)", [name.into(), value.into()])
}
