//! What leaves a journal: an entry's frames are cut into messages, which go to the queue until the ledger has counted them.

use std::ops::Range;

use queues::{Frame, Head, Message, frames};

use super::database::{Columns, Database, Failed};
use super::{Journal, table};
use crate::gate::Outgoing;
use crate::group::FRAMES_MAX_BYTES;

impl Journal {
    /// When to send: at once if the last time is long enough ago. `None` if the queue has everything.
    pub fn ship_due_ms(&self, now_ms: i64) -> Option<i64> {
        let due_ms = || crate::gate::soonest(self.shipped_ms, self.settings.ship_interval_ms, now_ms);
        self.outbox.has_unsent().then(due_ms)
    }

    /// Takes the messages that the queue has not been given.
    pub fn ship(&mut self, now_ms: i64) -> Vec<Outgoing> {
        self.shipped_ms = now_ms;
        let now_ms = self.tick(now_ms);
        let unsent = self.outbox.take(now_ms + self.settings.confirm_after_ms);
        unsent.into_iter().map(|(number, frames)| self.outgoing(number, &frames)).collect()
    }

    fn outgoing(&self, number: i64, frames: &[u8]) -> Outgoing {
        let gate = self.name.to_string();
        Outgoing { number, bytes: Message::encode(Head::Admitted { gate: &gate, number }, frames) }
    }

    /// A message from the database, to be sent again.
    ///
    /// # Errors
    /// It is not there.
    pub fn again(&self, db: &dyn Database, number: i64) -> Result<Outgoing, Failed> {
        let gone = || Failed(format!("message {number} is not there"));
        let row = db.run(table::entry_of_message(number))?.into_iter().next().ok_or_else(gone)?;
        let mut row = Columns::of(row);
        let (seq, frames) = (row.integer()?, row.blob()?);
        let part = usize::try_from(number - seq).ok().and_then(|part| cut(&frames).nth(part));
        Ok(self.outgoing(number, frames_of(&frames, part.ok_or_else(gone)?).0))
    }

    /// The queue did not take a message: it is sent again soon.
    pub fn unsent(&mut self, number: i64, now_ms: i64) {
        let now_ms = self.tick(now_ms);
        self.outbox.retry(number, now_ms, self.settings.ship_interval_ms);
    }

    /// When the ledger is to be asked for what it lacked; `None` if it has everything.
    pub fn ask_due_ms(&self) -> Option<i64> {
        self.outbox.due_ms()
    }

    /// From which number on the ledger is to be asked; `None` if it has everything.
    pub fn unconfirmed_from(&self) -> Option<i64> {
        self.outbox.oldest()
    }

    /// The ledger's answer. Returns the messages that are to be sent again.
    pub fn confirm(&mut self, known: impl IntoIterator<Item = i64>, now_ms: i64) -> Vec<i64> {
        let now_ms = self.tick(now_ms);
        known.into_iter().for_each(|number| self.outbox.confirm(number));
        self.outbox.overdue(now_ms, self.settings.confirm_after_ms)
    }
}

/// The last of an entry's messages; one that has none takes a number all the same.
pub(super) fn last(seq: i64, parts: i64) -> i64 {
    seq + parts.max(1) - 1
}

/// Where an entry's frames are cut into messages: always in the same places.
pub(super) fn cut(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let begin = at;
        for frame in frames(bytes.get(at..)?) {
            let length = match frame {
                Ok(Frame::Outcome(body)) => 5 + body.len(),
                // Nothing else is ever written.
                _ => bytes.len() - at,
            };
            if at > begin && at + length - begin > FRAMES_MAX_BYTES {
                break;
            }
            at += length;
        }
        (at > begin).then_some(begin..at)
    })
}

/// A part of an entry's frames, and how many outcomes it holds.
pub(super) fn frames_of(bytes: &[u8], part: Range<usize>) -> (&[u8], i64) {
    let part = bytes.get(part).unwrap_or_default();
    (part, frames(part).count() as i64)
}
