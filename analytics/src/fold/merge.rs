//! Merging: an aggregate's pages with the rows that are there.

use std::collections::BTreeMap;

use serde_json::json;

use crate::aggregate::StatsAggregate;
use crate::page::{Page, PageKey, PageRow, pages};
use crate::segment::Unreadable;
use crate::statement::Statement;

/// D1 takes parameters of at most 2 MB.
const PARAMETER_BYTES: usize = 1_000_000;

/// Which pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Set {
    /// Those that reports are made of.
    Kept,
    /// Those that a rebuild makes.
    Rebuilt,
}

/// A statement's text for either set: it has to be constant.
macro_rules! on {
    ($set:expr, $before:literal, $behind:literal) => {
        match $set {
            Set::Kept => concat!($before, "sums", $behind),
            Set::Rebuilt => concat!($before, "sums_rebuilt", $behind),
        }
    };
}

/// Pages on their way: what is to be added, then the sum of it and what was read.
#[derive(Debug)]
pub struct Merge {
    set: Set,
    pages: BTreeMap<PageKey, Page>,
    chunks: BTreeMap<PageKey, i64>,
}

impl Merge {
    /// The pages that an aggregate adds to.
    pub fn of(aggregate: &StatsAggregate, set: Set) -> Self {
        Self { set, pages: pages(aggregate), chunks: BTreeMap::new() }
    }

    /// The pages as they are: `level, scope, page, chunk, totals, detail, visitors`.
    pub fn read(&self) -> Vec<Statement> {
        let keys: Vec<_> =
            self.pages.keys().map(|key| json!([key.level.code(), key.scope.key(), key.start_ms])).collect();
        let sql = on!(
            self.set,
            "SELECT level, scope, page, chunk, totals, detail, visitors FROM json_each(?1) AS k JOIN ",
            " ON level = k.value ->> 0 AND scope = k.value ->> 1 AND page = k.value ->> 2"
        );
        keys.chunks(2_000).map(|keys| Statement::new(sql, [json!(keys).to_string().into()])).collect()
    }

    /// Adds a row that [`Merge::read`] found.
    ///
    /// # Errors
    /// The page cannot be read: adding to it would lose what it holds, so nothing is to be written.
    pub fn add(&mut self, row: &PageRow) -> Result<(), Unreadable> {
        let page = self.pages.entry(row.key.clone()).or_default();
        row.add_to(page)?;
        let chunks = self.chunks.entry(row.key.clone()).or_default();
        *chunks = (*chunks).max(row.chunk + 1);
        Ok(())
    }

    /// What puts the sums in the place of the rows that were read.
    pub fn write(&self) -> Vec<Statement> {
        let rows: Vec<PageRow> = self.pages.iter().flat_map(|(key, page)| PageRow::of(key, page)).collect();
        // Rows come in the order of their pages and chunks.
        let kept = |key: &PageKey, chunk: i64| {
            rows.binary_search_by(|row| (&row.key, row.chunk).cmp(&(key, chunk))).is_ok()
        };
        let delete =
            on!(self.set, "DELETE FROM ", " WHERE level = ?1 AND scope = ?2 AND page = ?3 AND chunk = ?4");
        let mut statements = Vec::new();
        for (key, chunks) in &self.chunks {
            for chunk in (0..*chunks).filter(|&chunk| !kept(key, chunk)) {
                let params =
                    [key.level.code().into(), key.scope.key().into(), key.start_ms.into(), chunk.into()];
                statements.push(Statement::new(delete, params));
            }
        }
        self.upsert(&rows, &mut statements);
        statements
    }

    fn upsert(&self, rows: &[PageRow], statements: &mut Vec<Statement>) {
        let sql = on!(
            self.set,
            "INSERT INTO ",
            " (level, scope, page, chunk, totals, detail, visitors) \
             SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6 \
             FROM json_each(?1) WHERE true ON CONFLICT DO UPDATE SET \
             totals = excluded.totals, detail = excluded.detail, visitors = excluded.visitors"
        );
        let (mut batch, mut bytes) = (Vec::new(), 0);
        let mut flush = |batch: &mut Vec<serde_json::Value>| {
            let rows = json!(std::mem::take(batch)).to_string();
            statements.push(Statement::new(sql, [rows.into()]));
        };
        for row in rows {
            let size = row.totals.len() + row.detail.len() + row.visitors.len() + 100;
            if bytes > 0 && bytes + size > PARAMETER_BYTES {
                flush(&mut batch);
                bytes = 0;
            }
            bytes += size;
            let key = &row.key;
            batch.push(json!([
                key.level.code(),
                key.scope.key(),
                key.start_ms,
                row.chunk,
                row.totals,
                row.detail,
                row.visitors
            ]));
        }
        if !batch.is_empty() {
            flush(&mut batch);
        }
    }
}
