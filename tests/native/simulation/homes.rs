//! Several databases: one more is added while everything goes on, and readers that see first one and then the other.

use std::collections::BTreeSet;

use analytics::homes::{Homes, noted};
use analytics::page::{Level, Page, pages_of};
use analytics::report::query::Query;
use analytics::report::reads;
use analytics::segment::{PARTITIONS, add_segment, partition};
use analytics::{Kind, Scope, Statement, StatsAggregate};
use rusqlite::Row;

use super::folder::{Folder, page_row};
use super::world::{Broken, World};
use crate::database::Database;

/// A segment: partition, origin, body.
pub(crate) type Segment = (u8, String, String);

/// A reader that has the segments of everybody's clicks, and is about to read the pages.
pub(crate) struct Reader {
    segments: Vec<Segment>,
    /// How many clicks there were by then.
    clicks: u64,
    at_ms: i64,
}

impl World {
    /// The database of this number.
    pub(crate) fn database(&self, home: usize) -> &Database {
        home.checked_sub(1).map_or(&self.d1, |away| &self.away[away])
    }

    /// The operator adds a database, while no consumer runs: folders of before are gone, wherever they were.
    pub(crate) fn add_database(&mut self) {
        let counts: Vec<u8> = (1..=self.databases + 1).collect();
        if let [before @ .., now] = &counts[..]
            && usize::from(*now) <= 1 + self.away.len()
        {
            self.folders.iter_mut().for_each(|folder| *folder = Folder::default());
            self.homes = Homes::new(before, usize::from(*now)).unwrap();
            self.databases += 1;
            self.reached.insert("a database that was added");
        }
    }

    /// The rows that a statement finds in each home of a partition.
    pub(crate) fn page_rows<T>(
        &self,
        part: u8,
        statement: &Statement,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Vec<T> {
        let homes = self.homes.all(part);
        homes.into_iter().flat_map(|home| self.database(home).rows(statement, &read)).collect()
    }

    /// Segments without those that pages hold already.
    pub(crate) fn not_noted(&self, segments: Vec<Segment>) -> Vec<String> {
        let parts: Vec<u8> = (0..PARTITIONS).collect();
        let noted: BTreeSet<(u8, String)> = self
            .away
            .iter()
            .flat_map(|away| away.rows(&noted(&parts), |row| Ok((row.get(0)?, row.get(1)?))))
            .collect();
        let known = |part: u8, origin: &str| {
            self.broken != Some(Broken::ReaderKnowsNoNotes) && noted.contains(&(part, origin.to_owned()))
        };
        segments
            .into_iter()
            .filter(|(part, origin, _)| !known(*part, origin))
            .map(|(.., body)| body)
            .collect()
    }

    /// The next step of a reader, where it takes two: segments first, then pages. It sees no less than there was when it
    /// began, and no more than there is when it ends.
    pub(crate) fn step_reader(&mut self) -> Result<(), String> {
        if self.homes.of(partition(&Scope::All)) == 0 {
            return Ok(());
        }
        let now = self.segments_of_all();
        match self.reader.take() {
            None => {
                self.reader =
                    Some(Reader { clicks: self.clicks(now.clone()), segments: now, at_ms: self.now_ms });
            }
            // No request takes so long that the notes of then are forgotten.
            Some(reader) if self.now_ms - reader.at_ms > 60_000 => {}
            Some(reader) => {
                let (least, most) = (reader.clicks, self.clicks(now));
                let seen = self.clicks(reader.segments);
                if !(least..=most).contains(&seen) {
                    return Err(format!("a reader saw {seen} clicks, of {least} to {most}"));
                }
            }
        }
        Ok(())
    }

    fn segments_of_all(&self) -> Vec<Segment> {
        let part = partition(&Scope::All);
        let [_, segments] = reads(&Query::parse("", self.now_ms, |_, _, _| None).unwrap());
        assert_eq!(segments.params, [i64::from(part).into()]);
        self.d1.rows(&segments, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
    }

    /// Everybody's clicks: those of these segments, and those of the pages as they are.
    fn clicks(&self, segments: Vec<Segment>) -> u64 {
        let days = Statement::new(
            "SELECT level, scope, page, chunk, totals, detail, visitors FROM sums WHERE level = 'd' AND scope = '*'",
            [],
        );
        let mut page = Page::new();
        for row in self.page_rows(partition(&Scope::All), &days, page_row) {
            row.add_to(&mut page).unwrap();
        }
        let mut live = StatsAggregate::default();
        for body in self.not_noted(segments) {
            add_segment(&mut live, &body, |_, scope| *scope == Scope::All).unwrap();
        }
        let live = pages_of(&live, Level::Day);
        let sheets = page.values().chain(live.values().flat_map(Page::values));
        sheets.map(|sheet| sheet.totals.admitted(Kind::Click)).sum()
    }
}

/// One database, as everybody begins.
pub(crate) fn one() -> Homes {
    Homes::new(&[], 1).unwrap()
}
