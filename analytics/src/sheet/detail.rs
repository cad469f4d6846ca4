//! The cells of a sheet: what was counted under each value of each dimension. A value that is absent from an event has no
//! cell; the report shows it as the rest of the total.
//!
//! They are one list in the order of dimension and value. Most sheets are a link's or a campaign's of one minute: some
//! thirty cells of nearly as many dimensions, for which a tree for each dimension would be thirty times the memory.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::counters::Counters;
use crate::dimension::Dimension;
use crate::rank::order;

/// The value under which cells beyond the cap are kept.
pub const OTHER: &str = "(other)";

/// One cell.
///
/// A value is shared by the sheets of its minute: most of them appear in the scopes of everybody, a campaign
/// and a link.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) code: u8,
    pub(crate) value: Arc<str>,
    pub(crate) counters: Counters,
}

impl Cell {
    fn key(&self) -> (u8, &str) {
        (self.code, &self.value)
    }
}

/// Cells in the order of their dimension's code and their value.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Detail(Vec<Cell>);

impl Detail {
    /// Of cells that are in order. Where they are not, because somebody has made values that are damaged, none is lost.
    pub(crate) fn of(cells: Vec<Cell>) -> Self {
        if cells.is_sorted_by(|a, b| a.key() < b.key()) {
            return Self(cells);
        }
        let mut gathered = Gathered::default();
        for Cell { code, value, counters } in cells {
            *gathered.0.entry(code).or_default().entry(value).or_default() += &counters;
        }
        gathered.into()
    }

    /// Adds to one cell. A new one moves all that are behind it: whoever adds many gathers them ([`Gathered`]).
    pub fn add(&mut self, dimension: Dimension, value: &str, counters: &Counters) {
        let code = dimension.code();
        match self.0.binary_search_by(|cell| cell.key().cmp(&(code, value))) {
            Ok(at) => {
                if let Some(cell) = self.0.get_mut(at) {
                    cell.counters += counters;
                }
            }
            Err(at) => self.0.insert(at, Cell { code, value: value.into(), counters: *counters }),
        }
    }

    /// Adds every cell of `other`.
    pub fn merge(&mut self, other: &Self) {
        self.merge_where(other, |_| true);
    }

    /// Adds the cells of those dimensions of `other` whose code is `wanted`. What is there already is added to where it
    /// stands; what is new is put between in one go.
    pub(crate) fn merge_where(&mut self, other: &Self, wanted: impl Fn(u8) -> bool) {
        let (mut at, mut new) = (0, Vec::new());
        for cell in other.0.iter().filter(|cell| wanted(cell.code)) {
            at += ahead(self.0.get(at..).unwrap_or_default(), cell.key());
            match self.0.get_mut(at) {
                Some(mine) if mine.key() == cell.key() => mine.counters += &cell.counters,
                _ => new.push(cell.clone()),
            }
        }
        if new.is_empty() {
            return;
        }
        if self.0.is_empty() {
            self.0 = new;
            return;
        }
        let mut both = Vec::with_capacity(self.0.len() + new.len());
        let mut mine = std::mem::take(&mut self.0).into_iter().peekable();
        for cell in new {
            while let Some(before) = mine.next_if(|mine| mine.key() < cell.key()) {
                both.push(before);
            }
            both.push(cell);
        }
        both.extend(mine);
        self.0 = both;
    }

    /// The cells of a dimension.
    pub fn cells(&self, dimension: Dimension) -> impl Iterator<Item = (&str, &Counters)> {
        let code = dimension.code();
        let from = self.0.partition_point(|cell| cell.code < code);
        let of = self.0.get(from..).unwrap_or_default().iter().take_while(move |cell| cell.code == code);
        of.map(|cell| (&*cell.value, &cell.counters))
    }

    /// The dimensions that have cells.
    pub fn dimensions(&self) -> impl Iterator<Item = Dimension> {
        self.by_dimension().filter_map(|cells| Dimension::from_code(cells.first()?.code))
    }

    fn by_dimension(&self) -> impl Iterator<Item = &[Cell]> {
        self.0.chunk_by(|a, b| a.code == b.code)
    }

    /// How many cells there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no cell.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// About how long the cells are when they are stored.
    pub fn weight(&self) -> usize {
        self.0.iter().map(weight).sum()
    }

    /// The same cells in pieces that weigh at most `most`: at least one piece, and merging them gives the whole.
    pub fn pieces(&self, most: usize) -> Vec<Cow<'_, Self>> {
        if self.weight() <= most {
            return vec![Cow::Borrowed(self)];
        }
        let mut pieces = Vec::new();
        let (mut piece, mut filled) = (Self::default(), 0);
        for cell in &self.0 {
            if filled > 0 && filled + weight(cell) > most {
                pieces.push(Cow::Owned(std::mem::take(&mut piece)));
                filled = 0;
            }
            piece.0.push(cell.clone());
            filled += weight(cell);
        }
        pieces.push(Cow::Owned(piece));
        pieces
    }

    /// Folds all but the `most` busiest values of each dimension into [`OTHER`], so that a sheet's size is
    /// bounded whatever is sent. A cube is left whole: its values are bounded by nature, and a filter on it must
    /// be exact; lengths of time likewise, of which a median is made. `size` says how busy a cell is. What was taken back
    /// as a whole has no cell left.
    pub fn cap(&mut self, most: usize, size: impl Fn(&Counters) -> u64) {
        self.0.retain(|cell| !cell.counters.is_empty());
        let fits = |cells: &[Cell]| {
            let whole = [Dimension::Cube.code(), Dimension::Lapse.code()];
            cells.len() <= most || cells.first().is_some_and(|cell| whole.contains(&cell.code))
        };
        if self.by_dimension().all(fits) {
            return;
        }
        let mut capped = Self::default();
        for cells in self.by_dimension() {
            if fits(cells) {
                capped.0.extend_from_slice(cells);
                continue;
            }
            // Busiest first, then by name: the same cells survive wherever the sheet was put together.
            let keys = cells
                .iter()
                .map(|cell| (u64::from(&*cell.value == OTHER), !size(&cell.counters), &*cell.value));
            let mut kept = vec![false; cells.len()];
            for place in order(keys).into_iter().take(most) {
                if let Some(kept) = kept.get_mut(place) {
                    *kept = true;
                }
            }
            let mut other = Counters::default();
            for (cell, kept) in cells.iter().zip(kept) {
                if kept {
                    capped.0.push(cell.clone());
                } else {
                    other += &cell.counters;
                }
            }
            if let Some(dimension) = cells.first().and_then(|cell| Dimension::from_code(cell.code)) {
                capped.add(dimension, OTHER, &other);
            }
        }
        *self = capped;
    }
}

/// How many cells stand before a key, of which few are: the next cells of two sheets are often the same.
fn ahead(cells: &[Cell], key: (u8, &str)) -> usize {
    let (mut from, mut step) = (0, 1);
    while cells.get(from + step - 1).is_some_and(|cell| cell.key() < key) {
        from += step;
        step *= 2;
    }
    let within = cells.get(from..cells.len().min(from + step)).unwrap_or_default();
    from + within.partition_point(|cell| cell.key() < key)
}

/// A cell's length when it is stored: the value, and the counters of a cell that is not quite typical.
fn weight(cell: &Cell) -> usize {
    cell.value.len() + 12
}

/// Cells that come in no order, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Gathered(BTreeMap<u8, BTreeMap<Arc<str>, Counters>>);

impl Gathered {
    /// Adds to one cell.
    pub(crate) fn add(&mut self, dimension: Dimension, value: &str, counters: &Counters) {
        let cells = self.0.entry(dimension.code()).or_default();
        match cells.get_mut(value) {
            Some(cell) => *cell += counters,
            None => {
                cells.insert(value.into(), *counters);
            }
        }
    }
}

impl From<Gathered> for Detail {
    fn from(Gathered(all): Gathered) -> Self {
        let mut cells = Vec::with_capacity(all.values().map(BTreeMap::len).sum());
        for (code, of) in all {
            cells.extend(of.into_iter().map(|(value, counters)| Cell { code, value, counters }));
        }
        Self(cells)
    }
}

/// Stored as a map of maps: by the dimension's code, by value.
impl Serialize for Detail {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Values<'c>(&'c [Cell]);
        impl Serialize for Values<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(Some(self.0.len()))?;
                self.0.iter().try_for_each(|cell| map.serialize_entry(&*cell.value, &cell.counters))?;
                map.end()
            }
        }
        let mut map = serializer.serialize_map(Some(self.by_dimension().count()))?;
        for cells in self.by_dimension() {
            let Some(first) = cells.first() else { continue };
            map.serialize_entry(&first.code, &Values(cells))?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Detail {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Codes;
        impl<'de> Visitor<'de> for Codes {
            type Value = Detail;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("cells by dimension and value")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Detail, A::Error> {
                let mut cells = Vec::new();
                while let Some(code) = map.next_key()? {
                    map.next_value_seed(Values(code, &mut cells))?;
                }
                Ok(Detail::of(cells))
            }
        }
        struct Values<'c>(u8, &'c mut Vec<Cell>);
        impl<'de> serde::de::DeserializeSeed<'de> for Values<'_> {
            type Value = ();
            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
                deserializer.deserialize_map(self)
            }
        }
        impl<'de> Visitor<'de> for Values<'_> {
            type Value = ();
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("counters by value")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
                let Self(code, cells) = self;
                while let Some((value, counters)) = map.next_entry::<&str, Counters>()? {
                    cells.push(Cell { code, value: value.into(), counters });
                }
                Ok(())
            }
        }
        deserializer.deserialize_map(Codes)
    }
}

impl fmt::Debug for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Cell { code, value, counters } in &self.0 {
            let name = Dimension::from_code(*code).map_or("?", Dimension::name);
            writeln!(f, "  {name} {} .. {counters:?}", value.replace('\u{1f}', "|"))?;
        }
        Ok(())
    }
}
