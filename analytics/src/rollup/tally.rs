//! Counting the rows of one sheet.

use std::sync::Arc;

use super::corners::{self, Corners};
use super::facets::{Facet, Facets, Sort};
use super::marks::Marks;
use super::names::{ABSENT, Names, Number};
use crate::Dimension;
use crate::counters::Counters;
use crate::dimension::Cube;
use crate::sheet::{Cell, Detail, Money, Sheet};
use crate::uniques::Uniques;

/// An event, as numbers.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// The number of its minute.
    pub(super) minute: Number,
    pub(super) campaign: Number,
    pub(super) link: Number,
    /// Its other values.
    pub(super) facets: [Facet; Sort::ALL.len()],
    /// What the cube combines of them.
    pub(super) corner: corners::Number,
    /// What it counts in.
    pub(super) slot: usize,
    pub(super) times: u64,
    pub(super) money: Option<Box<Amounts>>,
    /// Hash of the person who clicked.
    pub(super) visitor: Option<u64>,
}

/// The money in an event; most have none.
#[derive(Debug, Clone)]
pub(super) struct Amounts {
    /// Value in millionths, cost and payout in thousand-millionths.
    pub(super) sums: [i64; 3],
    /// What each is counted under by currency.
    pub(super) purposes: [Number; 3],
    /// Who is paid.
    pub(super) publisher: Number,
    /// For what: the line of the statement.
    pub(super) line: Number,
}

/// How often something was met, and the money in it.
#[derive(Debug, Clone, Copy, Default)]
struct Met {
    times: u64,
    sums: [i64; 3],
}

impl Met {
    #[inline]
    fn add(&mut self, row: &Row) {
        self.times = self.times.saturating_add(row.times);
        if let Some(money) = &row.money {
            for (sum, more) in self.sums.iter_mut().zip(money.sums) {
                *sum = sum.saturating_add(more);
            }
        }
    }

    /// The counters of what was met in a slot.
    #[inline]
    fn add_to(&self, counters: &mut Counters, slot: usize) {
        counters.add_hits(slot, self.times, (self.sums != [0; 3]).then_some(&self.sums));
    }
}

/// A sheet that is being counted. Used for one sheet after another, because it is as wide as the batch has values.
pub(super) struct Tally<'n> {
    names: &'n Names,
    facets: &'n Facets,
    corners: &'n Corners,
    /// By facet; and which were met.
    met: Vec<Met>,
    touched: Vec<Facet>,
    /// By corner, likewise.
    turned: Vec<Met>,
    met_corners: Marks,
    /// By campaign and link, which are in no facet.
    cells: Vec<Counters>,
    /// By value: which were met, and where their cells are.
    marked: Marks,
    places: Vec<u32>,
    cube: Vec<Cell>,
    key: String,
    totals: Counters,
    money: Money,
    visitors: Uniques,
}

impl<'n> Tally<'n> {
    pub(super) fn new(names: &'n Names, facets: &'n Facets, corners: &'n Corners) -> Self {
        Self {
            names,
            facets,
            corners,
            met: vec![Met::default(); facets.len()],
            touched: Vec::new(),
            turned: vec![Met::default(); corners.len()],
            met_corners: Marks::new(corners.len()),
            cells: vec![Counters::default(); names.len()],
            marked: Marks::new(names.len()),
            places: vec![0; names.len()],
            cube: Vec::new(),
            key: String::new(),
            totals: Counters::default(),
            money: Money::default(),
            visitors: Uniques::default(),
        }
    }

    /// Counts a row in the totals.
    pub(super) fn add(&mut self, row: &Row) {
        self.totals.add_hits(row.slot, row.times, row.money.as_ref().map(|money| &money.sums));
        if let Some(visitor) = row.visitor {
            self.visitors.insert(visitor);
        }
        let Some(money) = &row.money else { return };
        for (amount, purpose) in money.sums.iter().zip(money.purposes).filter(|(amount, _)| **amount != 0) {
            let key = self.names.name(purpose).map_or_else(|| Arc::from(""), |name| name.value.clone());
            let sum = self.money.entry(key).or_default();
            *sum = sum.saturating_add(*amount);
        }
    }

    /// Counts a row in the cells of its facets, and of its corner of the cube until [`Tally::turn`] says whose that is.
    pub(super) fn add_facets(&mut self, row: &Row) {
        for facet in row.facets {
            if let Some(met) = self.met.get_mut(facet as usize) {
                if met.times == 0 {
                    self.touched.push(facet);
                }
                met.add(row);
            }
        }
        if let Some(met) = self.turned.get_mut(row.corner as usize) {
            met.add(row);
            self.met_corners.mark(row.corner);
        }
    }

    /// Counts a row in the cell of a value.
    pub(super) fn add_cell(&mut self, number: Number, row: &Row) {
        if number == ABSENT {
            return;
        }
        if let Some(counters) = self.cells.get_mut(number as usize) {
            counters.add_hits(row.slot, row.times, row.money.as_ref().map(|money| &money.sums));
            self.marked.mark(number);
        }
    }

    /// The corners that were met since the last turn are of this campaign or this link: they become cells of the cube.
    pub(super) fn turn(&mut self, first: Number) {
        let Some(first) = self.names.name(first) else { return };
        let Self { key, corners, turned, cube, .. } = self;
        key.clear();
        // Which of the two it is decides on which side of the other's empty place it stands.
        if first.dimension == Dimension::Campaign {
            key.push_str(&first.value);
            key.push(Cube::SEPARATOR);
        } else {
            key.push(Cube::SEPARATOR);
            key.push_str(&first.value);
        }
        let (begin, mut last) = (key.len(), "");
        self.met_corners.drain(|number| {
            let Some(corner) = corners.corner(number) else { return };
            let met = turned.get_mut(number as usize).map(std::mem::take).unwrap_or_default();
            if *corner.end != *last {
                last = &corner.end;
                key.truncate(begin);
                key.push_str(last);
                let value = key.as_str().into();
                cube.push(Cell { code: Dimension::Cube.code(), value, counters: Counters::default() });
            }
            if let Some(cell) = cube.last_mut() {
                met.add_to(&mut cell.counters, corner.slot);
            }
        });
    }

    /// The sheet; the tally is empty again.
    pub(super) fn take(&mut self) -> Sheet {
        let Self { names, facets, met, touched, cells: counted, marked, places, cube, .. } = self;
        for facet in &*touched {
            facets.values(*facet).1.iter().for_each(|value| marked.mark(*value));
        }
        let mut cells = Vec::with_capacity(marked.len() + cube.len());
        marked.drain(|number| {
            let Some(name) = names.name(number) else { return };
            if name.dimension > Dimension::Cube {
                cells.append(cube);
            }
            if let Some(place) = places.get_mut(number as usize) {
                *place = cells.len() as u32;
            }
            let (code, value) = (name.dimension.code(), name.value.clone());
            cells.push(Cell { code, value, counters: Counters::default() });
            // Which is copied only where something is in it.
            if name.dimension <= Dimension::Campaign
                && let (Some(counted), Some(cell)) = (counted.get_mut(number as usize), cells.last_mut())
            {
                std::mem::swap(&mut cell.counters, counted);
            }
        });
        cells.append(cube);
        // Where they stand now they are counted: a cell is large, and is not moved again.
        for facet in touched.drain(..) {
            let met = met.get_mut(facet as usize).map(std::mem::take).unwrap_or_default();
            let (slot, values) = facets.values(facet);
            for value in values {
                let place = places.get(*value as usize).copied().unwrap_or_default();
                if let Some(cell) = cells.get_mut(place as usize) {
                    met.add_to(&mut cell.counters, slot);
                }
            }
        }
        Sheet {
            totals: std::mem::take(&mut self.totals),
            money: std::mem::take(&mut self.money),
            detail: Detail::of(cells),
            visitors: std::mem::take(&mut self.visitors),
        }
    }
}
