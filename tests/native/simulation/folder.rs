//! Folders: two at a time, each of which may stop between any two of its steps.

use analytics::Scope;
use analytics::fold::{Fold, read_generation, read_segments};
use analytics::homes;
use analytics::page::{Level, PageKey, PageRow};
use rusqlite::Row;

use super::world::{Broken, World};

/// How far a folder is.
#[derive(Default)]
pub(crate) enum Folder {
    #[default]
    Idle,
    /// It knows how often the partition was folded, and which of its segments are noted.
    Begun { part: u8, generation: i64, noted: Vec<String> },
    /// Broken: it has segments, and is about to ask how often the partition was folded.
    Late { part: u8, segments: Vec<(String, String)> },
    /// It has segments, and is about to read their pages.
    Read { part: u8, fold: Fold },
    /// It is about to write.
    Ready { part: u8, fold: Fold },
    /// It has written into another database, and is about to take the segments away.
    Written { part: u8, origins: Vec<String> },
    /// It is about to forget all notes but these.
    Done { part: u8, left: Vec<String> },
}

impl World {
    /// The next step of a folder; it begins with this partition. `false` if there is nothing more to do.
    pub(crate) fn step_folder(&mut self, folder: usize, part: u8) -> bool {
        if !self.readable() {
            self.folders[folder] = Folder::Idle;
            return false;
        }
        let last = matches!(self.folders[folder], Folder::Ready { .. } | Folder::Done { .. });
        let next = match std::mem::take(&mut self.folders[folder]) {
            Folder::Idle => {
                Folder::Begun { part, generation: self.generation(part), noted: self.noted(part) }
            }
            Folder::Begun { part, generation, noted } => {
                let segments = self.d1.rows(&read_segments(part), |row| Ok((row.get(0)?, row.get(1)?)));
                let left = self.d1.rows(&homes::still_there(part, &noted), |row| row.get(1));
                match self.broken {
                    // Somebody stopped before it took them away.
                    _ if !left.is_empty() => Folder::Written { part, origins: left },
                    Some(Broken::FolderReadsGenerationLast) => Folder::Late { part, segments },
                    _ if !noted.is_empty() && self.chance.once_in(2) => Folder::Done { part, left },
                    _ => begin(part, generation, &segments),
                }
            }
            Folder::Late { part, segments } => begin(part, self.generation(part), &segments),
            Folder::Read { part, mut fold } => {
                for statement in fold.read_pages() {
                    for row in self.database(self.homes.of(part)).rows(&statement, page_row) {
                        fold.add(&row).unwrap();
                    }
                }
                Folder::Ready { part, fold }
            }
            Folder::Ready { part, fold } => self.fold(part, &fold),
            Folder::Written { part, origins } => {
                // Whether it is through or not: the next one looks what is there.
                let _ = self.write(&[homes::take_away(part, &origins)]);
                Folder::Idle
            }
            Folder::Done { part, left } => {
                for home in self.homes.all(part) {
                    let _ = self.write_to(home, &[homes::forget(part, &left, self.now_ms)]);
                }
                Folder::Idle
            }
        };
        let more = !matches!(next, Folder::Idle) || last;
        self.folders[folder] = next;
        more
    }

    fn fold(&mut self, part: u8, fold: &Fold) -> Folder {
        let home = self.homes.of(part);
        let away = home > 0;
        let mut statements = if away { fold.write_away(self.now_ms) } else { fold.write() };
        let takes_away = away && self.broken == Some(Broken::FolderTakesAwayFirst);
        if takes_away && self.write(&[homes::take_away(part, fold.origins())]).is_err() {
            return Folder::Idle;
        }
        match self.broken {
            Some(Broken::FolderClaimsNothing) => drop(statements.remove(0)),
            Some(Broken::FolderNotesNothing) if away => drop(statements.remove(2)),
            Some(Broken::FolderForgetsAtOnce) if away => {
                statements.push(homes::forget(part, &[], self.now_ms + 1_000_000));
            }
            _ => {}
        }
        if self.write_to(home, &statements).is_err() {
            return Folder::Idle;
        }
        self.reached.insert("a fold");
        if !away {
            return Folder::Idle;
        }
        self.reached.insert("pages in another database than their segments");
        if self.fails(6) {
            self.reached.insert("segments that were left where they lay");
            return Folder::Idle;
        }
        Folder::Written { part, origins: fold.origins().to_vec() }
    }

    fn generation(&self, part: u8) -> i64 {
        self.database(self.homes.of(part)).rows(&read_generation(part), |row| row.get(0)).pop().unwrap()
    }

    fn noted(&self, part: u8) -> Vec<String> {
        self.page_rows(part, &homes::noted(&[part]), |row| row.get(1))
    }
}

fn begin(part: u8, generation: i64, segments: &[(String, String)]) -> Folder {
    let (fold, left) = Fold::begin(part, generation, segments);
    assert_eq!(left, [], "every segment can be read");
    if fold.is_empty() { Folder::Idle } else { Folder::Read { part, fold } }
}

/// A page as `Fold::read_pages` returns it.
pub(crate) fn page_row(row: &Row<'_>) -> rusqlite::Result<PageRow> {
    let (level, scope): (String, String) = (row.get(0)?, row.get(1)?);
    let (level, scope) = (Level::from_code(&level).unwrap(), Scope::from_key(&scope).unwrap());
    Ok(PageRow {
        key: PageKey { level, scope, start_ms: row.get(2)? },
        chunk: row.get(3)?,
        totals: row.get(4)?,
        detail: row.get(5)?,
        visitors: row.get(6)?,
    })
}
