//! Footprints that are added blindly: to a visitor who is stored, without looking at him.
//!
//! Who is in the midst of his first session and turns a page is told nothing of until it ends: see [`calm`](super::calm).
//! All that has to be known of him is when he was here last, so that a footprint behind that is a new one, and until when
//! he is kept. So he need not be held to take it, nor read: the footprint is appended as it is, in full, and put in its
//! place when he is read next, at the latest when his session is over.

use analytics::{Footprint, Kind, VisitorKey};

use super::super::Terms;
use super::super::sessions::visits;
use super::super::trail::{Trail, write_first};
use super::{FOOTPRINTS_MAX, Visitor};

/// In place of a version: a footprint alone, of somebody who was written before.
pub(super) const BLIND_VERSION: u8 = 4;

/// So many are added, before the visitor is read and written as a whole: each may lie in another place.
const BLIND_MAX: u8 = 16;

/// What is known of a visitor from whom nothing follows until his session is over.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Calm {
    last_ms: i64,
    /// All parts of a record expire together.
    expires_ms: i64,
    /// How long after the last footprint the session is over.
    due_after_s: u32,
    /// How many footprints may still be added; 0: more is to be known.
    room: u8,
}

impl Calm {
    /// Of somebody with these times: his first footprint's and his last one's, when he is due, and until when he is kept.
    pub(crate) fn of(times: [i64; 2], due_ms: Option<i64>, expires_ms: i64, terms: &Terms) -> Self {
        let [first_ms, last_ms] = times;
        let due_after_s = due_ms.and_then(|due_ms| u32::try_from((due_ms - last_ms) / 1_000).ok());
        // As long as he can be appended to, none of his footprints is past.
        let whole = first_ms.saturating_add(terms.keep_ms) >= expires_ms.saturating_sub(terms.keep_ms);
        match due_after_s.filter(|_| whole) {
            Some(due_after_s) => Self { last_ms, expires_ms, due_after_s, room: BLIND_MAX },
            None => Self::default(),
        }
    }

    /// Takes a footprint. `false`: something may follow from it, or it may be known.
    pub(crate) fn take(
        &mut self,
        key: VisitorKey,
        footprint: &Footprint<'_>,
        terms: &Terms,
        now_ms: i64,
    ) -> bool {
        let due_ms = self.due_ms();
        let plain = match footprint.kind {
            Kind::Page | Kind::Impression => true,
            Kind::Click => !key.outlasts_the_day(),
            _ => false,
        };
        let over_ms = footprint.at_ms.saturating_add(terms.session_gap_ms).saturating_add(terms.late_ms);
        let fits = self.room > 0
            && plain
            && footprint.cost_nanos == 0
            && footprint.payout_nanos == 0
            && footprint.at_ms > self.last_ms
            && due_ms > now_ms.max(footprint.at_ms)
            && (over_ms >= due_ms || !visits(footprint))
            && self.expires_ms >= now_ms.saturating_add(terms.keep_ms)
            && terms.funnels.is_empty();
        if fits {
            self.room -= 1;
            self.last_ms = footprint.at_ms;
            // No later than before: too soon does no harm.
            self.due_after_s = u32::try_from((due_ms - self.last_ms) / 1_000).unwrap_or(0);
        }
        fits
    }

    /// When he is due, or a moment before.
    pub(crate) fn due_ms(&self) -> i64 {
        self.last_ms.saturating_add(i64::from(self.due_after_s) * 1_000)
    }

    /// Until when he is kept.
    pub(crate) fn expires_ms(&self) -> i64 {
        self.expires_ms
    }
}

/// Appends a footprint to a body that goes on from what was written.
pub(crate) fn write_blind(footprint: &Footprint<'_>, out: &mut Vec<u8>) {
    out.push(BLIND_VERSION);
    write_first(footprint, out);
}

impl Visitor {
    /// What has to be known of the visitor as stored, if nothing follows from a page that he turns.
    pub(crate) fn calm(&self, terms: &Terms) -> Calm {
        let times = || Some([self.trail.moment(0)?.0, self.trail.moment(self.trail.len() - 1)?.0]);
        let state = &self.state;
        let plain = state.told.is_empty()
            && state.bond.is_none()
            && state.past.is_none()
            && self.trail.len() + usize::from(BLIND_MAX) <= FOOTPRINTS_MAX
            && !self.trail.has(Kind::Conversion);
        match self.stored_until().filter(|_| plain).zip(times()) {
            Some((expires_ms, times)) => Calm::of(times, state.due_ms, expires_ms, terms),
            None => Calm::default(),
        }
    }

    /// Adds the footprint that was written blindly; what stands behind it.
    pub(super) fn read_blind<'a>(&mut self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let (trail, rest) = Trail::read(bytes)?;
        let values = trail.values(u8::MAX);
        for footprint in trail.footprints(&values) {
            self.add(&footprint);
        }
        Some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::{T, step};
    use super::*;

    const NOW: i64 = T;

    fn key(rank: u8) -> VisitorKey {
        VisitorKey::from_bytes([rank << 6; 16])
    }

    fn page(n: u8, at_ms: i64) -> Footprint<'static> {
        Footprint {
            page: format!("https://shop.example/{n}").into(),
            ..step(n.into(), Kind::Page, at_ms - T)
        }
    }

    /// One that was written with a first page.
    fn stored(terms: &Terms) -> (Visitor, Vec<u8>, i64) {
        let (mut visitor, mut bytes) = (Visitor::of(key(0)), Vec::new());
        visitor.add(&page(1, NOW));
        visitor.advance(terms, NOW, &mut |_| ());
        let expires_ms = visitor.append(NOW + terms.keep_ms, &mut bytes);
        (visitor, bytes, expires_ms)
    }

    #[test]
    fn who_was_added_to_blindly_is_as_if_he_had_been_looked_at() {
        let terms = Terms::default();
        let (mut looked_at, mut bytes, expires_ms) = stored(&terms);
        let mut calm = looked_at.calm(&terms);
        for n in 2..8u8 {
            let footprint = page(n, NOW + i64::from(n) * 1_500);
            assert!(calm.take(key(0), &footprint, &terms, footprint.at_ms));
            write_blind(&footprint, &mut bytes);
            looked_at.add(&footprint);
            looked_at.advance(&terms, footprint.at_ms, &mut |_| ());
        }
        assert!(calm.due_ms() <= looked_at.due_ms().unwrap() && calm.due_ms() > NOW + terms.session_gap_ms);
        let mut read = Visitor::read(&bytes, expires_ms).unwrap();
        read.know(key(0));
        assert_eq!(read.footprints(), 7);
        let over_ms = NOW + 2 * terms.session_gap_ms;
        let (mut one, mut other) = (Vec::new(), Vec::new());
        looked_at.advance(&terms, over_ms, &mut |outcome| one.push(format!("{outcome:?}")));
        read.advance(&terms, over_ms, &mut |outcome| other.push(format!("{outcome:?}")));
        assert_eq!(one, other);
        // Words of a sequel are places in what is stored, where none of the texts stands that were added since.
        let mut next = Vec::new();
        read.append(over_ms, &mut next);
        assert!(!super::super::is_sequel(&next));
        assert_eq!(Visitor::read(&next, expires_ms).unwrap(), read);
    }

    #[test]
    fn what_may_be_known_and_what_something_follows_from_is_not_added_blindly() {
        let terms = Terms::default();
        let calm = stored(&terms).0.calm(&terms);
        let takes = |rank, footprint: &Footprint<'_>, terms: &Terms, now_ms| {
            let mut calm = calm;
            calm.take(key(rank), footprint, terms, now_ms)
        };
        let next = page(2, NOW + 1);
        assert!(takes(0, &next, &terms, NOW + 1));
        assert!(!takes(0, &page(1, NOW), &terms, NOW + 1), "it may be the one that is there");
        assert!(!takes(0, &Footprint { kind: Kind::Conversion, ..next.clone() }, &terms, NOW + 1));
        assert!(!takes(0, &Footprint { cost_nanos: 1, ..next.clone() }, &terms, NOW + 1));
        let click = Footprint { kind: Kind::Click, ..next.clone() };
        assert!(takes(0, &click, &terms, NOW + 1));
        assert!(!takes(3, &click, &terms, NOW + 1), "a cohort begins with it");
        assert!(!takes(0, &next, &terms, NOW + terms.session_gap_ms * 2), "the session is over");
        let funnels = vec![analytics::funnel::Funnel::default()];
        assert!(!takes(0, &next, &Terms { funnels, ..terms.clone() }, NOW + 1));
        let mut full = calm;
        let added = (1..100).filter(|n| full.take(key(0), &page(2, NOW + n), &terms, NOW + n)).count();
        assert_eq!(added, usize::from(BLIND_MAX));
        let sold = {
            let mut visitor = stored(&terms).0;
            visitor.add(&Footprint { kind: Kind::Conversion, ..page(9, NOW + 5) });
            visitor.advance(&terms, NOW + 5, &mut |_| ());
            visitor.append(NOW + terms.keep_ms, &mut Vec::new());
            visitor
        };
        assert!(!sold.calm(&terms).take(key(0), &page(3, NOW + 9), &terms, NOW + 9));
    }
}
