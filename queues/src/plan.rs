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
    /// Plans a batch of `(the queue's message id, bytes)` in one go: see [`Planner`]. `counted` are messages known to the
    /// ledger; events are handed to so many `journals`, which were told the `bonds`.
    pub fn of<'a, 'b: 'a>(
        batch: impl IntoIterator<Item = (&'b str, &'b [u8])>,
        counted: &HashSet<(String, i64)>,
        campaigns: &'a Campaigns,
        (journals, bonds): (u16, &'a Bonds),
        conduct: &'a Conduct,
        mut each: impl FnMut(Counted<'_, 'a>),
    ) -> Self {
        let mut planner = Planner::new(journals);
        for message in batch {
            planner.add(message, counted, Known { campaigns, bonds, conduct }, &mut each);
        }
        planner.finish(campaigns)
    }

    /// The transaction, or nothing if there is nothing to write.
    pub fn statements(&self, now_ms: i64) -> Vec<Statement> {
        let mut statements = ledger::apply(&self.entries, &segments(&self.aggregate), &self.dead, now_ms);
        statements.extend(self.charges.add());
        statements
    }
}

/// What events are read with, as it is known at the time: campaigns that they are joined with, bonds that the journals
/// were told, and what visitors did before.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The campaigns.
    pub campaigns: &'a Campaigns,
    /// The bonds.
    pub bonds: &'a Bonds,
    /// What visitors did.
    pub conduct: &'a Conduct,
}

/// A plan in the making. It holds nothing of what is [`Known`], which is given with each message anew: whoever plans can
/// do something else between two messages, and know more after it.
#[derive(Debug)]
pub struct Planner<'b> {
    plan: Plan,
    rollup: Rollup,
    agents: AgentCache,
    taken: HashSet<(&'b str, i64)>,
}

impl<'b> Planner<'b> {
    /// Nothing is planned yet; events will be handed to so many journals.
    pub fn new(journals: u16) -> Self {
        Self {
            plan: Plan { handover: Handover::new(journals), ..Plan::default() },
            rollup: Rollup::default(),
            agents: AgentCache::default(),
            taken: HashSet::new(),
        }
    }

    /// Plans a message: the queue's id, and its bytes. `counted` are messages known to the ledger; `each` sees every event,
    /// every session and every transaction's status that will be counted.
    pub fn add<'a>(
        &mut self,
        (queue_id, bytes): (&str, &'b [u8]),
        counted: &HashSet<(String, i64)>,
        known: Known<'a>,
        each: &mut impl FnMut(Counted<'_, 'a>),
    ) where
        'b: 'a,
    {
        let fate = match Message::decode(bytes) {
            Err(Unreadable::Version(_)) => Fate::Later,
            Err(Unreadable::Head) => {
                self.plan.dead.push(DeadLetter {
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
                if counted.contains(&(gate.to_owned(), number)) || !self.taken.insert((gate, number)) {
                    Fate::Counted
                } else {
                    let entry = self.read(gate, number, frames, known, each);
                    self.plan.entries.push(entry);
                    Fate::Apply
                }
            }
        };
        self.plan.fates.push(fate);
    }

    /// The plan.
    pub fn finish(self, campaigns: &Campaigns) -> Plan {
        let Self { mut plan, rollup, .. } = self;
        plan.aggregate = rollup.finish();
        plan.charges.limit(campaigns);
        plan
    }

    /// Reads one message's frames into the sums. A frame that cannot be read is dead by itself: its neighbours count.
    fn read<'a>(
        &mut self,
        gate: &str,
        number: i64,
        bytes: &'a [u8],
        known: Known<'a>,
        each: &mut impl FnMut(Counted<'_, 'a>),
    ) -> Entry {
        let Known { campaigns, bonds, conduct } = known;
        let (plan, rollup) = (&mut self.plan, &mut self.rollup);
        let mut entry = Entry { gate: gate.to_owned(), number, events: 0, dead: 0, duplicates: 0 };
        let mut bury = |place: usize, reason: String, body: &[u8]| {
            plan.dead.push(DeadLetter {
                id: format!("{gate} {number} {place}"),
                reason,
                body: STANDARD.encode(body),
            });
        };
        for (place, frame) in frames(bytes).enumerate() {
            match frame {
                Ok(Frame::Duplicates(Duplicates { link, campaign_id, kind, times, at_ms })) => {
                    entry.duplicates += times;
                    let campaign_id = campaigns.counted_as(campaign_id, at_ms);
                    rollup.add_duplicates(at_ms, campaign_id, link, kind, times);
                    let (campaign_id, link) = (campaign_id.to_owned(), link.to_owned());
                    plan.copies.push(Copies { at_ms, campaign_id, link, kind, times });
                }
                Ok(Frame::Event { id, body }) => match RawEvent::decode(id, body) {
                    Ok(mut raw) => {
                        plan.conduct.look(conduct, &mut raw);
                        let mut event = campaigns.enrich_with(&mut self.agents, raw);
                        plan.charges.charge(campaigns, &mut event);
                        rollup.add(&event);
                        plan.handover.add_event(&event, bonds);
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
                    plan.outcomes.push((outcome.at_ms(), body.to_vec()));
                    if let Outcome::Correction(correction) = &outcome {
                        plan.charges.correct(correction);
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
                        plan.handover.add_moved(moved);
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
}
