//! What has to be done now and then, in bounded steps: fold what is left, forget what is old.

use analytics::retention::{Class, removed};
use analytics::segment::PARTITIONS;
use analytics::{erasure, idempotency, rebuild, retention};
use queues::{delivery, ledger};
use worker::{Env, Result, console_warn};

use crate::alerts;
use crate::archive_upkeep::{forget_old, gather, sweep};
use crate::clock::now_ms;
use crate::consumer::fold;
use crate::deliveries;
use crate::edge::Edge;
use crate::erasures::{self, salt};
use crate::sql::transact;

const MOST_ROWS: i64 = 5_000;

/// So long a minute's tick goes on erasing people, ms.
const ERASING_MS: i64 = 15_000;

/// Every minute.
pub(crate) async fn every_minute(env: &Env) {
    let edge = match Edge::of(env) {
        Ok(edge) => edge,
        Err(error) => return console_warn!("schedule: {error}"),
    };
    if let Err(error) = forget(&edge, now_ms()).await {
        console_warn!("schedule: nothing was pruned: {error}");
    }
    if let Err(error) = transact(&edge.db, delivery::statements::expired(now_ms())).await {
        console_warn!("schedule: expired links were not noted: {error}");
    }
    if let Err(error) = alerts::every_minute(&edge).await {
        console_warn!("schedule: alerts were not looked at: {error}");
    }
    // What the two have noted is told by this, too.
    deliveries::work(&edge).await;
    if let Err(error) = erasures::work(&edge, ERASING_MS).await {
        console_warn!("schedule: somebody is not erased yet: {error}");
    }
    if let Some(bucket) = &edge.archive
        && let Err(error) = gather(&edge, bucket).await
    {
        console_warn!("schedule: lines still wait for the archive: {error}");
    }
}

/// Once an hour, also forgets old answers and folds quiet partitions, so that reports do not add up old segments for ever.
pub(crate) async fn every_hour(env: &Env) {
    let Ok(edge) = Edge::of(env) else { return };
    let mut old = vec![idempotency::prune(now_ms(), MOST_ROWS), rebuild::clear()];
    old.extend(erasure::watch(&salt(), now_ms()));
    if let Err(error) = transact(&edge.db, old).await {
        console_warn!("schedule: old answers were not forgotten: {error}");
    }
    if let Err(error) = forget_old_rows(&edge).await {
        console_warn!("schedule: what is old was not forgotten: {error}");
    }
    if let Some(bucket) = &edge.archive {
        let kept = sweep(&edge, bucket).await;
        if let Err(error) = kept.and(forget_old(&edge, bucket).await) {
            console_warn!("schedule: the archive was not swept: {error}");
        }
    }
    for part in 0..PARTITIONS {
        if let Err(error) = fold(&edge, part).await {
            console_warn!("schedule: partition {part} was not folded: {error}");
        }
    }
}

async fn forget(edge: &Edge, now_ms: i64) -> Result<()> {
    let mut statements = retention::prune(&edge.config.days(), now_ms, MOST_ROWS);
    statements.extend([ledger::prune(now_ms, MOST_ROWS), removed(Class::Ledger, now_ms)]);
    transact(&edge.db, statements).await?;
    Ok(())
}

/// So often in an hour as many rows of each class go: 50,000, or 1.2 million a day.
const ROUNDS: usize = 10;

async fn forget_old_rows(edge: &Edge) -> Result<()> {
    for _ in 0..ROUNDS {
        let results =
            transact(&edge.db, retention::prune_hourly(&edge.config.days(), now_ms(), MOST_ROWS)).await?;
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
