//! Facts: what was told of a journey, in a dozen bytes each.
//!
//! An outcome carries the texts of the footprints that it follows from. As the journey has those anyway, it remembers
//! what it told as their places and a few numbers, which is a twentieth of the bytes, and can say it again word for
//! word to take it back, whatever the terms have become meanwhile.

use analytics::conversion::Status;
use analytics::outcome::{Converted, Correction, Credit, Model, Outcome, Session, Step};
use analytics::{Dimension, Footprint, Text};
use serde::{Deserialize, Serialize};

use super::attribution::is_click;
use super::facts::bar;
use super::shares::{divide, weights};

/// Where a footprint stands among its visitor's, in the order of time.
pub(crate) type Place = u16;

/// What follows from a journey.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Fact {
    Session(Visit),
    /// An attempt at a funnel: the footprints that were its steps, in their order.
    Attempt {
        funnel: String,
        reached: Vec<Place>,
    },
    Worth(Worth),
    /// What a click cost and earned is not owed.
    Unpaid {
        click: Place,
        owed: Owed,
    },
    /// What has to be added to what a conversion added by itself. The currency is that of `currency`, and so is the
    /// payout's if the event has none.
    Correction {
        event: Place,
        currency: Place,
        conversions: i64,
        value_micros: i64,
        owed: Owed,
    },
    /// A transaction: its worth as above, and what becomes of it for those who are called.
    Sold(Sold),
}

/// What the sums were told that is owed, in thousand-millionths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Owed {
    /// By the campaign.
    pub(crate) cost_nanos: i64,
    /// To the publisher.
    pub(crate) payout_nanos: i64,
}

impl Owed {
    /// What the event added.
    pub(crate) fn by(event: &Footprint<'_>) -> Self {
        Self { cost_nanos: event.cost_nanos, payout_nanos: event.payout_nanos }
    }

    /// Nothing is owed.
    pub(crate) fn is_nothing(self) -> bool {
        self == Self::default()
    }

    /// This, less that.
    pub(crate) fn less(self, other: Self) -> Self {
        Self {
            cost_nanos: self.cost_nanos.saturating_sub(other.cost_nanos),
            payout_nanos: self.payout_nanos.saturating_sub(other.payout_nanos),
        }
    }
}

/// A session that is over.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Visit {
    pub(crate) first: Place,
    /// The last event, or the end if that was told.
    pub(crate) last: Place,
    pub(crate) entry: Option<Place>,
    pub(crate) exit: Option<Place>,
    /// Which footprint says the session's id.
    pub(crate) id: Option<Place>,
    /// Which says its campaign.
    pub(crate) campaign: Option<Place>,
    pub(crate) events: u16,
    pub(crate) pages: u16,
    pub(crate) conversions: u16,
    pub(crate) value_micros: i64,
    /// The value's currency; `None` where there are several. Not as a place: the transaction may be past before the session.
    pub(crate) currency: Option<String>,
}

/// What a transaction is worth, and to whom it is owed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Worth {
    pub(crate) conversion: Place,
    pub(crate) status: u8,
    pub(crate) value_micros: i64,
    pub(crate) currency: Place,
    /// When the click happened that the conversion names.
    pub(crate) click_ms: i64,
    /// What led to it, oldest first. The conversion itself stands for the click that it names and nobody saw.
    pub(crate) touches: Vec<Place>,
}

/// A transaction, and what tells it from the visitor's others whatever becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Sold {
    pub(crate) worth: Worth,
    pub(crate) about: u64,
    /// The event that says what its publisher gets.
    pub(crate) payout: Place,
}

/// What a transaction is told apart by, if it is told by its txid; if by itself, by the event that it began with.
pub(crate) fn about_txid(txid: &str, conversion: &Footprint<'_>) -> u64 {
    if txid.is_empty() { bar(2, &conversion.id.to_string()) } else { bar(3, txid) }
}

impl Fact {
    /// What was told before conversions were told to anybody, as it would have been told then: nobody is called for what
    /// became of a transaction long ago.
    pub(crate) fn of_now(self, trail: &[Footprint<'_>]) -> Self {
        let Self::Worth(worth) = self else { return self };
        let Some(conversion) = trail.get(usize::from(worth.conversion)) else { return Self::Worth(worth) };
        let txid = conversion.postback.as_ref().map_or("", |postback| postback.txid.as_str());
        let (about, payout) = (about_txid(txid, conversion), worth.conversion);
        Self::Sold(Sold { worth, about, payout })
    }

    pub(crate) fn correction(
        event: Place,
        currency: Place,
        conversions: i64,
        value_micros: i64,
        owed: Owed,
    ) -> Self {
        Self::Correction { event, currency, conversions, value_micros, owed }
    }

    /// Every place that it speaks of.
    pub(crate) fn places(&mut self, see: &mut dyn FnMut(&mut Place)) {
        match self {
            Self::Session(visit) => {
                see(&mut visit.first);
                see(&mut visit.last);
                [&mut visit.entry, &mut visit.exit, &mut visit.id, &mut visit.campaign]
                    .into_iter()
                    .flatten()
                    .for_each(see);
            }
            Self::Attempt { reached, .. } => reached.iter_mut().for_each(see),
            Self::Unpaid { click, .. } => see(click),
            Self::Worth(worth) => {
                see(&mut worth.conversion);
                see(&mut worth.currency);
                worth.touches.iter_mut().for_each(see);
            }
            Self::Correction { event, currency, .. } => {
                see(event);
                see(currency);
            }
            Self::Sold(Sold { worth, payout, .. }) => {
                see(&mut worth.conversion);
                see(&mut worth.currency);
                see(payout);
                worth.touches.iter_mut().for_each(see);
            }
        }
    }

    /// Whether it is of a transaction: that may go on when what it follows from is past.
    pub(crate) fn goes_on(&self) -> bool {
        matches!(self, Self::Worth(_) | Self::Correction { .. } | Self::Sold(_))
    }

    /// What it takes beside itself.
    pub(crate) fn heap_bytes(&self) -> usize {
        match self {
            Self::Attempt { funnel, reached } => funnel.capacity() + 2 * reached.capacity() + 32,
            Self::Worth(worth) | Self::Sold(Sold { worth, .. }) => 2 * worth.touches.capacity() + 16,
            Self::Session(visit) => visit.currency.as_ref().map_or(0, |currency| currency.capacity() + 16),
            Self::Unpaid { .. } | Self::Correction { .. } => 0,
        }
    }

    /// Says it in full. `None` only where a footprint lacks that it speaks of, which the visitor sees to.
    pub(crate) fn tell<'a>(&'a self, trail: &'a [Footprint<'a>], out: &mut Vec<Outcome<'a>>) -> Option<()> {
        let at = |place: Place| trail.get(usize::from(place));
        match self {
            Self::Session(visit) => out.push(Outcome::Session(visit.tell(trail)?)),
            Self::Attempt { funnel, reached } => {
                let first = at(*reached.first()?)?;
                let mut before_ms = first.at_ms;
                for (step, place) in (0..).zip(reached) {
                    let at_ms = at(*place)?.at_ms;
                    out.push(Outcome::Step(Step {
                        times: 1,
                        funnel: Text::from(funnel.as_str()),
                        step,
                        entered_ms: first.at_ms,
                        elapsed_ms: at_ms - before_ms,
                        traits: first.traits.dimensions(),
                    }));
                    before_ms = at_ms;
                }
            }
            Self::Worth(worth) => worth.tell(trail, out)?,
            Self::Sold(sold) => {
                let converted = sold.tell(trail, out)?;
                out.push(Outcome::Converted(converted));
            }
            Self::Unpaid { click, owed } => {
                out.push(correct(at(*click)?, "", 0, 0, Owed::default().less(*owed)));
            }
            Self::Correction { event, currency, conversions, value_micros, owed } => {
                let (event, other) = (at(*event)?, at(*currency)?);
                let mut told = correct(event, &other.currency, *conversions, *value_micros, *owed);
                if let Outcome::Correction(told) = &mut told
                    && told.payout_currency.is_empty()
                {
                    told.payout_currency = Text::from(other.payout_currency.as_str());
                }
                out.push(told);
            }
        }
        Some(())
    }
}

fn correct<'a>(
    event: &'a Footprint<'a>,
    currency: &'a str,
    conversions: i64,
    value_micros: i64,
    owed: Owed,
) -> Outcome<'a> {
    Outcome::Correction(Correction {
        at_ms: event.at_ms,
        conversions,
        value_micros,
        currency: Text::from(currency),
        cost_nanos: owed.cost_nanos,
        cost_currency: Text::from(event.cost_currency.as_str()),
        payout_nanos: owed.payout_nanos,
        payout_currency: Text::from(event.payout_currency.as_str()),
        traits: event.traits.dimensions(),
    })
}

impl Visit {
    fn tell<'a>(&'a self, trail: &'a [Footprint<'a>]) -> Option<Session<'a>> {
        let at = |place: Place| trail.get(usize::from(place));
        let (first, last) = (at(self.first)?, at(self.last)?);
        let page = |place: Option<Place>| place.and_then(at).map_or("", |found| found.page.as_str());
        let traits = first.traits.dimensions();
        let currency = self.currency.as_deref().filter(|_| self.value_micros != 0);
        let campaign = self.campaign.and_then(at).map_or("", |found| found.traits.get(Dimension::Campaign));
        Some(Session {
            times: 1,
            start_ms: first.at_ms,
            duration_ms: last.at_ms - first.at_ms,
            events: u64::from(self.events),
            pages: u64::from(self.pages),
            conversions: u64::from(self.conversions),
            value_micros: self.value_micros,
            currency: Text::from(currency.unwrap_or_default()),
            entry_page: Text::from(page(self.entry)),
            exit_page: Text::from(page(self.exit)),
            session_id: Text::from(self.id.and_then(at).map_or("", |found| found.session_id.as_str())),
            traits: if campaign.is_empty() {
                traits
            } else {
                traits.with(Dimension::Campaign, Text::from(campaign))
            },
        })
    }
}

/// A whole conversion, in millionths.
const WHOLE_MICROS: i64 = 1_000_000;

impl Sold {
    fn tell<'a>(&self, trail: &'a [Footprint<'a>], out: &mut Vec<Outcome<'a>>) -> Option<Converted<'a>> {
        let at = |place: Place| trail.get(usize::from(place));
        let Self { worth, about, payout } = self;
        worth.tell(trail, out)?;
        let last = worth.last(trail).and_then(|last| worth.touches.get(last)).copied();
        let conversion = at(worth.conversion)?;
        let status = *Status::ALL.get(usize::from(worth.status))?;
        // The conversion itself stands for the click that it names.
        let named = last == Some(worth.conversion);
        let touch = last.map_or(Some(conversion), at)?;
        let touched_ms = last.map(|_| if named { worth.click_ms } else { touch.at_ms });
        let owed = at(*payout).filter(|_| status != Status::Rejected);
        let text = |text: &'a Text<'a>| Text::from(text.as_str());
        Some(Converted {
            times: 1,
            about: *about,
            conversion: conversion.id,
            at_ms: conversion.at_ms,
            named_ms: (worth.click_ms != conversion.at_ms).then_some(worth.click_ms),
            txid: conversion.postback.as_ref().map_or(Text::EMPTY, |postback| text(&postback.txid)),
            name: text(&conversion.name),
            status,
            value_micros: worth.value_micros,
            currency: text(&at(worth.currency)?.currency),
            campaign: Text::from(conversion.traits.get(Dimension::Campaign)),
            payee: Text::from(conversion.traits.get(Dimension::Publisher)),
            payout_nanos: owed.map_or(0, |event| event.payout_nanos),
            payout_currency: owed.map_or(Text::EMPTY, |event| text(&event.payout_currency)),
            touched_ms,
            clicked: named || last.is_some() && is_click(touch),
            traits: touch.traits.clone(),
        })
    }
}

impl Worth {
    /// Whether a touch is a click: who clicked was led by the click, whatever else was shown meanwhile.
    fn clicks(&self, place: Place, trail: &[Footprint<'_>]) -> bool {
        place == self.conversion || trail.get(usize::from(place)).is_some_and(is_click)
    }

    /// Which touch the last click's model gives everything.
    fn last(&self, trail: &[Footprint<'_>]) -> Option<usize> {
        let last = self.touches.iter().rposition(|place| self.clicks(*place, trail));
        last.or(self.touches.len().checked_sub(1))
    }

    fn tell<'a>(&self, trail: &'a [Footprint<'a>], out: &mut Vec<Outcome<'a>>) -> Option<()> {
        let at = |place: Place| trail.get(usize::from(place));
        let conversion = at(self.conversion)?;
        let status = *Status::ALL.get(usize::from(self.status))?;
        let currency = at(self.currency)?.currency.as_str();
        let credit = |model, share_micros, value_micros, lag_ms, from: &'a Footprint<'a>| {
            Outcome::Credit(Credit {
                times: 1,
                model,
                at_ms: conversion.at_ms,
                status,
                share_micros,
                value_micros,
                currency: Text::from(currency),
                lag_ms,
                traits: from.traits.dimensions(),
            })
        };
        let named = |place: &Place| *place == self.conversion;
        let mut touches = Vec::with_capacity(self.touches.len());
        for place in &self.touches {
            let from = at(*place)?;
            touches.push((from, conversion.at_ms - if named(place) { self.click_ms } else { from.at_ms }));
        }
        let lags: Vec<i64> = touches.iter().map(|(_, lag_ms)| *lag_ms).collect();
        let first = self.touches.iter().position(|place| self.clicks(*place, trail)).unwrap_or(0);
        let last = self.last(trail).unwrap_or(0);
        for model in Model::ALL {
            if touches.is_empty() {
                out.push(credit(model, WHOLE_MICROS, self.value_micros, None, conversion));
            }
            let weights = weights(model, &lags, first, last);
            let shares = divide(WHOLE_MICROS, &weights).into_iter().zip(divide(self.value_micros, &weights));
            for ((from, lag_ms), (share, value)) in touches.iter().zip(shares) {
                if share != 0 || value != 0 {
                    out.push(credit(model, share, value, Some(*lag_ms), from));
                }
            }
        }
        Some(())
    }
}
