//! A person in the journals: by which names they are known, what is kept of them, and that it goes.

use std::collections::HashSet;

use analytics::erasure::{hex, unhex};
use analytics::outcome::{Model, Outcome};
use analytics::time::rfc3339;
use analytics::{Footprint, Traits, VisitorKey};
use durable_objects::journal::{Database, Failed};
use durable_objects::{Journal, JournalName, Visitor};
use serde_json::{Map, Value, json};
use worker::{Error, Result};

use crate::edge::Edge;
use crate::record::answer_of;

/// Answers a call within the journal: `bonded`, `forget` or `look`.
pub(crate) fn answer(
    journal: &mut Journal,
    db: &dyn Database,
    call: &str,
    now_ms: i64,
) -> std::result::Result<String, Failed> {
    let call: Value = serde_json::from_str(call).unwrap_or_default();
    let number = |name: &str| call.get(name).and_then(Value::as_i64).unwrap_or(0);
    let keys: Vec<VisitorKey> = keys_of(call.get("keys"));
    let answer = match call.get("do").and_then(Value::as_str) {
        Some("bonded") => {
            let to: HashSet<_> = keys.into_iter().collect();
            let (found, next) = journal.bonded(db, &to, number("from") as u8)?;
            let found: Vec<_> = found.into_iter().map(|(key, bond)| [hex(key), hex(bond)]).collect();
            json!({ "found": found, "next": next })
        }
        Some("forget") => json!({ "known": journal.forget(db, &keys, number("before_ms"), now_ms)? }),
        Some("look") => {
            let mut shown = Vec::new();
            for key in keys {
                let visitor = journal.look(db, key, now_ms)?;
                if visitor.footprints() > 0 || visitor.bonded_to().is_some() {
                    shown.push(show(key, &visitor));
                }
            }
            json!({ "journeys": shown })
        }
        _ => return Err(Failed("not a call that a journal understands".to_owned())),
    };
    Ok(answer.to_string())
}

fn keys_of(keys: Option<&Value>) -> Vec<VisitorKey> {
    let keys = keys.and_then(Value::as_array).into_iter().flatten();
    keys.filter_map(Value::as_str).filter_map(unhex).collect()
}

fn known_as(key: VisitorKey) -> &'static str {
    match key.rank() {
        3 => "user",
        2 => "device",
        1 => "session",
        _ => "daily hash",
    }
}

/// A journey in words.
fn show(key: VisitorKey, visitor: &Visitor) -> Value {
    let (mut events, mut followed) = (Vec::new(), Vec::new());
    visitor.show(&mut |print| events.push(event(print)), &mut |outcome| followed.extend(outcome_of(outcome)));
    json!({
        "known_as": known_as(key),
        "key": hex(key),
        "merged_into": visitor.bonded_to().map(hex),
        "events": events,
        "followed": followed,
    })
}

fn event(print: &Footprint<'_>) -> Value {
    let mut shown = described(&print.traits);
    shown.insert("event_id".to_owned(), print.id.to_string().into());
    shown.insert("at".to_owned(), rfc3339(print.at_ms).into());
    shown.insert("kind".to_owned(), print.kind.name().into());
    let txid = print.postback.as_ref().map_or("", |postback| postback.txid.as_str());
    for (name, text) in [
        ("name", print.name.as_str()),
        ("page", &print.page),
        ("element_id", &print.element_id),
        ("session_id", &print.session_id),
        ("currency", &print.currency),
        ("txid", txid),
    ] {
        if !text.is_empty() {
            shown.insert(name.to_owned(), text.into());
        }
    }
    if print.value_micros != 0 {
        shown.insert("value_micros".to_owned(), print.value_micros.into());
    }
    Value::Object(shown)
}

fn described(traits: &Traits<'_>) -> Map<String, Value> {
    let mut shown = Map::new();
    for (dimension, value) in traits.iter() {
        shown.insert(dimension.name().to_owned(), value.into());
    }
    shown
}

/// Sessions, steps of funnels, and what conversions were credited to by the last click.
fn outcome_of(outcome: &Outcome<'_>) -> Option<Value> {
    match outcome {
        Outcome::Session(session) => Some(json!({
            "what": "session",
            "at": rfc3339(session.start_ms),
            "duration_ms": session.duration_ms,
            "events": session.events,
            "entry_page": &*session.entry_page,
            "exit_page": &*session.exit_page,
        })),
        Outcome::Step(step) => Some(json!({
            "what": "step",
            "at": rfc3339(step.entered_ms),
            "funnel": &*step.funnel,
            "step": step.step,
        })),
        Outcome::Credit(credit) if credit.model == Model::Last => Some(json!({
            "what": "conversion",
            "at": rfc3339(credit.at_ms),
            "value_micros": credit.value_micros,
            "currency": &*credit.currency,
            "credited_to": described(&credit.traits),
        })),
        _ => None,
    }
}

/// Calls a journal.
async fn ask(edge: &Edge, shard: u16, call: &Value) -> Result<Value> {
    let journal = edge.journal(JournalName { shard })?;
    let answer = answer_of(journal.person(&call.to_string())).await;
    let answer = answer.map_err(|unreached| Error::RustError(unreached.why))?;
    Ok(serde_json::from_str(&answer.as_string().unwrap_or_default())?)
}

/// How many steps a search takes: ranks from devices down to daily hashes, so that whoever is known by a name that was just
/// found is found, too; each in every journal, by the key's first byte.
pub(crate) fn search_end(edge: &Edge) -> i64 {
    3 * 64 * i64::from(edge.config.journey_shards)
}

/// Looks for names that were merged into these: the next step; what was found, each with what it is known by, and the step
/// after it.
pub(crate) async fn search(
    edge: &Edge,
    keys: impl Iterator<Item = VisitorKey>,
    place: i64,
) -> Result<(Vec<(VisitorKey, VisitorKey)>, i64)> {
    let shards = i64::from(edge.config.journey_shards).max(1);
    let rank = 2 - place / (64 * shards);
    let better: Vec<_> = keys.filter(|key| i64::from(key.rank()) > rank).map(hex).collect();
    let shard = (place / 64 % shards) as u16;
    let call = json!({ "do": "bonded", "keys": better, "from": (rank << 6) | (place % 64) });
    let answer = ask(edge, shard, &call).await?;
    let pairs = answer.get("found").and_then(Value::as_array).into_iter().flatten();
    let found = pairs.filter_map(|pair| match keys_of(Some(pair)).as_slice() {
        [key, bond] => Some((*key, *bond)),
        _ => None,
    });
    let base = place / 64 * 64;
    let next = answer.get("next").and_then(Value::as_i64).map_or(base + 64, |byte| base + (byte & 0x3f));
    Ok((found.collect(), next))
}

/// The names that somebody is known by better, one after the other: a device's journey has moved on to its user's.
pub(crate) async fn better_names(edge: &Edge, key: VisitorKey) -> Result<Vec<VisitorKey>> {
    let mut keys = vec![key];
    if edge.config.journey_shards == 0 {
        return Ok(keys);
    }
    while let Some(last) = keys.last().copied().filter(|last| last.rank() < 3) {
        let seen = look(edge, &[last]).await?;
        let bond = seen.first().and_then(|journey| journey.get("merged_into")).and_then(Value::as_str);
        match bond.and_then(unhex).filter(|bond| bond.rank() > last.rank()) {
            Some(bond) => keys.push(bond),
            None => break,
        }
    }
    Ok(keys)
}

/// The keys of each journal.
fn by_shard(edge: &Edge, keys: &[VisitorKey]) -> Vec<(u16, Vec<String>)> {
    let shards = edge.config.journey_shards;
    let of = |shard: u16| keys.iter().filter(move |key| key.shard(shards) == shard).copied().map(hex);
    (0..shards)
        .map(|shard| (shard, of(shard).collect::<Vec<_>>()))
        .filter(|(_, keys)| !keys.is_empty())
        .collect()
}

/// What is kept of them, in words.
pub(crate) async fn look(edge: &Edge, keys: &[VisitorKey]) -> Result<Vec<Value>> {
    let mut journeys = Vec::new();
    for (shard, keys) in by_shard(edge, keys) {
        let mut answer = ask(edge, shard, &json!({ "do": "look", "keys": keys })).await?;
        if let Some(Value::Array(some)) = answer.get_mut("journeys").map(Value::take) {
            journeys.extend(some);
        }
    }
    Ok(journeys)
}

/// Has them forgotten; of how many something was known.
pub(crate) async fn forget(edge: &Edge, keys: &[VisitorKey], before_ms: i64) -> Result<u64> {
    let mut known = 0;
    for (shard, keys) in by_shard(edge, keys) {
        let answer =
            ask(edge, shard, &json!({ "do": "forget", "keys": keys, "before_ms": before_ms })).await?;
        known += answer.get("known").and_then(Value::as_u64).unwrap_or(0);
    }
    Ok(known)
}
