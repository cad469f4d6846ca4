//! How many gates there are, and where.

use analytics::EventId;

use crate::addresses::{GateName, gate_hash};
use crate::region::Region;

const REGIONS: usize = Region::ALL.len();

/// How many gates each region has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// So many in each of six regions, one for each continent.
    Continents(u16),
    /// A number for each region, in the order of [`Region::ALL`]. Who lives where there is none goes to the nearest that
    /// has some.
    Regions([u16; REGIONS]),
}

impl Layout {
    /// One set for the world.
    pub fn world(shards: u16) -> Self {
        Self::of([(Region::World, shards.max(1))])
    }

    /// Numbers by name. A number for the world is for everybody, whatever else is named; without any number there is one
    /// gate for the world.
    pub fn of(numbers: impl IntoIterator<Item = (Region, u16)>) -> Self {
        let mut shards = [0; REGIONS];
        for (region, number) in numbers {
            if let Some(slot) = shards.get_mut(usize::from(region.code())) {
                *slot = number;
            }
        }
        match shards {
            [0, rest @ ..] if rest.iter().any(|number| *number > 0) => Self::Regions(shards),
            [world, ..] => {
                let mut shards = [0; REGIONS];
                let [first, ..] = &mut shards;
                *first = world.max(1);
                Self::Regions(shards)
            }
        }
    }

    /// All of these gates in one set.
    #[must_use]
    pub fn gathered(&self) -> Self {
        match self {
            Self::Continents(shards) => Self::world(*shards),
            Self::Regions(shards) => {
                Self::world(shards.iter().fold(0, |sum, shards| sum.saturating_add(*shards)))
            }
        }
    }

    /// The region whose gates a visitor's events go to.
    pub(crate) fn region(&self, place: Region) -> Region {
        match self {
            Self::Continents(_) => place.continent(),
            Self::Regions(_) => {
                place.nearest().into_iter().find(|region| self.shards(*region) > 0).unwrap_or(Region::World)
            }
        }
    }

    /// How many gates the region has.
    pub(crate) fn shards(&self, region: Region) -> u16 {
        match self {
            Self::Continents(shards) if region != Region::World && region.continent() == region => {
                (*shards).max(1)
            }
            Self::Continents(_) => 0,
            Self::Regions(shards) => shards.get(usize::from(region.code())).copied().unwrap_or(0),
        }
    }

    /// The gate of an event: by a hash of its id, because clients choose ids and may choose them alike.
    pub(crate) fn gate(&self, place: Region, id: EventId) -> GateName {
        let region = self.region(place);
        GateName { region, shard: (gate_hash(id) % u64::from(self.shards(region).max(1))) as u16 }
    }

    /// Every gate.
    pub(crate) fn gates(&self) -> impl Iterator<Item = GateName> {
        let of = |region| (0..self.shards(region)).map(move |shard| GateName { region, shard });
        Region::ALL.into_iter().flat_map(of)
    }

    /// The number by which gates knew a layout before there was any other, if there is one.
    pub(crate) fn number(&self) -> Option<u16> {
        match self {
            Self::Continents(shards) => Some(*shards),
            Self::Regions([world, ..]) => Some(*world).filter(|world| *world > 0),
        }
    }

    /// What such a number meant to a gate of that region.
    pub(crate) fn of_number(shards: u16, region: Region) -> Self {
        if region == Region::World { Self::world(shards) } else { Self::Continents(shards) }
    }

    /// `[0][shards]`, or how many regions have gates, and of each `[region][shards]`.
    pub(crate) fn write(&self, bytes: &mut Vec<u8>) {
        let mut entries = Vec::new();
        match self {
            Self::Continents(shards) => {
                bytes.push(0);
                bytes.extend(shards.to_le_bytes());
            }
            Self::Regions(shards) => {
                let some = shards.iter().zip(0u8..).filter(|(shards, _)| **shards > 0);
                for (shards, code) in some {
                    entries.push(code);
                    entries.extend(shards.to_le_bytes());
                }
                bytes.push((entries.len() / 3) as u8);
                bytes.extend(entries);
            }
        }
    }

    /// The layout that bytes begin with, and the rest.
    pub(crate) fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (&count, rest) = bytes.split_first()?;
        if count == 0 {
            let (shards, rest) = rest.split_first_chunk()?;
            return Some((Self::Continents(u16::from_le_bytes(*shards)), rest));
        }
        let (entries, rest) = rest.split_at_checked(3 * usize::from(count))?;
        let numbers = entries
            .as_chunks::<3>()
            .0
            .iter()
            .map(|[code, low, high]| Some((Region::of_code(*code)?, u16::from_le_bytes([*low, *high]))));
        Some((Self::of(numbers.collect::<Option<Vec<_>>>()?), rest))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    fn some(numbers: &[(Region, u16)]) -> Layout {
        Layout::of(numbers.iter().copied())
    }

    /// Any layout of few gates.
    pub(crate) fn layout() -> impl Strategy<Value = Layout> {
        let region = prop::sample::select(Region::ALL.to_vec());
        prop_oneof![
            (1..6u16).prop_map(Layout::Continents),
            prop::collection::vec((region, 0..6u16), 0..6).prop_map(Layout::of),
        ]
    }

    pub(crate) fn place() -> impl Strategy<Value = Region> {
        prop::sample::select(Region::ALL[1..].to_vec())
            .prop_filter("nobody is of it", |place| *place != Region::Apac)
    }

    #[test]
    fn who_has_no_gates_of_his_own_goes_to_the_nearest() {
        let two = some(&[(Region::Enam, 3), (Region::Weur, 1)]);
        let of = |layout: &Layout| Region::ALL.map(|place| layout.region(place).name()).join(" ");
        assert_eq!(of(&two), "enam enam enam weur weur enam weur enam weur weur enam weur");
        assert_eq!(of(&Layout::Continents(2)), "world enam sam weur apac oc afr enam weur apac apac apac");
        assert_eq!(of(&Layout::world(2)), ["world"; 12].join(" "));
        let names: Vec<_> = two.gates().map(|gate| gate.to_string()).collect();
        assert_eq!(names, ["gate/enam/0", "gate/enam/1", "gate/enam/2", "gate/weur/0"]);
        assert_eq!(Layout::Continents(2).gates().count(), 12);
    }

    #[test]
    fn a_number_for_the_world_is_for_everybody_and_no_number_is_one_gate() {
        assert_eq!(some(&[(Region::Enam, 3), (Region::World, 2)]), Layout::world(2));
        assert_eq!(some(&[(Region::Enam, 0)]), Layout::world(1));
        assert_eq!(some(&[(Region::Enam, 3), (Region::Oc, 4)]).gathered(), Layout::world(7));
        assert_eq!(Layout::Continents(2).gathered(), Layout::world(2));
    }

    #[test]
    fn bytes_are_pinned() {
        let mut bytes = Vec::new();
        some(&[(Region::Wnam, 300), (Region::Enam, 2)]).write(&mut bytes);
        Layout::Continents(4).write(&mut bytes);
        assert_eq!(bytes, [2, 1, 2, 0, 7, 44, 1, 0, 4, 0]);
        for cut in [&[][..], &[0, 1], &[1, 1, 2], &[1, 12, 2, 0]] {
            assert_eq!(Layout::read(cut), None);
        }
    }

    proptest! {
        #[test]
        fn every_event_has_one_gate_and_it_is_among_all(layout in layout(), place in place(), id in any::<[u8; 16]>()) {
            let gate = layout.gate(place, EventId::from_bytes(id));
            prop_assert!(layout.gates().any(|other| other == gate), "{gate} of {layout:?}");
            let mut bytes = Vec::new();
            layout.write(&mut bytes);
            bytes.push(9);
            prop_assert_eq!(Layout::read(&bytes), Some((layout, &[9][..])));
        }
    }
}
