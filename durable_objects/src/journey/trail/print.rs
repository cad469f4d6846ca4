//! The head of a footprint, which is all that is looked at to find its place.

use analytics::{EventId, Kind};

use super::Moment;

/// What every footprint says.
#[derive(Debug, Clone)]
pub(super) struct Print {
    pub(super) id: EventId,
    pub(super) at_ms: i64,
    pub(super) kind: Kind,
    /// Which list of traits.
    pub(super) traits: u32,
    /// Where the rest of it stands.
    pub(super) said: u32,
}

/// As it is stored.
pub(super) const PRINT_BYTES: usize = 16 + 8 + 1 + 4 + 4;

impl Print {
    pub(super) fn moment(&self) -> Moment {
        (self.at_ms, self.kind == Kind::SessionEnd, self.id)
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.id.as_bytes());
        out.extend_from_slice(&self.at_ms.to_le_bytes());
        out.push(self.kind as u8);
        out.extend_from_slice(&self.traits.to_le_bytes());
        out.extend_from_slice(&self.said.to_le_bytes());
    }

    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (id, rest) = bytes.split_first_chunk()?;
        let (at_ms, rest) = rest.split_first_chunk()?;
        let (&kind, rest) = rest.split_first()?;
        let (traits, rest) = rest.split_first_chunk()?;
        Some(Self {
            id: EventId::from_bytes(*id),
            at_ms: i64::from_le_bytes(*at_ms),
            kind: *Kind::ALL.get(usize::from(kind))?,
            traits: u32::from_le_bytes(*traits),
            said: u32::from_le_bytes(*rest.first_chunk()?),
        })
    }
}
