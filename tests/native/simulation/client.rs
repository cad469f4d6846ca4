//! Clients and the edge: what should be counted, and who has been told so.

use analytics::{EventId, Kind, RawEvent, Source};
use durable_objects::{Admission, LATE_MAX_MS, Region};
use queues::{Frame, Head, Message};

use super::visitor::Doing;
use super::world::{Broken, WINDOW_MS, World};

pub(crate) const LINKS: [&str; 3] = ["l0", "l1", "l2"];
pub(crate) const CAMPAIGNS: [&str; 2] = ["c0", "c1"];

/// An event, and what its client knows of it.
#[expect(clippy::struct_excessive_bools)] // facts that do not exclude each other
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) id: EventId,
    pub(crate) region: Region,
    pub(crate) link: &'static str,
    pub(crate) campaign: &'static str,
    pub(crate) doing: Doing,
    first_ms: i64,
    last_ms: i64,
    /// The client was told that it will be counted.
    pub(crate) told: bool,
    /// The client does not ask any more.
    gave_up: bool,
    /// When it was seen to be in a gate's log.
    pub(crate) logged_ms: Option<i64>,
    /// It waits in the dead letters, for nobody can tell whether it was counted.
    pub(crate) buried: bool,
    /// Its id was used again.
    reused: bool,
}

impl Event {
    /// Whether the client will try again.
    pub(crate) fn waits(&self) -> bool {
        !self.told && !self.gave_up
    }
}

/// The name under which the sums keep an event by itself.
pub(crate) fn name(event: usize) -> String {
    format!("e{event}")
}

/// The event of a body.
pub(crate) fn event_of(id: EventId, body: &[u8]) -> (usize, i64) {
    let raw = RawEvent::decode(id, body).unwrap();
    (raw.sub[0].strip_prefix('e').unwrap().parse().unwrap(), raw.received_at_ms)
}

impl World {
    /// A client has something to say: one event, or several at once.
    pub(crate) fn send_something(&mut self) {
        let several = if self.chance.once_in(6) { 2 + self.chance.below(5) } else { 1 };
        for _ in 0..several {
            let event = self.new_event();
            self.send(event);
        }
    }

    fn new_event(&mut self) -> usize {
        let reusable = |world: &Self, event: &Event| {
            let logged = event.logged_ms.is_some_and(|at_ms| world.now_ms - at_ms > 3 * WINDOW_MS);
            logged && !event.reused && !event.waits() && world.now_ms - event.last_ms > 3 * WINDOW_MS
        };
        let old = (0..self.events.len()).find(|&at| reusable(self, &self.events[at]));
        let (id, region) = match old {
            Some(old) if self.chance.once_in(2) => {
                self.events[old].reused = true;
                (self.events[old].id, self.events[old].region)
            }
            _ => (EventId::from_bytes(self.chance.bytes()), self.any_place()),
        };
        let used = self.events.iter().any(|other| other.id == id);
        self.events.push(Event {
            id,
            region,
            link: LINKS[self.chance.below(LINKS.len())],
            campaign: CAMPAIGNS[self.chance.below(CAMPAIGNS.len())],
            doing: Doing::any(used, &mut self.chance),
            first_ms: self.now_ms,
            last_ms: self.now_ms,
            told: false,
            gave_up: false,
            logged_ms: None,
            buried: false,
            reused: false,
        });
        self.events.len() - 1
    }

    /// A client tries again: one that was told nothing, or one that does not listen.
    pub(crate) fn retry_something(&mut self) {
        if self.events.is_empty() {
            return;
        }
        let recent = self.events.len().min(12);
        let event = self.events.len() - 1 - self.chance.below(recent);
        self.retry(event);
    }

    pub(crate) fn retry_all(&mut self) {
        (0..self.events.len())
            .filter(|&event| self.events[event].waits())
            .collect::<Vec<_>>()
            .into_iter()
            .for_each(|event| self.retry(event));
    }

    fn retry(&mut self, event: usize) {
        if self.now_ms - self.events[event].first_ms > WINDOW_MS / 4 {
            self.events[event].gave_up = true;
        } else {
            self.send(event);
        }
    }

    /// The edge receives a hit.
    fn send(&mut self, event: usize) {
        self.events[event].last_ms = self.now_ms;
        let body = self.body(event);
        let (id, maps) = (self.events[event].id, self.maps());
        let gate = self.gate_of(self.events[event].region, id, &maps);
        if self.fails(12) {
            return self.go_round(event, &body);
        }
        if !self.prepare(gate, id, &body, &maps) {
            return self.go_round(event, &body);
        }
        let now_ms = self.gate_now(gate);
        self.hosts[gate].hits += 1;
        match self.memory(gate).admit(id, &body, None, now_ms) {
            admission @ (Admission::New | Admission::DuplicateOfPending) => {
                if admission == Admission::New && self.events[..event].iter().any(|other| other.id == id) {
                    self.reached.insert("a copy after the window");
                }
                if self.broken == Some(Broken::GateAnswersEarly) {
                    self.answer(event, &body);
                }
                self.hosts[gate].waiting.push((event, body));
            }
            Admission::Duplicate => {
                self.reached.insert("a copy within the window");
                self.answer(event, &body);
            }
            Admission::Full => {
                self.reached.insert("a hit that belongs elsewhere");
                self.go_round(event, &body);
            }
            Admission::TooLarge => panic!("it is small"),
        }
    }

    /// The event's bytes, as the edge makes them now.
    fn body(&self, number: usize) -> Vec<u8> {
        let event = &self.events[number];
        let sub = name(number);
        let mut raw = RawEvent::new(event.id, Kind::Click, Source::Redirect, self.now_ms);
        raw.link = event.link.into();
        raw.campaign_id = event.campaign.into();
        let (continent, country) = match event.region {
            Region::ApacNe => ("AS", "JP"),
            Region::Eeur => ("EU", "PL"),
            _ => ("EU", "DE"),
        };
        (raw.continent, raw.country) = (continent.into(), country.into());
        raw.sub[0] = sub.as_str().into();
        raw.element_id = sub.as_str().into();
        event.doing.show(&mut raw);
        let mut body = Vec::new();
        raw.encode(&mut body);
        body
    }

    /// The gate has answered; sometimes the answer does not arrive.
    pub(crate) fn answer(&mut self, event: usize, body: &[u8]) {
        match if self.faults { self.chance.below(12) } else { 12 } {
            0 => self.go_round(event, body),
            1 => {} // it reaches the edge, but not the client
            _ => self.events[event].told = true,
        }
    }

    /// The hits of a message went into the dead letters.
    pub(crate) fn bury(&mut self, message: &[u8]) {
        for frame in queues::frames(Message::decode(message).unwrap().frames) {
            let Ok(Frame::Event { id, body }) = frame else { panic!("the edge writes events") };
            let (event, received_at_ms) = event_of(id, body);
            assert!(self.now_ms - received_at_ms > LATE_MAX_MS - WINDOW_MS / 8, "it was not too late");
            self.events[event].buried = true;
        }
    }

    /// The gate did not answer: the edge puts the hit into the queue. If that fails too, or the edge itself, the
    /// client still has it.
    pub(crate) fn go_round(&mut self, event: usize, body: &[u8]) {
        if self.fails(8) {
            return;
        }
        let mut frames = Vec::new();
        Frame::Event { id: self.events[event].id, body }.write(&mut frames);
        let region = self.events[event].region.name();
        let message = Message::encode(Head::Unadmitted { region }, &frames);
        // The queue's word is all there is for it: a queue that loses it loses a click.
        if self.queue.send(message, false, self.faults, &mut self.chance, self.now_ms) && !self.fails(12) {
            self.events[event].told = true;
        }
    }
}
