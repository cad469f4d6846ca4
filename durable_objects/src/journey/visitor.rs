//! A visitor's journey: footprints, and what was told of them.

mod blind;
mod calm;
mod sequel;

use analytics::outcome::{Moved, Outcome};
use analytics::{Dimension, EventId, Footprint, Kind, VisitorKey, wire};
use serde::{Deserialize, Serialize};

use super::Terms;
use super::differ::differ;
use super::fact::{Fact, Place};
use super::facts::{Bar, Before, Facts, facts};
use super::trail::{Moment, Trail};
pub(crate) use blind::{Calm, write_blind};
use calm::News;
pub use sequel::SPARE_MS;
use sequel::Stored;
pub(crate) use sequel::is_sequel;

/// How many footprints a journey keeps. A visitor has three; who has more than this in thirty days pays with the oldest.
pub const FOOTPRINTS_MAX: usize = 256;

/// Version of a journey's bytes.
pub const JOURNEY_VERSION: u8 = 2;

/// What is known of a visitor.
#[derive(Debug, Clone, Default)]
pub struct Visitor {
    trail: Trail,
    state: State,
    /// Whether the name outlasts the day. Not stored: the key says so.
    lasts: bool,
    /// How much of it is stored.
    stored: Stored,
    news: News,
}

/// By what is known, however it is stored.
impl PartialEq for Visitor {
    fn eq(&self, other: &Self) -> bool {
        (&self.trail, &self.state, self.lasts) == (&other.trail, &other.state, other.lasts)
    }
}

impl Eq for Visitor {}

/// What became of a trail. Version 1 had it behind the footprints' own bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    /// What was told and could be taken back, in order.
    pub(super) told: Vec<Fact>,
    /// Whose journey it is by a stronger name.
    pub(super) bond: Option<VisitorKey>,
    /// Nothing before it is looked at any more, it included: what followed from that stands as it was told.
    pub(super) past: Option<Moment>,
    pub(super) bars: Vec<Bar>,
    pub(super) due_ms: Option<i64>,
    pub(super) last_ms: i64,
    /// Until when a transaction may go on.
    pub(super) settled_ms: i64,
}

fn moment(footprint: &Footprint<'_>) -> Moment {
    (footprint.at_ms, footprint.kind == Kind::SessionEnd, footprint.id)
}

impl Visitor {
    /// Adds a footprint. `false`: it is known, or so old that nothing follows from it any more; or more came at once than
    /// can be counted, which no batch holds.
    pub fn add(&mut self, footprint: &Footprint<'_>) -> bool {
        let moment = moment(footprint);
        let full = self.trail.len() >= usize::from(Place::MAX);
        if full || self.state.past.is_some_and(|past| moment <= past) || self.trail.knows(footprint.id) {
            return false;
        }
        let at = self.trail.add(footprint);
        self.note(footprint, at);
        for fact in &mut self.state.told {
            fact.places(&mut |place| *place += Place::from(usize::from(*place) >= at));
        }
        self.state.last_ms = self.state.last_ms.max(footprint.at_ms);
        true
    }

    /// One of whom nothing is known.
    pub fn of(key: VisitorKey) -> Self {
        Self { lasts: key.outlasts_the_day(), ..Self::default() }
    }

    /// Says by which name the visitor is known: who has no better one than a session's or the day's is never seen to come
    /// back.
    pub fn know(&mut self, key: VisitorKey) {
        self.lasts = key.outlasts_the_day();
    }

    /// Says that the visitor `own` is known by a better name. `false`: by one no better than that of before, which stands.
    /// As bonds only ever lead to a higher rank, footprints arrive after three of them at most.
    pub fn bond(&mut self, own: VisitorKey, to: VisitorKey) -> bool {
        let better = to.rank() > self.state.bond.map_or(own.rank(), |bond| bond.rank());
        if better {
            self.state.bond = Some(to);
        }
        better
    }

    /// One that was erased: nothing from before a moment is looked at.
    pub fn forgotten(before_ms: i64) -> Self {
        let past = Some((before_ms, true, EventId::from_bytes([u8::MAX; 16])));
        Self { state: State { past, ..State::default() }, ..Self::default() }
    }

    /// Whether nothing is known from before a moment, and nothing will be.
    pub fn is_forgotten(&self, before_ms: i64) -> bool {
        self.trail.moment(0).is_none_or(|(first_ms, ..)| first_ms > before_ms)
            && self.state.bond.is_none()
            && self.state.past.is_some_and(|(past_ms, ..)| past_ms >= before_ms)
    }

    /// By which better name it is known.
    pub fn bonded_to(&self) -> Option<VisitorKey> {
        self.state.bond
    }

    /// Shows the footprints in their order, and what was told of them.
    pub fn show(&self, print: &mut dyn FnMut(&Footprint<'_>), told: &mut dyn FnMut(&Outcome<'_>)) {
        let values = self.trail.values(u8::MAX);
        let trail: Vec<Footprint<'_>> = self.trail.footprints(&values).collect();
        trail.iter().for_each(print);
        let mut outcomes = Vec::new();
        for fact in &self.state.told {
            fact.tell(&trail, &mut outcomes);
        }
        outcomes.iter().for_each(told);
    }

    /// Tells what follows from the footprints by these terms at this time, as far as it was not told before, and takes
    /// back what was told and does not follow any more.
    pub fn advance(&mut self, terms: &Terms, now_ms: i64, tell: &mut dyn FnMut(Outcome<'_>)) {
        if self.stays_calm(terms, now_ms) {
            return;
        }
        // Nothing follows from other dimensions than these two. All of them are wanted only where something is told.
        let values = self.trail.values(Dimension::Campaign.code());
        let trail: Vec<Footprint<'_>> = self.trail.footprints(&values).collect();
        let state = &self.state;
        let remains = state.past.map_or(0, |past| self.trail.upto(past));
        let follows = match state.bond {
            Some(_) => self.left(remains),
            None => facts(
                &trail,
                Before { remains, bars: &state.bars, lasts: self.lasts },
                terms,
                now_ms,
                FOOTPRINTS_MAX,
            ),
        };
        if state.bond.is_some() || state.told != follows.all {
            let values = self.trail.values(u8::MAX);
            let trail: Vec<Footprint<'_>> = self.trail.footprints(&values).collect();
            differ(&state.told, &follows.all, &trail, tell);
            if let Some(to) = state.bond {
                for footprint in trail.into_iter().skip(remains) {
                    tell(Outcome::Moved(Moved { to, footprint }));
                }
                self.retain(|place| place < remains);
            }
        }
        self.settle(follows);
    }

    /// What still follows when everything but the remains has moved on: those stay with what was told of them.
    fn left(&self, remains: usize) -> Facts {
        let mut all = self.state.told.clone();
        all.retain_mut(|fact| {
            let mut stays = true;
            fact.places(&mut |place| stays &= usize::from(*place) < remains);
            stays
        });
        Facts { all, settled_ms: self.state.settled_ms, bars: self.state.bars.clone(), ..Facts::default() }
    }

    /// Remembers what was told, and lets the oldest footprints go, with what can be taken back no more: all but what is
    /// of a transaction that may go on.
    fn settle(&mut self, told: Facts) {
        let Facts { all, due_ms, past, remains, settled_ms, bars } = told;
        let state = &mut self.state;
        (state.told, state.due_ms, state.settled_ms, state.bars) = (all, due_ms, settled_ms, bars);
        let Some(last) = past.checked_sub(1).and_then(|last| self.trail.moment(last)) else { return };
        state.past = state.past.max(Some(last));
        let stays = |place: usize| place >= past || remains.contains(&(place as Place));
        let gone: Vec<usize> = (0..past).filter(|place| !stays(*place)).collect();
        state.told.retain_mut(|fact| {
            let (goes_on, mut kept) = (fact.goes_on(past), true);
            fact.places(&mut |place| {
                let old = usize::from(*place);
                kept &= stays(old) && (old >= past || goes_on);
                *place -= gone.partition_point(|other| *other < old) as Place;
            });
            kept
        });
        self.retain(stays);
    }

    /// Lets footprints go. What is left has other places, so that no sequel fits what is stored.
    fn retain(&mut self, stays: impl Fn(usize) -> bool) {
        self.trail.retain(stays);
        self.stored = Stored::default();
    }

    /// When something will follow even if nothing comes: a session is over.
    pub fn due_ms(&self) -> Option<i64> {
        self.state.due_ms
    }

    /// When it may be forgotten as a whole.
    pub fn expires_ms(&self, terms: &Terms) -> i64 {
        self.state.last_ms.saturating_add(terms.keep_ms).max(self.state.settled_ms)
    }

    /// How many footprints it has.
    pub fn footprints(&self) -> usize {
        self.trail.len()
    }

    /// What it takes in memory, nearly.
    pub fn weight_bytes(&self) -> usize {
        let told: usize = self.state.told.iter().map(|fact| size_of::<Fact>() + fact.heap_bytes()).sum();
        size_of::<Self>() + self.trail.heap_bytes() + told
    }

    /// Appends the journey: a version byte and postcard's wire format.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(JOURNEY_VERSION);
        self.trail.write(out);
        wire::write(&self.state, out);
    }

    /// Reads a journey, with its sequels. `None`: it is none, or of a later version.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        match bytes.split_first()? {
            (1, fields) => {
                let (prints, mut state): (Vec<&[u8]>, State) = postcard::from_bytes(fields).ok()?;
                let prints: Option<Vec<_>> = prints.into_iter().map(Footprint::decode).collect();
                let (prints, mut trail) = (prints?, Trail::default());
                for print in &prints {
                    trail.add(print);
                }
                state.told = state.told.into_iter().map(|fact| fact.of_now(&prints)).collect();
                state.told.sort_unstable();
                Some(Self { trail, state, ..Self::default() })
            }
            (&JOURNEY_VERSION, fields) => {
                let (trail, rest) = Trail::read(fields)?;
                let (state, rest) = postcard::take_from_bytes(rest).ok()?;
                Self { trail, state, ..Self::default() }.with_sequels(rest)
            }
            _ => None,
        }
    }
}
