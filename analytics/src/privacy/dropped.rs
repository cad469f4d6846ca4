//! How many hits were not recorded, and why: a number for each hour and reason, of nobody in particular.

use serde_json::{Value, json};

use super::Why;
use crate::Statement;

const HOUR_MS: i64 = 3_600_000;

/// Counts of an isolate that are not written yet. A hit that leaves nothing behind is not worth a row: the counts of some
/// seconds share one, and an isolate that goes takes its last few with it.
#[derive(Debug, Default)]
pub struct Dropped {
    counts: Vec<(i64, Why, i64)>,
    written_ms: i64,
}

impl Dropped {
    /// Notes a hit.
    pub fn note(&mut self, why: Why, now_ms: i64) {
        let hour_ms = now_ms - now_ms.rem_euclid(HOUR_MS);
        match self.counts.iter_mut().find(|(hour, known, _)| (*hour, *known) == (hour_ms, why)) {
            Some((.., hits)) => *hits += 1,
            None => self.counts.push((hour_ms, why, 1)),
        }
    }

    /// Whether there is something to be written, and `every_ms` have passed since the last time.
    pub fn is_due(&self, now_ms: i64, every_ms: i64) -> bool {
        !self.counts.is_empty() && now_ms - self.written_ms >= every_ms
    }

    /// What is to be written now.
    pub fn take(&mut self, now_ms: i64, every_ms: i64) -> Vec<Statement> {
        if !self.is_due(now_ms, every_ms) {
            return Vec::new();
        }
        self.written_ms = now_ms;
        let count = |(hour_ms, why, hits): (i64, Why, i64)| {
            Statement::new(
                "INSERT INTO dropped (hour_ms, reason, hits) VALUES (?1, ?2, ?3) \
                 ON CONFLICT DO UPDATE SET hits = hits + excluded.hits",
                [hour_ms.into(), why.name().into(), hits.into()],
            )
        };
        self.counts.drain(..).map(count).collect()
    }
}

/// Reads the counts of the hours that begin in a span, the most first.
pub fn read(from_ms: i64, to_ms: i64) -> Statement {
    Statement::new(
        "SELECT json_object('value', reason, 'hits', SUM(hits)) AS record FROM dropped \
         WHERE hour_ms >= ?1 AND hour_ms < ?2 GROUP BY reason ORDER BY SUM(hits) DESC, reason",
        [(from_ms - from_ms.rem_euclid(HOUR_MS)).into(), to_ms.into()],
    )
}

/// The report with what was dropped; each row is an object of [`read`].
#[must_use]
pub fn told<'r>(mut report: Value, rows: impl Iterator<Item = &'r str>) -> Value {
    let rows: Vec<Value> = rows.filter_map(|row| serde_json::from_str(row).ok()).collect();
    if let Some(members) = report.as_object_mut() {
        members.insert("dropped".to_owned(), json!(rows));
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_some_seconds_share_a_row() {
        let mut dropped = Dropped::default();
        assert!(dropped.take(0, 10_000).is_empty());
        for why in [Why::OptOut, Why::DoNotTrack, Why::OptOut] {
            dropped.note(why, 1_790_000_000_000);
        }
        assert_eq!(dropped.take(1_790_000_000_000, 10_000).len(), 2);
        dropped.note(Why::OptOut, 1_790_000_000_500);
        assert!(dropped.take(1_790_000_009_999, 10_000).is_empty());
        dropped.note(Why::OptOut, 1_790_000_010_000);
        let written = dropped.take(1_790_000_010_000, 10_000);
        assert_eq!(written.len(), 1);
        assert_eq!(
            written.first().map(|s| s.params.clone()),
            Some(vec![1_789_999_200_000_i64.into(), "opt_out".into(), 2_i64.into()])
        );
    }
}
