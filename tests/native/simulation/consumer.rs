//! Consumers: several, each of which may stop between any two of its steps.

use std::collections::HashSet;

use analytics::archive::Lines;
use analytics::campaign::Campaigns;
use analytics::catalog::{Item, Sort};
use analytics::signature::Signer;
use durable_objects::{Admission, Region};
use queues::delivery::Postbacks;
use queues::ledger::{self, DeadLetter};
use queues::plan::{Counted, Fate, Plan};
use queues::{Frame, Head, Message, frames};

use super::client::{CAMPAIGNS, event_of};
use super::journey::JOURNALS;
use super::queue::Parcel;
use super::world::{Broken, Failure, World};

/// After so many tries the platform gives a message to the dead-letter queue.
const MOST_ATTEMPTS: u32 = 30;

/// How far a consumer is with its batch.
#[derive(Default)]
pub(crate) enum Consumer {
    #[default]
    Idle,
    /// It knows these to be counted, and is about to write.
    Planning { batch: Vec<Parcel>, counted: HashSet<(String, i64)> },
    /// The ledger refused: it is about to ask which were counted.
    Refused { batch: Vec<Parcel>, asked: Vec<(String, i64)> },
    /// It is about to acknowledge.
    Done { batch: Vec<Parcel>, fates: Vec<Fate>, applied: bool },
}

/// Every campaign calls somebody for every status.
fn postbacks() -> Postbacks {
    let mut postbacks = Postbacks::default();
    for (change, campaign) in (1..).zip(CAMPAIGNS) {
        let body = br#"{"name": "x", "postback_url": "https://net.example/?s={status}"}"#;
        let item = Item::create(Sort::Campaign, body, campaign.into(), 0).unwrap();
        let mut record: serde_json::Value = serde_json::from_str(&item.to_record()).unwrap();
        record["change"] = change.into();
        postbacks.learn(Sort::Campaign, &record.to_string());
    }
    postbacks
}

impl World {
    /// The next step of a consumer. `false` if there is none.
    pub(crate) fn step_consumer(&mut self, consumer: usize) -> bool {
        let state = std::mem::take(&mut self.consumers[consumer]);
        let next = match state {
            Consumer::Idle => {
                let batch = self.queue.take(self.faults, &mut self.chance, self.now_ms);
                if batch.is_empty() {
                    return false;
                }
                Consumer::Planning { batch, counted: HashSet::new() }
            }
            // It was stopped. Nobody acknowledged anything.
            Consumer::Planning { batch, .. }
            | Consumer::Refused { batch, .. }
            | Consumer::Done { batch, .. }
                if self.fails(12) =>
            {
                self.bonds[consumer].clear();
                for parcel in batch {
                    self.again(parcel);
                }
                Consumer::Idle
            }
            Consumer::Planning { batch, counted } => self.apply(consumer, batch, &counted),
            Consumer::Refused { batch, asked } => {
                if self.readable() {
                    let counted =
                        self.d1.rows(&ledger::counted(&asked), |row| Ok((row.get(0)?, row.get(1)?)));
                    Consumer::Planning { batch, counted: counted.into_iter().collect() }
                } else {
                    for parcel in batch {
                        self.again(parcel);
                    }
                    Consumer::Idle
                }
            }
            Consumer::Done { batch, fates, applied } => {
                for (parcel, fate) in batch.into_iter().zip(fates) {
                    self.acknowledge(parcel, &fate, applied);
                }
                Consumer::Idle
            }
        };
        self.consumers[consumer] = next;
        true
    }

    fn again(&mut self, parcel: Parcel) {
        let wait_ms = self.chance.ms(1_000, 20_000);
        self.queue.again(parcel, wait_ms, self.now_ms);
    }

    fn apply(
        &mut self,
        consumer: usize,
        mut batch: Vec<Parcel>,
        counted: &HashSet<(String, i64)>,
    ) -> Consumer {
        if self.broken == Some(Broken::ConsumerTrustsTheEdge) {
            batch.iter_mut().for_each(trust);
        }
        let messages = batch.iter().map(|parcel| (parcel.id.as_str(), parcel.bytes.as_slice()));
        let campaigns = Campaigns::default();
        let mut lines = Lines::default();
        let journals = (JOURNALS, &self.bonds[consumer]);
        let known = analytics::Conduct::default();
        let (postbacks, mut calls) = (postbacks(), Vec::new());
        let (signer, now_ms) = (Signer::new("secret").unwrap(), self.now_ms);
        let mut plan = Plan::of(messages, counted, &campaigns, journals, &known, |counted| match counted {
            Counted::Event(event) => lines.add(event),
            Counted::Converted(converted) => calls.extend(postbacks.tell(converted, &signer, now_ms)),
            Counted::Session { .. } => {}
        });
        plan.copies.iter().for_each(|copies| lines.add_copies(copies));
        plan.outcomes.iter().for_each(|(at_ms, body)| lines.add_outcome(*at_ms, body));
        let handover = std::mem::take(&mut plan.handover);
        let counts_first = self.broken == Some(Broken::ConsumerCountsFirst);
        // What was refused was handed over before.
        if counted.is_empty() && !counts_first && !self.hand_on(consumer, handover.clone()) {
            return Consumer::Done { batch, fates: plan.fates, applied: false };
        }
        let mut statements = plan.statements(self.now_ms);
        statements.extend(calls);
        if !self.stores(lines, &mut statements) {
            return Consumer::Done { batch, fates: plan.fates, applied: false };
        }
        if self.broken == Some(Broken::ConsumerSkipsLedger) && !plan.entries.is_empty() {
            // Nothing that says "once": neither the ledger's key nor that of the segments.
            statements[0].sql = "INSERT OR IGNORE INTO ledger (gate, number, at_ms) \
                                 SELECT value ->> 0, value ->> 1, ?2 FROM json_each(?1)";
            let unique = self.chance.bytes();
            let segments = statements.iter_mut().filter(|statement| statement.sql.contains("INTO segments"));
            segments.for_each(|segment| segment.params[1] = format!("{unique:?}").into());
        }
        let written = if statements.is_empty() { Ok(()) } else { self.write(&statements) };
        if counts_first && written.is_ok() {
            self.hand_on(consumer, handover);
        }
        match written {
            Err(Failure::Unique) if counted.is_empty() => {
                let asked = plan.entries.iter().map(|entry| (entry.gate.clone(), entry.number)).collect();
                Consumer::Refused { batch, asked }
            }
            written => Consumer::Done { batch, fates: plan.fates, applied: written.is_ok() },
        }
    }

    fn acknowledge(&mut self, parcel: Parcel, fate: &Fate, applied: bool) {
        let done = match fate {
            Fate::Counted => true,
            Fate::Apply | Fate::Dead => applied,
            Fate::Later => false,
            Fate::Hand { shard } => {
                let call = Message::decode(&parcel.bytes).unwrap().frames;
                self.hand_to(*shard, call)
            }
            Fate::Admit { .. } => self.admit_late(&parcel.bytes),
        };
        if done {
            return;
        }
        if parcel.attempts >= MOST_ATTEMPTS && matches!(fate, Fate::Admit { .. }) && !self.faults {
            let reason = "no gate can tell any more whether it was counted".to_owned();
            let letter = DeadLetter { id: parcel.id, reason, body: String::new() };
            self.d1.transact(&ledger::bury(&[letter], self.now_ms)).unwrap();
            self.bury(&parcel.bytes);
            self.reached.insert("a hit that was too late");
            return;
        }
        self.again(parcel);
    }

    /// Passes frames to their gates. `false` if one of them has to come again.
    fn admit_late(&mut self, bytes: &[u8]) -> bool {
        let mut done = true;
        for frame in frames(Message::decode(bytes).unwrap().frames) {
            let Ok(Frame::Event { id, body }) = frame else { panic!("the edge writes events") };
            if self.fails(12) {
                return false;
            }
            let maps = self.maps();
            let gate = self.gate_of(Region::of_body(body), id, &maps);
            if !self.prepare(gate, id, body, &maps) {
                return false;
            }
            let now_ms = self.gate_now(gate);
            let late_ms = Some(event_of(id, body).1);
            let admission = self.memory(gate).admit(id, body, late_ms, now_ms);
            if admission == Admission::New {
                self.reached.insert("a late hit that no gate had");
            }
            done &= match admission {
                Admission::New | Admission::DuplicateOfPending => self.commit(gate) && !self.fails(12),
                Admission::Duplicate => {
                    self.reached.insert("a late hit that the gate had");
                    true
                }
                Admission::Full => false,
                Admission::TooLarge => panic!("it is small"),
            };
        }
        done
    }
}

/// Makes a gate's message of hits that no gate has seen.
fn trust(parcel: &mut Parcel) {
    let message = Message::decode(&parcel.bytes).unwrap();
    if let Head::Unadmitted { region } = message.head {
        let gate = format!("gate/{region}/0");
        let number = i64::from_str_radix(&parcel.id, 16).unwrap();
        parcel.bytes = Message::encode(Head::Admitted { gate: &gate, number }, message.frames);
    }
}
