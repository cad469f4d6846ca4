//! Finds what was seen before by a hash of it, without a copy of it to look for.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Numbers by hash, in the order in which they were added. What has a number is kept by whoever gave it: this knows no more
/// than which numbers share a hash.
///
/// The hash has a constant seed because there is no randomness here; whoever makes its values collide slows
/// down one batch, of at most a hundred messages.
#[derive(Debug, Default)]
pub(super) struct Index {
    newest: HashMap<u64, u32, BuildHasherDefault<Hashed>>,
    /// By number: the one before it of the same hash, if any.
    older: Vec<u32>,
}

/// No number.
const NONE: u32 = u32::MAX;

impl Index {
    /// The number of this hash that `is` the one.
    #[inline]
    pub(super) fn find(&self, hash: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        let mut number = *self.newest.get(&hash)?;
        while !is(number) {
            number = *self.older.get(number as usize).filter(|older| **older != NONE)?;
        }
        Some(number)
    }

    /// Adds the next number.
    pub(super) fn add(&mut self, hash: u64) -> u32 {
        let number = self.older.len() as u32;
        self.older.push(self.newest.insert(hash, number).unwrap_or(NONE));
        number
    }
}

/// A key that is a hash already.
#[derive(Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    #[inline]
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write(&mut self, _: &[u8]) {}

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Few hashes, so that many share one.
        #[test]
        fn what_shares_a_hash_is_told_apart(seen in prop::collection::vec(0u32..30, 0..90)) {
            let (mut index, mut known) = (Index::default(), Vec::new());
            for value in seen {
                let hash = u64::from(value % 3);
                let found = index.find(hash, |number| known[number as usize] == value);
                prop_assert_eq!(found, known.iter().position(|known| *known == value).map(|at| at as u32));
                if found.is_none() {
                    prop_assert_eq!(index.add(hash) as usize, known.len());
                    known.push(value);
                }
            }
        }
    }
}
