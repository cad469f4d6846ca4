//! Dead letters that come back: counted once, in the transaction that removes them.

use std::collections::HashSet;

use analytics::campaign::Campaigns;
use analytics::segment::segments;
use analytics::{Statement, TrackedEvent};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::ledger::{self, DeadLetter};
use crate::message::{Head, Message};
use crate::plan::{Fate, Plan};

/// The transaction that counts a letter, at the prices of today, and removes it. A letter that is replayed twice at the same time is counted
/// once: it has its own number in the ledger.
///
/// # Errors
/// It still cannot be read, and why.
pub fn replay(
    letter: &DeadLetter,
    campaigns: &Campaigns,
    now_ms: i64,
    each: impl FnMut(&TrackedEvent<'_>),
) -> Result<Vec<Statement>, String> {
    let bytes = STANDARD.decode(&letter.body).map_err(|_| "its body is not base64".to_owned())?;
    let gate = letter.id.split(' ').next().filter(|name| name.starts_with("gate/"));
    let mark = format!("letter {}", letter.id);
    let message = match gate {
        // A frame of a message that was counted: it gets a message of its own.
        Some(_) => Message::encode(Head::Admitted { gate: &mark, number: 0 }, &bytes),
        None => bytes,
    };
    let mut plan = Plan::of([(letter.id.as_str(), message.as_slice())], &HashSet::new(), campaigns, each);
    if let Some(dead) = plan.dead.first() {
        return Err(dead.reason.clone());
    }
    if plan.fates != [Fate::Apply] {
        return Err("it is of a version that this code does not know, or was never admitted".to_owned());
    }
    let events: u64 = plan.entries.iter().map(|entry| entry.events).sum();
    let mut statements = match gate {
        Some(gate) => vec![
            Statement::new(
                "INSERT INTO ledger (gate, number, at_ms) VALUES (?1, 0, ?2)",
                [mark.as_str().into(), now_ms.into()],
            ),
            Statement::new(
                "UPDATE applied SET events = events + ?2, dead = dead - ?2 WHERE gate = ?1",
                [gate.into(), (events as i64).into()],
            ),
        ],
        None => Vec::new(),
    };
    let (entries, parts) = (&plan.entries, segments(&plan.aggregate));
    match gate {
        Some(_) => statements.extend(ledger::add_segments(&mark, &parts, now_ms)),
        None => statements.extend(ledger::apply(entries, &parts, &[], now_ms)),
    }
    // Whoever replays by hand is not to fail by what a consumer has spent since: a letter may overdraw a budget.
    plan.charges.unlimited();
    statements.extend(plan.charges.add());
    statements.push(forget(&letter.id));
    Ok(statements)
}

/// Keeps only a part of a letter: the rest is counted.
pub fn keep(id: &str, body: &str) -> Statement {
    Statement::new("UPDATE dead_letters SET body = ?2 WHERE id = ?1", [id.into(), body.into()])
}

/// Removes a letter.
pub fn forget(id: &str) -> Statement {
    Statement::new("DELETE FROM dead_letters WHERE id = ?1", [id.into()])
}
