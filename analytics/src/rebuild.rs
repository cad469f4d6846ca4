//! Rebuilding: sums from nothing but the archive, by the rules of today, beside the sums that are kept; when they hold
//! all that was counted, the two change places in one transaction.
//!
//! Everything that is counted adds to `applied` and to the archive in the same transaction, so that the two are equal at any
//! time or the archive lacks something: then nothing is replaced, because what it lacks would be gone.

use crate::archive::{Copies, Line, read};
use crate::campaign::Campaigns;
use crate::fold::{Merge, Set};
use crate::rollup::Rollup;
use crate::segment::PARTITIONS;
use crate::statement::Statement;
use crate::{AgentCache, Outcome, Verdict, enrich_with};

/// A step takes lines until it has so many: about as many as a consumer's largest batch, so it has the memory.
pub const STEP_LINES: i64 = 10_000;

/// So many pages of an earlier rebuild are cleared at a time.
const CLEAR_ROWS: i64 = 5_000;

/// How far a rebuild is; the columns of its table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
pub struct Progress {
    /// Steps that were taken.
    pub step: i64,
    /// Up to this number of the archive.
    pub seq: i64,
    /// Events that were added, and what followed from journeys.
    pub events: i64,
    /// Copies likewise.
    pub copies: i64,
}

/// The lines of a step, as they are read.
#[derive(Debug, Default)]
pub struct Step {
    rollup: Rollup,
    agents: AgentCache,
    events: i64,
    copies: i64,
}

impl Step {
    /// Adds lines. What an event means is worked out anew; what it costs stays as it was billed, but for one that no longer is a
    /// bot's, which had no price: it gets the one that its campaign has by now.
    ///
    /// # Errors
    /// The first line that cannot be read.
    pub fn add(&mut self, lines: &str, campaigns: &Campaigns) -> Result<(), String> {
        for line in lines.lines() {
            match read(line) {
                Ok(Line::Event { raw, billed, .. }) => {
                    let was_bot = line.contains(r#","verdict":"bot","#);
                    let event = if was_bot {
                        campaigns.enrich_with(&mut self.agents, *raw)
                    } else {
                        let mut event = enrich_with(&mut self.agents, *raw);
                        if event.bot.verdict != Verdict::Bot {
                            (event.cost_nanos, event.cost_currency) =
                                (billed.cost_nanos, billed.cost_currency);
                            (event.payout_nanos, event.payout_currency) =
                                (billed.payout_nanos, billed.payout_currency);
                        }
                        event
                    };
                    self.rollup.add(&event);
                    self.events += 1;
                }
                Ok(Line::Copies(Copies { at_ms, campaign_id, link, kind, times })) => {
                    self.rollup.add_duplicates(at_ms, &campaign_id, &link, kind, times);
                    self.copies = self.copies.saturating_add_unsigned(times);
                }
                // As it was told, by the rules of then: journeys are not walked again.
                Ok(Line::Outcome(body)) => {
                    let outcome = Outcome::decode(&body).ok_or("an outcome that cannot be read")?;
                    self.rollup.add_outcome(&outcome);
                    self.events += 1;
                }
                Err(error) => return Err(format!("{error}: {}", line.get(..200).unwrap_or(line))),
            }
        }
        Ok(())
    }

    /// What the lines add up to.
    pub(crate) fn sums(self) -> crate::StatsAggregate {
        self.rollup.finish()
    }

    /// The pages that the lines add to, and how far the rebuild is with them.
    pub fn finish(self, before: Progress, seq: i64) -> (Merge, Progress) {
        let merge = Merge::of(&self.rollup.finish(), Set::Rebuilt);
        let Progress { step, events, copies, .. } = before;
        (merge, Progress { step: step + 1, seq, events: events + self.events, copies: copies + self.copies })
    }
}

/// How far it is, if it goes on: `step, seq, events, copies`; then what there is to add and what was counted, `archived,
/// archived_copies, counted, counted_copies`; then whether pages of an earlier one are left, `pages`.
pub fn look() -> [Statement; 3] {
    [
        Statement::new("SELECT step, seq, events, copies FROM rebuild ORDER BY step DESC LIMIT 1", []),
        Statement::new(
            "SELECT coalesce(sum(events), 0) AS archived, coalesce(sum(copies), 0) AS archived_copies, \
             (SELECT coalesce(sum(events), 0) FROM applied) AS counted, \
             (SELECT coalesce(sum(duplicates), 0) FROM applied) AS counted_copies FROM archive",
            [],
        ),
        Statement::new("SELECT count(*) AS pages FROM (SELECT 1 FROM sums_rebuilt LIMIT 1)", []),
    ]
}

/// Clears what an earlier one left, some of it; not while one goes on.
pub fn clear() -> Statement {
    Statement::new(
        "DELETE FROM sums_rebuilt WHERE NOT EXISTS (SELECT 1 FROM rebuild) AND (level, scope, page, chunk) IN \
         (SELECT level, scope, page, chunk FROM sums_rebuilt LIMIT ?1)",
        [CLEAR_ROWS.into()],
    )
}

/// Begins.
pub fn begin() -> Statement {
    Statement::new(
        "INSERT INTO rebuild (step, seq, events, copies) VALUES (0, 0, 0, 0) ON CONFLICT DO NOTHING",
        [],
    )
}

/// Gives up. The sums that are kept were never touched.
pub fn abandon() -> Statement {
    Statement::new("DELETE FROM rebuild", [])
}

/// The transaction of a step: its pages and how far it is then. It fails as a whole if somebody else took the step, or gave up.
pub fn write(merge: &Merge, progress: Progress) -> Vec<Statement> {
    let Progress { step, seq, events, copies } = progress;
    let mut statements = claim(step, [seq, events, copies]);
    statements.extend(merge.write());
    statements
}

fn claim(step: i64, [seq, events, copies]: [i64; 3]) -> Vec<Statement> {
    vec![
        Statement::new(
            // Any other step than the one before this is inserted again, and fails.
            "INSERT INTO rebuild (step, seq, events, copies) \
             SELECT CASE WHEN max(step) = ?1 - 1 THEN ?1 ELSE max(step) END, ?2, ?3, ?4 FROM rebuild",
            [step.into(), seq.into(), events.into(), copies.into()],
        ),
        Statement::new("DELETE FROM rebuild WHERE step < ?1", [step.into()]),
    ]
}

/// The transaction that makes the rebuilt sums those that are kept. It fails as a whole if something was counted since, or
/// was never archived. The sums that have not been folded yet are in the rebuilt ones; folds that are on their way read what is
/// no longer there, and fail by their generation.
pub fn swap(progress: Progress) -> Vec<Statement> {
    let Progress { step, seq, events, copies } = progress;
    let mut statements = claim(step + 1, [seq, events, copies]);
    statements.push(Statement::new(
        "INSERT INTO archive_marks (name, value) SELECT NULL, 0 WHERE EXISTS (SELECT 1 FROM archive WHERE seq > ?1) \
         OR (SELECT coalesce(sum(events), 0) FROM applied) <> ?2 \
         OR (SELECT coalesce(sum(duplicates), 0) FROM applied) <> ?3",
        [seq.into(), events.into(), copies.into()],
    ));
    for part in 0..PARTITIONS {
        let part = i64::from(part);
        statements.push(Statement::new(
            "INSERT INTO folds (part, generation) SELECT ?1, coalesce(max(generation), 0) + 1 FROM folds WHERE part = ?1",
            [part.into()],
        ));
    }
    statements.extend(
        [
            "DELETE FROM folds WHERE (part, generation) NOT IN (SELECT part, max(generation) FROM folds GROUP BY part)",
            "DELETE FROM segments",
            "ALTER TABLE sums RENAME TO sums_replaced",
            "ALTER TABLE sums_rebuilt RENAME TO sums",
            "ALTER TABLE sums_replaced RENAME TO sums_rebuilt",
            "DELETE FROM rebuild",
        ]
        .map(|sql| Statement::new(sql, [])),
    );
    statements
}
