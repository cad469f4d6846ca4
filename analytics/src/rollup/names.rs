//! The values of a batch as small numbers, so that counting them is an index and not a search.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use foldhash::fast::FixedState;

use super::index::Index;
use crate::Dimension;
use crate::dimension::cut;
use crate::rank::order;

/// Stands for one value of one dimension.
pub(super) type Number = u32;

/// The number of a value that is absent.
pub(super) const ABSENT: Number = 0;

/// Every value seen so far.
#[derive(Debug)]
pub(super) struct Names {
    index: Index,
    /// By number: what is absent has no value.
    known: Vec<Name>,
}

#[derive(Debug, Clone)]
pub(super) struct Name {
    pub(super) dimension: Dimension,
    pub(super) value: Arc<str>,
}

impl Default for Names {
    fn default() -> Self {
        let absent = Name { dimension: Dimension::Link, value: "".into() };
        let mut index = Index::default();
        index.add(0);
        Self { index, known: vec![absent] }
    }
}

impl Names {
    /// The number of a value.
    pub(super) fn number(&mut self, dimension: Dimension, value: &str) -> Number {
        if value.is_empty() {
            return ABSENT;
        }
        let value = cut(value);
        let mut hasher = FixedState::default().build_hasher();
        hasher.write_u8(dimension.code());
        hasher.write(value.as_bytes());
        let hash = hasher.finish();
        let known = &self.known;
        let is = |number| {
            known
                .get(number as usize)
                .is_some_and(|name: &Name| name.dimension == dimension && *name.value == *value)
        };
        self.index.find(hash, is).unwrap_or_else(|| {
            self.known.push(Name { dimension, value: value.into() });
            self.index.add(hash)
        })
    }

    /// The name of a number.
    pub(super) fn name(&self, number: Number) -> Option<&Name> {
        self.known.get(number as usize)
    }

    /// The value of a number.
    pub(super) fn value(&self, number: Number) -> &str {
        self.name(number).map_or("", |name| &name.value)
    }

    /// How many numbers there are, with [`ABSENT`].
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// Numbers the values anew, in the order of dimension and value: cells that come in the order of their numbers need no
    /// sorting by text. No more are to be added. Tells which number each has now, by the one that it had.
    pub(super) fn settle(&mut self) -> Vec<Number> {
        // What is absent is the first there is.
        let keys = self.known.iter().map(|name| {
            let absent = name.value.is_empty();
            (u64::from(!absent), u64::from(name.dimension.code()), &*name.value)
        });
        let order = order(keys);
        let mut now = vec![ABSENT; self.known.len()];
        for (number, before) in (0..).zip(&order) {
            if let Some(now) = now.get_mut(*before) {
                *now = number;
            }
        }
        self.known = order.into_iter().filter_map(|before| self.known.get(before).cloned()).collect();
        now
    }
}
