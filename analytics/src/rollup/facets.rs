//! What comes together: all that a telephone says of itself, a town and its country, the tags of an ad. There are few of
//! those where there are many events, so that each is looked up once, and then counted as one.

use super::names::{Names, Number, Numbers};
use crate::Dimension;
use crate::dimension::{Cube, cut};
use crate::number::{put, take};

/// Stands for the values of one sort, of hits that count in one slot.
pub(super) type Facet = u32;

/// Stands for what the cube takes of a facet.
pub(super) type Part = u32;

/// The sorts of facet. An event has one of each, and each of its values is in one of them.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sort {
    /// Where the visitor is.
    Place,
    /// With what the visitor came.
    Visitor,
    /// By what.
    Way,
    /// What the hit says beside that.
    Hit,
}

impl Sort {
    /// Every sort, in the order in which their dimensions follow one another in the cube.
    pub(super) const ALL: [Self; 4] = [Self::Place, Self::Visitor, Self::Way, Self::Hit];

    /// Those of its dimensions that the cube combines.
    fn of_cube(self) -> &'static [Dimension] {
        match self {
            Self::Place => &[Dimension::Country],
            Self::Visitor => &[Dimension::Device, Dimension::Os, Dimension::Browser],
            Self::Way => &[Dimension::Channel],
            Self::Hit => &[Dimension::Variant],
        }
    }
}

/// Every facet seen so far.
#[derive(Debug, Default)]
pub(super) struct Facets {
    numbers: Numbers,
    known: Vec<Known>,
    /// The values of one facet behind those of another.
    values: Vec<Number>,
    part_numbers: Numbers,
    parts: Vec<Box<str>>,
    /// What is told of the facet that is looked for.
    key: Vec<u8>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Known {
    slot: usize,
    /// Where its values begin and end.
    values: (usize, usize),
    part: Part,
}

/// In a key, of a dimension whose values are ours to name: what follows is the place of one.
const PLACE: u8 = 0x80;

impl Facets {
    /// Looks for the facet of this sort, of hits that count in this slot: its values are told next.
    pub(super) fn of(&mut self, sort: Sort, slot: usize) -> &mut Self {
        self.key.clear();
        self.key.push(sort as u8);
        self.key.push(slot as u8);
        self
    }

    /// It has this value; none if it is empty. A region and a city are told behind their country.
    pub(super) fn with(&mut self, dimension: Dimension, value: &str) -> &mut Self {
        if !value.is_empty() {
            self.key.push(dimension.code());
            put(value.len() as u64, &mut self.key);
            self.key.extend_from_slice(value.as_bytes());
        }
        self
    }

    /// It has the value at this place among [`Dimension::values`].
    #[inline]
    pub(super) fn with_place(&mut self, dimension: Dimension, place: u8) -> &mut Self {
        self.key.push(dimension.code() | PLACE);
        self.key.push(place);
        self
    }

    /// The facet that was told.
    #[inline(never)]
    pub(super) fn number(&mut self, names: &mut Names) -> Facet {
        match self.numbers.get(&*self.key) {
            Some(number) => *number,
            None => self.learn(names),
        }
    }

    fn learn(&mut self, names: &mut Names) -> Facet {
        let Some(([sort, slot], mut told)) = self.key.split_first_chunk() else { return 0 };
        let begin = self.values.len();
        let sort = Sort::ALL.get(usize::from(*sort)).copied().unwrap_or(Sort::Hit);
        let mut of_cube = vec![String::new(); sort.of_cube().len()];
        let mut country = "";
        while let Some((dimension, value, rest)) = next(told) {
            told = rest;
            self.values.push(match dimension {
                Dimension::Region => names.number(dimension, &[country, "-", value].concat()),
                Dimension::City => names.number(dimension, &[value, " (", country, ")"].concat()),
                _ => names.number(dimension, value),
            });
            if dimension == Dimension::Country {
                country = value;
            }
            let at = sort.of_cube().iter().position(|of| *of == dimension);
            if let Some(part) = at.and_then(|at| of_cube.get_mut(at)) {
                cut(value).clone_into(part);
            }
        }
        let values = (begin, self.values.len());
        let known = Known { slot: usize::from(*slot), values, part: self.part(sort, &of_cube) };
        let number = self.known.len() as Facet;
        self.known.push(known);
        self.numbers.insert(self.key.as_slice().into(), number);
        number
    }

    /// What the cube takes: each value behind the separator.
    fn part(&mut self, sort: Sort, values: &[String]) -> Part {
        let mut part = String::new();
        for (dimension, value) in sort.of_cube().iter().zip(values) {
            // Most links have no variants, and keys that were kept before there were any go on being theirs.
            if *dimension != Dimension::Variant || !value.is_empty() {
                part.push(Cube::SEPARATOR);
                part.push_str(value);
            }
        }
        let next = self.parts.len() as Part;
        let number = *self.part_numbers.entry(part.as_bytes().into()).or_insert(next);
        if number == next {
            self.parts.push(part.into());
        }
        number
    }

    /// What the cube takes of this facet.
    pub(super) fn part_of(&self, facet: Facet) -> Part {
        self.known.get(facet as usize).map_or(0, |known| known.part)
    }

    /// The text of that.
    pub(super) fn part_text(&self, part: Part) -> &str {
        self.parts.get(part as usize).map_or("", |part| part)
    }

    /// Numbers the values as the names are numbered now.
    pub(super) fn settle(&mut self, now: &[Number]) {
        for value in &mut self.values {
            *value = now.get(*value as usize).copied().unwrap_or_default();
        }
    }

    /// The slot that it counts in, and its values.
    pub(super) fn values(&self, facet: Facet) -> (usize, &[Number]) {
        let Known { slot, values: (begin, end), .. } =
            self.known.get(facet as usize).copied().unwrap_or_default();
        (slot, self.values.get(begin..end).unwrap_or_default())
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }
}

/// The next value of a key, and what is behind it.
fn next(told: &[u8]) -> Option<(Dimension, &str, &[u8])> {
    let (&code, rest) = told.split_first()?;
    let dimension = Dimension::from_code(code & !PLACE)?;
    if code & PLACE != 0 {
        let (&place, rest) = rest.split_first()?;
        return Some((dimension, dimension.values()?.get(usize::from(place)).copied()?, rest));
    }
    let (length, rest) = take(rest)?;
    let (value, rest) = rest.split_at_checked(length as usize)?;
    Some((dimension, str::from_utf8(value).ok()?, rest))
}
