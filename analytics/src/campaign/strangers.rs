//! The bound on names that nobody keeps.

use std::cell::RefCell;
use std::collections::HashSet;
use std::hash::Hasher;

use foldhash::fast::FixedState;
use siphasher::sip::SipHasher13;

/// Names that nobody keeps and that have sums of their own all the same, so far in this hour.
///
/// Each is worth a row of D1 at each of four levels, $4 for a million, and a batch invents 500 of them in one request.
/// Whoever is beyond the bound is not lost: it counts in all sums but those of its name. What is remembered is 8 bytes each.
#[derive(Debug)]
pub(super) struct Strangers {
    hour: i64,
    names: HashSet<u64, FixedState>,
    most: usize,
}

impl Strangers {
    pub(super) fn new(most: usize) -> RefCell<Self> {
        RefCell::new(Self { hour: 0, names: HashSet::default(), most })
    }

    pub(super) fn admit(&mut self, name: &str, at_ms: i64) -> bool {
        let hour = at_ms.div_euclid(3_600_000);
        if hour > self.hour {
            (self.hour, self.names) = (hour, HashSet::default());
        }
        // One whose collisions nobody computes, or they would all count as the name that was admitted.
        let mut hasher = SipHasher13::new_with_key(b"clicktrail names");
        hasher.write(name.as_bytes());
        let hash = hasher.finish();
        self.names.contains(&hash) || self.names.len() < self.most && self.names.insert(hash)
    }
}
