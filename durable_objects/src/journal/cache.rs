//! The visitors that were looked at last.

use std::collections::HashMap;

use analytics::VisitorKey;

use crate::journey::Visitor;

/// About so many bytes of visitors are held: an object has 128 MB for everything, and the index of a shard with ten
/// million visitors takes 43 of them.
const MAX_BYTES: usize = 16 << 20;

/// Visitors by key: a young half, and an old one that goes when the young is full. Everything is in the database too.
#[derive(Debug, Default)]
pub(super) struct Cache {
    young: HashMap<VisitorKey, Visitor>,
    old: HashMap<VisitorKey, Visitor>,
    young_bytes: usize,
    old_bytes: usize,
}

impl Cache {
    /// Takes a visitor out, if it is held.
    pub(super) fn take(&mut self, key: VisitorKey) -> Option<Visitor> {
        if let Some(visitor) = self.young.remove(&key) {
            self.young_bytes = self.young_bytes.saturating_sub(visitor.weight_bytes());
            return Some(visitor);
        }
        let visitor = self.old.remove(&key)?;
        self.old_bytes = self.old_bytes.saturating_sub(visitor.weight_bytes());
        Some(visitor)
    }

    /// Holds a visitor.
    pub(super) fn put(&mut self, key: VisitorKey, visitor: Visitor) {
        self.young_bytes += visitor.weight_bytes();
        self.young.insert(key, visitor);
        if self.young_bytes > MAX_BYTES / 2 {
            self.old = std::mem::take(&mut self.young);
            self.old_bytes = std::mem::take(&mut self.young_bytes);
        }
    }

    /// About how many bytes are held.
    pub(super) fn bytes(&self) -> usize {
        self.young_bytes + self.old_bytes
    }
}
