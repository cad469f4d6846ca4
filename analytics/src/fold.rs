//! Folding: segments into pages, in one transaction that either does all of it or nothing. Where they lie in two
//! databases, see [`crate::homes`].

mod merge;

use crate::aggregate::StatsAggregate;
use crate::homes::{note, take_away};
use crate::page::PageRow;
use crate::segment::{Unreadable, add_segment};
use crate::statement::Statement;
pub use merge::{Merge, Set};

/// A partition with this many segments is worth folding. Each fold rewrites every page its segments touch, so
/// a larger number costs fewer rows written and more read by each report.
pub const FOLD_AT_SEGMENTS: i64 = 48;

/// A fold takes at most this many segments, which bounds its memory: 96 MB at 1 MB each and twice that unpacked
/// would be too much, but a segment is that large only when the busiest scopes are spread over all partitions.
const FOLD_MOST_SEGMENTS: i64 = 64;

/// A fold on its way: what it read, and what it will write.
#[derive(Debug)]
pub struct Fold {
    part: u8,
    generation: i64,
    origins: Vec<String>,
    merge: Merge,
}

/// How often the partition was folded so far: `generation`.
pub fn read_generation(part: u8) -> Statement {
    Statement::new(
        "SELECT coalesce(max(generation), 0) AS generation FROM folds WHERE part = ?1",
        [i64::from(part).into()],
    )
}

/// The oldest segments of the partition: `origin, body`.
pub fn read_segments(part: u8) -> Statement {
    Statement::new(
        "SELECT origin, body FROM segments WHERE part = ?1 ORDER BY origin LIMIT ?2",
        [i64::from(part).into(), FOLD_MOST_SEGMENTS.into()],
    )
}

/// Segments that gather for a fold, one after the other: all of them are more than anybody should work on in one go.
#[derive(Debug)]
pub struct Gathering {
    part: u8,
    generation: i64,
    origins: Vec<String>,
    aggregate: StatsAggregate,
}

impl Gathering {
    /// Begins with what [`read_generation`] found.
    pub fn new(part: u8, generation: i64) -> Self {
        Self { part, generation, origins: Vec::new(), aggregate: StatsAggregate::default() }
    }

    /// Adds a segment that [`read_segments`] found.
    ///
    /// # Errors
    /// It is of a later version, or damaged: it stays where it is.
    pub fn add(&mut self, origin: String, body: &str) -> Result<(), Unreadable> {
        let mut one = StatsAggregate::default();
        add_segment(&mut one, body, |_, _| true)?;
        self.aggregate.merge(&one);
        self.origins.push(origin);
        Ok(())
    }

    /// The fold of all of them.
    pub fn fold(self) -> Fold {
        let Self { part, generation, origins, aggregate } = self;
        Fold { part, generation, origins, merge: Merge::of(&aggregate, Set::Kept) }
    }
}

impl Fold {
    /// Begins with what [`read_generation`] and [`read_segments`] found. Segments that cannot be read stay where they are,
    /// and are told: the second value.
    pub fn begin(
        part: u8,
        generation: i64,
        segments: &[(String, String)],
    ) -> (Self, Vec<(String, Unreadable)>) {
        let mut gathering = Gathering::new(part, generation);
        let add = |(origin, body): &(String, String)| {
            let added = gathering.add(origin.clone(), body);
            added.err().map(|unreadable| (origin.clone(), unreadable))
        };
        let left = segments.iter().filter_map(add).collect();
        (gathering.fold(), left)
    }

    /// The segments that it takes.
    pub fn origins(&self) -> &[String] {
        &self.origins
    }

    /// Whether there is nothing to fold.
    pub fn is_empty(&self) -> bool {
        self.origins.is_empty()
    }

    /// The pages as they are: `level, scope, page, chunk, totals, detail, visitors`.
    pub fn read_pages(&self) -> Vec<Statement> {
        self.merge.read()
    }

    /// Adds a row that [`Fold::read_pages`] found.
    ///
    /// # Errors
    /// The page cannot be read: folding onto it would lose what it holds, so nothing is written.
    pub fn add(&mut self, row: &PageRow) -> Result<(), Unreadable> {
        self.merge.add(row)
    }

    /// The transaction, where pages and segments are in one database. It fails as a whole, by the primary key of `folds`,
    /// if somebody else folded meanwhile.
    pub fn write(&self) -> Vec<Statement> {
        self.transaction(take_away(self.part, &self.origins))
    }

    /// The transaction where the segments are in another database: they are noted as folded, and have to be taken away
    /// there afterwards. It fails as [`Fold::write`] does.
    pub fn write_away(&self, now_ms: i64) -> Vec<Statement> {
        self.transaction(note(self.part, &self.origins, now_ms))
    }

    fn transaction(&self, segments: Statement) -> Vec<Statement> {
        let (part, generation) = (i64::from(self.part), self.generation + 1);
        let mut statements = vec![
            Statement::new(
                // Not just its own number, which whoever folded after the other has deleted: if any later one is there,
                // that one is inserted again, and fails.
                "INSERT INTO folds (part, generation) \
                 SELECT ?1, max(?2, coalesce(max(generation), 0)) FROM folds WHERE part = ?1",
                [part.into(), generation.into()],
            ),
            Statement::new(
                "DELETE FROM folds WHERE part = ?1 AND generation < ?2",
                [part.into(), generation.into()],
            ),
            segments,
        ];
        statements.extend(self.merge.write());
        statements
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::Scope;
    use crate::page::{Level, Page, PageKey, pages};
    use crate::segment::segments;
    use crate::world::{Happening, NOW, PHONE, event, sums};
    use crate::{Kind, Param, RawEvent};

    fn aggregate(clicks: usize) -> StatsAggregate {
        let raw = RawEvent { user_agent: PHONE.into(), ..event(Kind::Click, NOW, "", "") };
        sums(&vec![Happening::Event(Box::new(raw)); clicks])
    }

    fn segment(origin: &str, clicks: usize) -> (String, String) {
        let [(_, body)] = &segments(&aggregate(clicks))[..] else { panic!("one scope, one segment") };
        (origin.to_owned(), body.clone())
    }

    fn day() -> PageKey {
        PageKey { level: Level::Day, scope: Scope::All, start_ms: NOW - NOW % 86_400_000 }
    }

    fn kept(clicks: usize) -> PageRow {
        PageRow::of(&day(), &pages(&aggregate(clicks))[&day()]).remove(0)
    }

    /// The clicks that the transaction writes into the day's page.
    fn written(fold: &Fold) -> u64 {
        let statements = fold.write();
        let Some([Param::Text(rows)]) = statements.last().map(|statement| &statement.params[..]) else {
            panic!("{statements:?}")
        };
        let rows: Vec<(String, String, i64, i64, String, String, String)> =
            serde_json::from_str(rows).unwrap();
        let (.., chunk, totals, detail, visitors) =
            rows.into_iter().find(|row| row.0 == "d" && row.2 == day().start_ms).unwrap();
        let mut page = Page::new();
        PageRow { key: day(), chunk, totals, detail, visitors }.add_to(&mut page).unwrap();
        page[&day().start_ms].totals.admitted(Kind::Click)
    }

    #[test]
    fn segments_are_added_to_what_the_page_holds() {
        let (mut fold, left) = Fold::begin(4, 7, &[segment("a", 1), segment("b", 2)]);
        assert!(left.is_empty());
        assert_eq!(written(&fold), 3);
        fold.add(&kept(4)).unwrap();
        assert_eq!(written(&fold), 7);
        let statements = fold.write();
        assert_eq!(statements[0].params, [4.into(), 8.into()]);
        assert_eq!(statements[2].params, [4.into(), r#"["a","b"]"#.into()]);
    }

    #[test]
    fn what_cannot_be_read_stays_where_it_is_and_is_told() {
        let damaged = ("a".to_owned(), "!".to_owned());
        let later = ("b".to_owned(), "BA".to_owned());
        let (fold, left) = Fold::begin(0, 0, &[damaged.clone(), later, segment("c", 1)]);
        assert_eq!(left, [("a".to_owned(), Unreadable::Bytes), ("b".to_owned(), Unreadable::Version(4))]);
        assert_eq!(fold.write()[2].params, [0.into(), r#"["c"]"#.into()]);
        assert!(Fold::begin(0, 0, &[damaged]).0.is_empty());
    }

    #[test]
    fn a_damaged_page_stops_the_fold() {
        let (mut fold, _) = Fold::begin(0, 0, &[segment("a", 1)]);
        let damaged = PageRow { totals: "!".to_owned(), ..kept(1) };
        assert_eq!(fold.add(&damaged), Err(Unreadable::Bytes));
    }

    #[test]
    fn rows_that_a_page_no_longer_needs_are_deleted() {
        let (mut fold, _) = Fold::begin(0, 0, &[segment("a", 1)]);
        fold.add(&kept(1)).unwrap();
        fold.add(&PageRow { chunk: 2, ..kept(1) }).unwrap();
        let deleted: Vec<_> = fold
            .write()
            .into_iter()
            .filter(|statement| statement.sql.starts_with("DELETE FROM sums"))
            .map(|statement| statement.params[3].clone())
            .collect();
        assert_eq!(deleted, [1.into(), 2.into()]);
    }
}
