//! The entries that are not merged yet, and where each visitor's newest record among them stands.
//!
//! Of a busy journal they are what the last minute brought, a hundred entries and more: an index of their visitors costs one
//! look for who is in none of them, as nearly everybody is, and who is in one is read from where he stands.

use std::collections::{HashMap, VecDeque};

use analytics::VisitorKey;

use super::page::records;

/// An entry that is not merged yet.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) seq: i64,
    /// The last of its messages.
    pub(super) last: i64,
    /// How many its records have.
    bytes: usize,
}

/// So many entries are merged, or fewer that hold so much: a small run is merged again soon, and a start reads what is not
/// merged. Fewer in tests, so that runs become runs of runs there.
const MERGE_AT: usize = if cfg!(test) { 4 } else { 16 };
const MERGE_AT_BYTES: usize = 4 << 20;

/// Entries, oldest first.
#[derive(Debug, Default)]
pub(super) struct Entries {
    all: VecDeque<Entry>,
    /// In which entry, and at which of its bytes.
    newest: HashMap<VisitorKey, (i64, usize)>,
}

impl Entries {
    /// Takes an entry that is stored, with its records.
    pub(super) fn add(&mut self, seq: i64, last: i64, page: &[u8]) {
        self.all.push_back(Entry { seq, last, bytes: page.len() });
        let mut at = 0;
        for record in records(page) {
            self.newest.insert(record.key, (seq, at));
            at += record.len();
        }
    }

    /// The entry that has a visitor's newest record, and at which of its bytes.
    pub(super) fn find(&self, key: VisitorKey) -> Option<(i64, usize)> {
        self.newest.get(&key).copied()
    }

    /// Notes that an entry holds these records now, and those of one visitor no more.
    pub(super) fn rewritten(&mut self, seq: i64, page: &[u8], gone: VisitorKey) {
        self.newest.remove(&gone);
        let mut at = 0;
        for record in records(page) {
            if let Some(spot) = self.newest.get_mut(&record.key).filter(|spot| spot.0 == seq) {
                spot.1 = at;
            }
            at += record.len();
        }
    }

    /// Lets those go that were merged: the oldest, up to one.
    pub(super) fn merged(&mut self, upto: i64) {
        self.all.retain(|entry| entry.seq > upto);
        self.newest.retain(|_, (seq, _)| *seq > upto);
        // Of a burst that is over, the room goes too.
        if self.newest.len() < self.newest.capacity() / 8 {
            self.newest.shrink_to_fit();
        }
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.all.iter()
    }

    /// The first and the last of those that are worth merging: the oldest, as far as their last messages are before
    /// `confirmed`.
    pub(super) fn mergeable(&self, confirmed: i64) -> Option<(i64, i64)> {
        let (mut count, mut bytes, mut last) = (0, 0, 0);
        for entry in self.all.iter().take_while(|entry| entry.last < confirmed) {
            (count, bytes, last) = (count + 1, bytes + entry.bytes, entry.seq);
        }
        let enough = count >= MERGE_AT || bytes >= MERGE_AT_BYTES;
        self.all.front().filter(|_| enough).map(|first| (first.seq, last))
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }
}
