//! Folders: two at a time, each of which may stop between any two of its steps.

use analytics::Scope;
use analytics::fold::{Fold, read_generation, read_segments};
use analytics::page::{Level, PageKey, PageRow};
use rusqlite::Row;

use super::world::{Broken, World};

/// How far a folder is.
#[derive(Default)]
pub(crate) enum Folder {
    #[default]
    Idle,
    /// It knows how often the partition was folded.
    Begun { part: u8, generation: i64 },
    /// Broken: it has segments, and is about to ask how often the partition was folded.
    Late { part: u8, segments: Vec<(String, String)> },
    /// It has segments, and is about to read their pages.
    Read { fold: Fold },
    /// It is about to write.
    Ready { fold: Fold },
}

impl World {
    /// The next step of a folder; it begins with this partition. `false` if there is nothing more to do.
    pub(crate) fn step_folder(&mut self, folder: usize, part: u8) -> bool {
        if !self.readable() {
            self.folders[folder] = Folder::Idle;
            return false;
        }
        let last = matches!(self.folders[folder], Folder::Ready { .. });
        let next = match std::mem::take(&mut self.folders[folder]) {
            Folder::Idle => Folder::Begun { part, generation: self.generation(part) },
            Folder::Begun { part, generation } => {
                let segments = self.d1.rows(&read_segments(part), |row| Ok((row.get(0)?, row.get(1)?)));
                match self.broken {
                    Some(Broken::FolderReadsGenerationLast) => Folder::Late { part, segments },
                    _ => begin(part, generation, &segments),
                }
            }
            Folder::Late { part, segments } => begin(part, self.generation(part), &segments),
            Folder::Read { mut fold } => {
                for statement in fold.read_pages() {
                    for row in self.d1.rows(&statement, page_row) {
                        fold.add(&row).unwrap();
                    }
                }
                Folder::Ready { fold }
            }
            Folder::Ready { fold } => {
                let mut statements = fold.write();
                if self.broken == Some(Broken::FolderClaimsNothing) {
                    statements.remove(0);
                }
                // Whether it is through or not: the next one reads what is there.
                if self.write(&statements).is_ok() {
                    self.reached.insert("a fold");
                }
                Folder::Idle
            }
        };
        let more = !matches!(next, Folder::Idle) || last;
        self.folders[folder] = next;
        more
    }

    fn generation(&self, part: u8) -> i64 {
        self.d1.rows(&read_generation(part), |row| row.get(0)).pop().unwrap()
    }
}

fn begin(part: u8, generation: i64, segments: &[(String, String)]) -> Folder {
    let (fold, left) = Fold::begin(part, generation, segments);
    assert_eq!(left, [], "every segment can be read");
    if fold.is_empty() { Folder::Idle } else { Folder::Read { fold } }
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
