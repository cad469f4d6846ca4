//! Which gates share the events of a region, now and before.

use analytics::{EventId, Statement};

use crate::addresses::gate_hash;

/// The numbers of gates that a region has had, one after the other; the last is in force.
///
/// Only ever added to: how many there were is the map's version, and of two lists the longer one is the newer map,
/// whoever holds which while a deploy is under way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Maps(Vec<u16>);

impl Maps {
    /// The map of so many gates, after those of `before`.
    pub fn new(before: &[u16], shards: u16) -> Self {
        Self(before.iter().copied().chain([shards]).collect())
    }

    /// As they are stored.
    pub fn stored(shards: impl IntoIterator<Item = u16>) -> Self {
        Self(shards.into_iter().collect())
    }

    /// How often the number was changed.
    pub fn version(&self) -> usize {
        self.0.len().saturating_sub(1)
    }

    /// More gates than any of the maps has.
    pub fn most(&self) -> u16 {
        self.0.iter().copied().max().unwrap_or(0)
    }

    /// The maps up to that version.
    pub(crate) fn upto(&self, version: usize) -> Self {
        Self(self.0.iter().take(version + 1).copied().collect())
    }

    /// The gate that an event belongs to.
    pub fn owner(&self, id: EventId) -> u16 {
        self.owners(id).0.unwrap_or(0)
    }

    /// The gate that an event belongs to, and the one that it belonged to before.
    pub(crate) fn owners(&self, id: EventId) -> (Option<u16>, Option<u16>) {
        let hash = gate_hash(id);
        let of = |shards: &u16| (hash % u64::from((*shards).max(1))) as u16;
        let mut newest = self.0.iter().rev();
        (newest.next().map(of), newest.next().map(of))
    }

    /// The gates that had events which are now this one's: a hash that leaves `me` by the new number and `other` by
    /// the old one exists if the two agree by the numbers' common divisor. So whoever doubles the number has each new
    /// gate ask one old gate, and from 16 to 17 each asks all 16.
    pub(crate) fn sources(&self, me: u16) -> Vec<u16> {
        let [.., before, now] = self.0.as_slice() else { return Vec::new() };
        if me >= (*now).max(1) {
            return Vec::new();
        }
        let common = gcd(*before, *now).max(1);
        (0..(*before).max(1)).filter(|other| *other != me && other % common == me % common).collect()
    }

    /// The bytes of [`Maps::read`]: how many, then each.
    pub fn write(&self, bytes: &mut Vec<u8>) {
        let known = self.0.get(..255.min(self.0.len())).unwrap_or_default();
        bytes.push(known.len() as u8);
        bytes.extend(known.iter().flat_map(|shards| shards.to_le_bytes()));
    }

    /// The maps that bytes begin with, and the rest.
    pub fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (&count, rest) = bytes.split_first()?;
        let (shards, rest) = rest.split_at_checked(2 * usize::from(count))?;
        Some((Self(shards.as_chunks().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect()), rest))
    }

    /// Writes them down.
    pub(crate) fn store(&self) -> Vec<Statement> {
        let row = |(version, &shards): (usize, &u16)| {
            Statement::new(
                "INSERT OR REPLACE INTO maps (version, shards) VALUES (?1, ?2)",
                [(version as i64).into(), i64::from(shards).into()],
            )
        };
        self.0.iter().enumerate().map(row).collect()
    }
}

fn gcd(a: u16, b: u16) -> u16 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bytes_are_pinned() {
        let mut bytes = Vec::new();
        Maps::new(&[2, 300], 4).write(&mut bytes);
        assert_eq!(bytes, [3, 2, 0, 44, 1, 4, 0]);
        assert_eq!(Maps::read(&[1, 2, 0, 9]), Some((Maps::new(&[], 2), &[9][..])));
        for cut in [&[][..], &[1], &[1, 2], &[2, 2, 0, 4]] {
            assert_eq!(Maps::read(cut), None);
        }
    }

    #[test]
    fn who_doubles_the_gates_has_each_new_one_ask_one_old_one() {
        let doubled = Maps::new(&[8], 16);
        assert_eq!((doubled.sources(3), doubled.sources(11)), (vec![], vec![3]));
        assert_eq!(Maps::new(&[16], 8).sources(3), [11]);
        assert_eq!(Maps::new(&[3], 4).sources(3), [0, 1, 2]);
        assert_eq!(Maps::new(&[], 4).sources(3), [0; 0]);
        assert_eq!(Maps::new(&[4], 2).sources(3), [0; 0], "it has no events any more");
    }

    proptest! {
        #[test]
        fn an_event_that_moved_comes_from_a_source(before in 1..40u16, now in 1..40u16, id in any::<[u8; 16]>()) {
            let maps = Maps::new(&[before], now);
            let (Some(owner), Some(other)) = maps.owners(EventId::from_bytes(id)) else { panic!("there are two maps") };
            prop_assert!(owner < now && other < before);
            prop_assert!(owner == other || maps.sources(owner).contains(&other));
        }
    }
}
