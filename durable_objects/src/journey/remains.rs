//! Remains: what has to stay of the past. A sale that is rejected after two months takes back what it was credited with
//! then, and a lead that is confirmed is no second conversion. So a transaction's events stay, with what led to them.

use analytics::{Dimension, Footprint};

use super::fact::Place;
use super::transactions::Transaction;
use super::{Terms, attribution};

/// How many footprints stay as remains at most for what is past: a dozen transactions with what led to them.
const REMAINS_MAX: usize = 64;

/// The footprints that stay, and until when they are needed.
#[derive(Debug)]
pub(crate) struct Remains<'a> {
    pub(crate) places: Vec<Place>,
    pub(crate) until_ms: i64,
    terms: &'a Terms,
    now_ms: i64,
    past: usize,
}

/// So many of the latest clicks stay that may yet lead to a transaction.
const CLICKS_MAX: usize = 8;

impl<'a> Remains<'a> {
    pub(crate) fn new(terms: &'a Terms, now_ms: i64, past: usize) -> Self {
        Self { places: Vec::new(), until_ms: 0, terms, now_ms, past }
    }

    pub(crate) fn keep_clicks(&mut self, trail: &[Footprint<'_>]) {
        let past = trail.get(..self.past).unwrap_or_default().iter().enumerate().rev();
        let leads = |click: &Footprint<'_>| {
            let windows = self.terms.windows(click.traits.get(Dimension::Campaign));
            attribution::is_click(click) && self.now_ms - click.at_ms <= windows.click_ms
        };
        self.places = past
            .filter(|(_, click)| leads(click))
            .map(|(place, _)| place as Place)
            .take(CLICKS_MAX)
            .collect();
    }

    pub(crate) fn keep(&mut self, trail: &[Footprint<'_>], transaction: &Transaction<'_>, touches: &[Place]) {
        let Some(last) = transaction.members.last().copied() else { return };
        // What is not past itself will be told of again, in the same words only if what led to it is there.
        let live = usize::from(last) >= self.past;
        let last_ms = trail.get(usize::from(last)).map_or(i64::MIN, |last| last.at_ms);
        let until_ms = last_ms.saturating_add(self.terms.transactions_ms);
        let goes_on = transaction.goes_on() && until_ms >= self.now_ms;
        if goes_on {
            self.until_ms = self.until_ms.max(until_ms);
        }
        let past = |place: &&Place| usize::from(**place) < self.past;
        let mut places: Vec<Place> =
            transaction.members.iter().chain(touches).filter(past).copied().collect();
        places.retain(|place| !self.places.contains(place));
        // All of a transaction or nothing.
        if live || goes_on && self.places.len() + places.len() <= REMAINS_MAX {
            self.places.append(&mut places);
        }
    }
}
