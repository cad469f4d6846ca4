//! Dead letters that come back: counted once, in the transaction that removes them.

use std::collections::HashSet;

use analytics::archive::Copies;
use analytics::campaign::Campaigns;
use analytics::segment::segments;
use analytics::{Conduct, Statement};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::handed::Handover;
use crate::ledger::{self, DeadLetter, Entry};
use crate::message::{Head, Message};
use crate::plan::{Counted, Fate, Plan};

/// What a letter comes to.
#[derive(Debug)]
pub struct Replayed {
    /// What is to be handed to the journeys first.
    pub handover: Handover,
    /// The copies in it, which the archive has to have as well.
    pub copies: Vec<Copies>,
    /// What followed from journeys, likewise.
    pub outcomes: Vec<(i64, Vec<u8>)>,
    /// The transaction that counts it and removes it.
    pub statements: Vec<Statement>,
}

/// Counts a letter, at the prices of today. One that is replayed twice at the same time is counted once: it has its own
/// number in the ledger.
///
/// # Errors
/// It still cannot be read, and why.
pub fn replay(
    letter: &DeadLetter,
    campaigns: &Campaigns,
    journals: u16,
    now_ms: i64,
    each: impl FnMut(Counted<'_, '_>),
) -> Result<Replayed, String> {
    let bytes = STANDARD.decode(&letter.body).map_err(|_| "its body is not base64".to_owned())?;
    let gate =
        letter.id.split(' ').next().filter(|name| name.starts_with("gate/") || name.starts_with("journey/"));
    let mark = format!("letter {}", letter.id);
    let message = match gate {
        // A frame of a message that was counted: it gets a message of its own.
        Some(_) => Message::encode(Head::Admitted { gate: &mark, number: 0 }, &bytes),
        None => bytes,
    };
    let (nothing, none) = (HashSet::new(), HashSet::new());
    let batch = [(letter.id.as_str(), message.as_slice())];
    let mut plan = Plan::of(batch, &nothing, campaigns, (journals, &none), &Conduct::default(), each);
    if let Some(dead) = plan.dead.first() {
        return Err(dead.reason.clone());
    }
    if plan.fates != [Fate::Apply] {
        return Err("it is of a version that this code does not know, or was never admitted".to_owned());
    }
    let sum = |of: fn(&Entry) -> u64| plan.entries.iter().map(of).sum::<u64>() as i64;
    let (events, copies) = (sum(|entry| entry.events), sum(|entry| entry.duplicates));
    let mut statements = match gate {
        Some(gate) => vec![
            Statement::new(
                "INSERT INTO ledger (gate, number, at_ms) VALUES (?1, 0, ?2)",
                [mark.as_str().into(), now_ms.into()],
            ),
            Statement::new(
                "UPDATE applied SET events = events + ?2, dead = dead - ?2, duplicates = duplicates + ?3 \
                 WHERE gate = ?1",
                [gate.into(), events.into(), copies.into()],
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
    Ok(Replayed { handover: plan.handover, copies: plan.copies, outcomes: plan.outcomes, statements })
}

/// Keeps only a part of a letter: the rest is counted.
pub fn keep(id: &str, body: &str) -> Statement {
    Statement::new("UPDATE dead_letters SET body = ?2 WHERE id = ?1", [id.into(), body.into()])
}

/// Removes a letter.
pub fn forget(id: &str) -> Statement {
    Statement::new("DELETE FROM dead_letters WHERE id = ?1", [id.into()])
}
