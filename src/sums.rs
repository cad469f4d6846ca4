//! Where sums are read and folded: segments in the first database, pages in the homes of their partition.

use std::collections::{BTreeMap, HashSet};

use analytics::Statement;
use analytics::fold::{Gathering, read_generation, read_segments};
use analytics::homes::{forget, noted, still_there, take_away};
use analytics::page::PageRow;
use futures_util::future::try_join_all;
use serde::Deserialize;
use worker::{D1Database, D1Result, Error, Result};

use crate::clock::now_ms;
use crate::edge::Edge;
use crate::notice;
use crate::sql::{StoredPage, read, transact};
use crate::turn::{Turn, pause};

/// What the reads of a report find.
pub(crate) struct Found {
    /// For each read of pages, in order.
    pub(crate) pages: Vec<Vec<StoredPage>>,
    /// What is in no page yet.
    pub(crate) segments: Vec<String>,
}

/// A segment, or the note of one.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Segment {
    part: u8,
    origin: String,
    body: String,
}

/// Reads pages, each of one partition, and the segments of all. In one transaction where one database has it all. Else
/// the segments first: what is folded between the two reads is noted where its pages are, and left out.
pub(crate) async fn read_sums(
    edge: &Edge,
    pages: Vec<(u8, Statement)>,
    segments: Statement,
) -> Result<Found> {
    let mut parts: Vec<u8> = pages.iter().map(|(part, _)| *part).collect();
    parts.sort_unstable();
    parts.dedup();
    if parts.iter().all(|&part| edge.homes.all(part) == [0]) {
        let statements = pages.into_iter().map(|(_, pages)| pages).chain([segments]);
        let results = transact(&edge.db, statements).await?;
        let [pages @ .., segments] = results.as_slice() else { return Err(no_answer()) };
        let pages: Result<_> = pages.iter().map(D1Result::results).collect();
        let segments = segments.results::<Segment>()?;
        return Ok(Found { pages: pages?, segments: segments.into_iter().map(|one| one.body).collect() });
    }
    let segments = transact(&edge.db, [segments]).await?;
    let segments: Vec<Segment> = segments.first().map_or(Ok(Vec::new()), D1Result::results)?;
    let mut found: Vec<Vec<StoredPage>> = pages.iter().map(|_| Vec::new()).collect();
    // By home: what to ask there, and whose answer it is.
    let mut asked: BTreeMap<usize, (Vec<usize>, Vec<Statement>)> = BTreeMap::new();
    for (place, (part, pages)) in pages.iter().enumerate() {
        for home in edge.homes.all(*part) {
            let (places, statements) = asked.entry(home).or_default();
            places.push(place);
            statements.push(pages.clone());
        }
    }
    let answers = try_join_all(asked.into_iter().map(async |(home, (places, mut statements))| {
        statements.push(noted(&parts));
        Ok::<_, Error>((places, transact(edge.database(home)?, statements).await?))
    }));
    let mut folded = HashSet::new();
    for (places, results) in answers.await? {
        let [pages @ .., notes] = results.as_slice() else { return Err(no_answer()) };
        for (place, pages) in places.into_iter().zip(pages) {
            if let Some(found) = found.get_mut(place) {
                found.extend(pages.results::<StoredPage>()?);
            }
        }
        folded.extend(notes.results::<Segment>()?.into_iter().map(|note| (note.part, note.origin)));
    }
    let segments = segments.into_iter().filter(|one| !folded.contains(&(one.part, one.origin.clone())));
    Ok(Found { pages: found, segments: segments.map(|one| one.body).collect() })
}

/// Folds a partition's segments into pages.
pub(crate) async fn fold(edge: &Edge, part: u8) -> Result<()> {
    #[derive(Deserialize)]
    struct Generation {
        generation: i64,
    }
    let home = edge.homes.of(part);
    let pages_db = edge.database(home)?;
    // Before the segments: who folds from here on makes this one fail.
    let results = transact(pages_db, [read_generation(part)]).await?;
    let generation = results.first().map_or(Ok(Vec::new()), D1Result::results::<Generation>)?;
    let generation = generation.first().map_or(0, |row| row.generation);
    if edge.homes.all(part) != [0] {
        tidy(edge, part).await?;
    }
    let segments: Vec<Segment> = read(&edge.db, read_segments(part)).await?;
    let (mut gathering, mut turn) = (Gathering::new(part, generation), Turn::default());
    for Segment { origin, body, .. } in segments {
        turn.take(body.len()).await;
        if let Err(unreadable) = gathering.add(origin.clone(), &body) {
            notice::error("consumer", "segment_unreadable", &origin, &format_args!("{unreadable:?}"));
        }
    }
    pause().await;
    let mut fold = gathering.fold();
    if fold.is_empty() {
        return Ok(());
    }
    for statement in fold.read_pages() {
        for row in pages(pages_db, statement).await? {
            turn.take(row.totals.len() + row.detail.len() + row.visitors.len()).await;
            fold.add(&row).map_err(|unreadable| {
                Error::RustError(format!("page {:?} cannot be read: {unreadable:?}", row.key))
            })?;
        }
    }
    pause().await;
    if home == 0 {
        transact(pages_db, fold.write()).await?;
        return Ok(());
    }
    transact(pages_db, fold.write_away(now_ms())).await?;
    transact(&edge.db, [take_away(part, fold.origins())]).await?;
    Ok(())
}

/// Takes away what was folded and left where it lay, and forgets old notes.
async fn tidy(edge: &Edge, part: u8) -> Result<()> {
    let mut origins = Vec::new();
    for home in edge.homes.all(part) {
        let notes: Vec<Segment> = read(edge.database(home)?, noted(&[part])).await?;
        origins.extend(notes.into_iter().map(|note| note.origin));
    }
    if origins.is_empty() {
        return Ok(());
    }
    let left: Vec<Segment> = read(&edge.db, still_there(part, &origins)).await?;
    let left: Vec<String> = left.into_iter().map(|one| one.origin).collect();
    if !left.is_empty() {
        transact(&edge.db, [take_away(part, &left)]).await?;
    }
    for home in edge.homes.all(part) {
        transact(edge.database(home)?, [forget(part, &left, now_ms())]).await?;
    }
    Ok(())
}

/// The pages that a read with their keys finds.
pub(crate) async fn pages(db: &D1Database, statement: Statement) -> Result<Vec<PageRow>> {
    let rows: Vec<StoredPage> = read(db, statement).await?;
    rows.into_iter().map(StoredPage::keyed).collect()
}

fn no_answer() -> Error {
    Error::RustError("the database gave no answer".to_owned())
}
