//! The visitors that were looked at last.
//!
//! Those of the moment as they are. Who was not looked at for a while is packed: a visitor of twenty footprints is 3 KB in
//! memory and half of that in bytes, and to pack and unpack him takes a tenth of what it takes to find his records in the
//! database and to put them together.

use std::collections::{HashMap, VecDeque};

use analytics::VisitorKey;

use crate::journey::Visitor;

/// About so many bytes of visitors are held as they are, and so many packed: an object has 128 MB for everything, and the
/// index of a shard with ten million visitors takes 43 of them.
/// Next to nobody in tests, so that visitors are packed, and let go, there too.
const FRESH_BYTES: usize = if cfg!(test) { 2 << 10 } else { 6 << 20 };
const PACKED_BYTES: usize = if cfg!(test) { 2 << 10 } else { 16 << 20 };

/// Those who were packed first go first, so many at a time: each time all of them are looked through.
const TURN_BYTES: usize = PACKED_BYTES / 8;

/// What a packed visitor takes beside his bytes: his place, and what the allocator adds.
const PLACE_BYTES: usize = 64;

/// Visitors by key. Everything is in the database too.
#[derive(Debug, Default)]
pub(super) struct Cache {
    fresh: HashMap<VisitorKey, Visitor>,
    fresh_bytes: usize,
    /// In which turn it was packed, and its bytes.
    packed: HashMap<VisitorKey, (u64, Box<[u8]>)>,
    /// How many bytes of each turn are left, of the last at the end.
    turns: VecDeque<usize>,
    /// The number of the first of them.
    first: u64,
    packed_bytes: usize,
    /// What was put into the last turn.
    put_bytes: usize,
}

impl Cache {
    /// Whether a visitor is held.
    pub(super) fn holds(&self, key: VisitorKey) -> bool {
        self.fresh.contains_key(&key) || self.packed.contains_key(&key)
    }

    /// Takes a visitor out, if it is held.
    pub(super) fn take(&mut self, key: VisitorKey) -> Option<Visitor> {
        if let Some(visitor) = self.fresh.remove(&key) {
            self.fresh_bytes = self.fresh_bytes.saturating_sub(visitor.weight_bytes());
            return Some(visitor);
        }
        let (turn, bytes) = self.packed.remove(&key)?;
        let weight = bytes.len() + PLACE_BYTES;
        self.packed_bytes = self.packed_bytes.saturating_sub(weight);
        if let Some(left) = self.turns.get_mut((turn - self.first) as usize) {
            *left = left.saturating_sub(weight);
        }
        let mut visitor = Visitor::unpack(&bytes)?;
        visitor.know(key);
        Some(visitor)
    }

    /// Holds a visitor who is not held: whoever changes him took him out.
    pub(super) fn put(&mut self, key: VisitorKey, visitor: Visitor) {
        self.fresh_bytes += visitor.weight_bytes();
        self.fresh.insert(key, visitor);
        if self.fresh_bytes > FRESH_BYTES {
            self.fresh_bytes = 0;
            let mut fresh = std::mem::take(&mut self.fresh);
            for (key, visitor) in fresh.drain() {
                self.pack(key, &visitor);
            }
            self.fresh = fresh;
        }
    }

    fn pack(&mut self, key: VisitorKey, visitor: &Visitor) {
        let bytes = visitor.pack().into_boxed_slice();
        let weight = bytes.len() + PLACE_BYTES;
        if self.turns.is_empty() || self.put_bytes >= TURN_BYTES {
            while self.turns.front() == Some(&0) {
                self.turns.pop_front();
                self.first += 1;
            }
            self.turns.push_back(0);
            self.put_bytes = 0;
        }
        self.put_bytes += weight;
        self.packed_bytes += weight;
        if let Some(last) = self.turns.back_mut() {
            *last += weight;
        }
        self.packed.insert(key, (self.first + self.turns.len() as u64 - 1, bytes));
        if self.packed_bytes > PACKED_BYTES {
            self.let_go();
        }
    }

    /// Lets half of those go who were packed first; the others are taken for packed last. A batch goes through all its
    /// visitors in the order of their keys: with one more of them than fit, everybody would be gone before his next one.
    fn let_go(&mut self) {
        let Self { turns, packed, packed_bytes, first, .. } = self;
        while *packed_bytes > PACKED_BYTES && turns.len() > 1 {
            let gone = *first;
            turns.pop_front();
            *first += 1;
            let last = *first + turns.len() as u64 - 1;
            let mut stays = gone % 2 == 0;
            packed.retain(|_, (turn, bytes)| {
                if *turn != gone {
                    return true;
                }
                // In the order of the map, which is none.
                stays = !stays;
                let weight = bytes.len() + PLACE_BYTES;
                match turns.back_mut().filter(|_| stays) {
                    Some(left) => (*turn, *left) = (last, *left + weight),
                    None => *packed_bytes = packed_bytes.saturating_sub(weight),
                }
                stays
            });
        }
    }

    /// About how many bytes are held.
    pub(super) fn bytes(&self) -> usize {
        self.fresh_bytes + self.packed_bytes
    }
}

#[cfg(test)]
mod tests {
    use analytics::Kind;

    use super::super::tests::footprint;
    use super::*;

    fn visitor(n: u16) -> (VisitorKey, Visitor) {
        let footprint = footprint(n, i64::from(n), Kind::Page);
        let key = VisitorKey::from_bytes(*footprint.id.as_bytes());
        let mut visitor = Visitor::of(key);
        visitor.add(&footprint);
        visitor.append(9, &mut Vec::new());
        (key, visitor)
    }

    #[test]
    fn who_is_held_comes_back_as_he_was_and_no_more_are_held_than_fit() {
        let mut cache = Cache::default();
        for n in 0..200 {
            let (key, visitor) = visitor(n);
            cache.put(key, visitor);
            assert!(cache.bytes() <= FRESH_BYTES + PACKED_BYTES);
        }
        let held: Vec<u16> = (0..200).filter(|n| cache.holds(visitor(*n).0)).collect();
        assert!(held.len() > 10, "{held:?}");
        for n in held {
            let (key, visitor) = visitor(n);
            let mut taken = cache.take(key).unwrap();
            assert_eq!(taken, visitor);
            let (mut one, mut other) = (Vec::new(), Vec::new());
            assert_eq!(taken.append(9, &mut one), visitor.clone().append(9, &mut other));
            assert_eq!(one, other, "a sequel goes on where it would have");
            assert!(!cache.holds(key));
        }
        assert_eq!((cache.bytes(), cache.packed.len()), (0, 0));
    }

    #[test]
    fn whoever_goes_round_more_of_them_than_fit_finds_some() {
        let (mut cache, mut found) = (Cache::default(), 0);
        for n in (0..20).cycle().take(400) {
            let (key, visitor) = visitor(n);
            found += usize::from(cache.take(key).is_some());
            cache.put(key, visitor);
        }
        assert!(found > 60, "{found} of 380");
    }
}
