//! The queue: a bag. It hands out in any order, cuts batches as it likes, and delivers at least once, or not at all.

use super::chance::Chance;

/// A message in the queue.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    pub(crate) id: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) attempts: u32,
    /// Not handed out before.
    pub(crate) from_ms: i64,
}

#[derive(Debug, Default)]
pub(crate) struct Queue {
    pub(crate) bag: Vec<Parcel>,
    /// Delivered long ago; may come again.
    past: Vec<Parcel>,
    sent: u64,
}

impl Queue {
    /// Takes a message. `false`: the sender hears of an error, although the message may be in the queue.
    pub(crate) fn send(
        &mut self,
        bytes: Vec<u8>,
        may_lose: bool,
        faults: bool,
        chance: &mut Chance,
        now_ms: i64,
    ) -> bool {
        let fate = if faults { chance.below(16) } else { usize::MAX };
        if fate == 0 {
            return false;
        }
        self.sent += 1;
        let parcel = Parcel { id: format!("{:08x}", self.sent), bytes, attempts: 0, from_ms: now_ms };
        if fate == 1 && may_lose {
            self.past.push(parcel);
            return true;
        }
        if fate == 2 {
            self.past.push(parcel.clone());
        }
        self.bag.push(parcel);
        fate != 3
    }

    /// Hands out some messages. Now and then one of them stays, and comes again.
    pub(crate) fn take(&mut self, faults: bool, chance: &mut Chance, now_ms: i64) -> Vec<Parcel> {
        let most = 1 + chance.below(8);
        let mut batch = Vec::new();
        while batch.len() < most {
            let ready: Vec<usize> =
                (0..self.bag.len()).filter(|&at| self.bag[at].from_ms <= now_ms).collect();
            if ready.is_empty() {
                break;
            }
            let at = ready[chance.below(ready.len())];
            let parcel = self.bag.swap_remove(at);
            if faults && chance.once_in(10) {
                self.past.push(parcel.clone());
            }
            batch.push(parcel);
        }
        batch
    }

    /// A message was not acknowledged.
    pub(crate) fn again(&mut self, parcel: Parcel, wait_ms: i64, now_ms: i64) {
        self.bag.push(Parcel { attempts: parcel.attempts + 1, from_ms: now_ms + wait_ms, ..parcel });
    }

    /// Something from the past comes again.
    pub(crate) fn haunt(&mut self, chance: &mut Chance, now_ms: i64) {
        if !self.past.is_empty() {
            let parcel = self.past[chance.below(self.past.len())].clone();
            self.bag.push(Parcel { from_ms: now_ms, ..parcel });
        }
    }
}
