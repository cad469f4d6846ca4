//! Dead letters that come back: counted once, in the transaction that removes them.

use std::collections::HashSet;

use analytics::archive::{Copies, Named};
use analytics::campaign::Campaigns;
use analytics::erasure::Wanted;
use analytics::segment::segments;
use analytics::{Conduct, Outcome, RawEvent, Statement, VisitorKey, enrich};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::call::Call;
use crate::frame::{Broken, Frame, frames};
use crate::handed::{Bonds, Handed, Handover};
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
    let (nothing, none) = (HashSet::new(), Bonds::default());
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

/// A letter without the events of whoever is wanted, and whose erasures those fall under. `None` as a body: nothing is left of it.
/// What cannot be read stays: nobody can tell whose it is.
pub fn without(id: &str, body: &str, wanted: &mut Wanted) -> (Vec<String>, Option<String>) {
    let bytes = STANDARD.decode(body).unwrap_or_default();
    let mut erased = Vec::new();
    let mut left = Vec::new();
    let framed = |whole: &[u8], erased: &mut Vec<String>, wanted: &mut Wanted, left: &mut Vec<u8>| {
        for frame in frames(whole) {
            match frame {
                Ok(frame) => match whose(&frame).and_then(|named| wanted.of(&named)) {
                    Some(erasure) => erased.push(erasure),
                    None => frame.write(left),
                },
                Err(Broken::Unknown(rest) | Broken::Cut(rest)) => left.extend_from_slice(rest),
            }
        }
    };
    let of_frame = id.starts_with("gate/") || id.starts_with("journey/");
    let kept = if of_frame {
        framed(&bytes, &mut erased, wanted, &mut left);
        (!left.is_empty()).then_some(left)
    } else {
        match Message::decode(&bytes) {
            Ok(Message { head: head @ Head::Unhanded { .. }, frames }) => {
                let mut left = Call::default();
                for one in Handed::read(frames).unwrap_or_default() {
                    let at_ms = match &one {
                        Handed::Footprint(_, print) => print.at_ms,
                        Handed::Bond(..) => i64::MIN,
                    };
                    match wanted.of(&Named { keys: vec![one.key()], at_ms }) {
                        Some(erasure) => erased.push(erasure),
                        None => left.add(&one),
                    }
                }
                (!left.is_empty()).then(|| Message::encode(head, &left.into_bytes()))
            }
            Ok(Message { head, frames }) => {
                framed(frames, &mut erased, wanted, &mut left);
                (!left.is_empty()).then(|| Message::encode(head, &left))
            }
            Err(_) => None,
        }
    };
    if erased.is_empty() {
        return (erased, Some(body.to_owned()));
    }
    (erased, kept.map(|bytes| STANDARD.encode(bytes)))
}

fn whose(frame: &Frame<'_>) -> Option<Named> {
    match *frame {
        Frame::Event { id, body } => {
            let event = enrich(RawEvent::decode(id, body).ok()?);
            Some(Named { keys: VisitorKey::all_of(&event), at_ms: event.effective_time_ms })
        }
        Frame::Outcome(body) => match Outcome::decode(body)? {
            Outcome::Moved(moved) => Some(Named { keys: vec![moved.to], at_ms: moved.footprint.at_ms }),
            _ => None,
        },
        Frame::Duplicates(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use analytics::{EventId, Kind, Source};

    use super::*;

    fn event(n: u8, user: &'static str) -> RawEvent<'static> {
        let mut raw = RawEvent::new(EventId::from_bytes([n; 16]), Kind::Click, Source::Beacon, 1_000);
        raw.user_id = user.into();
        raw
    }

    #[test]
    fn a_letter_keeps_what_is_of_others() {
        let mut frames = Vec::new();
        Frame::write_event(&event(1, "ada"), &mut frames);
        Frame::write_event(&event(2, "bob"), &mut frames);
        let letter = STANDARD.encode(Message::encode(Head::Unadmitted { region: "weur" }, &frames));
        let mut wanted = Wanted::default();
        assert_eq!(without("late 1", &letter, &mut wanted), (Vec::new(), Some(letter.clone())));
        wanted.keys.insert(VisitorKey::of_user("ada"), ("e".to_owned(), 2_000));
        let (erased, left) = without("late 1", &letter, &mut wanted);
        assert_eq!(erased, ["e"]);
        let left = STANDARD.decode(left.unwrap()).unwrap();
        let has = |name: &[u8]| left.windows(3).any(|part| part == name);
        assert!(!has(b"ada") && has(b"bob"));
        wanted.keys.insert(VisitorKey::of_user("bob"), ("f".to_owned(), 2_000));
        assert_eq!(without("late 1", &letter, &mut wanted).1, None, "nothing is left");
        wanted.keys.insert(VisitorKey::of_user("bob"), ("f".to_owned(), 500));
        assert_eq!(without("late 1", &letter, &mut wanted).0, ["e"], "he came after he was erased");
    }
}
