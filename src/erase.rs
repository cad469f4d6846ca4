//! What carries erasures out: a step at a time, each with a transaction that notes how far it is.

use std::collections::HashMap;

use analytics::archive::{erase, renamed, whose};
use analytics::erasure::{
    ARCHIVE, DATABASE, JOURNEYS, ROUNDS_MAX, ROWS, Run, Wanted, begin, cleared, count, deliveries, end,
    letters, lines, litter, look, names, redact, replace_body, replace_object, step, unhex, without, writing,
};
use analytics::{Statement, VisitorKey};
use queues::letter;
use serde::Deserialize;
use worker::Result;

use crate::archive::{Bucket, body_of, text_of};
use crate::clock::now_ms;
use crate::edge::Edge;
use crate::person;
use crate::random::random_bits;
use crate::sql::{read, transact};

/// A step of the archive ends when it has read so much,
const STEP_BYTES: i64 = 16 << 20;
/// or so many rows.
const STEP_ROWS: i64 = 64;

/// In the phase of D1's own tables, webhooks' messages come behind the dead letters.
const DELIVERIES: i64 = 1 << 40;

/// What makes the ids of erased events.
pub(crate) fn salt() -> String {
    format!("{:032x}", random_bits())
}

/// Goes on with whoever is to be erased, for about so long.
pub(crate) async fn work(edge: &Edge, for_ms: i64) -> Result<()> {
    #[derive(Deserialize)]
    struct Name {
        key: String,
        erasure: String,
        requested_ms: i64,
    }
    #[derive(Deserialize)]
    struct Bounds {
        begins: i64,
        ends: i64,
    }
    let until_ms = now_ms() + for_ms;
    sweep(edge).await?;
    loop {
        let asked = begin(&salt(), now_ms()).into_iter().chain(look());
        let results = transact(&edge.db, asked).await?;
        let [_, _, run, keys, bounds] = results.as_slice() else { return Ok(()) };
        let Some(run) = run.results::<Run>()?.into_iter().next() else { return Ok(()) };
        let mut wanted = Wanted::default();
        for Name { key, erasure, requested_ms } in keys.results()? {
            let Some(key) = unhex(&key) else { continue };
            let entry = wanted.keys.entry(key).or_insert_with(|| (erasure.clone(), requested_ms));
            // Who asked twice is erased up to the second time.
            if entry.1 < requested_ms {
                *entry = (erasure, requested_ms);
            }
        }
        let bounds = bounds.results::<Bounds>()?.first().map_or((0, 0), |at| (at.begins, at.ends));
        go_on(edge, run, wanted, bounds).await?;
        if now_ms() >= until_ms {
            return Ok(());
        }
    }
}

/// What was erased, by erasure and place.
#[derive(Default)]
struct Tally(HashMap<(String, &'static str), u64>);

impl Tally {
    fn add(&mut self, erasure: String, place: &'static str, times: u64) {
        *self.0.entry((erasure, place)).or_default() += times;
    }

    fn statements(self) -> impl Iterator<Item = Statement> {
        let counted = self.0.into_iter().filter(|(_, times)| *times > 0);
        counted.map(|((erasure, place), times)| count(&erasure, place, times))
    }
}

/// Statements that note names that were found.
fn found(wanted: &mut Wanted) -> Vec<Statement> {
    let mut of: HashMap<String, Vec<VisitorKey>> = HashMap::new();
    for (key, erasure) in wanted.found.drain(..) {
        of.entry(erasure).or_default().push(key);
    }
    of.into_iter().map(|(erasure, keys)| names(&erasure, &keys)).collect()
}

async fn go_on(edge: &Edge, before: Run, mut wanted: Wanted, (begins, ends): (i64, i64)) -> Result<()> {
    let mut run = Run { step: before.step + 1, ..before };
    let mut tally = Tally::default();
    let mut statements = Vec::new();
    match run.phase {
        JOURNEYS if run.place < person::search_end(edge) => {
            let (pairs, next) = person::search(edge, wanted.keys.keys().copied(), run.place).await?;
            for (key, bond) in pairs {
                if let Some((erasure, before_ms)) = wanted.keys.get(&bond).cloned() {
                    wanted.add(key, &erasure, before_ms);
                }
            }
            run.place = next;
        }
        JOURNEYS => {
            let mut of: HashMap<(String, i64), Vec<VisitorKey>> = HashMap::new();
            for (key, (erasure, before_ms)) in &wanted.keys {
                of.entry((erasure.clone(), *before_ms)).or_default().push(*key);
            }
            for ((erasure, before_ms), keys) in of {
                let known = person::forget(edge, &keys, before_ms).await?;
                tally.add(erasure, "journeys", known);
            }
            (run.phase, run.place) = (DATABASE, 0);
        }
        DATABASE => {
            let next = database(edge, run.place, &mut wanted, &mut tally, &mut statements).await?;
            run.grown += wanted.found.len() as i64;
            if let Some(place) = next {
                run.place = place;
            } else {
                (run.phase, run.place, run.upto) = (ARCHIVE, begins, ends);
            }
        }
        _ => return archive(edge, run, wanted).await,
    }
    statements.extend(found(&mut wanted));
    statements.extend(tally.statements());
    statements.extend(step(&run));
    transact(&edge.db, statements).await?;
    Ok(())
}

/// A row of the dead letters.
#[derive(Deserialize)]
pub(crate) struct Letter {
    pub(crate) id: String,
    pub(crate) body: String,
}

/// A row of what webhooks wait to be told.
#[derive(Deserialize)]
pub(crate) struct Waiting {
    pub(crate) number: i64,
    pub(crate) body: String,
}

/// The next rows of dead letters and of what webhooks are to be told; where to go on.
async fn database(
    edge: &Edge,
    place: i64,
    wanted: &mut Wanted,
    tally: &mut Tally,
    statements: &mut Vec<Statement>,
) -> Result<Option<i64>> {
    if place < DELIVERIES {
        let rows: Vec<Letter> = read(&edge.db, letters(place)).await?;
        let (read, mut left) = (rows.len() as i64, 0);
        for Letter { id, body } in rows {
            let (erased, rest) = letter::without(&id, &body, wanted);
            left += i64::from(rest.is_some());
            if erased.is_empty() {
                continue;
            }
            statements.push(match rest {
                Some(rest) => letter::keep(&id, &rest),
                None => letter::forget(&id),
            });
            for erasure in erased {
                tally.add(erasure, "dead_letters", 1);
            }
        }
        return Ok(Some(if read < ROWS { DELIVERIES } else { place + left }));
    }
    let rows: Vec<Waiting> = read(&edge.db, deliveries(place - DELIVERIES)).await?;
    let last = rows.last().map(|row| row.number);
    for Waiting { number, body } in rows {
        let Ok(mut message) = serde_json::from_str(&body) else { continue };
        let erased = without(&mut message, wanted);
        if !erased.is_empty() {
            statements.push(redact(number, &message.to_string()));
            for erasure in erased {
                tally.add(erasure, "deliveries", 1);
            }
        }
    }
    Ok(last.map(|number| DELIVERIES + number))
}

/// The next rows of the archive, up to one that is rewritten.
async fn archive(edge: &Edge, mut run: Run, mut wanted: Wanted) -> Result<()> {
    #[derive(Deserialize)]
    struct Row {
        seq: i64,
        name: Option<String>,
        body: Option<String>,
        bytes: i64,
    }
    let before_ms = wanted.keys.values().map(|(_, before_ms)| *before_ms).max().unwrap_or(0);
    let salt = u128::from_str_radix(&run.salt, 16).unwrap_or(0);
    let (mut bytes, mut rows) = (0, 0);
    let mut tally = Tally::default();
    let mut statements = Vec::new();
    let mut old = None;
    loop {
        let next: Vec<Row> = read(&edge.db, lines(run.place, run.upto, before_ms)).await?;
        let Some(row) = next.into_iter().next() else {
            if run.grown > 0 && run.round < ROUNDS_MAX {
                (run.phase, run.place, run.round, run.grown) = (JOURNEYS, 0, run.round + 1, 0);
                statements.extend(step(&run));
            } else {
                statements.extend(step(&run));
                statements.extend(end(run.upto, now_ms()));
            }
            break;
        };
        run.place = row.seq;
        (bytes, rows) = (bytes + row.bytes, rows + 1);
        let whole = match (&row.name, row.body, &edge.archive) {
            (Some(name), _, Some(bucket)) => bucket.text(name).await?,
            (_, Some(body), _) => text_of(body).await?,
            // Nobody can read it here.
            _ => String::new(),
        };
        if let Some(text) = rewritten(&whole, salt, &mut wanted, &mut tally) {
            run.grown += wanted.found.len() as i64;
            let length = text.len() as i64;
            match (row.name, &edge.archive) {
                (Some(name), Some(bucket)) => {
                    let new = renamed(&name, random_bits());
                    transact(&edge.db, [writing(&new, now_ms())]).await?;
                    bucket.write_as(&new, &text).await?;
                    statements.extend(replace_object(row.seq, &name, &new, length, now_ms()));
                    old = Some((bucket, name));
                }
                _ => statements.extend(replace_body(row.seq, row.bytes, &body_of(text).await?, length)),
            }
            statements.extend(step(&run));
            break;
        }
        if bytes >= STEP_BYTES || rows >= STEP_ROWS {
            statements.extend(step(&run));
            break;
        }
    }
    statements.extend(found(&mut wanted));
    statements.extend(tally.statements());
    transact(&edge.db, statements).await?;
    if let Some((bucket, name)) = old {
        remove(edge, bucket, &[name]).await?;
    }
    Ok(())
}

/// Lines without those who are wanted; `None`: nobody of them is in it.
fn rewritten(whole: &str, salt: u128, wanted: &mut Wanted, tally: &mut Tally) -> Option<String> {
    let mut text = None::<String>;
    let mut at = 0;
    for line in whole.split_inclusive('\n') {
        match whose(line).and_then(|named| wanted.of(&named)) {
            Some(erasure) => {
                let text = text.get_or_insert_with(|| whole.get(..at).unwrap_or_default().to_owned());
                erase(line, salt, text);
                let event = line.starts_with(r#"{"record":"event""#);
                tally.add(erasure, if event { "events" } else { "outcomes" }, 1);
            }
            None => {
                if let Some(text) = &mut text {
                    text.push_str(line);
                }
            }
        }
        at += line.len();
    }
    text
}

async fn remove(edge: &Edge, bucket: &Bucket, names: &[String]) -> Result<()> {
    bucket.remove(names).await?;
    transact(&edge.db, [cleared(names)]).await?;
    Ok(())
}

/// Deletes objects that were replaced, if whoever did it did not come to that.
async fn sweep(edge: &Edge) -> Result<()> {
    #[derive(Deserialize)]
    struct Named {
        name: String,
    }
    let Some(bucket) = &edge.archive else { return Ok(()) };
    let left: Vec<Named> = read(&edge.db, litter(now_ms())).await?;
    if left.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = left.into_iter().map(|row| row.name).collect();
    remove(edge, bucket, &names).await
}
