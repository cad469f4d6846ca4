//! The eraser: it takes something out of the archive's rows and objects while others gather and read them. Not the people:
//! the checker works out from the lines what journeys have to say.

use analytics::archive::{Line, read, renamed, whose};
use analytics::erasure::{replace_body, replace_object, writing};
use analytics::{Statement, erasure};

use super::world::World;

/// How far it is with one row.
#[derive(Default)]
pub(crate) enum Eraser {
    #[default]
    Idle,
    /// It has read a row's lines, and rewritten them.
    Read { seq: i64, name: Option<String>, before: i64, text: String, gone: Vec<String> },
    /// It has written the object, and is about to name it.
    Written { statements: Vec<Statement>, old: Option<String>, gone: Vec<String> },
}

/// What it takes out: nobody reads it back.
const _: () = assert!(analytics::RULES_VERSION == 5, "the mark is of other rules");
pub(crate) const MARK: &str = ",\"rules_version\":5";

/// Of whose lines: every third visitor's.
fn is_gone(line: &str) -> bool {
    whose(line).and_then(|named| named.keys.first().copied()).is_some_and(|key| key.as_bytes()[15] % 3 == 0)
}

impl World {
    /// The next step.
    pub(crate) fn step_eraser(&mut self) {
        if self.d1_down || self.eraser_chance.once_in(12) {
            self.eraser = Eraser::Idle;
            return;
        }
        self.eraser = match std::mem::take(&mut self.eraser) {
            Eraser::Idle => self.read_row(),
            Eraser::Read { seq, name: None, before, text, gone } => {
                let statements = replace_body(seq, before, &text, text.len() as i64).to_vec();
                Eraser::Written { statements, old: None, gone }
            }
            Eraser::Read { seq, name: Some(old), text, gone, .. } => {
                let new = renamed(&old, u128::from_ne_bytes(self.eraser_chance.bytes()));
                self.d1.run(&writing(&new, self.now_ms)).unwrap();
                let statements = replace_object(seq, &old, &new, text.len() as i64, self.now_ms).to_vec();
                self.bucket.insert(new, text);
                Eraser::Written { statements, old: Some(old), gone }
            }
            Eraser::Written { statements, old, gone } => {
                if self.d1.transact(&statements).is_ok() {
                    self.reached.insert("a row of whom somebody was erased");
                    self.erased.extend(gone);
                    if let Some(old) = old {
                        self.bucket.remove(&old);
                        self.d1.run(&erasure::cleared(&[old])).unwrap();
                    }
                }
                Eraser::Idle
            }
        };
    }

    fn read_row(&mut self) -> Eraser {
        let newest = self.d1.number("SELECT coalesce(max(seq), 0) FROM archive");
        let after = self.eraser_chance.below(newest.max(1) as usize % 1_000_000 + 1) as i64;
        let rows = self.d1.rows(&erasure::lines(newest - after, newest, i64::MAX >> 11), |row| {
            Ok((row.get(0)?, row.get::<_, Option<String>>(1)?, row.get::<_, Option<String>>(2)?, row.get(3)?))
        });
        let Some((seq, name, body, before)) = rows.into_iter().next() else { return Eraser::Idle };
        let whole = name.as_ref().map_or_else(|| body.unwrap(), |name| self.bucket[name].clone());
        let (mut text, mut gone) = (String::new(), Vec::new());
        for line in whole.split_inclusive('\n') {
            if !is_gone(line) {
                text.push_str(line);
                continue;
            }
            text.push_str(&line.replace(MARK, ""));
            if let Ok(Line::Event { raw, .. }) = read(line) {
                gone.push(raw.sub[0].to_string());
            }
        }
        if text == whole { Eraser::Idle } else { Eraser::Read { seq, name, before, text, gone } }
    }
}
