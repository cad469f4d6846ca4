//! What comes together: all that a telephone says of itself, a town and its country, the tags of an ad. There are few of
//! those where there are many events, so that each is looked up once, and then counted as one.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;

use super::index::Index;
use super::names::{Names, Number};
use crate::Dimension;
use crate::bots::Reason;
use crate::dimension::{Cube, cut};

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

    /// Its dimensions whose values are ours to name: of each a place is told.
    fn of_places(self) -> &'static [Dimension] {
        match self {
            Self::Place => &[],
            Self::Visitor => &[Dimension::Device, Dimension::Verdict],
            Self::Way => &[Dimension::Channel],
            Self::Hit => &[Dimension::Source, Dimension::Trigger, Dimension::TimeSource],
        }
    }

    /// Its dimensions of which a text is told.
    fn of_texts(self) -> &'static [Dimension] {
        match self {
            Self::Place => &[
                Dimension::Country,
                Dimension::Region,
                Dimension::City,
                Dimension::Continent,
                Dimension::TimeZone,
            ],
            Self::Visitor => {
                &[Dimension::Browser, Dimension::Os, Dimension::Brand, Dimension::Model, Dimension::Language]
            }
            Self::Way => &[
                Dimension::Referrer,
                Dimension::Medium,
                Dimension::UtmSource,
                Dimension::UtmMedium,
                Dimension::UtmCampaign,
                Dimension::UtmTerm,
                Dimension::UtmContent,
                Dimension::ClickNetwork,
            ],
            Self::Hit => &[
                Dimension::Publisher,
                Dimension::Ad,
                Dimension::Name,
                Dimension::Currency,
                Dimension::Element,
                Dimension::Variant,
                Dimension::Latency,
                Dimension::Skew,
                Dimension::Sub1,
                Dimension::Sub2,
                Dimension::Sub3,
                Dimension::Sub4,
                Dimension::Sub5,
            ],
        }
    }

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

/// What a hit tells of one sort. What is not told is absent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told<'t> {
    pub(super) sort: Sort,
    /// What the hit counts in.
    pub(super) slot: usize,
    /// The places of values that are ours to name.
    pub(super) places: Places,
    /// The texts, in the order of [`Sort::of_texts`].
    pub(super) texts: &'t [&'t str],
}

/// The places of values among [`Dimension::values`], a byte for each and one more than it is, in the order of
/// [`Sort::of_places`]; and reasons, which may be several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Places(u64);

impl Places {
    /// With the value of the dimension that stands here.
    #[must_use]
    pub(super) fn with(self, at: u32, place: u8) -> Self {
        Self(self.0 | (u64::from(place) + 1) << (8 * at))
    }

    /// With these reasons ([`crate::bots::Reasons::bits`]).
    #[must_use]
    pub(super) fn because(self, reasons: u32) -> Self {
        Self(self.0 | u64::from(reasons) << 32)
    }

    fn at(self, at: usize) -> Option<usize> {
        (self.0 >> (8 * at)).to_le_bytes().first().and_then(|place| usize::from(*place).checked_sub(1))
    }

    fn reasons(self) -> impl Iterator<Item = &'static str> {
        let has = move |reason: &Reason| self.0 >> 32 & 1 << *reason as u32 != 0;
        Reason::ALL.into_iter().filter(has).map(Reason::name)
    }
}

impl<'t> Told<'t> {
    /// Nothing of a sort.
    pub(super) fn nothing(sort: Sort, slot: usize) -> Self {
        let texts: &[&str] = &[""; 16];
        let texts = texts.get(..sort.of_texts().len()).unwrap_or_default();
        Self { sort, slot, places: Places::default(), texts }
    }

    fn hash(&self) -> u64 {
        let mut hasher = FixedState::default().build_hasher();
        // Which texts there are is hashed once, behind them: numbers cost as much as short texts.
        let mut there = 0;
        for text in self.texts {
            there <<= 1;
            if !text.is_empty() {
                there |= 1;
                hasher.write(text.as_bytes());
            }
        }
        hasher.write_u64(self.places.0);
        hasher.write_u64(there << 16 | (self.slot as u64) << 8 | self.sort as u64);
        hasher.finish()
    }

    /// What is said of a dimension; empty if nothing is.
    fn value(&self, dimension: Dimension) -> &'t str {
        if let Some(at) = self.sort.of_texts().iter().position(|of| *of == dimension) {
            return self.texts.get(at).copied().unwrap_or_default();
        }
        let at = self.sort.of_places().iter().position(|of| *of == dimension);
        at.and_then(|at| self.places.at(at)).and_then(|place| dimension.value(place)).unwrap_or_default()
    }
}

/// Every facet seen so far.
#[derive(Debug, Default)]
pub(super) struct Facets {
    index: Index,
    known: Vec<Known>,
    /// The texts of one facet behind those of another, and how long each is.
    texts: String,
    lengths: Vec<usize>,
    /// The values likewise.
    values: Vec<Number>,
    part_index: Index,
    parts: Vec<Box<str>>,
    part: String,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    sort: Sort,
    slot: usize,
    places: Places,
    /// Where its texts and their lengths begin.
    texts: (usize, usize),
    /// Where its values begin and end.
    values: (usize, usize),
    part: Part,
}

impl Facets {
    /// The facet that is told.
    pub(super) fn number(&mut self, told: Told<'_>, names: &mut Names) -> Facet {
        let hash = told.hash();
        match self.index.find(hash, |facet| self.is(facet, &told)) {
            Some(facet) => facet,
            None => self.learn(hash, told, names),
        }
    }

    fn is(&self, facet: Facet, told: &Told<'_>) -> bool {
        let Some(known) = self.known.get(facet as usize) else { return false };
        let same =
            known.places == told.places && known.slot == told.slot && known.sort as u8 == told.sort as u8;
        let (mut at, lengths) = known.texts;
        let lengths = self.lengths.get(lengths..).unwrap_or_default();
        same && told.texts.iter().zip(lengths).all(|(text, length)| {
            let begin = at;
            at += length;
            text.len() == *length
                && (*length == 0 || self.texts.as_bytes().get(begin..at) == Some(text.as_bytes()))
        })
    }

    fn learn(&mut self, hash: u64, told: Told<'_>, names: &mut Names) -> Facet {
        let texts = (self.texts.len(), self.lengths.len());
        let begin = self.values.len();
        let country = told.value(Dimension::Country);
        for (dimension, text) in told.sort.of_texts().iter().zip(told.texts) {
            self.texts.push_str(text);
            self.lengths.push(text.len());
            if text.is_empty() {
                continue;
            }
            // They are told behind their country.
            self.values.push(match dimension {
                Dimension::Region => names.number(*dimension, &[country, "-", text].concat()),
                Dimension::City => names.number(*dimension, &[text, " (", country, ")"].concat()),
                _ => names.number(*dimension, text),
            });
        }
        for dimension in told.sort.of_places() {
            let value = told.value(*dimension);
            if !value.is_empty() {
                self.values.push(names.number(*dimension, value));
            }
        }
        for reason in told.places.reasons() {
            self.values.push(names.number(Dimension::BotReason, reason));
        }
        let values = (begin, self.values.len());
        let part = self.part(&told);
        let Told { sort, slot, places, .. } = told;
        self.known.push(Known { sort, slot, places, texts, values, part });
        self.index.add(hash)
    }

    /// What the cube takes: each value behind the separator.
    fn part(&mut self, told: &Told<'_>) -> Part {
        let Self { part_index, parts, part, .. } = self;
        part.clear();
        for dimension in told.sort.of_cube() {
            let value = cut(told.value(*dimension));
            // Most links have no variants, and keys that were kept before there were any go on being theirs.
            if *dimension != Dimension::Variant || !value.is_empty() {
                part.push(Cube::SEPARATOR);
                part.push_str(value);
            }
        }
        let mut hasher = FixedState::default().build_hasher();
        hasher.write(part.as_bytes());
        let hash = hasher.finish();
        let is = |number| parts.get(number as usize).map(|known| &**known) == Some(part.as_str());
        part_index.find(hash, is).unwrap_or_else(|| {
            parts.push(part.as_str().into());
            part_index.add(hash)
        })
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
        let Some(Known { slot, values: (begin, end), .. }) = self.known.get(facet as usize) else {
            return (0, &[]);
        };
        (*slot, self.values.get(*begin..*end).unwrap_or_default())
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }
}
