//! The newcomer: a visitor of one footprint, whom nobody has seen before. Nearly everybody is one.
//!
//! What follows and what is stored is the same as for a [`Visitor`](super::Visitor) that is given the footprint: but that
//! copies each text into a trail, reads the footprint back from it, and is taken apart as soon as it is written.

use analytics::{Footprint, Kind, Outcome, VisitorKey, wire};

use super::Terms;
use super::differ::differ;
use super::facts::{Before, facts};
use super::trail::write_first;
use super::visitor::{Calm, FOOTPRINTS_MAX, JOURNEY_VERSION, State};

/// Somebody who was not here before.
#[derive(Debug)]
pub struct Newcomer<'a> {
    footprint: &'a Footprint<'a>,
    state: State,
}

impl<'a> Newcomer<'a> {
    /// What follows from a first footprint. `None`: it is so old that it is the last of its visitor too.
    pub fn of(key: VisitorKey, footprint: &'a Footprint<'a>, terms: &Terms, now_ms: i64) -> Option<Self> {
        let before = Before { lasts: key.outlasts_the_day(), ..Before::default() };
        let follows = facts(std::slice::from_ref(footprint), before, terms, now_ms, FOOTPRINTS_MAX);
        let state = State {
            told: follows.all,
            bars: follows.bars,
            due_ms: follows.due_ms,
            last_ms: footprint.at_ms.max(0),
            settled_ms: follows.settled_ms,
            ..State::default()
        };
        (follows.past == 0).then_some(Self { footprint, state })
    }

    /// Tells it.
    pub fn tell(&self, tell: &mut dyn FnMut(Outcome<'_>)) {
        if !self.state.told.is_empty() {
            differ(&[], &self.state.told, std::slice::from_ref(self.footprint), tell);
        }
    }

    /// When something will follow even if nothing comes: the session is over.
    pub fn due_ms(&self) -> Option<i64> {
        self.state.due_ms
    }

    /// What has to be known once it is stored until then, if nothing follows from a page that is turned.
    pub(crate) fn calm(&self, expires_ms: i64, terms: &Terms) -> Calm {
        if !self.state.told.is_empty() || self.footprint.kind == Kind::Conversion {
            return Calm::default();
        }
        let at_ms = self.footprint.at_ms;
        Calm::of([at_ms; 2], self.state.due_ms, expires_ms, terms)
    }

    /// Appends the journey, as a visitor does.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(JOURNEY_VERSION);
        write_first(self.footprint, out);
        wire::write(&self.state, out);
    }
}
