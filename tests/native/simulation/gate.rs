//! A gate and its storage, as the platform hosts them: the memory may be gone at any time, the rows stay.

use durable_objects::gate::Outgoing;
use durable_objects::{Gate, GateName, log};
use queues::ledger;

use super::client::event_of;
use super::handover::recall;
use super::world::{Broken, World};
use crate::database::{Database, log_rows};

pub(crate) struct Host {
    pub(crate) name: GateName,
    pub(crate) storage: Database,
    memory: Option<Gate>,
    /// How far its clock is off.
    pub(crate) offset_ms: i64,
    /// The alarm, in true time. It outlives the memory.
    pub(crate) alarm_ms: Option<i64>,
    /// Hits that are told when the group is committed.
    pub(crate) waiting: Vec<(usize, Vec<u8>)>,
    /// How often its memory went: a call that was under way went with it.
    pub(crate) crashes: u32,
    /// Hits that came straight from the edge.
    pub(crate) hits: i64,
}

impl Host {
    pub(crate) fn new(name: GateName) -> Self {
        let storage = Database::log();
        Self {
            name,
            storage,
            memory: None,
            offset_ms: 0,
            alarm_ms: None,
            waiting: Vec::new(),
            crashes: 0,
            hits: 0,
        }
    }

    /// When its timers or its alarm go off.
    pub(crate) fn next_ms(&self, now_ms: i64) -> Option<i64> {
        let clock_ms = now_ms + self.offset_ms;
        let memory = self.memory.as_ref();
        let commit_ms =
            memory.filter(|_| !self.waiting.is_empty()).map(|memory| memory.commit_due_ms(clock_ms));
        let ship_ms = memory.and_then(|memory| memory.ship_due_ms(clock_ms));
        let timers = commit_ms.into_iter().chain(ship_ms).map(|at_ms| at_ms - self.offset_ms);
        timers.chain(self.alarm_ms).min()
    }
}

impl World {
    pub(crate) fn gate_now(&self, gate: usize) -> i64 {
        self.now_ms + self.hosts[gate].offset_ms
    }

    /// The gate's memory, rebuilt from its log if need be.
    pub(crate) fn memory(&mut self, gate: usize) -> &mut Gate {
        let now_ms = self.gate_now(gate);
        let (settings, broken) = (self.settings, self.broken);
        let Host { name, storage, memory, .. } = &mut self.hosts[gate];
        memory.get_or_insert_with(|| {
            let mut rows = log_rows(storage);
            if broken == Some(Broken::GateForgetsIds) {
                for row in &mut rows {
                    row.at_ms = 0;
                }
            }
            let mut gate = Gate::rebuild(*name, settings, rows, now_ms);
            recall(&mut gate, storage, broken);
            gate
        })
    }

    /// The memory is gone, and with it whoever waited.
    pub(crate) fn crash(&mut self, gate: usize) {
        self.hosts[gate].memory = None;
        self.hosts[gate].crashes += 1;
        for (event, body) in std::mem::take(&mut self.hosts[gate].waiting) {
            self.go_round(event, &body);
        }
    }

    /// What is due.
    pub(crate) fn run_timers(&mut self, gate: usize) {
        let now_ms = self.gate_now(gate);
        if self.hosts[gate].memory.is_some() {
            if self.memory(gate).commit_due_ms(now_ms) <= now_ms && !self.hosts[gate].waiting.is_empty() {
                self.commit(gate);
            }
            if self.memory(gate).ship_due_ms(now_ms).is_some_and(|due_ms| due_ms <= now_ms) {
                self.ship(gate);
            }
        }
        if self.hosts[gate].alarm_ms.is_some_and(|at_ms| at_ms <= self.now_ms) {
            self.wake(gate);
        }
    }

    /// Writes the open group. Whether it is in the log, and its callers were told.
    pub(crate) fn commit(&mut self, gate: usize) -> bool {
        let now_ms = self.gate_now(gate);
        let Some(commit) = self.memory(gate).commit(now_ms) else { return true };
        let statements: Vec<_> = commit.statements().collect();
        if statements.iter().any(|statement| statement.sql.starts_with("UPDATE")) {
            self.reached.insert("a row that was written over");
        }
        match if self.faults { self.chance.below(24) } else { 24 } {
            0 => {
                self.crash(gate);
                return false;
            }
            1 => {
                // Half-way, and taken back.
                let half = self.chance.below(statements.len() + 1);
                self.hosts[gate].storage.transact(&statements[..half]).unwrap();
                self.hosts[gate].storage.transact(&commit.undo()).unwrap();
                self.memory(gate).aborted(commit);
                self.reached.insert("a commit that was taken back");
                for (event, body) in std::mem::take(&mut self.hosts[gate].waiting) {
                    self.go_round(event, &body);
                }
                return false;
            }
            _ => self.hosts[gate].storage.transact(&statements).unwrap(),
        }
        let wake_ms = self.now_ms + self.settings.confirm_after_ms;
        let alarm_ms = &mut self.hosts[gate].alarm_ms;
        *alarm_ms = Some(alarm_ms.map_or(wake_ms, |at_ms| at_ms.min(wake_ms)));
        let ids = commit_events(&commit);
        for event in ids {
            self.events[event].logged_ms = Some(self.now_ms);
        }
        if self.fails(12) {
            self.reached.insert("a row that nobody was told of");
            self.crash(gate);
            return false;
        }
        self.memory(gate).committed(commit);
        for (event, body) in std::mem::take(&mut self.hosts[gate].waiting) {
            self.answer(event, &body);
        }
        true
    }

    fn ship(&mut self, gate: usize) {
        // Copies that were turned away wait for a row; here they get their own.
        if !self.commit(gate) {
            return;
        }
        let now_ms = self.gate_now(gate);
        let messages = self.memory(gate).ship(now_ms);
        for message in messages {
            if self.fails(20) {
                return self.crash(gate);
            }
            self.give_to_queue(gate, message);
        }
        self.arm(gate);
    }

    fn give_to_queue(&mut self, gate: usize, message: Outgoing) {
        let now_ms = self.gate_now(gate);
        if !self.queue.send(message.bytes, true, self.faults, &mut self.chance, self.now_ms) {
            self.memory(gate).unsent(message.number, now_ms);
        }
    }

    fn arm(&mut self, gate: usize) {
        let now_ms = self.gate_now(gate);
        let wake_ms = self.memory(gate).wake_ms(now_ms);
        self.hosts[gate].alarm_ms = wake_ms.map(|at_ms| at_ms - self.hosts[gate].offset_ms);
    }

    /// The alarm: asks the ledger, sends again what it lacks, prunes.
    fn wake(&mut self, gate: usize) {
        let now_ms = self.gate_now(gate);
        let resend = self.ask_ledger(gate);
        for number in resend {
            if self.fails(20) {
                return self.crash(gate);
            }
            let statement = match self.broken {
                Some(Broken::GateSendsAnotherCut) => analytics::Statement::new(
                    "SELECT body FROM log WHERE seq >= ?1 ORDER BY seq LIMIT 3",
                    [number.into()],
                ),
                _ => log::message(number),
            };
            let bodies: Vec<Vec<u8>> = self.hosts[gate].storage.rows(&statement, |row| row.get(0));
            let message = self.memory(gate).outgoing(number, &bodies.concat());
            self.reached.insert("a message that was sent again");
            self.give_to_queue(gate, message);
        }
        let mut pruning = self.memory(gate).prune(now_ms);
        if self.broken == Some(Broken::GatePrunesTooMuch) {
            pruning = Some(log::prune(now_ms, now_ms - 5_000));
        }
        if let Some(pruning) = pruning {
            if self.fails(6) {
                return self.crash(gate);
            }
            self.hosts[gate].storage.run(&pruning).unwrap();
            self.reached.insert("a log that was pruned");
        }
        if let Some(fading) = self.memory(gate).fade(now_ms) {
            if self.fails(6) {
                return self.crash(gate);
            }
            self.hosts[gate].storage.run(&fading).unwrap();
            self.reached.insert("a row that was emptied");
        }
        self.arm(gate);
    }

    pub(crate) fn ask_ledger(&mut self, gate: usize) -> Vec<i64> {
        let now_ms = self.gate_now(gate);
        let Some(from) = self.memory(gate).unconfirmed_from() else { return Vec::new() };
        if !self.readable() {
            self.memory(gate).unanswered(now_ms);
            self.reached.insert("a ledger that did not answer");
            return Vec::new();
        }
        let known = if self.broken == Some(Broken::GateTrustsTheQueue) {
            self.memory(gate).report().unconfirmed.iter().map(|at| at.0).collect()
        } else {
            let asked = ledger::counted_of_gate(&self.hosts[gate].name.to_string(), from);
            self.d1.rows(&asked, |row| row.get(0))
        };
        self.memory(gate).confirm(known, now_ms)
    }
}

/// The events in a commit.
fn commit_events(commit: &durable_objects::gate::Commit) -> Vec<usize> {
    let mut events = Vec::new();
    for statement in commit.statements() {
        let Some(analytics::Param::Blob(body)) = statement.params.last() else { continue };
        for frame in queues::frames(body) {
            if let Ok(queues::Frame::Event { id, body }) = frame {
                events.push(event_of(id, body).0);
            }
        }
    }
    events
}
