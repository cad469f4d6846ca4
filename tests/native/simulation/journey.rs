//! Journals and their storage, as the platform hosts them, and how consumers hand over to them.

use std::cell::Cell;

use analytics::funnel::{Funnel, Matcher};
use analytics::{Kind, Outcome, Param, Statement};
use durable_objects::gate::Outgoing;
use durable_objects::journal::{Database as Storage, Failed};
use durable_objects::{Journal, JournalName, Settings, Terms};

use queues::{Frame, Handed, Handover, Head, Message, frames, ledger};
use rusqlite::types::ValueRef;

use super::world::{Broken, World};
use crate::database::Database;

pub(crate) const JOURNALS: u16 = 2;

/// What journeys are judged by: sessions are short, so that late events change many that were told.
pub(crate) fn terms() -> Terms {
    let step = |kind| Matcher { kind: Some(kind), ..Matcher::default() };
    let funnel = Funnel {
        id: "f".to_owned(),
        steps: vec![step(Kind::Click), step(Kind::Page), step(Kind::Conversion)],
        window_seconds: 3_600,
        ..Funnel::default()
    };
    Terms { session_gap_ms: 30_000, late_ms: 1_000, funnels: vec![funnel], ..Terms::default() }
}

/// A journal's own database, which fails when it is told to.
struct Disk {
    sqlite: Database,
    /// So many statements are carried out before one fails.
    fails_in: Cell<Option<usize>>,
}

impl Storage for Disk {
    fn run(&self, statement: Statement) -> Result<Vec<Vec<Param>>, Failed> {
        if let Some(left) = self.fails_in.get() {
            self.fails_in.set(left.checked_sub(1));
            if left == 0 {
                return Err(Failed("the disk is full".to_owned()));
            }
        }
        let column = |value: ValueRef<'_>| match value {
            ValueRef::Integer(value) => Param::Integer(value),
            ValueRef::Blob(value) => Param::Blob(value.to_vec()),
            other => panic!("{other:?}"),
        };
        Ok(self.sqlite.rows(&statement, |row| {
            (0..row.as_ref().column_count()).map(|place| row.get_ref(place).map(column)).collect()
        }))
    }
}

pub(crate) struct Host {
    name: JournalName,
    disk: Disk,
    memory: Option<Journal>,
    /// The alarm. It outlives the memory.
    alarm_ms: Option<i64>,
    /// Broken: calls that were answered and are not written.
    hopes: Vec<Vec<u8>>,
}

impl Host {
    pub(crate) fn all() -> Vec<Self> {
        let host = |shard| Self {
            name: JournalName { shard },
            disk: Disk { sqlite: Database::journal(), fails_in: Cell::new(None) },
            memory: None,
            alarm_ms: None,
            hopes: Vec::new(),
        };
        (0..JOURNALS).map(host).collect()
    }

    /// The journal, opened if need be, and its database.
    fn open(&mut self, settings: Settings, now_ms: i64) -> (&mut Journal, &Disk) {
        let memory = self.memory.get_or_insert_with(|| {
            let mut journal = Journal::open(&self.disk, self.name, settings, now_ms).unwrap();
            journal.set_terms(&self.disk, terms(), 1).unwrap();
            journal
        });
        (memory, &self.disk)
    }

    /// When it has to do something.
    pub(crate) fn next_ms(&self, now_ms: i64) -> Option<i64> {
        let ship_ms = self.memory.as_ref().and_then(|memory| memory.ship_due_ms(now_ms));
        let hopes_ms = (!self.hopes.is_empty()).then_some(now_ms);
        ship_ms.into_iter().chain(self.alarm_ms).chain(hopes_ms).min()
    }
}

impl World {
    fn journal(&mut self, journal: usize) -> (&mut Journal, &Disk) {
        self.journals[journal].open(self.settings, self.now_ms)
    }

    /// Hands over what a consumer's plan has for the journeys. What a journal does not take goes to the queue. `false`:
    /// neither took it.
    pub(crate) fn hand_on(&mut self, consumer: usize, handover: Handover) -> bool {
        let (calls, told) = handover.finish();
        for (shard, call) in calls {
            if self.hand_to(shard, &call) {
                continue;
            }
            if self.broken == Some(Broken::ConsumerCountsFirst) {
                continue;
            }
            self.reached.insert("a call that a journal did not take");
            let message = Message::encode(Head::Unhanded { shard }, &call);
            if !self.queue.send(message, false, self.faults, &mut self.chance, self.now_ms) {
                return false;
            }
        }
        self.bonds[consumer].extend(told);
        true
    }

    /// Calls a journal. `false`: it did not take the call, or its answer was lost.
    pub(crate) fn hand_to(&mut self, shard: u16, call: &[u8]) -> bool {
        let journal = usize::from(shard);
        if self.fails(8) {
            return false;
        }
        if self.broken == Some(Broken::JournalAnswersEarly) {
            self.journals[journal].hopes.push(call.to_vec());
            return true;
        }
        self.take(journal, call) && !self.fails(12)
    }

    fn take(&mut self, journal: usize, call: &[u8]) -> bool {
        self.break_disk(journal);
        let now_ms = self.now_ms;
        let (memory, disk) = self.journal(journal);
        let taken = memory.hand(disk, Handed::read(call).unwrap(), now_ms).is_ok();
        disk.fails_in.set(None);
        if !taken && self.chance.once_in(2) {
            self.crash_journal(journal);
        }
        self.arm_journal(journal);
        taken
    }

    /// Now and then a statement of the next few fails.
    fn break_disk(&mut self, journal: usize) {
        // Opened before, which is what a failure there would amount to.
        self.journal(journal);
        if self.fails(10) {
            let left = self.chance.below(4);
            self.journals[journal].disk.fails_in.set(Some(left));
        }
    }

    /// The memory is gone.
    pub(crate) fn crash_journal(&mut self, journal: usize) {
        self.journals[journal].memory = None;
        self.journals[journal].hopes.clear();
    }

    /// What is due.
    pub(crate) fn run_journal(&mut self, journal: usize) {
        for call in std::mem::take(&mut self.journals[journal].hopes) {
            self.take(journal, &call);
        }
        self.ship_journal(journal);
        if self.journals[journal].alarm_ms.is_some_and(|at_ms| at_ms <= self.now_ms) {
            self.wake_journal(journal);
        }
    }

    fn ship_journal(&mut self, journal: usize) {
        let now_ms = self.now_ms;
        let memory = self.journals[journal].memory.as_mut();
        let due = |memory: &&mut Journal| memory.ship_due_ms(now_ms).is_some_and(|due_ms| due_ms <= now_ms);
        let Some(memory) = memory.filter(due) else { return };
        for message in memory.ship(now_ms) {
            if self.fails(20) {
                return self.crash_journal(journal);
            }
            self.send_outcomes(journal, message);
        }
        self.arm_journal(journal);
    }

    fn send_outcomes(&mut self, journal: usize, message: Outgoing) {
        for frame in frames(Message::decode(&message.bytes).unwrap().frames) {
            let Ok(Frame::Outcome(body)) = frame else { panic!("a journal writes outcomes") };
            let again = match Outcome::decode(body).unwrap() {
                Outcome::Moved(_) => {
                    self.reached.insert("a footprint that moved");
                    false
                }
                Outcome::Session(session) => session.times < 0,
                Outcome::Step(step) => step.times < 0,
                Outcome::Credit(credit) => credit.times < 0,
                Outcome::Converted(converted) => {
                    self.reached.insert("a conversion that somebody was called for");
                    converted.times < 0
                }
                Outcome::Correction(_) => {
                    self.reached.insert("a conversion that was corrected");
                    false
                }
            };
            if again {
                self.reached.insert("an outcome that was taken back");
            }
        }
        let now_ms = self.now_ms;
        if !self.queue.send(message.bytes, true, self.faults, &mut self.chance, now_ms) {
            self.journal(journal).0.unsent(message.number, now_ms);
        }
    }

    fn arm_journal(&mut self, journal: usize) {
        let now_ms = self.now_ms;
        self.journals[journal].alarm_ms = self.journal(journal).0.wake_ms(now_ms);
    }

    /// The alarm: works, asks the ledger, sends again what it lacks. One that fails is rung again.
    fn wake_journal(&mut self, journal: usize) {
        let now_ms = self.now_ms;
        self.journals[journal].alarm_ms = Some(now_ms + 1_000);
        self.break_disk(journal);
        let (memory, disk) = self.journal(journal);
        let worked = memory.work(disk, now_ms);
        disk.fails_in.set(None);
        if worked.is_err() || self.fails(12) {
            return self.crash_journal(journal);
        }
        self.ship_journal(journal);
        for number in self.ask_ledger_of_journal(journal) {
            if self.fails(20) {
                return self.crash_journal(journal);
            }
            let (memory, disk) = self.journal(journal);
            let message = memory.again(disk, number).unwrap();
            self.reached.insert("an outcome that was told again");
            self.send_outcomes(journal, message);
        }
        self.arm_journal(journal);
    }

    fn ask_ledger_of_journal(&mut self, journal: usize) -> Vec<i64> {
        let now_ms = self.now_ms;
        let name = self.journals[journal].name.to_string();
        let Some(from) = self.journal(journal).0.unconfirmed_from() else { return Vec::new() };
        let mut known = Vec::new();
        if self.readable() {
            known = self.d1.rows(&ledger::counted_of_gate(&name, from), |row| row.get(0));
        }
        self.journal(journal).0.confirm(known, now_ms)
    }

    /// The journals' own books, beside the ledger's.
    pub(crate) fn check_journal(&mut self, journal: usize) -> Result<(), String> {
        let now_ms = self.now_ms;
        let again = self.ask_ledger_of_journal(journal);
        let name = self.journals[journal].name.to_string();
        let (memory, _) = self.journal(journal);
        let (report, wake_ms) = (memory.report(), memory.wake_ms(now_ms));
        if !again.is_empty() || !report.unconfirmed.is_empty() || wake_ms.is_some() || report.open > 0 {
            return Err(format!("{name} has something to do: {again:?}, {wake_ms:?}, {report:?}"));
        }
        let of_journal = self.d1.rows(&ledger::applied(), |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(2)?, row.get::<_, i64>(3)?))
        });
        let applied = of_journal.into_iter().find(|row| row.0 == name).map_or((0, 0), |row| (row.1, row.2));
        if applied != (report.emitted, 0) || report.damaged > 0 {
            return Err(format!("{name}: {applied:?} are applied and dead, and it says {report:?}"));
        }
        Ok(())
    }
}
