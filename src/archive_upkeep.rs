//! The archive's upkeep, in bounded steps: gather small rows into objects, sweep what failed tries left, forget what is old.

use std::collections::HashSet;

use analytics::archive::{
    Waiting, forget, forgotten, gathered, named, partition, run, swept, waiting, waiting_texts,
};
use analytics::retention::{Class, removed};
use serde::Deserialize;
use worker::Result;

use crate::archive::{Bucket, texts_of};
use crate::clock::now_ms;
use crate::edge::Edge;
use crate::sql::{read, transact};

const HOUR_MS: i64 = 3_600_000;

/// So many objects are written in one go: while the bucket catches up, 30 GB a day.
const OBJECTS_AT_ONCE: usize = 20;

/// An hour is swept when no try that wrote in it can still become a row: a consumer has 15 minutes.
const SWEPT_AFTER_HOURS: i64 = 2;

/// Hours that are swept in one go; and how far it goes back at first.
const HOURS_AT_ONCE: i64 = 24;

#[derive(Deserialize)]
struct Mark {
    value: i64,
}

/// Gathers rows that wait.
pub(crate) async fn gather(edge: &Edge, bucket: &Bucket) -> Result<()> {
    #[derive(Deserialize)]
    struct Body {
        body: String,
    }
    for _ in 0..OBJECTS_AT_ONCE {
        let results = transact(&edge.db, waiting()).await?;
        let [mark, rows] = results.as_slice() else { return Ok(()) };
        let mark = mark.results::<Mark>()?.first().map_or(0, |mark| mark.value);
        let rows: Vec<Waiting> = rows.results()?;
        let Some(run) = run(&rows, now_ms()) else { return Ok(()) };
        let bodies: Vec<Body> = read(&edge.db, waiting_texts(&run)).await?;
        let texts = texts_of(bodies.into_iter().map(|row| row.body).collect()).await?;
        let bytes: usize = texts.iter().map(String::len).sum();
        let name = bucket.write(now_ms(), texts.iter().map(|text| &**text)).await?;
        transact(&edge.db, gathered(&run, mark, &name, bytes as i64)).await?;
    }
    Ok(())
}

/// Deletes objects that no row names.
pub(crate) async fn sweep(edge: &Edge, bucket: &Bucket) -> Result<()> {
    #[derive(Deserialize)]
    struct Named {
        name: String,
    }
    let (mark, set) = swept();
    let marks: Vec<Mark> = read(&edge.db, mark).await?;
    let end = now_ms() / HOUR_MS - SWEPT_AFTER_HOURS;
    let swept = marks.first().map_or(0, |mark| mark.value);
    let first = if swept == 0 { end - HOURS_AT_ONCE } else { swept };
    for hour in first..end.min(first + HOURS_AT_ONCE) {
        let mut cursor = None;
        loop {
            let (names, next) = bucket.list(&partition(hour * HOUR_MS), cursor.as_deref()).await?;
            let kept: Vec<Named> = read(&edge.db, named(&names)).await?;
            let kept: HashSet<String> = kept.into_iter().map(|row| row.name).collect();
            let orphans: Vec<String> = names.into_iter().filter(|name| !kept.contains(name)).collect();
            if !orphans.is_empty() {
                bucket.remove(&orphans).await?;
            }
            cursor = next;
            if cursor.is_none() {
                break;
            }
        }
        transact(&edge.db, [set(hour + 1)]).await?;
    }
    Ok(())
}

/// Forgets what is older than the setting says. The objects first: a row without its object is asked for again, an
/// object without its row would stay for ever.
pub(crate) async fn forget_old(edge: &Edge, bucket: &Bucket) -> Result<()> {
    #[derive(Deserialize)]
    struct Old {
        seq: i64,
        name: String,
    }
    let days = edge.config.archive_days;
    if days <= 0 {
        return Ok(());
    }
    let old: Vec<Old> = read(&edge.db, forget(now_ms() - days * 24 * HOUR_MS)).await?;
    if old.is_empty() {
        return Ok(());
    }
    let (seqs, names): (Vec<i64>, Vec<String>) = old.into_iter().map(|row| (row.seq, row.name)).unzip();
    bucket.remove(&names).await?;
    transact(&edge.db, [forgotten(&seqs), removed(Class::Archive, now_ms())]).await?;
    Ok(())
}
