//! Counting the rows of one sheet.

use std::sync::Arc;

use super::names::{ABSENT, Names, Number};
use crate::Kind;
use crate::counters::{Counters, Hit};
use crate::sheet::{Cell, Detail, Money, Sheet};
use crate::uniques::Uniques;

/// An event, as numbers.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) minute_ms: i64,
    pub(super) campaign: Number,
    pub(super) link: Number,
    /// Its cell in the cube of everybody and of links.
    pub(super) by_campaign: Number,
    /// Its cell in the cube of campaigns.
    pub(super) by_link: Number,
    pub(super) kind: Kind,
    pub(super) hit: Hit,
    pub(super) times: u64,
    pub(super) money: Option<Amounts>,
    /// Hash of the person who clicked.
    pub(super) visitor: Option<u64>,
    /// Where its other values begin and end.
    pub(super) values: (usize, usize),
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

/// A sheet that is being counted. Used for one sheet after another, because it is as wide as the batch has values.
#[derive(Debug)]
pub(super) struct Tally<'n> {
    names: &'n Names,
    ranks: &'n [u32],
    /// By number: the place in `cells`, or [`NOWHERE`].
    places: Vec<u32>,
    cells: Vec<(Number, Counters)>,
    totals: Counters,
    money: Money,
    visitors: Uniques,
}

const NOWHERE: u32 = u32::MAX;

impl Row {
    fn sums(&self) -> Option<&[i64; 3]> {
        self.money.as_ref().map(|money| &money.sums)
    }
}

impl<'n> Tally<'n> {
    pub(super) fn new(names: &'n Names, ranks: &'n [u32]) -> Self {
        Self {
            names,
            ranks,
            places: vec![NOWHERE; names.len()],
            cells: Vec::new(),
            totals: Counters::default(),
            money: Money::default(),
            visitors: Uniques::default(),
        }
    }

    /// Counts a row in the totals.
    pub(super) fn add(&mut self, row: &Row) {
        self.totals.add_hits(row.kind, row.hit, row.times, row.sums());
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

    /// Counts a row in the cell of a value.
    pub(super) fn add_cell(&mut self, number: Number, row: &Row) {
        if number == ABSENT {
            return;
        }
        let Some(place) = self.places.get_mut(number as usize) else { return };
        if *place == NOWHERE {
            *place = self.cells.len() as u32;
            self.cells.push((number, Counters::default()));
        }
        if let Some((_, counters)) = self.cells.get_mut(*place as usize) {
            counters.add_hits(row.kind, row.hit, row.times, row.sums());
        }
    }

    /// The sheet; the tally is empty again.
    pub(super) fn take(&mut self) -> Sheet {
        // A cell is too large to be moved about by sorting.
        let ranked = |((number, _), place): (&(Number, Counters), usize)| {
            (self.ranks.get(*number as usize).copied().unwrap_or_default(), place as u32)
        };
        let mut order: Vec<(u32, u32)> = self.cells.iter().zip(0..).map(ranked).collect();
        order.sort_unstable();
        let cell = |(_, place): &(u32, u32)| {
            let (number, counters) = self.cells.get(*place as usize)?;
            Some((self.names.name(*number)?, counters))
        };
        let mut cells = Vec::with_capacity(order.len());
        cells.extend(order.iter().filter_map(cell).map(|(name, counters)| Cell {
            code: name.dimension.code(),
            value: name.value.clone(),
            counters: *counters,
        }));
        let detail = Detail::of(cells);
        for (number, _) in self.cells.drain(..) {
            if let Some(place) = self.places.get_mut(number as usize) {
                *place = NOWHERE;
            }
        }
        Sheet {
            totals: std::mem::take(&mut self.totals),
            money: std::mem::take(&mut self.money),
            detail,
            visitors: std::mem::take(&mut self.visitors),
        }
    }
}
