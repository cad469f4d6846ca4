//! What has to be done now and then, in bounded steps: fold what is left, forget what is old.

use analytics::retention::{Class, removed};
use analytics::segment::PARTITIONS;
use analytics::{erasure, idempotency, rebuild, retention};
use queues::{delivery, ledger};
use worker::{D1Database, Env, Result};

use crate::alerts;
use crate::archive_upkeep::{forget_old, gather, sweep};
use crate::clock::now_ms;
use crate::deliveries;
use crate::edge::Edge;
use crate::erase::{self, salt};
use crate::notice;
use crate::sql::transact;
use crate::sums::fold;

const MOST_ROWS: i64 = 5_000;

/// So long a minute's tick goes on erasing people, ms.
const ERASING_MS: i64 = 15_000;

/// Every minute.
pub(crate) async fn every_minute(env: &Env) {
    let edge = match Edge::of(env) {
        Ok(edge) => edge,
        Err(error) => return notice::error("schedule", "no_settings", &"", &error),
    };
    if let Err(error) = forget(&edge, now_ms()).await {
        notice::warn("schedule", "not_pruned", &"", &error);
    }
    if let Err(error) = transact(&edge.db, delivery::statements::expired(now_ms())).await {
        notice::warn("schedule", "expiry_not_noted", &"", &error);
    }
    if let Err(error) = alerts::every_minute(&edge).await {
        notice::warn("schedule", "alerts_not_looked_at", &"", &error);
    }
    // What the two have noted is told by this, too.
    deliveries::work(&edge).await;
    if let Err(error) = erase::work(&edge, ERASING_MS).await {
        notice::warn("schedule", "not_erased_yet", &"", &error);
    }
    if let Some(bucket) = &edge.archive
        && let Err(error) = gather(&edge, bucket).await
    {
        notice::warn("schedule", "archive_waits", &"", &error);
    }
}

/// Once an hour, also forgets old answers and folds quiet partitions, so that reports do not add up old segments for ever.
pub(crate) async fn every_hour(env: &Env) {
    let Ok(edge) = Edge::of(env) else { return };
    let mut old = vec![idempotency::prune(now_ms(), MOST_ROWS), rebuild::clear()];
    old.extend(erasure::watch(&salt(), now_ms()));
    if let Err(error) = transact(&edge.db, old).await {
        notice::warn("schedule", "old_not_forgotten", &"", &error);
    }
    if let Err(error) = forget_old_rows(&edge).await {
        notice::warn("schedule", "old_rows_not_forgotten", &"", &error);
    }
    if let Some(bucket) = &edge.archive {
        let kept = sweep(&edge, bucket).await;
        if let Err(error) = kept.and(forget_old(&edge, bucket).await) {
            notice::warn("schedule", "archive_not_swept", &"", &error);
        }
    }
    for part in 0..PARTITIONS {
        if let Err(error) = fold(&edge, part).await {
            notice::warn("schedule", "not_folded", &part, &error);
        }
    }
}

async fn forget(edge: &Edge, now_ms: i64) -> Result<()> {
    let mut statements = retention::prune(&edge.config.days(), now_ms, MOST_ROWS);
    statements.extend([ledger::prune(now_ms, MOST_ROWS), removed(Class::Ledger, now_ms)]);
    transact(&edge.db, statements).await?;
    for db in &edge.away {
        transact(db, retention::prune(&edge.config.days(), now_ms, MOST_ROWS)).await?;
    }
    Ok(())
}

/// So often in an hour as many rows of each class go: 50,000, or 1.2 million a day.
const ROUNDS: usize = 10;

async fn forget_old_rows(edge: &Edge) -> Result<()> {
    for db in [&edge.db].into_iter().chain(&edge.away) {
        forget_old_rows_of(edge, db).await?;
    }
    Ok(())
}

async fn forget_old_rows_of(edge: &Edge, db: &D1Database) -> Result<()> {
    for _ in 0..ROUNDS {
        let results = transact(db, retention::prune_hourly(&edge.config.days(), now_ms(), MOST_ROWS)).await?;
        let mut left = false;
        for result in &results {
            left |= result.meta()?.and_then(|meta| meta.changes).is_some_and(|rows| rows as i64 == MOST_ROWS);
        }
        if !left {
            break;
        }
    }
    Ok(())
}
