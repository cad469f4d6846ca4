//! People who asked to be erased: who it is, how far it is, and the receipt.
//!
//! Nothing here keeps an id. What is looked for is a set of [`VisitorKey`]s, hashes of names, which go when nothing can arrive
//! any more that they would be looked for in; the receipt has a keyed hash, by which whoever has the id and the secret
//! can show that it is the id's.

mod places;

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde_json::{Map, Value, json};

use crate::archive::Named;
use crate::statement::Statement;
use crate::{Reject, VisitorKey};

pub use places::{
    ROWS, cleared, deliveries, letters, lines, litter, redact, replace_body, replace_object, without, writing,
};

/// A queue keeps a message for 14 days at most; so long is looked for what was on its way.
pub const WATCHED_MS: i64 = 14 * 86_400_000;

/// So many rounds over all places are made for names that are found on the way: a daily hash, a session, a device, a user.
pub const ROUNDS_MAX: i64 = 4;

/// Who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// `user_id` or `anonymous_id`.
    pub kind: &'static str,
    /// The id.
    pub id: String,
}

impl Subject {
    /// Reads who it is from an object; the members that are `others` are left to whoever reads those.
    ///
    /// # Errors
    /// The member that is wrong.
    pub fn read(body: &Map<String, Value>, others: &[&str]) -> Result<Self, Reject> {
        let mut found = None;
        for (name, value) in body {
            let kind = match name.as_str() {
                "user_id" => "user_id",
                "anonymous_id" => "anonymous_id",
                other if others.contains(&other) => continue,
                _ => return Err(Reject::new(format!("/{name}"), "is no member of this request")),
            };
            let id = value.as_str().map(str::trim).filter(|id| (1..=256).contains(&id.len()));
            let id = id.ok_or_else(|| Reject::new(format!("/{name}"), "is not a text of 1 to 256 bytes"))?;
            if found.replace(Self { kind, id: id.to_owned() }).is_some() {
                return Err(Reject::new(format!("/{name}"), "comes beside the other id; send one of them"));
            }
        }
        found.ok_or_else(|| Reject::new("", "names nobody: send user_id or anonymous_id"))
    }

    /// What journeys know them by.
    pub fn key(&self) -> VisitorKey {
        if self.kind == "user_id" { VisitorKey::of_user(&self.id) } else { VisitorKey::of_device(&self.id) }
    }
}

/// A key as text.
pub fn hex(key: VisitorKey) -> String {
    format!("{:032x}", u128::from_be_bytes(*key.as_bytes()))
}

/// Reads it back.
pub fn unhex(text: &str) -> Option<VisitorKey> {
    let number = u128::from_str_radix(text, 16).ok().filter(|_| text.len() == 32)?;
    Some(VisitorKey::from_bytes(number.to_be_bytes()))
}

/// Those who are looked for.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// By key: whose erasure, and from before when.
    pub keys: HashMap<VisitorKey, (String, i64)>,
    /// Names that were found on the way, for the same erasure.
    pub found: Vec<(VisitorKey, String)>,
}

impl Wanted {
    /// Whose erasure a line falls under. Its other names are the same person's, and are looked for from then on.
    pub fn of(&mut self, named: &Named) -> Option<String> {
        let [first, others @ ..] = named.keys.as_slice() else { return None };
        let (erasure, before_ms) = self.keys.get(first).cloned()?;
        if named.at_ms > before_ms {
            return None;
        }
        for other in others {
            self.add(*other, &erasure, before_ms);
        }
        Some(erasure)
    }

    /// Looks for another name, too.
    pub fn add(&mut self, key: VisitorKey, erasure: &str, before_ms: i64) {
        if let Entry::Vacant(place) = self.keys.entry(key) {
            place.insert((erasure.to_owned(), before_ms));
            self.found.push((key, erasure.to_owned()));
        }
    }
}

/// How far a run is; the columns of its table.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[allow(missing_docs)]
pub struct Run {
    pub step: i64,
    pub phase: i64,
    pub place: i64,
    pub upto: i64,
    pub round: i64,
    pub grown: i64,
    pub salt: String,
}

/// The phases of a run, in their order.
pub const JOURNEYS: i64 = 0;
/// D1's own tables.
pub const DATABASE: i64 = 1;
/// The archive.
pub const ARCHIVE: i64 = 2;

/// Takes a request: the receipt, and what they are known by.
pub fn request(
    id: &str,
    subject: &Subject,
    hash: &str,
    actor: &str,
    keys: &[VisitorKey],
    now_ms: i64,
) -> [Statement; 2] {
    let params = [id.into(), subject.kind.into(), hash.into(), actor.into(), now_ms.into()];
    [
        names(id, keys),
        Statement::new(
            "INSERT INTO erasures (id, subject, hash, actor, requested_ms, state) VALUES (?1, ?2, ?3, ?4, ?5, 'waiting')",
            params,
        ),
    ]
}

/// Looks for names, too.
pub fn names(erasure: &str, keys: &[VisitorKey]) -> Statement {
    let keys: Vec<_> = keys.iter().copied().map(hex).collect();
    Statement::new(
        "INSERT INTO erasure_keys (key, erasure) SELECT value, ?2 FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING",
        [json!(keys).to_string().into(), erasure.into()],
    )
}

/// Begins a run for those who wait, if none goes on.
pub fn begin(salt: &str, now_ms: i64) -> [Statement; 2] {
    [
        Statement::new(
            "UPDATE erasures SET state = 'running', started_ms = coalesce(started_ms, ?1) \
             WHERE state = 'waiting' AND NOT EXISTS (SELECT 1 FROM erasure_run)",
            [now_ms.into()],
        ),
        Statement::new(
            "INSERT INTO erasure_run (step, phase, place, upto, round, grown, salt) SELECT 0, 0, 0, 0, 0, 0, ?1 \
             WHERE EXISTS (SELECT 1 FROM erasures WHERE state = 'running') AND NOT EXISTS (SELECT 1 FROM erasure_run)",
            [salt.into()],
        ),
    ]
}

/// Begins a run for what was on its way, if there is anybody to look for and none goes on; and lets those go for whom nothing
/// can arrive any more.
pub fn watch(salt: &str, now_ms: i64) -> [Statement; 3] {
    [
        Statement::new(
            "INSERT INTO erasure_run (step, phase, place, upto, round, grown, salt) SELECT 0, 1, 0, 0, 4, 0, ?1 \
             WHERE EXISTS (SELECT 1 FROM erasures WHERE state = 'watching') AND NOT EXISTS (SELECT 1 FROM erasure_run)",
            [salt.into()],
        ),
        Statement::new(
            "UPDATE erasures SET state = 'done', finished_ms = ?1 WHERE state = 'watching' AND requested_ms < ?2 \
             AND NOT EXISTS (SELECT 1 FROM erasure_run WHERE step > 0)",
            [now_ms.into(), (now_ms - WATCHED_MS).into()],
        ),
        Statement::new(
            "DELETE FROM erasure_keys WHERE erasure IN (SELECT id FROM erasures WHERE state = 'done')",
            [],
        ),
    ]
}

/// How far it is, the columns of [`Run`]; who is looked for, `key, erasure, requested_ms`; and where in the archive to begin and
/// to end, `begins, ends`: whoever is new is looked for in all of it.
pub fn look() -> [Statement; 3] {
    [
        Statement::new(
            "SELECT step, phase, place, upto, round, grown, salt FROM erasure_run ORDER BY step DESC LIMIT 1",
            [],
        ),
        Statement::new(
            "SELECT key, erasure, requested_ms FROM erasures JOIN erasure_keys ON erasure = id \
             WHERE state IN ('running', 'watching')",
            [],
        ),
        Statement::new(
            "SELECT iif(EXISTS (SELECT 1 FROM erasures WHERE state = 'running'), 0, value) AS begins, \
             (SELECT coalesce(max(seq), 0) FROM archive) AS ends FROM archive_marks WHERE name = 'erased'",
            [],
        ),
    ]
}

/// Goes on: part of the transaction of a step. It fails as a whole if somebody else took the step.
pub fn step(run: &Run) -> [Statement; 2] {
    let Run { step, phase, place, upto, round, grown, salt } = run;
    let numbers = [step, phase, place, upto, round, grown].map(|number| (*number).into());
    [
        Statement::new(
            // Any other step than the one before this is inserted again, and fails.
            "INSERT INTO erasure_run (step, phase, place, upto, round, grown, salt) \
             SELECT CASE WHEN max(step) = ?1 - 1 THEN ?1 ELSE max(step) END, ?2, ?3, ?4, ?5, ?6, ?7 FROM erasure_run",
            numbers.into_iter().chain([salt.as_str().into()]),
        ),
        Statement::new("DELETE FROM erasure_run WHERE step < ?1", [(*step).into()]),
    ]
}

/// Counts what was erased, in its place.
pub fn count(erasure: &str, place: &str, times: u64) -> Statement {
    Statement::new(
        "UPDATE erasures SET counts = json_set(counts, '$.' || ?2, coalesce(counts ->> ('$.' || ?2), 0) + ?3) WHERE id = ?1",
        [erasure.into(), place.into(), (times as i64).into()],
    )
}

/// Ends a run. Behind [`step`].
pub fn end(upto: i64, now_ms: i64) -> [Statement; 3] {
    [
        Statement::new(
            "UPDATE erasures SET state = 'watching', erased_ms = ?1 WHERE state = 'running'",
            [now_ms.into()],
        ),
        Statement::new(
            "UPDATE archive_marks SET value = max(value, ?1) WHERE name = 'erased'",
            [upto.into()],
        ),
        Statement::new("DELETE FROM erasure_run", []),
    ]
}

const COLUMNS: &str = "SELECT json_object('id', id, 'subject', subject, 'hash', hash, 'actor', actor, 'state', state, \
     'requested_ms', requested_ms, 'started_ms', started_ms, 'erased_ms', erased_ms, 'finished_ms', finished_ms, \
     'counts', json(counts), 'names', (SELECT count(*) FROM erasure_keys WHERE erasure = id)) AS record FROM erasures WHERE id = ?1";

/// A receipt: one column `record`, JSON.
pub fn receipt(id: &str) -> Statement {
    Statement::new(COLUMNS, [id.into()])
}

/// The newest receipts, likewise.
pub fn receipts() -> Statement {
    Statement::new(
        "SELECT json_object('id', id, 'subject', subject, 'hash', hash, 'actor', actor, 'state', state, \
         'requested_ms', requested_ms, 'started_ms', started_ms, 'erased_ms', erased_ms, 'finished_ms', finished_ms, \
         'counts', json(counts), 'names', (SELECT count(*) FROM erasure_keys WHERE erasure = id)) AS record \
         FROM erasures ORDER BY requested_ms DESC, id LIMIT 100",
        [],
    )
}
