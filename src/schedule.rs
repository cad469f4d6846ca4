//! What has to be done now and then, in bounded steps: fold what is left, forget what is old.

use analytics::segment::PARTITIONS;
use analytics::{Statement, idempotency, rebuild, retention};
use queues::{delivery, ledger};
use worker::{Env, Result, console_warn};

use crate::alerts;
use crate::archive_upkeep::{forget_old, gather, sweep};
use crate::clock::now_ms;
use crate::deliveries;
use crate::edge::Edge;
use crate::sql::transact;
use crate::sums::fold;

const MOST_ROWS: i64 = 5_000;

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
    old.extend(delivery::statements::prune(now_ms(), MOST_ROWS));
    if let Err(error) = transact(&edge.db, old).await {
        console_warn!("schedule: old answers and deliveries were not forgotten: {error}");
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
    let mut statements: Vec<Statement> = retention::prune(now_ms, MOST_ROWS).collect();
    statements.push(ledger::prune(now_ms, MOST_ROWS));
    transact(&edge.db, statements).await?;
    for db in &edge.away {
        transact(db, retention::prune(now_ms, MOST_ROWS)).await?;
    }
    Ok(())
}
