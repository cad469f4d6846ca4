//! Pages: sums as they are kept, one row for each level, scope and span.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::aggregate::{Scope, StatsAggregate};
use crate::counters::Counters;
use crate::dimension::Dimension;
use crate::segment::{ROW_BYTES, Unreadable, pack, unpack};
use crate::sheet::{Detail, Money, Sheet, add_money};
use crate::uniques::Uniques;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// How finely time is cut, and for how much of it there is one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// By minute, a row an hour; kept for two days.
    Minute,
    /// By quarter of an hour, a row an hour: every time zone of the world is offset by whole quarters, so that
    /// days and hours of any of them can be put together exactly.
    Hour,
    /// By day (UTC), a row a day.
    Day,
    /// The cube: combined dimensions by day (UTC), a row a day.
    Cube,
}

impl Level {
    /// Every level.
    pub const ALL: [Self; 4] = [Self::Minute, Self::Hour, Self::Day, Self::Cube];

    /// The code in D1.
    pub fn code(self) -> &'static str {
        match self {
            Self::Minute => "m",
            Self::Hour => "h",
            Self::Day => "d",
            Self::Cube => "c",
        }
    }

    /// The level of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.code() == code)
    }

    /// The span of one sheet.
    pub fn bucket_ms(self) -> i64 {
        match self {
            Self::Minute => MINUTE_MS,
            Self::Hour => HOUR_MS / 4,
            Self::Day | Self::Cube => DAY_MS,
        }
    }

    /// The span of one page.
    pub fn page_ms(self) -> i64 {
        match self {
            Self::Minute | Self::Hour => HOUR_MS,
            Self::Day | Self::Cube => DAY_MS,
        }
    }

    /// How many values of a dimension a sheet keeps before the rest becomes `(other)`.
    fn cap(self) -> usize {
        match self {
            Self::Minute => 100,
            Self::Hour => 500,
            Self::Day => 2_000,
            Self::Cube => usize::MAX,
        }
    }

    /// Whether a dimension's cells are kept.
    fn keeps(self, code: u8) -> bool {
        (code == Dimension::Cube.code()) == (self == Self::Cube)
    }

    fn bucket(self, at_ms: i64) -> i64 {
        at_ms - at_ms.rem_euclid(self.bucket_ms())
    }

    fn page(self, at_ms: i64) -> i64 {
        at_ms - at_ms.rem_euclid(self.page_ms())
    }
}

/// Which page.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PageKey {
    /// How fine.
    pub level: Level,
    /// Whose.
    pub scope: Scope,
    /// Epoch ms of its start.
    pub start_ms: i64,
}

/// The sheets of a page by the start of their span, epoch ms.
pub type Page = BTreeMap<i64, Sheet>;

/// A page, or a part of a large one, as a row of D1. Parts of a page are added up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRow {
    /// Which page.
    pub key: PageKey,
    /// Which part of it.
    pub chunk: i64,
    /// Packed totals by span.
    pub totals: String,
    /// Packed cells by span.
    pub detail: String,
    /// Packed visitors by span.
    pub visitors: String,
}

/// The pages that an aggregate adds to.
pub fn pages(aggregate: &StatsAggregate) -> BTreeMap<PageKey, Page> {
    let mut pages = BTreeMap::new();
    for level in Level::ALL {
        pages.extend(pages_of(aggregate, level));
    }
    pages
}

/// Its pages of one level.
pub fn pages_of(aggregate: &StatsAggregate, level: Level) -> BTreeMap<PageKey, Page> {
    let mut pages: BTreeMap<PageKey, Page> = BTreeMap::new();
    for ((minute_ms, scope), sheet) in &aggregate.sheets {
        if !scope.keeps(level) {
            continue;
        }
        let key = PageKey { level, scope: scope.clone(), start_ms: level.page(*minute_ms) };
        let mine = pages.entry(key).or_default().entry(level.bucket(*minute_ms)).or_default();
        mine.totals += &sheet.totals;
        add_money(&mut mine.money, &sheet.money);
        mine.detail.merge_where(&sheet.detail, |code| level.keeps(code));
        if level != Level::Cube {
            mine.visitors.merge(&sheet.visitors);
        }
    }
    pages
}

impl PageRow {
    /// The rows of a page.
    pub fn of(key: &PageKey, page: &Page) -> Vec<Self> {
        // A list of pairs is stored as a map is.
        let totals: Vec<(i64, (Counters, &Money))> =
            page.iter().map(|(&at, sheet)| (at, (sheet.totals, &sheet.money))).collect();
        let visitors: Vec<(i64, &Uniques)> = page.iter().map(|(&at, sheet)| (at, &sheet.visitors)).collect();
        let capped = page.iter().map(|(&at, sheet)| {
            let mut detail = sheet.detail.clone();
            detail.cap(key.level.cap(), |counters| key.scope.size(counters));
            (at, detail)
        });
        let capped: Vec<(i64, Detail)> = capped.collect();
        // A row for as much detail as fits, and the totals and visitors with the first.
        let mut rows = vec![Vec::new()];
        let mut filled = 0;
        for (at, detail) in &capped {
            for piece in detail.pieces(ROW_BYTES) {
                let weight = piece.weight() + 16;
                if filled > 0 && filled + weight > ROW_BYTES {
                    rows.push(Vec::new());
                    filled = 0;
                }
                filled += weight;
                if let Some(row) = rows.last_mut() {
                    row.push((*at, piece));
                }
            }
        }
        let row = |(chunk, detail): (i64, Vec<(i64, Cow<'_, Detail>)>)| Self {
            key: key.clone(),
            chunk,
            totals: if chunk == 0 { pack(&totals) } else { String::new() },
            detail: pack(&detail),
            visitors: if chunk == 0 { pack(&visitors) } else { String::new() },
        };
        (0..).zip(rows).map(row).collect()
    }

    /// Adds the row to a page. A column that was not read, or that the first row has, is empty and adds nothing.
    ///
    /// # Errors
    /// [`Unreadable`]; never a panic, whatever the texts.
    pub fn add_to(&self, page: &mut Page) -> Result<(), Unreadable> {
        if !self.totals.is_empty() {
            for (at, (totals, money)) in unpack::<Vec<(i64, (Counters, Money))>>(&self.totals)? {
                let sheet = page.entry(at).or_default();
                sheet.totals += &totals;
                add_money(&mut sheet.money, &money);
            }
        }
        if !self.detail.is_empty() {
            for (at, detail) in unpack::<Vec<(i64, Detail)>>(&self.detail)? {
                page.entry(at).or_default().detail.merge(&detail);
            }
        }
        if !self.visitors.is_empty() {
            for (at, visitors) in unpack::<Vec<(i64, Uniques)>>(&self.visitors)? {
                page.entry(at).or_default().visitors.merge(&visitors);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
