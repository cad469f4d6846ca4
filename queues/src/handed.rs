//! What a consumer hands to the journeys: footprints, and which visitors are one.

use std::collections::HashSet;

use analytics::outcome::Moved;
use analytics::{Footprint, TrackedEvent, VisitorKey, wire};
use serde::{Deserialize, Serialize};

/// Version of a call's bytes: calls that did not get through lie in the queue.
const VERSION: u8 = 1;

/// Visitors who are known to be the same: the first was known by that name before.
pub type Bonds = HashSet<(VisitorKey, VisitorKey)>;

/// One thing that is handed over.
#[allow(clippy::large_enum_variant)] // read one after the other, and few are bonds
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Handed<'a> {
    /// An event of a visitor.
    Footprint(VisitorKey, #[serde(borrow)] Footprint<'a>),
    /// Who was known by the first name is known by the second now.
    Bond(VisitorKey, VisitorKey),
}

impl<'a> Handed<'a> {
    /// Whose journey it belongs to.
    pub fn key(&self) -> VisitorKey {
        match self {
            Self::Footprint(key, _) | Self::Bond(key, _) => *key,
        }
    }

    /// Appends it to a call.
    pub fn write(&self, call: &mut Vec<u8>) {
        if call.is_empty() {
            call.push(VERSION);
        }
        wire::write(self, call);
    }

    /// Reads a call. `None`: it is none, or of a later version.
    pub fn read(call: &'a [u8]) -> Option<Vec<Self>> {
        let (&VERSION, mut rest) = call.split_first()? else { return None };
        let mut handed = Vec::new();
        while !rest.is_empty() {
            let (one, behind) = postcard::take_from_bytes(rest).ok()?;
            handed.push(one);
            rest = behind;
        }
        Some(handed)
    }
}

/// A call is sent when it is about this large: a journal works on it in one go.
const CALL_BYTES: usize = 256 << 10;

/// The calls of a batch, by journal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Handover {
    shards: u16,
    /// Journal, and what it is called with.
    calls: Vec<(u16, Vec<u8>)>,
    /// Bonds that are in a call: a visitor's every event would tell them again.
    told: Bonds,
}

impl Handover {
    /// Calls for so many journals. With none, nothing is handed over.
    pub fn new(shards: u16) -> Self {
        Self { shards, ..Self::default() }
    }

    /// Hands over what a journey keeps of an event. `known` are bonds that the journals have been told.
    pub fn add_event(&mut self, event: &TrackedEvent<'_>, known: &Bonds) {
        if self.shards == 0 {
            return;
        }
        let Some(footprint) = Footprint::of(event) else { return };
        let mut names = VisitorKey::all_of(event);
        let whose = names.remove(0);
        self.put(&Handed::Footprint(whose, footprint));
        for name in names {
            if !known.contains(&(name, whose)) && self.told.insert((name, whose)) {
                self.put(&Handed::Bond(name, whose));
            }
        }
    }

    /// Hands over a footprint that leaves another journey.
    pub fn add_moved(&mut self, moved: Moved<'_>) {
        if self.shards > 0 {
            self.put(&Handed::Footprint(moved.to, moved.footprint));
        }
    }

    fn put(&mut self, handed: &Handed<'_>) {
        let shard = handed.key().shard(self.shards);
        let open = self.calls.iter_mut().rev().find(|(of, _)| *of == shard);
        match open {
            Some((_, call)) if call.len() < CALL_BYTES => handed.write(call),
            _ => {
                let mut call = Vec::new();
                handed.write(&mut call);
                self.calls.push((shard, call));
            }
        }
    }

    /// The calls, and the bonds in them.
    pub fn finish(self) -> (Vec<(u16, Vec<u8>)>, Bonds) {
        (self.calls, self.told)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_call_is_read_as_it_was_written() {
        let [one, two] = [1, 2].map(|n| VisitorKey::from_bytes([n; 16]));
        let mut call = Vec::new();
        let handed = [Handed::Bond(one, two), Handed::Bond(two, one)];
        for one in &handed {
            one.write(&mut call);
        }
        assert_eq!(call.first(), Some(&1));
        assert_eq!(Handed::read(&call), Some(handed.to_vec()));
        call[0] = 2;
        assert_eq!(Handed::read(&call), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(mut bytes: Vec<u8>) {
            let _ = Handed::read(&bytes);
            bytes.insert(0, VERSION);
            let _ = Handed::read(&bytes);
        }
    }
}
