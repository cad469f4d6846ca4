//! The ledger: which messages have been counted, and the transaction that counts them.

use analytics::Statement;
use serde_json::json;

/// One message in the transaction that counts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The gate's name.
    pub gate: String,
    /// The gate's number for the message.
    pub number: i64,
    /// Events that go into the sums.
    pub events: u64,
    /// Events that could not be read.
    pub dead: u64,
    /// Copies that the gate turned away.
    pub duplicates: u64,
}

/// What could not be counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Where it was: so that the same letter is kept once however often it arrives.
    pub id: String,
    /// Why, in words for the operator.
    pub reason: String,
    /// The message or frame, base64.
    pub body: String,
}

/// The transaction: ledger, totals for each gate, sums, dead letters. The first statement fails, and the whole
/// with it, if one of the messages has been counted before.
pub fn apply(
    entries: &[Entry],
    segments: &[(u8, String)],
    dead: &[DeadLetter],
    now_ms: i64,
) -> Vec<Statement> {
    let mut statements = Vec::new();
    if !entries.is_empty() {
        let rows: Vec<_> = entries
            .iter()
            .map(|entry| json!([entry.gate, entry.number, entry.events, entry.dead, entry.duplicates]))
            .collect();
        let rows = json!(rows).to_string();
        statements.push(Statement::new(
            "INSERT INTO ledger (gate, number, at_ms) SELECT value ->> 0, value ->> 1, ?2 FROM json_each(?1)",
            [rows.clone().into(), now_ms.into()],
        ));
        statements.push(Statement::new(
            "INSERT INTO applied (gate, messages, events, dead, duplicates) \
             SELECT value ->> 0, count(*), sum(value ->> 2), sum(value ->> 3), sum(value ->> 4) \
             FROM json_each(?1) WHERE true GROUP BY 1 ON CONFLICT DO UPDATE SET \
             messages = messages + excluded.messages, events = events + excluded.events, \
             dead = dead + excluded.dead, duplicates = duplicates + excluded.duplicates",
            [rows.into()],
        ));
    }
    if let Some(first) = entries.first() {
        let origin = format!("{} {}", first.gate, first.number);
        statements.extend(add_segments(&origin, segments, now_ms));
    }
    statements.extend(bury(dead, now_ms));
    statements
}

/// Adds segments. Their key begins with the time, so that the oldest are folded first.
pub fn add_segments(origin: &str, segments: &[(u8, String)], now_ms: i64) -> impl Iterator<Item = Statement> {
    segments.iter().enumerate().map(move |(place, (part, body))| {
        Statement::new(
            "INSERT INTO segments (part, origin, body) VALUES (?1, ?2, ?3)",
            [i64::from(*part).into(), format!("{now_ms:015} {origin} {place}").into(), body.clone().into()],
        )
    })
}

/// Keeps dead letters; one that is known already stays as it is.
pub fn bury(dead: &[DeadLetter], now_ms: i64) -> Option<Statement> {
    let rows: Vec<_> = dead.iter().map(|letter| json!([letter.id, letter.reason, letter.body])).collect();
    (!rows.is_empty()).then(|| {
        Statement::new(
            "INSERT INTO dead_letters (id, reason, body, at_ms) \
             SELECT value ->> 0, value ->> 1, value ->> 2, ?2 FROM json_each(?1) WHERE true \
             ON CONFLICT DO NOTHING",
            [json!(rows).to_string().into(), now_ms.into()],
        )
    })
}

/// Which of these messages have been counted: `gate, number`.
pub fn counted(messages: &[(String, i64)]) -> Statement {
    Statement::new(
        "SELECT gate, number FROM json_each(?1) AS m \
         JOIN ledger ON gate = m.value ->> 0 AND number = m.value ->> 1",
        [json!(messages).to_string().into()],
    )
}

/// Which of one gate's messages from `number` on have been counted: `number`.
pub fn counted_of_gate(gate: &str, from_number: i64) -> Statement {
    Statement::new(
        "SELECT number FROM ledger WHERE gate = ?1 AND number >= ?2",
        [gate.into(), from_number.into()],
    )
}

/// The partitions with so many segments that they should be folded: `part`.
pub fn partitions_to_fold(at_segments: i64) -> Statement {
    Statement::new("SELECT part FROM segments GROUP BY part HAVING count(*) >= ?1", [at_segments.into()])
}

/// Totals for each gate: `gate, messages, events, dead, duplicates`.
pub fn applied() -> Statement {
    Statement::new("SELECT gate, messages, events, dead, duplicates FROM applied ORDER BY gate", [])
}

/// Forgets messages that cannot come back, because a queue keeps them for at most 14 days: at most `most` rows. The
/// newest of each gate stays: its row stays in the gate's log, and a gate that wakes after weeks asks for it.
pub fn prune(now_ms: i64, most: i64) -> Statement {
    const KEPT_MS: i64 = 16 * 86_400_000;
    // Gate by gate: along the primary key to the rows that are old, and no further.
    Statement::new(
        "DELETE FROM ledger WHERE (gate, number) IN \
         (SELECT old.gate, old.number FROM applied CROSS JOIN ledger AS old ON old.gate = applied.gate \
         AND old.number < min(?1, (SELECT max(number) FROM ledger AS newest WHERE newest.gate = applied.gate)) \
         WHERE old.at_ms < ?1 LIMIT ?2)",
        [(now_ms - KEPT_MS).into(), most.into()],
    )
}
