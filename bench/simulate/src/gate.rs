//! One gate through the hour: a thread that takes calls one by one, a commit for whoever came meanwhile, and a message
//! now and then. A gate knows nothing of the others, so each is simulated by itself.

use crate::chance::Chance;
use crate::model::{HOUR, MESSAGE_BYTES, Model, PATIENCE, rate};
use crate::series::Latencies;
use crate::ways::Ways;

/// A message: when it left, how many events are in it, and when the first of them came.
#[derive(Clone, Copy)]
pub struct Message {
    pub at: f64,
    pub events: u32,
    pub since: f64,
    /// No gate has admitted it: the gate that should is away.
    pub round: bool,
}

pub struct Outcome {
    pub messages: Vec<Message>,
    /// Of an ingest: from the request until its answer, when the event is durable.
    pub latencies: Latencies,
    pub events: u64,
    pub commits: u64,
}

pub struct Gate<'m> {
    model: &'m Model,
    chance: Chance,
    ways: Ways,
    out: Outcome,
    free: f64,
    committed: f64,
    shipped: f64,
    /// When the open group is written, and when each in it came, and from how far.
    due: Option<f64>,
    open: Vec<(f64, f64)>,
    unsent: (u32, f64),
}

impl<'m> Gate<'m> {
    pub fn new(model: &'m Model, seed: u64, ways: Ways) -> Self {
        let out = Outcome { messages: Vec::new(), latencies: Latencies::new(HOUR), events: 0, commits: 0 };
        Self {
            model,
            chance: Chance::new(seed),
            ways,
            out,
            free: 0.0,
            committed: 0.0,
            shipped: 0.0,
            due: None,
            open: Vec::new(),
            unsent: (0, 0.0),
        }
    }

    /// The hour, at a share of the world's events.
    pub fn run(mut self, share: f64, dies: bool) -> Outcome {
        let mut at = 0.0;
        loop {
            // The rate of this second, which changes little to the next.
            let second = at as usize;
            if second >= HOUR {
                break;
            }
            at += self.chance.gap(rate(second, self.model.peak) * share);
            self.out.events += 1;
            if dies && self.model.is_dead(at) {
                self.go_round(at);
            } else {
                self.call(at);
            }
        }
        self.commit();
        self.ship(self.free);
        self.out
    }

    fn call(&mut self, at: f64) {
        let city = self.ways.city(&mut self.chance);
        let way = Ways::way(city, &mut self.chance) / 2.0;
        let begin = self.free.max(at + way);
        while self.due.is_some_and(|due| due <= begin) {
            self.commit();
        }
        let begin = self.free.max(begin);
        if begin - at > PATIENCE {
            return self.go_round(at);
        }
        self.free = begin + self.model.gate_call;
        self.open.push((at, city));
        let due = self.free.max(self.committed + self.model.commit_interval);
        self.due.get_or_insert(due);
    }

    fn commit(&mut self) {
        let Some(due) = self.due.take() else { return };
        let began = self.free.max(due);
        self.free = began + self.model.gate_commit;
        self.committed = began;
        self.out.commits += 1;
        let durable = self.free + self.chance.time(self.model.durable.0, self.model.durable.1);
        for (at, city) in self.open.drain(..) {
            let back = Ways::way(city, &mut self.chance) / 2.0;
            self.out.latencies.add(at, durable + back - at, 1);
            if self.unsent.0 == 0 {
                self.unsent.1 = at;
            }
            self.unsent.0 += 1;
        }
        if self.free - self.shipped >= self.model.ship_interval
            || f64::from(self.unsent.0) * self.model.event_bytes > MESSAGE_BYTES
        {
            self.ship(self.free);
        }
    }

    fn ship(&mut self, at: f64) {
        let (events, since) = std::mem::take(&mut self.unsent);
        if events > 0 {
            let sent = at + self.chance.time(self.model.send.0, self.model.send.1);
            self.out.messages.push(Message { at: sent, events, since, round: false });
            self.shipped = at;
        }
    }

    /// The edge waited in vain, and puts the hit into the queue by itself.
    fn go_round(&mut self, at: f64) {
        let sent = PATIENCE + self.chance.time(self.model.send.0, self.model.send.1);
        self.out.latencies.add(at, sent, 1);
        self.out.messages.push(Message { at: at + sent, events: 1, since: at, round: true });
    }
}
