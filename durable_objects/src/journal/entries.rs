//! The entries that are not merged yet, and where each visitor's newest record among them stands.
//!
//! Of a busy journal they are what the last minute brought, a hundred entries and more: an index of their visitors costs one
//! look for who is in none of them, as nearly everybody is, and who is in one is read from where he stands.

use std::collections::{HashMap, VecDeque};

use analytics::VisitorKey;

use super::page::records;
use crate::journey::is_sequel;

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
    newest: HashMap<VisitorKey, Spot>,
    /// Of whom the newest record is a sequel, the older ones that it goes on from, oldest first.
    older: HashMap<VisitorKey, Vec<Spot>>,
}

/// In which entry, and at which of its bytes.
pub(super) type Spot = (i64, usize);

impl Entries {
    /// Takes an entry that is stored, with its records.
    pub(super) fn add(&mut self, seq: i64, last: i64, page: &[u8]) {
        self.all.push_back(Entry { seq, last, bytes: page.len() });
        let mut at = 0;
        for record in records(page) {
            let before = self.newest.insert(record.key, (seq, at));
            if !is_sequel(record.body) {
                self.older.remove(&record.key);
            } else if let Some(before) = before {
                self.older.entry(record.key).or_default().push(before);
            }
            at += record.len();
        }
    }

    /// Where a visitor's newest record stands, and the older ones that it goes on from, newest first.
    pub(super) fn find(&self, key: VisitorKey) -> impl Iterator<Item = Spot> {
        let newest = self.newest.get(&key);
        let older = newest.and_then(|_| self.older.get(&key));
        newest.into_iter().chain(older.into_iter().flat_map(|older| older.iter().rev())).copied()
    }

    /// Notes that an entry holds these records now, and those of one visitor no more.
    pub(super) fn rewritten(&mut self, seq: i64, page: &[u8], gone: VisitorKey) {
        self.newest.remove(&gone);
        self.older.remove(&gone);
        let mut at = 0;
        for record in records(page) {
            let older = self.older.get_mut(&record.key).into_iter().flatten();
            let spots = self.newest.get_mut(&record.key).into_iter().chain(older);
            spots.filter(|spot| spot.0 == seq).for_each(|spot| spot.1 = at);
            at += record.len();
        }
    }

    /// Lets those go that were merged: the oldest, up to one.
    pub(super) fn merged(&mut self, upto: i64) {
        self.all.retain(|entry| entry.seq > upto);
        self.newest.retain(|_, (seq, _)| *seq > upto);
        self.older.retain(|_, older| {
            older.retain(|(seq, _)| *seq > upto);
            !older.is_empty()
        });
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
