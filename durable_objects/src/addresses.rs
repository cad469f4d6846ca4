//! Which gate an event belongs to, and which meter a link.

use std::fmt;
use std::hash::Hasher;

use analytics::{EventId, VisitorKey};
use siphasher::sip::SipHasher13;

pub use crate::region::Region;

/// One gate: `gate/{region}/{shard}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GateName {
    /// Where it stands.
    pub region: Region,
    /// Which of the region's gates.
    pub shard: u16,
}

impl GateName {
    /// The gate of that name.
    pub fn parse(name: &str) -> Option<Self> {
        let (region, shard) = name.strip_prefix("gate/")?.split_once('/')?;
        Some(Self { region: Region::parse(region)?, shard: shard.parse().ok()? })
    }
}

impl fmt::Display for GateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "gate/{}/{}", self.region.name(), self.shard)
    }
}

/// One meter: `meter/{shard}`. There is one set for the world, because two meters of a link would each let its whole
/// limit through; it stands where the first request came from, and others wait for the way there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeterName {
    /// Which of the meters.
    pub shard: u16,
}

impl MeterName {
    /// The meter of a link. It has the link's count, so the number of meters is never changed: links would go to
    /// meters that know nothing of them, and have their limits over again.
    pub fn of(link: &str, shards: u16) -> Self {
        Self { shard: (hash(b"clicktrail meter", link.as_bytes()) % u64::from(shards.max(1))) as u16 }
    }
}

impl fmt::Display for MeterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "meter/{}", self.shard)
    }
}

/// One shard of journeys: `journey/{shard}`. There is one set for the world, because a visitor has one journey, wherever
/// its events come in; nobody waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalName {
    /// Which of them.
    pub shard: u16,
}

impl JournalName {
    /// The journal of a visitor. It has the visitor's journey, so the number of journals is never changed.
    pub fn of(visitor: VisitorKey, shards: u16) -> Self {
        Self { shard: visitor.shard(shards) }
    }

    /// The journal of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Some(Self { shard: name.strip_prefix("journey/")?.parse().ok()? })
    }
}

impl fmt::Display for JournalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "journey/{}", self.shard)
    }
}

/// What an event's gate is worked out from, by any number of gates.
pub(crate) fn gate_hash(id: EventId) -> u64 {
    hash(b"clicktrail shard", id.as_bytes())
}

fn hash(key: &[u8; 16], of: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new_with_key(key);
    hasher.write(of);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Layout;

    /// Another name or another hash sends the copies of an event to a gate that has not seen it.
    #[test]
    fn names_and_shards_are_pinned() {
        let id = EventId::parse("67e55044-10b1-426f-9247-bb680e5fe0c8").unwrap();
        let name = Layout::Continents(16).gate(Region::Weur, id);
        assert_eq!(name.to_string(), "gate/weur/15");
        assert_eq!(GateName::parse("gate/weur/3"), Some(GateName { region: Region::Weur, shard: 3 }));
        assert_eq!(MeterName::of("demo", 16).to_string(), "meter/4");
        let visitor = VisitorKey::from_bytes([7; 16]);
        assert_eq!(JournalName::of(visitor, 16).to_string(), "journey/7");
        assert_eq!(JournalName::parse("journey/3"), Some(JournalName { shard: 3 }));
        assert_eq!(JournalName::parse("journey/x"), None);
        for name in ["gate/weur", "gate/mars/1", "door/weur/1", "gate/weur/x"] {
            assert_eq!(GateName::parse(name), None);
        }
    }

    #[test]
    fn ids_that_differ_in_one_byte_spread_over_all_gates() {
        let (layout, mut counts) = (Layout::world(8), [0; 8]);
        for n in 0..8_000u16 {
            let mut bytes = [0; 16];
            bytes[..2].copy_from_slice(&n.to_be_bytes());
            counts[usize::from(layout.gate(Region::Enam, EventId::from_bytes(bytes)).shard)] += 1;
        }
        assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
    }
}
