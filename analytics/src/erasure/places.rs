//! Where a person may be found: the archive's rows and objects, dead letters, and what webhooks wait to be told.

use serde_json::{Value, json};

use super::Wanted;
use crate::VisitorKey;
use crate::archive::Named;
use crate::statement::Statement;

/// The next rows of the archive behind a number, up to another, with lines of before a moment: `seq, name, body, bytes`.
pub fn lines(after: i64, upto: i64, before_ms: i64) -> Statement {
    Statement::new(
        "SELECT seq, name, body, bytes FROM archive WHERE seq > ?1 AND seq <= ?2 AND first_ms <= ?3 ORDER BY seq LIMIT 1",
        [after.into(), upto.into(), before_ms.into()],
    )
}

/// An object is about to be written: nobody takes it for a remainder.
pub fn writing(name: &str, now_ms: i64) -> Statement {
    Statement::new("INSERT INTO erasure_objects (name, at_ms) VALUES (?1, ?2)", [name.into(), now_ms.into()])
}

/// Puts an object in another's place, which has to be deleted then. Fails as a whole where the row has another by now.
pub fn replace_object(seq: i64, old: &str, new: &str, bytes: i64, now_ms: i64) -> [Statement; 4] {
    [
        Statement::new(
            "INSERT INTO archive_marks (name, value) SELECT NULL, 0 WHERE NOT EXISTS \
             (SELECT 1 FROM archive JOIN erasure_objects AS o ON o.name = ?3 WHERE seq = ?1 AND archive.name = ?2)",
            [seq.into(), old.into(), new.into()],
        ),
        Statement::new(
            "UPDATE archive SET name = ?2, bytes = ?3 WHERE seq = ?1",
            [seq.into(), new.into(), bytes.into()],
        ),
        Statement::new("DELETE FROM erasure_objects WHERE name = ?1", [new.into()]),
        writing(old, now_ms),
    ]
}

/// Puts other lines in the place of those that wait in their row. Fails as a whole where they have been gathered by now.
pub fn replace_body(seq: i64, before: i64, body: &str, bytes: i64) -> [Statement; 2] {
    [
        Statement::new(
            "INSERT INTO archive_marks (name, value) SELECT NULL, 0 WHERE NOT EXISTS \
             (SELECT 1 FROM archive WHERE seq = ?1 AND body IS NOT NULL AND bytes = ?2)",
            [seq.into(), before.into()],
        ),
        Statement::new(
            "UPDATE archive SET body = ?2, bytes = ?3 WHERE seq = ?1",
            [seq.into(), body.into(), bytes.into()],
        ),
    ]
}

/// Objects that nobody needs any more, `name`: replaced ones, and those of a try that failed an hour ago.
pub fn litter(now_ms: i64) -> Statement {
    Statement::new(
        "SELECT name FROM erasure_objects WHERE at_ms < ?1 AND name NOT IN \
         (SELECT name FROM archive WHERE name IS NOT NULL) LIMIT 100",
        [(now_ms - 3_600_000).into()],
    )
}

/// They are deleted.
pub fn cleared(names: &[String]) -> Statement {
    Statement::new(
        "DELETE FROM erasure_objects WHERE name IN (SELECT value FROM json_each(?1))",
        [json!(names).to_string().into()],
    )
}

/// So many rows of D1's own tables are looked at in a step.
pub const ROWS: i64 = 200;

/// Dead letters, `id, body`: the next behind so many.
pub fn letters(behind: i64) -> Statement {
    Statement::new(
        "SELECT id, body FROM dead_letters ORDER BY id LIMIT ?2 OFFSET ?1",
        [behind.into(), ROWS.into()],
    )
}

/// What webhooks wait to be told, `number, body`: the next behind a number.
pub fn deliveries(after: i64) -> Statement {
    Statement::new(
        "SELECT number, body FROM deliveries WHERE number > ?1 AND body <> '' ORDER BY number LIMIT ?2",
        [after.into(), ROWS.into()],
    )
}

/// Another body for one of them.
pub fn redact(number: i64, body: &str) -> Statement {
    Statement::new("UPDATE deliveries SET body = ?2 WHERE number = ?1", [number.into(), body.into()])
}

/// Takes whoever is wanted out of a message to a webhook; whose erasures it falls under, for each event.
pub fn without(message: &mut Value, wanted: &mut Wanted) -> Vec<String> {
    const NAMES: [&str; 9] =
        ["user_id", "anonymous_id", "session_id", "ip", "txid", "props", "query", "referrer", "user_agent"];
    let mut erased = Vec::new();
    match message {
        Value::Array(items) => items.iter_mut().for_each(|item| erased.extend(without(item, wanted))),
        Value::Object(members) => {
            let text = |name: &str| members.get(name).and_then(Value::as_str).unwrap_or_default();
            let names = [text("user_id"), text("anonymous_id"), text("session_id")];
            let keys = VisitorKey::all_of_names(names, 0, false);
            let at_ms = members.get("effective_time_ms").and_then(Value::as_i64).unwrap_or(0);
            let has_names = names.iter().any(|name| !name.is_empty());
            match wanted.of(&Named { keys, at_ms }).filter(|_| has_names) {
                Some(erasure) => {
                    for name in NAMES {
                        members.remove(name);
                    }
                    erased.push(erasure);
                }
                None => members.values_mut().for_each(|member| erased.extend(without(member, wanted))),
            }
        }
        _ => {}
    }
    erased
}
