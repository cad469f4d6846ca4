//! The table `archive`: which lines there are, in the order in which they were counted.
//!
//! A row's number `seq` is given in the transaction that counts its lines, so whoever has read up to a number has read
//! all that will ever be there. Small batches lie in their row until they are gathered into an object; what is gathered
//! keeps the numbers of its rows in `parts`, so that a reader who had read some of them goes on with the next.

use std::fmt::Write;

use serde::Deserialize;
use serde_json::json;

use super::lines::Chunk;
use crate::statement::{Param, Statement};
use crate::time::rfc3339;

/// Rows are gathered when they are this old: at most six objects an hour, $0.02 a month at $4.50 a million.
const GATHER_AGE_MS: i64 = 10 * 60_000;

/// ... or when they have this many bytes; no object has more than about twice that.
pub const GATHER_BYTES: i64 = 4 << 20;

/// So many rows are looked at when a page of an export is laid out: each may cost a query and a read of the bucket, and a
/// request has 1,000 of them.
pub const PAGE_ROWS: i64 = 400;

/// So many rows are forgotten at a time; the bucket deletes up to 1,000 keys in a call.
const FORGET_ROWS: i64 = 500;

/// What lines a row has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    lines: i64,
    events: i64,
    copies: i64,
    first_ms: i64,
    last_ms: i64,
}

impl Span {
    /// Of these chunks together.
    pub fn of(chunks: &[Chunk]) -> Self {
        let one = |chunk: &Chunk| Self {
            lines: chunk.lines,
            events: chunk.events,
            copies: chunk.copies,
            first_ms: chunk.first_ms,
            last_ms: chunk.last_ms,
        };
        chunks.iter().map(one).fold(Self::NOTHING, Self::and)
    }

    const NOTHING: Self = Self { lines: 0, events: 0, copies: 0, first_ms: i64::MAX >> 11, last_ms: 0 };

    fn and(self, other: Self) -> Self {
        Self {
            lines: self.lines + other.lines,
            events: self.events + other.events,
            copies: self.copies + other.copies,
            first_ms: self.first_ms.min(other.first_ms),
            last_ms: self.last_ms.max(other.last_ms),
        }
    }

    fn params(self) -> [Param; 5] {
        [self.lines, self.events, self.copies, self.first_ms, self.last_ms].map(Param::from)
    }
}

/// Where a row's lines are.
#[derive(Debug)]
pub enum Keeping {
    /// In the object of that name, gzip.
    Object(String),
    /// Here, as they are or as gzip in base64, until they are gathered. The two are told apart by their first letter.
    Row(String),
}

/// Adds a row: part of the transaction that counts its lines.
pub fn keep(at_ms: i64, bytes: i64, span: Span, keeping: Keeping) -> Statement {
    let (name, body) = match keeping {
        Keeping::Object(name) => (name.into(), Param::Null),
        Keeping::Row(body) => (Param::Null, body.into()),
    };
    let params = [at_ms.into(), bytes.into(), name, body].into_iter().chain(span.params());
    Statement::new(
        "INSERT INTO archive (at_ms, bytes, name, body, lines, events, copies, first_ms, last_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params,
    )
}

/// The folder of the objects that are written in an hour. It is not the hour of the events: then a batch would be as many
/// objects as there are hours in it, and nobody could tell when an hour is complete.
pub fn partition(at_ms: i64) -> String {
    let time = rfc3339(at_ms);
    let (date, rest) = time.split_once('T').unwrap_or_default();
    format!("events/date={date}/hour={}/", rest.get(..2).unwrap_or_default())
}

/// Which of these objects have a row, or are being written in another's place: `name`.
pub fn named(names: &[String]) -> Statement {
    Statement::new(
        "SELECT value AS name FROM json_each(?1) WHERE value IN (SELECT name FROM archive WHERE name IS NOT NULL) \
         OR value IN (SELECT name FROM erasure_objects)",
        [json!(names).to_string().into()],
    )
}

/// Lays out the lines behind `after` of events in a time: first the rows `seq, lines`, then the newest row there is,
/// `seq`.
pub fn page(after: i64, (from_ms, to_ms): (i64, i64)) -> [Statement; 2] {
    let rows = "SELECT seq, lines FROM archive WHERE seq > ?1 AND last_ms >= ?2 AND first_ms < ?3 ORDER BY seq LIMIT ?4";
    let params = [after.into(), from_ms.into(), to_ms.into(), PAGE_ROWS.into()];
    [Statement::new(rows, params), Statement::new("SELECT coalesce(max(seq), 0) AS seq FROM archive", [])]
}

/// The first row behind `after` with lines of events in a time: `seq, name, body, parts, lines`.
pub fn next(after: i64, (from_ms, to_ms): (i64, i64)) -> Statement {
    Statement::new(
        "SELECT seq, name, body, parts, lines FROM archive \
         WHERE seq > ?1 AND last_ms >= ?2 AND first_ms < ?3 ORDER BY seq LIMIT 1",
        [after.into(), from_ms.into(), to_ms.into()],
    )
}

/// Of a row's text, the lines whose numbers are behind `after` and up to `upto`. `parts` is the row's column:
/// `[[seq, lines], ...]`, without which all of it has the row's number.
pub fn part<'t>(text: &'t str, seq: i64, parts: Option<&str>, (after, upto): (i64, i64)) -> &'t str {
    let parts: Vec<(i64, usize)> =
        parts.and_then(|parts| serde_json::from_str(parts).ok()).unwrap_or_default();
    if parts.is_empty() {
        return if (after + 1..=upto).contains(&seq) { text } else { "" };
    }
    let skipped = parts.iter().filter(|(seq, _)| *seq <= after).map(|(_, lines)| lines).sum();
    let taken =
        parts.iter().filter(|(seq, _)| (after + 1..=upto).contains(seq)).map(|(_, lines)| lines).sum();
    let rest = text.get(end_of(text, skipped)..).unwrap_or_default();
    rest.get(..end_of(rest, taken)).unwrap_or_default()
}

/// Where so many lines end.
fn end_of(text: &str, lines: usize) -> usize {
    match lines.checked_sub(1) {
        None => 0,
        Some(last) => text
            .bytes()
            .enumerate()
            .filter(|(_, byte)| *byte == b'\n')
            .nth(last)
            .map_or(text.len(), |(at, _)| at + 1),
    }
}

/// A row that waits to be gathered.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[allow(missing_docs)] // the columns of the table
pub struct Waiting {
    pub seq: i64,
    pub at_ms: i64,
    pub bytes: i64,
    pub lines: i64,
    pub events: i64,
    pub copies: i64,
    pub first_ms: i64,
    pub last_ms: i64,
}

/// Up to where rows have been gathered, `value`; and the oldest that wait: the columns of [`Waiting`].
pub fn waiting() -> [Statement; 2] {
    [
        Statement::new("SELECT value FROM archive_marks WHERE name = 'gathered'", []),
        Statement::new(
            "SELECT seq, at_ms, bytes, lines, events, copies, first_ms, last_ms FROM archive \
             WHERE seq > (SELECT value FROM archive_marks WHERE name = 'gathered') AND body IS NOT NULL \
             ORDER BY seq LIMIT 2000",
            [],
        ),
    ]
}

/// What the rows that wait have together, `bytes`.
pub fn waiting_bytes() -> Statement {
    Statement::new(
        "SELECT coalesce(sum(bytes), 0) AS bytes FROM archive \
         WHERE seq > (SELECT value FROM archive_marks WHERE name = 'gathered') AND body IS NOT NULL",
        [],
    )
}

/// Rows that become one object.
#[derive(Debug, PartialEq, Eq)]
pub struct Run {
    /// The first number.
    pub first: i64,
    /// The last number, which the object's row will have.
    pub last: i64,
    /// When the first of them was counted.
    pub at_ms: i64,
    span: Span,
    parts: Vec<(i64, i64)>,
}

/// What of the waiting rows is to be gathered now. Only rows that follow each other, so that numbers stay in order.
pub fn run(waiting: &[Waiting], now_ms: i64) -> Option<Run> {
    let first = waiting.first()?;
    let mut bytes = 0;
    let together = waiting.iter().zip(first.seq..).take_while(|(row, seq)| {
        let room = bytes < GATHER_BYTES;
        bytes += row.bytes;
        room && row.seq == *seq
    });
    let rows: Vec<&Waiting> = together.map(|(row, _)| row).collect();
    let last = rows.last()?;
    // It grows no more, or it has waited long enough.
    let due = rows.len() < waiting.len() || bytes >= GATHER_BYTES || now_ms - first.at_ms >= GATHER_AGE_MS;
    due.then(|| Run {
        first: first.seq,
        last: last.seq,
        at_ms: first.at_ms,
        span: rows.iter().fold(Span::NOTHING, |span, row| {
            span.and(Span {
                lines: row.lines,
                events: row.events,
                copies: row.copies,
                first_ms: row.first_ms,
                last_ms: row.last_ms,
            })
        }),
        parts: rows.iter().map(|row| (row.seq, row.lines)).collect(),
    })
}

/// The texts of a run, in order: `body`.
pub fn waiting_texts(run: &Run) -> Statement {
    Statement::new(
        "SELECT body FROM archive WHERE seq BETWEEN ?1 AND ?2 AND body IS NOT NULL ORDER BY seq",
        [run.first.into(), run.last.into()],
    )
}

/// The transaction that puts an object in the place of its rows. If somebody has gathered since `mark` was read, or somebody
/// was erased from the rows, which makes them shorter, it fails as a whole: a mark without a name is refused.
pub fn gathered(run: &Run, mark: i64, name: &str, bytes: i64) -> [Statement; 4] {
    let insert =
        [run.last.into(), run.at_ms.into(), bytes.into(), name.into(), json!(run.parts).to_string().into()];
    [
        Statement::new(
            "INSERT INTO archive_marks (name, value) \
             SELECT NULL, 0 FROM archive_marks WHERE name = 'gathered' AND (value <> ?1 \
             OR (SELECT sum(bytes) FROM archive WHERE seq BETWEEN ?2 AND ?3) <> ?4)",
            [mark.into(), run.first.into(), run.last.into(), bytes.into()],
        ),
        Statement::new(
            "DELETE FROM archive WHERE seq BETWEEN ?1 AND ?2",
            [run.first.into(), run.last.into()],
        ),
        Statement::new(
            "INSERT INTO archive (seq, at_ms, bytes, name, parts, lines, events, copies, first_ms, last_ms) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            insert.into_iter().chain(run.span.params()),
        ),
        Statement::new("UPDATE archive_marks SET value = ?1 WHERE name = 'gathered'", [run.last.into()]),
    ]
}

/// The oldest rows, if they are older than `before_ms`: `seq, name`. The newest row of all stays, because the next
/// number is one more than it.
pub fn forget(before_ms: i64) -> Statement {
    Statement::new(
        "SELECT seq, name FROM (SELECT seq, name, at_ms FROM archive ORDER BY seq LIMIT ?2) \
         WHERE at_ms < ?1 AND name IS NOT NULL AND seq < (SELECT max(seq) FROM archive)",
        [before_ms.into(), FORGET_ROWS.into()],
    )
}

/// Removes rows whose objects are deleted.
pub fn forgotten(seqs: &[i64]) -> Statement {
    Statement::new(
        "DELETE FROM archive WHERE seq IN (SELECT value FROM json_each(?1))",
        [json!(seqs).to_string().into()],
    )
}

/// The hour since the epoch up to which objects without a row are gone, `value`; and what notes it.
pub fn swept() -> (Statement, fn(i64) -> Statement) {
    let read = Statement::new("SELECT value FROM archive_marks WHERE name = 'swept'", []);
    (read, |hour| Statement::new("UPDATE archive_marks SET value = ?1 WHERE name = 'swept'", [hour.into()]))
}

/// A name that nobody else has: a try that failed and the one after it never share an object.
pub fn object_name(at_ms: i64, random: u128) -> String {
    let mut name = partition(at_ms);
    // `fmt::Write` for a String cannot fail.
    let _ = write!(name, "{at_ms:013}-{random:032x}.ndjson.gz");
    name
}

/// A name for what takes an object's place: in the same folder, so that the hour in which it was written stays told.
pub fn renamed(name: &str, random: u128) -> String {
    let (before, _) = name.rsplit_once('-').unwrap_or((name, ""));
    format!("{before}-{random:032x}.ndjson.gz")
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: i64 = 1_790_000_000_000;

    fn row(seq: i64, at_ms: i64, bytes: i64) -> Waiting {
        Waiting { seq, at_ms, bytes, lines: 2, events: 1, copies: 3, first_ms: at_ms - seq, last_ms: at_ms }
    }

    #[test]
    fn an_object_lies_in_its_hour() {
        let name = object_name(T, 0xab);
        let hour = "events/date=2026-09-21/hour=14/";
        assert_eq!(partition(T), hour);
        assert_eq!(name, format!("{hour}1790000000000-000000000000000000000000000000ab.ndjson.gz"));
    }

    #[test]
    fn rows_are_gathered_when_they_are_old_or_many_or_grow_no_more() {
        let young = [row(5, T, 10), row(6, T + 1, 10)];
        assert_eq!(run(&young, T + 1), None);
        let old = run(&young, T + GATHER_AGE_MS).unwrap();
        assert_eq!((old.first, old.last, old.at_ms, old.parts), (5, 6, T, vec![(5, 2), (6, 2)]));
        assert_eq!(old.span, Span { lines: 4, events: 2, copies: 6, first_ms: T - 5, last_ms: T + 1 });
        assert_eq!(
            run(&[row(5, T, 10), row(7, T, 10)], T).unwrap().last,
            5,
            "six went straight into the bucket"
        );
        let many = [row(5, T, GATHER_BYTES), row(6, T, 10)];
        assert_eq!(run(&many[..1], T).unwrap().last, 5);
        assert_eq!(run(&many, T).unwrap().last, 5);
        assert_eq!(run(&[], T), None);
    }

    #[test]
    fn of_gathered_lines_a_reader_gets_those_that_are_new_to_it() {
        let (text, parts) = ("a\nb\nc\nd\n", Some("[[5,1],[6,2],[9,1]]"));
        for (after, upto, expected) in [
            (0, 9, text),
            (5, 9, "b\nc\nd\n"),
            (6, 9, "d\n"),
            (6, 8, ""),
            (0, 6, "a\nb\nc\n"),
            (5, 6, "b\nc\n"),
            (9, 20, ""),
        ] {
            assert_eq!(part(text, 9, parts, (after, upto)), expected, "{after} {upto}");
        }
        assert_eq!(part(text, 9, None, (8, 9)), text);
        assert_eq!((part(text, 9, None, (9, 10)), part(text, 9, None, (3, 8))), ("", ""));
        assert_eq!(part("a\n", 9, Some("[[9,7]]"), (0, 9)), "a\n", "fewer lines than promised");
    }
}
