//! Which gates share the events, now and before.

use analytics::{EventId, Statement};

use crate::addresses::GateName;
use crate::layout::Layout;
use crate::region::Region;

/// The layouts that there have been, one after the other; the last is in force.
///
/// Only ever added to: how many there were is the map's version, and of two lists the longer one is the newer map,
/// whoever holds which while a deploy is under way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Maps(Vec<Layout>);

impl Maps {
    /// The map of a layout, after those of `before`.
    pub fn new(before: impl IntoIterator<Item = Layout>, now: Layout) -> Self {
        Self(before.into_iter().chain([now]).collect())
    }

    /// As a gate wrote them down: by numbers, as long as there were no others, and then by bytes. `None`: those are none.
    pub fn stored(region: Region, numbers: impl IntoIterator<Item = u16>, bytes: &[Vec<u8>]) -> Option<Self> {
        if bytes.is_empty() {
            let of = |shards| Layout::of_number(shards, region);
            return Some(Self(numbers.into_iter().map(of).collect()));
        }
        bytes
            .iter()
            .map(|bytes| Layout::read(bytes).map(|(layout, _)| layout))
            .collect::<Option<_>>()
            .map(Self)
    }

    /// How often the layout was changed.
    pub fn version(&self) -> usize {
        self.0.len().saturating_sub(1)
    }

    /// Every gate of any of the maps.
    pub fn gates(&self) -> Vec<GateName> {
        let mut gates: Vec<_> = self.0.iter().flat_map(Layout::gates).collect();
        gates.sort_unstable();
        gates.dedup();
        gates
    }

    /// The maps up to that version.
    pub(crate) fn upto(&self, version: usize) -> Self {
        Self(self.0.iter().take(version + 1).cloned().collect())
    }

    /// The gate that an event of a visitor belongs to.
    pub fn gate(&self, place: Region, id: EventId) -> GateName {
        self.owners(place, id).0.unwrap_or(GateName { region: Region::World, shard: 0 })
    }

    /// The gate that an event belongs to, and the one that it belonged to before.
    pub(crate) fn owners(&self, place: Region, id: EventId) -> (Option<GateName>, Option<GateName>) {
        let mut newest = self.0.iter().rev().map(|layout| layout.gate(place, id));
        (newest.next(), newest.next())
    }

    /// The gates that had events which are now this one's. Within a region a hash that leaves `me` by the new number and
    /// `other` by the old one exists if the two agree by the numbers' common divisor. So whoever doubles the number has
    /// each new gate ask one old gate, and from 16 to 17 each asks all 16. A region that takes visitors over from another
    /// asks those of the other in the same way.
    pub(crate) fn sources(&self, me: GateName) -> Vec<GateName> {
        let [.., before, now] = self.0.as_slice() else { return Vec::new() };
        let shards = now.shards(me.region);
        let mut sources = Vec::new();
        if me.shard >= shards {
            return sources;
        }
        for place in Region::ALL.into_iter().filter(|place| *place != Region::World) {
            let region = before.region(place);
            if now.region(place) != me.region || sources.iter().any(|other: &GateName| other.region == region)
            {
                continue;
            }
            let common = gcd(before.shards(region), shards).max(1);
            let theirs = (0..before.shards(region)).filter(|other| other % common == me.shard % common);
            sources.extend(theirs.map(|shard| GateName { region, shard }).filter(|other| *other != me));
        }
        sources
    }

    /// The numbers by which gates knew their maps before there were others, if these can be said so: all of continents, or
    /// all of the world.
    pub fn numbers(&self) -> Option<Vec<u16>> {
        let world = |layout: &Layout| layout.shards(Region::World) > 0;
        let alike =
            self.0.iter().all(|layout| self.0.first().is_some_and(|first| world(layout) == world(first)));
        self.0.iter().map(Layout::number).collect::<Option<_>>().filter(|_| alike)
    }

    /// The bytes of [`Maps::read`]: how many, then each.
    pub fn write(&self, bytes: &mut Vec<u8>) {
        let known = self.0.get(..255.min(self.0.len())).unwrap_or_default();
        bytes.push(known.len() as u8);
        for layout in known {
            layout.write(bytes);
        }
    }

    /// The maps that bytes begin with, and the rest.
    pub fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (&count, mut rest) = bytes.split_first()?;
        let mut maps = Vec::new();
        for _ in 0..count {
            let (layout, after) = Layout::read(rest)?;
            maps.push(layout);
            rest = after;
        }
        Some((Self(maps), rest))
    }

    /// Writes numbers: the bytes of [`Maps::read_numbers`].
    pub fn write_numbers(numbers: &[u16], bytes: &mut Vec<u8>) {
        let known = numbers.get(..255.min(numbers.len())).unwrap_or_default();
        bytes.push(known.len() as u8);
        bytes.extend(known.iter().flat_map(|shards| shards.to_le_bytes()));
    }

    /// The maps of numbers that bytes begin with, as a gate of that region understands them, and the rest.
    pub fn read_numbers(bytes: &[u8], region: Region) -> Option<(Self, &[u8])> {
        let (&count, rest) = bytes.split_first()?;
        let (shards, rest) = rest.split_at_checked(2 * usize::from(count))?;
        let shards =
            shards.as_chunks().0.iter().map(|pair| Layout::of_number(u16::from_le_bytes(*pair), region));
        Some((Self(shards.collect()), rest))
    }

    /// Writes them down.
    pub(crate) fn store(&self) -> Vec<Statement> {
        if let Some(numbers) = self.numbers() {
            let row = |(version, shards): (i64, u16)| {
                let sql = "INSERT OR REPLACE INTO maps (version, shards) VALUES (?1, ?2)";
                Statement::new(sql, [version.into(), i64::from(shards).into()])
            };
            return (0..).zip(numbers).map(row).collect();
        }
        let row = |(version, layout): (i64, &Layout)| {
            let mut bytes = Vec::new();
            layout.write(&mut bytes);
            let sql = "INSERT OR REPLACE INTO layouts (version, gates) VALUES (?1, ?2)";
            Statement::new(sql, [version.into(), bytes.into()])
        };
        (0..).zip(&self.0).map(row).collect()
    }
}

fn gcd(a: u16, b: u16) -> u16 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::layout::tests::{layout, place};

    fn numbers(before: &[u16], now: u16) -> Maps {
        Maps::new(before.iter().map(|shards| Layout::Continents(*shards)), Layout::Continents(now))
    }

    fn sources(maps: &Maps, shard: u16) -> Vec<u16> {
        maps.sources(GateName { region: Region::Weur, shard }).into_iter().map(|other| other.shard).collect()
    }

    #[test]
    fn bytes_are_pinned() {
        let mut bytes = Vec::new();
        Maps::write_numbers(&[2, 300, 4], &mut bytes);
        assert_eq!(bytes, [3, 2, 0, 44, 1, 4, 0]);
        assert_eq!(Maps::read_numbers(&bytes, Region::Oc), Some((numbers(&[2, 300], 4), &[][..])));
        let world = Maps::new([], Layout::world(2));
        assert_eq!(Maps::read_numbers(&[1, 2, 0, 9], Region::World), Some((world, &[9][..])));
        for cut in [&[][..], &[1], &[1, 2], &[2, 2, 0, 4]] {
            assert_eq!(Maps::read_numbers(cut, Region::Oc), None);
        }
        let mut bytes = Vec::new();
        let maps = Maps::new([Layout::Continents(2)], Layout::of([(Region::Wnam, 3)]));
        maps.write(&mut bytes);
        assert_eq!(bytes, [2, 0, 2, 0, 1, 7, 3, 0]);
        assert_eq!(Maps::read(&bytes), Some((maps, &[][..])));
        assert_eq!(Maps::read(&bytes[..5]), None);
    }

    #[test]
    fn who_doubles_the_gates_has_each_new_one_ask_one_old_one() {
        let doubled = numbers(&[8], 16);
        assert_eq!((sources(&doubled, 3), sources(&doubled, 11)), (vec![], vec![3]));
        assert_eq!(sources(&numbers(&[16], 8), 3), [11]);
        assert_eq!(sources(&numbers(&[3], 4), 3), [0, 1, 2]);
        assert_eq!(sources(&numbers(&[], 4), 3), [0; 0]);
        assert_eq!(sources(&numbers(&[4], 2), 3), [0; 0], "it has no events any more");
    }

    #[test]
    fn a_region_of_its_own_asks_the_one_that_it_comes_from() {
        let now = Layout::of([(Region::Enam, 2), (Region::Wnam, 2), (Region::Weur, 1)]);
        let maps = Maps::new([Layout::Continents(2)], now);
        let names = |region, shard| {
            maps.sources(GateName { region, shard })
                .iter()
                .map(GateName::to_string)
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(
            names(Region::Wnam, 1),
            "gate/oc/1 gate/enam/1 gate/apac/1",
            "Japan is nearer to it than Europe"
        );
        assert_eq!(names(Region::Enam, 0), "gate/sam/0");
        let europe = "gate/weur/1 gate/apac/0 gate/apac/1 gate/afr/0 gate/afr/1";
        assert_eq!(names(Region::Weur, 0), europe);
        assert_eq!(names(Region::Enam, 2), "", "it is none any more");
    }

    #[test]
    fn what_numbers_can_say_is_written_as_numbers() {
        let table = |maps: &Maps| maps.store().iter().filter(|row| row.sql.contains("layouts")).count();
        assert_eq!(table(&numbers(&[2], 4)), 0);
        assert_eq!(table(&Maps::new([Layout::world(2)], Layout::world(4))), 0);
        assert_eq!(
            table(&Maps::new([Layout::Continents(2)], Layout::world(2))),
            2,
            "the same number, elsewhere"
        );
        assert_eq!(table(&Maps::new([Layout::Continents(2)], Layout::of([(Region::Oc, 1)]))), 2);
    }

    proptest! {
        #[test]
        fn an_event_that_moved_comes_from_a_source(
            before in layout(), now in layout(), place in place(), id in any::<[u8; 16]>()
        ) {
            let maps = Maps::new([before], now);
            let (Some(owner), Some(other)) = maps.owners(place, EventId::from_bytes(id)) else {
                panic!("there are two maps")
            };
            prop_assert!(maps.gates().contains(&owner) && maps.gates().contains(&other));
            prop_assert!(owner == other || maps.sources(owner).contains(&other));
            prop_assert!(!maps.sources(owner).contains(&owner));
        }

        #[test]
        fn what_is_written_down_is_what_is_read(layouts in prop::collection::vec(layout(), 1..4)) {
            let maps = Maps(layouts);
            let region = if maps.0[0].shards(Region::World) > 0 { Region::World } else { Region::Sam };
            let (mut numbers, mut bytes) = (Vec::new(), Vec::new());
            for row in maps.store() {
                match &row.params[1] {
                    analytics::Param::Integer(shards) => numbers.push(*shards as u16),
                    analytics::Param::Blob(layout) => bytes.push(layout.clone()),
                    other => panic!("{other:?}"),
                }
            }
            prop_assert_eq!(Maps::stored(region, numbers, &bytes), Some(maps));
        }
    }
}
