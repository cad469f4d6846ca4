//! The tables of a journal, in its object's own database.

use analytics::{Param, Statement};

use super::shelf::Place;

/// What a page says that nobody is due in: the largest number that crosses into JavaScript as it is.
pub(super) const NEVER: i64 = (1 << 53) - 1;

/// How many pieces a page has at most: columns, so that who looks for one visitor is given the piece that he is in and
/// not the page, while a page is one row.
pub(super) const PIECES: usize = 8;

/// A journal's entries, newest last; runs, and their pages.
///
/// An entry holds what was written of the visitors that a call touched *and* what followed from it: one row, so that
/// neither can be there without the other.
///
/// Pages are `leaves`, found by a number. In `pages` lie those of before, until they are merged: without a rowid all of a
/// row is its key to `SQLite`, which reads some of its neighbours, a quarter of a megabyte each, to find one.
pub const SCHEMA: [&str; 5] = [
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
    "CREATE TABLE IF NOT EXISTS leaves (
  leaf       INTEGER PRIMARY KEY, -- those of a run follow one another; without a run they are what a crash left of a merge
  run        INTEGER NOT NULL,
  tier       INTEGER NOT NULL,
  firsts     BLOB    NOT NULL, -- the first key of each piece
  due_ms     INTEGER NOT NULL, -- as in pages
  expires_ms INTEGER NOT NULL,
  filter     BLOB    NOT NULL,
  p0 BLOB NOT NULL, p1 BLOB NOT NULL, p2 BLOB NOT NULL, p3 BLOB NOT NULL,
  p4 BLOB NOT NULL, p5 BLOB NOT NULL, p6 BLOB NOT NULL, p7 BLOB NOT NULL
)",
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

/// Removes the pages of a run of before.
pub(super) fn delete_pages(run: i64, tier: i64) -> Statement {
    Statement::new("DELETE FROM pages WHERE run = ?1 AND tier = ?2", [run.into(), tier.into()])
}

/// Removes pages by their numbers.
pub(super) fn delete_leaves(from: i64, upto: i64) -> Statement {
    Statement::new("DELETE FROM leaves WHERE leaf BETWEEN ?1 AND ?2", [from.into(), upto.into()])
}

/// `leaf, run, tier, firsts, due_ms, expires_ms, filter` of every page.
pub(super) fn leaves() -> Statement {
    Statement::new("SELECT leaf, run, tier, firsts, due_ms, expires_ms, filter FROM leaves ORDER BY leaf", [])
}

/// The same of every page of before, which has no number.
pub(super) fn pages() -> Statement {
    Statement::new(
        "SELECT 0, run, tier, first, due_ms, expires_ms, filter FROM pages ORDER BY run, tier, page",
        [],
    )
}

/// What a page of before holds.
pub(super) fn page(run: i64, tier: i64, page: i64) -> Statement {
    Statement::new(
        "SELECT body FROM pages WHERE run = ?1 AND tier = ?2 AND page = ?3",
        [run.into(), tier.into(), page.into()],
    )
}

/// A page's pieces.
pub(super) fn leaf(leaf: i64) -> Statement {
    Statement::new("SELECT p0, p1, p2, p3, p4, p5, p6, p7 FROM leaves WHERE leaf = ?1", [leaf.into()])
}

/// A piece of a page.
pub(super) fn piece(leaf: i64, piece: i64) -> Statement {
    Statement::new(
        "SELECT CASE ?2 WHEN 0 THEN p0 WHEN 1 THEN p1 WHEN 2 THEN p2 WHEN 3 THEN p3 \
         WHEN 4 THEN p4 WHEN 5 THEN p5 WHEN 6 THEN p6 ELSE p7 END FROM leaves WHERE leaf = ?1",
        [leaf.into(), piece.into()],
    )
}

/// Writes a page.
pub(super) fn insert_leaf(
    key: [i64; 3],
    firsts: Vec<u8>,
    times: [i64; 2],
    filter: Vec<u8>,
    pieces: [Vec<u8>; PIECES],
) -> Statement {
    let [leaf, run, tier] = key.map(Param::from);
    let [due_ms, expires_ms] = times.map(Param::from);
    let head = [leaf, run, tier, firsts.into(), due_ms, expires_ms, filter.into()];
    Statement::new(
        "INSERT INTO leaves (leaf, run, tier, firsts, due_ms, expires_ms, filter, p0, p1, p2, p3, p4, p5, p6, p7) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        head.into_iter().chain(pieces.map(Param::from)),
    )
}

/// Puts other records in the place of those that are there; of a page, in that of one piece.
pub(super) fn rewrite(place: Place, piece: i64, records: Vec<u8>) -> Statement {
    match place {
        Place::Entry(seq) => {
            Statement::new("UPDATE entries SET records = ?2 WHERE seq = ?1", [seq.into(), records.into()])
        }
        Place::Page { run, tier, page } => Statement::new(
            "UPDATE pages SET body = ?4 WHERE run = ?1 AND tier = ?2 AND page = ?3",
            [run.into(), tier.into(), page.into(), records.into()],
        ),
        Place::Leaf(leaf) => Statement::new(
            "UPDATE leaves SET p0 = iif(?2 = 0, ?3, p0), p1 = iif(?2 = 1, ?3, p1), \
             p2 = iif(?2 = 2, ?3, p2), p3 = iif(?2 = 3, ?3, p3), p4 = iif(?2 = 4, ?3, p4), \
             p5 = iif(?2 = 5, ?3, p5), p6 = iif(?2 = 6, ?3, p6), p7 = iif(?2 = 7, ?3, p7) WHERE leaf = ?1",
            [leaf.into(), piece.into(), records.into()],
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
pub(super) fn delete_orphans() -> [Statement; 2] {
    [
        "DELETE FROM pages WHERE (run, tier) NOT IN (SELECT run, tier FROM runs)",
        "DELETE FROM leaves WHERE (run, tier) NOT IN (SELECT run, tier FROM runs)",
    ]
    .map(|sql| Statement::new(sql, []))
}

/// The value of a fact.
pub(super) fn fact(name: &'static str) -> Statement {
    Statement::new("SELECT value FROM facts WHERE name = ?1", [name.into()])
}

/// Keeps a fact.
pub(super) fn put_fact(name: &'static str, value: i64) -> Statement {
    Statement::new("INSERT OR REPLACE INTO facts (name, value) VALUES (?1, ?2)", [name.into(), value.into()])
}
