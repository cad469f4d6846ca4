//! What a consumer makes of a batch: which messages count, which wait, which are dead. I/O is the shell's.

use std::collections::HashSet;

use analytics::archive::Copies;
use analytics::budget::Charges;
use analytics::campaign::Campaigns;
use analytics::event::Malformed;
use analytics::outcome::{Converted, Session};
use analytics::rollup::Rollup;
use analytics::segment::segments;
use analytics::{AgentCache, Conduct, Outcome, RawEvent, Statement, StatsAggregate, TrackedEvent};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::frame::{Broken, Duplicates, Frame, frames};
use crate::handed::{Bonds, Handover};
use crate::ledger::{self, DeadLetter, Entry};
use crate::message::{Head, Message, Unreadable};

/// What is to be done with one message of the batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is in the transaction: acknowledge it when that is through.
    Apply,
    /// It has been counted before: acknowledge it.
    Counted,
    /// No gate has seen its hits: pass its frames to the gate of their region, then acknowledge it.
    Admit {
        /// The region.
        region: String,
    },
    /// A journal did not take it: hand it over, then acknowledge it.
    Hand {
        /// The journal.
        shard: u16,
    },
    /// Written by a later version: try again after the deploy.
    Later,
    /// It is buried in the same transaction: acknowledge it when that is through.
    Dead,
}

/// Something that a plan counts.
#[derive(Debug)]
pub enum Counted<'e, 'a> {
    /// An event.
    Event(&'e TrackedEvent<'a>),
    /// A session that is over.
    Session {
        /// The place of its frame: there is no other of this name, ever.
        about: (&'e str, i64, usize),
        /// What it was.
        session: &'e Session<'a>,
    },
    /// A transaction that has reached a status.
    Converted(&'e Converted<'a>),
}

/// The plan of a batch.
#[derive(Debug, Default)]
pub struct Plan {
    /// One for each message, in order.
    pub fates: Vec<Fate>,
    /// The sums to add.
    pub aggregate: StatsAggregate,
    /// The messages that they are the sums of.
    pub entries: Vec<Entry>,
    /// Copies that gates turned away, which the sums have as well.
    pub copies: Vec<Copies>,
    /// What followed from journeys, with the time that it counts at, likewise.
    pub outcomes: Vec<(i64, Vec<u8>)>,
    /// What cannot be counted.
    pub dead: Vec<DeadLetter>,
    /// What is to be handed to the journeys, before it is counted: what the ledger knows, they have.
    pub handover: Handover,
    /// What its events cost, by campaign.
    pub charges: Charges,
    /// What their visitors did: to be learnt when the plan is carried out, and not before.
    pub conduct: Conduct,
}

impl Plan {
    /// Plans a batch of `(the queue's message id, bytes)`. `counted` are messages known to the ledger; events are joined
    /// with `campaigns`, and handed to so many `journals`, which were told the `bonds`; what their visitors did before is
    /// `known`; `each` sees every event, every session and every transaction's status that will be counted.
    pub fn of<'a, 'b: 'a>(
        batch: impl IntoIterator<Item = (&'b str, &'b [u8])>,
        counted: &HashSet<(String, i64)>,
        campaigns: &'a Campaigns,
        (journals, bonds): (u16, &'a Bonds),
        known: &'a Conduct,
        mut each: impl FnMut(Counted<'_, 'a>),
    ) -> Self {
        let mut plan = Self { handover: Handover::new(journals), ..Self::default() };
        let mut rollup = Rollup::default();
        let agents = AgentCache::default();
        let (charges, conduct) = (Charges::default(), Conduct::default());
        let mut meaning = Meaning { campaigns, agents, bonds, charges, known, conduct };
        let mut taken: HashSet<(&str, i64)> = HashSet::new();
        for (queue_id, bytes) in batch {
            let fate = match Message::decode(bytes) {
                Err(Unreadable::Version(_)) => Fate::Later,
                Err(Unreadable::Head) => {
                    plan.dead.push(DeadLetter {
                        id: format!("message {queue_id}"),
                        reason: "not a message: its head cannot be read".to_owned(),
                        body: STANDARD.encode(bytes),
                    });
                    Fate::Dead
                }
                Ok(Message { head: Head::Unadmitted { region }, .. }) => {
                    Fate::Admit { region: region.to_owned() }
                }
                Ok(Message { head: Head::Unhanded { shard }, .. }) => Fate::Hand { shard },
                Ok(Message { head: Head::Admitted { gate, number }, frames }) => {
                    if counted.contains(&(gate.to_owned(), number)) || !taken.insert((gate, number)) {
                        Fate::Counted
                    } else {
                        let told = (&mut plan.copies, &mut plan.outcomes, &mut plan.dead, &mut plan.handover);
                        let entry = read(gate, number, frames, &mut meaning, &mut rollup, told, &mut each);
                        plan.entries.push(entry);
                        Fate::Apply
                    }
                }
            };
            plan.fates.push(fate);
        }
        plan.aggregate = rollup.finish();
        plan.charges = meaning.charges;
        plan.conduct = meaning.conduct;
        plan.charges.limit(campaigns);
        plan
    }

    /// The transaction, or nothing if there is nothing to write.
    pub fn statements(&self, now_ms: i64) -> Vec<Statement> {
        let mut statements = ledger::apply(&self.entries, &segments(&self.aggregate), &self.dead, now_ms);
        statements.extend(self.charges.add());
        statements
    }
}

/// What events are read with: the campaigns that they are of, the agents that were read before, and what was charged.
struct Meaning<'a> {
    campaigns: &'a Campaigns,
    agents: AgentCache,
    bonds: &'a Bonds,
    charges: Charges,
    known: &'a Conduct,
    conduct: Conduct,
}

/// Where what is not added up goes: copies, outcomes, dead letters, and what is handed over.
type Sinks<'s> =
    (&'s mut Vec<Copies>, &'s mut Vec<(i64, Vec<u8>)>, &'s mut Vec<DeadLetter>, &'s mut Handover);

/// Reads one message's frames into the sums. A frame that cannot be read is dead by itself: its neighbours count.
fn read<'a>(
    gate: &str,
    number: i64,
    bytes: &'a [u8],
    meaning: &mut Meaning<'a>,
    rollup: &mut Rollup,
    (copied, followed, dead, handover): Sinks<'_>,
    each: &mut impl FnMut(Counted<'_, 'a>),
) -> Entry {
    let mut entry = Entry { gate: gate.to_owned(), number, events: 0, dead: 0, duplicates: 0 };
    let mut bury = |place: usize, reason: String, body: &[u8]| {
        dead.push(DeadLetter { id: format!("{gate} {number} {place}"), reason, body: STANDARD.encode(body) });
    };
    for (place, frame) in frames(bytes).enumerate() {
        match frame {
            Ok(Frame::Duplicates(Duplicates { link, campaign_id, kind, times, at_ms })) => {
                entry.duplicates += times;
                let campaign_id = meaning.campaigns.counted_as(campaign_id, at_ms);
                rollup.add_duplicates(at_ms, campaign_id, link, kind, times);
                let (campaign_id, link) = (campaign_id.to_owned(), link.to_owned());
                copied.push(Copies { at_ms, campaign_id, link, kind, times });
            }
            Ok(Frame::Event { id, body }) => match RawEvent::decode(id, body) {
                Ok(mut raw) => {
                    meaning.conduct.look(meaning.known, &mut raw);
                    let mut event = meaning.campaigns.enrich_with(&mut meaning.agents, raw);
                    meaning.charges.charge(meaning.campaigns, &mut event);
                    rollup.add(&event);
                    handover.add_event(&event, meaning.bonds);
                    each(Counted::Event(&event));
                    entry.events += 1;
                }
                Err(malformed) => {
                    entry.dead += 1;
                    let reason = match malformed {
                        Malformed::Version(version) => format!("event {id} is of version {version}"),
                        Malformed::Bytes => format!("event {id} cannot be read"),
                    };
                    let mut whole = Vec::new();
                    Frame::Event { id, body }.write(&mut whole);
                    bury(place, reason, &whole);
                }
            },
            Ok(Frame::Outcome(body)) => {
                let Some(outcome) = Outcome::decode(body) else {
                    entry.dead += 1;
                    let mut whole = Vec::new();
                    Frame::Outcome(body).write(&mut whole);
                    bury(place, "an outcome of a later version, or none at all".to_owned(), &whole);
                    continue;
                };
                followed.push((outcome.at_ms(), body.to_vec()));
                if let Outcome::Correction(correction) = &outcome {
                    meaning.charges.correct(correction);
                }
                if let Outcome::Session(session) = &outcome
                    && session.times == 1
                {
                    each(Counted::Session { about: (gate, number, place), session });
                }
                if let Outcome::Converted(converted) = &outcome
                    && converted.times == 1
                {
                    each(Counted::Converted(converted));
                }
                rollup.add_outcome(&outcome);
                if let Outcome::Moved(moved) = outcome {
                    handover.add_moved(moved);
                }
                entry.events += 1;
            }
            Err(broken) => {
                entry.dead += 1;
                let (reason, frame) = match broken {
                    Broken::Unknown(frame) => ("a frame of unknown kind or content", frame),
                    Broken::Cut(rest) => ("the message ends within a frame", rest),
                };
                bury(place, reason.to_owned(), frame);
            }
        }
    }
    entry
}
