//! The values of a batch as small numbers, so that counting them is an index and not a search.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;

use crate::Dimension;
use crate::dimension::{Cube, DIMENSIONS, cut};

/// Stands for one value of one dimension.
pub(super) type Number = u32;

/// The number of a value that is absent.
pub(super) const ABSENT: Number = 0;

/// A cell of the cube by the numbers of its parts: campaign or link, and then the rest of [`Cube::DIMENSIONS`].
pub(super) type Parts = [Number; Cube::DIMENSIONS.len() - 1];

/// Every value seen so far.
///
/// The hash has a constant seed because there is no randomness here; whoever makes its values collide slows
/// down one batch, of at most a hundred messages.
#[derive(Debug)]
pub(super) struct Names {
    numbers: [HashMap<Arc<str>, Number, FixedState>; DIMENSIONS],
    cubes: HashMap<Parts, Number, FixedState>,
    /// By number, less one.
    known: Vec<Name>,
}

#[derive(Debug, Clone)]
pub(super) struct Name {
    pub(super) dimension: Dimension,
    pub(super) value: Arc<str>,
    parts: Parts,
}

impl Default for Names {
    fn default() -> Self {
        let numbers = std::array::from_fn(|_| HashMap::default());
        Self { numbers, cubes: HashMap::default(), known: Vec::new() }
    }
}

impl Names {
    /// The number of a value.
    pub(super) fn number(&mut self, dimension: Dimension, value: &str) -> Number {
        if value.is_empty() {
            return ABSENT;
        }
        let value = cut(value);
        let Some(numbers) = self.numbers.get_mut(usize::from(dimension.code())) else { return ABSENT };
        if let Some(number) = numbers.get(value) {
            return *number;
        }
        let value: Arc<str> = value.into();
        self.known.push(Name { dimension, value: value.clone(), parts: Parts::default() });
        let number = self.known.len() as Number;
        numbers.insert(value, number);
        number
    }

    /// The number of a cell of the cube.
    pub(super) fn cube(&mut self, parts: Parts) -> Number {
        if let Some(number) = self.cubes.get(&parts) {
            return *number;
        }
        let [first, rest @ .., variant] = &parts;
        let mut key = String::with_capacity(64);
        let first = self.name(*first);
        // Which of the two the first part is decides on which side of the other's empty place it stands.
        if first.is_some_and(|name| name.dimension == Dimension::Link) {
            key.push(Cube::SEPARATOR);
            key.push_str(self.value(parts[0]));
        } else {
            key.push_str(self.value(parts[0]));
            key.push(Cube::SEPARATOR);
        }
        for part in rest {
            key.push(Cube::SEPARATOR);
            key.push_str(self.value(*part));
        }
        // Most links have no variants, and keys that were kept before there were any go on being theirs.
        if *variant != ABSENT {
            key.push(Cube::SEPARATOR);
            key.push_str(self.value(*variant));
        }
        self.known.push(Name { dimension: Dimension::Cube, value: key.into(), parts });
        let number = self.known.len() as Number;
        self.cubes.insert(parts, number);
        number
    }

    /// What a number stands for.
    pub(super) fn name(&self, number: Number) -> Option<&Name> {
        self.known.get((number as usize).checked_sub(1)?)
    }

    /// The value of a number.
    pub(super) fn value(&self, number: Number) -> &str {
        self.name(number).map_or("", |name| &name.value)
    }

    /// How many numbers there are, with [`ABSENT`].
    pub(super) fn len(&self) -> usize {
        self.known.len() + 1
    }

    /// The rank of each number by dimension and value. Cells that are built in this order need no sorting by
    /// text; the keys of the cube, which are long and many, are ranked by the ranks of their parts.
    pub(super) fn ranks(&self) -> Vec<u32> {
        let mut ranks = vec![0; self.len()];
        let numbered = || self.known.iter().zip(1usize..);
        let of_cube = |name: &Name| name.dimension == Dimension::Cube;
        let mut order: Vec<_> = numbered().filter(|(name, _)| !of_cube(name)).collect();
        order.sort_unstable_by_key(|(name, _)| (name.dimension, &name.value));
        // Where the cube's cells stand among the others.
        let (before, behind) =
            order.split_at(order.partition_point(|(name, _)| name.dimension < Dimension::Cube));
        let cubes = self.known.len() - order.len();
        rank(&mut ranks, before.iter().map(|(_, number)| *number), 1);
        rank(&mut ranks, behind.iter().map(|(_, number)| *number), (before.len() + cubes) as u32 + 1);
        let parts = |parts: Parts| parts.map(|part| ranks.get(part as usize).copied().unwrap_or_default());
        let cubes = numbered().filter(|(name, _)| of_cube(name));
        let mut cubes: Vec<_> = cubes.map(|(name, number)| (parts(name.parts), number)).collect();
        cubes.sort_unstable();
        rank(&mut ranks, cubes.iter().map(|(_, number)| *number), before.len() as u32 + 1);
        ranks
    }
}

fn rank(ranks: &mut [u32], order: impl Iterator<Item = usize>, first: u32) {
    for (number, next) in order.zip(first..) {
        if let Some(rank) = ranks.get_mut(number) {
            *rank = next;
        }
    }
}
