//! What a consumer hands to the journeys: footprints, and which visitors are one.

use std::collections::HashSet;

use analytics::outcome::Moved;
use analytics::{Footprint, TrackedEvent, VisitorKey};
use foldhash::fast::FixedState;
use serde::Deserialize;

use crate::call::{self, Call};

/// Visitors who are known to be the same: the first was known by that name before. Keys are hashes as they are: whoever looks
/// for two that meet here slows down a batch of their own.
pub type Bonds = HashSet<(VisitorKey, VisitorKey), FixedState>;

/// One thing that is handed over.
#[allow(clippy::large_enum_variant)] // read one after the other, and few are bonds
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)] // as version 1 has it
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

    /// Reads a call. `None`: it is none, or of a later version.
    pub fn read(call: &'a [u8]) -> Option<Vec<Self>> {
        match call.split_first()? {
            (&call::VERSION, rest) => call::read(rest),
            (1, mut rest) => {
                let mut handed = Vec::new();
                while !rest.is_empty() {
                    let (one, behind) = postcard::take_from_bytes(rest).ok()?;
                    handed.push(one);
                    rest = behind;
                }
                Some(handed)
            }
            _ => None,
        }
    }
}

/// A call is sent when it is about this large, some thousand footprints: a journal works on it in one go.
const CALL_BYTES: usize = 128 << 10;

/// The calls of a batch, by journal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Handover {
    shards: u16,
    /// Journal, and what it is called with.
    calls: Vec<(u16, Call)>,
    /// Bonds that are in a call: a visitor's every event would tell them again.
    told: Bonds,
    /// The weaker name of the bond that was told last, and how strong the other is.
    last: Option<(VisitorKey, u8)>,
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
        let Some(footprint) = Footprint::bare(event) else { return };
        let names = VisitorKey::all_of(event);
        let Some((&whose, weaker)) = names.split_first() else { return };
        self.write(whose, |call| call.add_event(whose, &footprint, event));
        for &name in weaker {
            if known.contains(&(name, whose)) || !self.told.insert((name, whose)) {
                continue;
            }
            // A journey has moved on to a name that is no weaker: a hundred sessions that one server tells of at once are
            // known by its address, and the first has it.
            if self.last.is_none_or(|(last, rank)| last != name || rank < whose.rank()) {
                self.put(&Handed::Bond(name, whose));
                self.last = Some((name, whose.rank()));
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
        self.write(handed.key(), |call| call.add(handed));
    }

    /// Writes into the call that what is this visitor's goes into.
    fn write(&mut self, key: VisitorKey, write: impl FnOnce(&mut Call)) {
        let shard = key.shard(self.shards);
        let open = self.calls.iter_mut().rev().find(|(of, _)| *of == shard);
        match open {
            Some((_, call)) if call.len() < CALL_BYTES => write(call),
            _ => {
                let mut call = Call::default();
                write(&mut call);
                self.calls.push((shard, call));
            }
        }
    }

    /// The calls, and the bonds in them.
    pub fn finish(self) -> (Vec<(u16, Vec<u8>)>, Bonds) {
        (self.calls.into_iter().map(|(shard, call)| (shard, call.into_bytes())).collect(), self.told)
    }
}
