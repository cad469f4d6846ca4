//! Calm: what nothing follows from but the end of a session, which is looked at when it is due.
//!
//! To work out all that follows takes a walk over all footprints for each batch that the visitor is in. But from pages that
//! are turned, and from clicks that cost nothing, nothing follows as long as nothing was told, there is no funnel and no
//! conversion: sessions before them can only become longer, and one that they begin is over no sooner than its gap.

use analytics::{Footprint, Kind};

use super::super::Terms;
use super::super::sessions::visits;
use super::{FOOTPRINTS_MAX, State, Visitor};

/// What was added since the last look.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum News {
    #[default]
    None,
    /// What nothing follows from; the time of the first footprint that a session of theirs may end with.
    Calm(i64),
    More,
}

impl Visitor {
    /// Notes what was added at a place.
    pub(super) fn note(&mut self, footprint: &Footprint<'_>, at: usize) {
        let told_by_itself = match footprint.kind {
            Kind::Page | Kind::Impression => false,
            // Who lasts begins a cohort with it.
            Kind::Click => self.lasts,
            _ => true,
        };
        let owed = footprint.cost_nanos != 0 || footprint.payout_nanos != 0;
        let midst = at + 1 < self.trail.len();
        let stirs = midst && (self.trail.owes() || self.trail.has(Kind::SessionEnd));
        let first_ms = match self.trail.moment(0) {
            _ if !visits(footprint) => i64::MAX,
            Some((first_ms, ..)) if midst => first_ms,
            _ => footprint.at_ms,
        };
        self.news = match self.news {
            _ if told_by_itself || owed || stirs => News::More,
            News::None => News::Calm(first_ms),
            News::Calm(before_ms) => News::Calm(before_ms.min(first_ms)),
            News::More => News::More,
        };
    }

    /// Whether nothing follows yet from what was added. Says when something may: too soon does no harm.
    pub(super) fn stays_calm(&mut self, terms: &Terms, now_ms: i64) -> bool {
        let News::Calm(first_ms) = std::mem::take(&mut self.news) else { return false };
        let State { told, bond, past, due_ms, .. } = &mut self.state;
        let over_ms = first_ms.saturating_add(terms.session_gap_ms).saturating_add(terms.late_ms);
        let soonest_ms = due_ms.unwrap_or(i64::MAX).min(over_ms);
        let horizon_ms = now_ms.saturating_sub(terms.keep_ms);
        let calm = soonest_ms > now_ms
            && terms.funnels.is_empty()
            && told.is_empty()
            && bond.is_none()
            && past.is_none()
            && self.trail.len() <= FOOTPRINTS_MAX
            && self.trail.moment(0).is_some_and(|(at_ms, ..)| at_ms >= horizon_ms)
            && !self.trail.has(Kind::Conversion);
        if calm {
            *due_ms = Some(soonest_ms).filter(|at_ms| *at_ms < i64::MAX);
        }
        calm
    }
}
