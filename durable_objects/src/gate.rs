//! The gate: admits every event once.
//!
//! Decisions only. The shell carries out what the gate says, in this order, and the order is the promise: an
//! event's row is written before anybody is answered, and a message leaves only after its rows are written.

use std::collections::VecDeque;

use analytics::{EventId, Statement};
use queues::{Frame, Head, Message, frames};

use crate::addresses::GateName;
pub use crate::group::Commit;
use crate::group::{FRAMES_MAX_BYTES, Group};
use crate::log::{Row, fade, prune};
use crate::maps::Maps;
use crate::outbox::Outbox;
use crate::region::Region;
use crate::seen::Seen;
use crate::settings::LATE_MAX_MS;
pub use crate::settings::Settings;

pub mod handover;
mod report;

pub use report::Report;

/// What the gate says of a hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// New: in the group that is committed next. Answer when it is.
    New,
    /// A copy of an event in that group. Answer when it is committed: were it to fail, nobody would have it.
    DuplicateOfPending,
    /// A copy of an event that is in the log.
    Duplicate,
    /// The gate cannot say: it remembers as many ids as it may, or the id is another gate's, or the hit went round by the queue for longer than
    /// it remembers ids. The hit has to come again; one that was too late once will be so for ever, and ends as a
    /// dead letter, because to count it might be to count it twice.
    Full,
    /// Larger than a message may be.
    TooLarge,
}

/// A message on its way to the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Its number.
    pub number: i64,
    /// The encoded message.
    pub bytes: Vec<u8>,
}

/// One gate's memory.
#[derive(Debug)]
pub struct Gate {
    name: GateName,
    settings: Settings,
    seen: Seen,
    open: Group,
    outbox: Outbox,
    /// `seq` and time of each row in the log.
    rows: VecDeque<(i64, i64)>,
    /// The newest row, without its body: numbers and totals go on from it.
    newest: Row,
    /// The newest row that has no body any more in the log either.
    faded: i64,
    /// By the caller's clock, which may be set back.
    committed_ms: i64,
    shipped_ms: i64,
    /// The gate's own, which is not.
    clock_ms: i64,
    maps: Maps,
    /// Gates that have yet to hand over what the newest map takes from them.
    owed: Vec<GateName>,
    /// When the gate was last handed ids that it has in a row.
    handed_ms: Option<i64>,
}

impl Gate {
    /// A gate as its log tells it, oldest row first. A gate without rows is new.
    pub fn rebuild(
        name: GateName,
        settings: Settings,
        rows: impl IntoIterator<Item = Row>,
        now_ms: i64,
    ) -> Self {
        let mut gate = Self {
            name,
            settings,
            seen: Seen::default(),
            open: Group::default(),
            outbox: Outbox::default(),
            rows: VecDeque::new(),
            newest: Row { seq: 0, message: 0, at_ms: 0, admitted: 0, duplicates: 0, body: Vec::new() },
            faded: 0,
            committed_ms: 0,
            shipped_ms: 0,
            clock_ms: now_ms,
            maps: Maps::default(),
            owed: Vec::new(),
            handed_ms: None,
        };
        let horizon_ms = now_ms - settings.memory_ms();
        for row in rows {
            // Counted, not worked out from the totals: the row before may have been pruned.
            let mut events = 0;
            for frame in frames(&row.body) {
                if let Ok(Frame::Event { id, body }) = frame {
                    events += 1;
                    if row.at_ms >= horizon_ms {
                        gate.seen.insert_of(Region::of_body(body), id, row.at_ms);
                    }
                }
            }
            // A row that faded was confirmed before.
            if !row.body.is_empty() {
                gate.outbox.recover(row.message, events, now_ms);
            }
            gate.rows.push_back((row.seq, row.at_ms));
            // The clock may have been set back since: the window of a row must not begin in the future.
            gate.clock_ms = gate.clock_ms.max(row.at_ms);
            if row.body.is_empty() {
                gate.faded = row.seq;
            }
            gate.newest = Row { body: Vec::new(), ..row };
        }
        gate
    }

    /// The gate's name.
    pub fn name(&self) -> GateName {
        self.name
    }

    /// What it was set to.
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// Time never goes back inside a gate.
    fn tick(&mut self, now_ms: i64) -> i64 {
        self.clock_ms = self.clock_ms.max(now_ms);
        self.clock_ms
    }

    /// Decides on a hit. `late_ms` is when the edge received it, for one that went round by the queue.
    pub fn admit(&mut self, id: EventId, body: &[u8], late_ms: Option<i64>, now_ms: i64) -> Admission {
        let now_ms = self.tick(now_ms);
        self.seen.forget(now_ms - self.settings.memory_ms());
        let at_ms = late_ms.unwrap_or(now_ms).min(now_ms);
        if let Some(first_ms) = self.seen.get(id)
            && at_ms < first_ms + self.settings.window_ms
        {
            // A late copy is most often the same hit: the gate had it, and its answer was lost.
            if late_ms.is_none() {
                self.open.add_copy(body);
            }
            return if self.open.holds(id) { Admission::DuplicateOfPending } else { Admission::Duplicate };
        }
        if Frame::event_len(body) > FRAMES_MAX_BYTES {
            return Admission::TooLarge;
        }
        let too_late = late_ms.is_some_and(|late_ms| now_ms.saturating_sub(late_ms) > LATE_MAX_MS);
        // A gate that never heard of a second map decides on whatever it is asked.
        let place = Region::of_body(body);
        let elsewhere = self.maps.version() > 0 && self.is_elsewhere(place, id);
        if too_late || elsewhere || self.seen.len() >= self.settings.max_ids {
            return Admission::Full;
        }
        let before_ms = self.seen.insert_of(place, id, now_ms);
        self.open.add(id, before_ms, body);
        Admission::New
    }

    /// When the open group is to be committed: at once if the last commit is long enough ago, else as soon as it
    /// is. So an idle gate adds no delay, and a busy one writes few rows.
    pub fn commit_due_ms(&self, now_ms: i64) -> i64 {
        soonest(self.committed_ms, self.settings.commit_interval_ms, now_ms)
    }

    /// Takes the open group, with the copies turned away so far. `None` if there is nothing to write. Nobody may be
    /// admitted before the caller says whether it is [`Gate::committed`] or [`Gate::aborted`].
    pub fn commit(&mut self, now_ms: i64) -> Option<Commit> {
        let at_ms = self.tick(now_ms);
        if self.open.is_empty() {
            return None;
        }
        let mut commit = self.open.close(&self.newest, at_ms, now_ms);
        // Only the first row can join the open message: the next begins because there is no room.
        if let Some(first) = commit.rows.first_mut() {
            first.message = self.outbox.message_for(first.seq, first.body.len(), FRAMES_MAX_BYTES);
        }
        // A busy gate's rows become needless as fast as it writes new ones.
        while commit.over.len() < commit.rows.len()
            && let Some(seq) = self.pop_needless(at_ms)
        {
            commit.over.push(seq);
        }
        Some(commit)
    }

    /// The commit is in the log.
    pub fn committed(&mut self, commit: Commit) {
        self.committed_ms = commit.began_ms;
        let due_ms = self.clock_ms + self.settings.confirm_after_ms;
        for row in commit.rows {
            self.outbox.add(row.message, &row.body, row.admitted - self.newest.admitted, due_ms);
            self.rows.push_back((row.seq, row.at_ms));
            self.newest = Row { body: Vec::new(), ..row };
        }
    }

    /// The commit failed and left nothing behind: its events were never seen, and its callers are told to come
    /// again. Had it left something, its numbers would be given twice.
    pub fn aborted(&mut self, commit: Commit) {
        commit.ids.iter().for_each(|&(id, before_ms)| self.seen.remove(id, before_ms));
        self.open.take_back(commit);
    }

    /// When to send: at once if the last time is long enough ago. `None` if the queue has everything.
    pub fn ship_due_ms(&self, now_ms: i64) -> Option<i64> {
        let waiting = self.outbox.has_unsent() || self.open.copies() > 0;
        waiting.then(|| soonest(self.shipped_ms, self.settings.ship_interval_ms, now_ms))
    }

    /// Takes the messages that the queue has not been given.
    pub fn ship(&mut self, now_ms: i64) -> Vec<Outgoing> {
        self.shipped_ms = now_ms;
        let now_ms = self.tick(now_ms);
        let unsent = self.outbox.take(now_ms + self.settings.confirm_after_ms);
        unsent.into_iter().map(|(number, frames)| self.outgoing(number, &frames)).collect()
    }

    /// A message from its frames, as they stand in the log.
    pub fn outgoing(&self, number: i64, frames: &[u8]) -> Outgoing {
        let gate = self.name.to_string();
        Outgoing { number, bytes: Message::encode(Head::Admitted { gate: &gate, number }, frames) }
    }

    /// The queue did not take a message: it is sent again soon.
    pub fn unsent(&mut self, number: i64, now_ms: i64) {
        let now_ms = self.tick(now_ms);
        self.outbox.retry(number, now_ms, self.settings.ship_interval_ms);
    }

    /// From which number on the ledger is to be asked; `None` if it has everything.
    pub fn unconfirmed_from(&self) -> Option<i64> {
        self.outbox.oldest()
    }

    /// The ledger's answer. Returns the messages that are to be sent again, from the log.
    pub fn confirm(&mut self, known: impl IntoIterator<Item = i64>, now_ms: i64) -> Vec<i64> {
        let now_ms = self.tick(now_ms);
        known.into_iter().for_each(|number| self.outbox.confirm(number));
        self.outbox.overdue(now_ms, self.settings.confirm_after_ms)
    }

    /// The ledger gave no answer: it is asked again, each time later. Nothing is sent meanwhile, for nothing could
    /// be counted.
    pub fn unanswered(&mut self, now_ms: i64) {
        self.confirm([], now_ms);
    }

    /// What may go from the log, once that is half a window's rows: rows that are confirmed and whose ids nobody asks
    /// for any more. Until then they wait to be written over. The newest row stays, for the totals.
    pub fn prune(&mut self, now_ms: i64) -> Option<Statement> {
        let now_ms = self.tick(now_ms);
        let before_seq = self.needless_before();
        if self.prune_due_ms(before_seq).is_none_or(|due_ms| now_ms < due_ms) {
            return None;
        }
        while self.pop_needless(now_ms).is_some() {}
        Some(prune(before_seq, now_ms - self.settings.memory_ms()))
    }

    /// What may go of the newest row, at the same age: all but the totals. A gate that nobody calls any more would keep who
    /// called last for ever, and whoever is erased elsewhere would be here.
    pub fn fade(&mut self, now_ms: i64) -> Option<Statement> {
        let now_ms = self.tick(now_ms);
        self.fade_due_ms().filter(|due_ms| *due_ms <= now_ms)?;
        self.faded = self.newest.seq;
        Some(fade(self.newest.seq))
    }

    /// When that is. Not while a message is not confirmed: it may be this row's.
    fn fade_due_ms(&self) -> Option<i64> {
        let quiet = self.outbox.oldest().is_none() && self.open.is_empty() && self.faded < self.newest.seq;
        quiet.then(|| self.newest.at_ms + self.settings.memory_ms() + self.settings.window_ms / 2)
    }

    /// Takes the oldest row, if nobody needs it any more.
    fn pop_needless(&mut self, now_ms: i64) -> Option<i64> {
        let &(seq, at_ms) = self.rows.front()?;
        let needless = seq < self.needless_before() && at_ms < now_ms - self.settings.memory_ms();
        needless.then(|| self.rows.pop_front())?.map(|(seq, _)| seq)
    }

    /// When the oldest row has been needless for half a window. Never for one that has to stay whatever its age: the
    /// gate would be woken over and over.
    fn prune_due_ms(&self, before_seq: i64) -> Option<i64> {
        let (_, at_ms) = self.rows.front().filter(|(seq, _)| *seq < before_seq)?;
        Some(at_ms + self.settings.memory_ms() + self.settings.window_ms / 2)
    }

    /// The rows before it are confirmed, and there is a newer one: of that, the totals are still needed.
    fn needless_before(&self) -> i64 {
        self.outbox.oldest().unwrap_or(i64::MAX).min(self.newest.seq)
    }

    /// When the gate has to be woken, whoever else calls: to ask the ledger, to prune, or to fade. `None` if it may sleep
    /// until the next hit.
    pub fn wake_ms(&self, now_ms: i64) -> Option<i64> {
        let asked = self.outbox.due_ms().map(|due_ms| due_ms.max(now_ms));
        let pruned = self.prune_due_ms(self.needless_before()).map(|due_ms| due_ms.max(now_ms));
        let fades = self.fade_due_ms().map(|due_ms| due_ms.max(now_ms));
        asked.into_iter().chain(pruned).chain(fades).min()
    }
}

/// When something may be done again that was `last_ms` done: at once if the clock was set back since.
pub(crate) fn soonest(last_ms: i64, interval_ms: i64, now_ms: i64) -> i64 {
    if now_ms < last_ms { now_ms } else { now_ms.max(last_ms + interval_ms) }
}

#[cfg(test)]
mod tests;
