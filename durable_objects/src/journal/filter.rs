//! Filters: whether a page can hold a visitor, without reading it.

use analytics::VisitorKey;

/// With 32 bits a key and four probes, one page in 5,300 is read for nothing (Bloom's formula: (1 - e^(-4/32))^4 =
/// 0.019 %). A new visitor is looked for in every run, some thirty of them, and to read a page of some hundred KB for
/// nothing costs ten times what everything else does that is done for the visitor: with ten bits it was one visitor in
/// three, with twenty one in thirty, now it is one in 180. Filters of ten and twenty bits are stored, and are read as
/// well: only the number of probes has to be theirs.
const BITS_PER_KEY: usize = 32;
const PROBES: u64 = 4;

/// A Bloom filter over a page's keys. They are hashes themselves, so that their halves make the probes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter(Vec<u8>);

impl Filter {
    /// The filter of some keys.
    pub(crate) fn of(keys: &[VisitorKey]) -> Self {
        let mut filter = Self(vec![0; (keys.len() * BITS_PER_KEY).div_ceil(8)]);
        for key in keys {
            for place in places(*key, filter.0.len()) {
                if let Some(byte) = filter.0.get_mut(place / 8) {
                    *byte |= 1 << (place % 8);
                }
            }
        }
        filter
    }

    /// A filter as it was stored.
    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether the key can be among them.
    pub(crate) fn may_hold(&self, key: VisitorKey) -> bool {
        !self.0.is_empty()
            && places(key, self.0.len())
                .all(|place| self.0.get(place / 8).is_some_and(|byte| byte >> (place % 8) & 1 == 1))
    }
}

fn places(key: VisitorKey, bytes: usize) -> impl Iterator<Item = usize> {
    let bits = (bytes as u64 * 8).max(1);
    let whole = u128::from_be_bytes(*key.as_bytes());
    // The shard took the rest of a division of the whole: the halves are as good as new.
    let (first, step) = ((whole >> 64) as u64, whole as u64 | 1);
    (0..PROBES).map(move |probe| (first.wrapping_add(step.wrapping_mul(probe)) % bits) as usize)
}

#[cfg(test)]
mod tests {
    use analytics::{EventId, Kind, RawEvent, Source, enrich};

    use super::*;

    fn key(n: u64) -> VisitorKey {
        let mut raw = RawEvent::new(EventId::from_bytes([0; 16]), Kind::Click, Source::Pixel, 0);
        raw.visitor = n;
        VisitorKey::all_of(&enrich(raw))[0]
    }

    #[test]
    fn every_key_is_held_and_few_others_seem_to_be() {
        let keys: Vec<_> = (0..2_000).map(key).collect();
        let filter = Filter::of(&keys);
        assert!(keys.iter().all(|key| filter.may_hold(*key)));
        let seem = (2_000..22_000).filter(|n| filter.may_hold(key(*n))).count();
        assert!(seem < 60, "{seem} of 20,000");
        assert!(!Filter::of(&[]).may_hold(key(1)));
        assert_eq!(Filter::from_bytes(filter.as_bytes().to_vec()), filter);
    }
}
