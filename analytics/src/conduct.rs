//! What a visitor does: signs that no single request shows, and several together do.
//!
//! It is looked at where events are counted, because there the hits of one visitor come together that many isolates and
//! gates have seen. What is found stands in the event ([`Hints`]) and with it in the archive: enriched again, it means the
//! same. Memory is one isolate's, bounded, and may be lost at any time: a sign that is missed counts a program as
//! a person, as it would be without it; none is ever made up.

use std::collections::{HashMap, HashSet};

use foldhash::fast::FixedState;

use crate::{Hints, RawEvent, Source};

/// The clicks of a visitor are counted by spans of this length.
const SPAN_MS: i64 = 10_000;

/// Counts are kept so long behind the newest: a batch may wait for a minute.
const KEPT_SPANS: i64 = 12;

/// So many visitors are remembered of each kind: 16 and 32 bytes each.
const VISITORS_MAX: usize = 20_000;

/// What is remembered of visitors. The keys are of one day, so nobody is remembered longer.
#[derive(Debug, Clone, Default)]
pub struct Conduct {
    /// More clicks than this in one span are a burst; 0 is no number.
    burst_clicks: u32,
    trapped: HashSet<u64, FixedState>,
    /// Clicks by visitor and span.
    paces: HashMap<(u64, i64), u32, FixedState>,
    newest: i64,
}

impl Conduct {
    /// Nothing is known yet.
    pub fn new(burst_clicks: u32) -> Self {
        Self { burst_clicks, ..Self::default() }
    }

    /// Looks at an event, beside what was `known` before, and puts what it shows into its hints.
    ///
    /// Only redirects are counted: a page may have thirty pixels, and a server reports for many. What a browser
    /// fetches ahead, and a HEAD, is no click.
    pub fn look(&mut self, known: &Self, raw: &mut RawEvent<'_>) {
        // Many are anonymous together.
        if raw.visitor == 0 || raw.hints.has(Hints::ANONYMOUS) {
            return;
        }
        if raw.hints.has(Hints::TRAP) {
            self.trapped.insert(raw.visitor);
        } else if self.trapped.contains(&raw.visitor) || known.trapped.contains(&raw.visitor) {
            raw.hints = raw.hints.with(Hints::TRAPPED);
        }
        let clicks = raw.source == Source::Redirect
            && known.burst_clicks > 0
            && !raw.hints.has(Hints::HEAD)
            && !raw.hints.has(Hints::PREFETCH);
        if !clicks {
            return;
        }
        let span = raw.received_at_ms.div_euclid(SPAN_MS);
        self.newest = self.newest.max(span);
        let before = known.paces.get(&(raw.visitor, span)).copied().unwrap_or(0);
        let count = self.paces.entry((raw.visitor, span)).or_default();
        *count = count.saturating_add(1);
        if before.saturating_add(*count) > known.burst_clicks {
            raw.hints = raw.hints.with(Hints::BURST);
        }
    }

    /// Takes over what was seen in events that are counted by now. Those of a batch that failed come again.
    pub fn learn(&mut self, seen: Self) {
        if self.trapped.len() + seen.trapped.len() > VISITORS_MAX {
            self.trapped.clear();
        }
        self.trapped.extend(seen.trapped.into_iter().take(VISITORS_MAX));
        let oldest = self.newest.max(seen.newest).saturating_sub(KEPT_SPANS);
        if seen.newest > self.newest {
            self.newest = seen.newest;
            self.paces.retain(|(_, span), _| *span > oldest);
        }
        for (place, count) in seen.paces {
            let room = self.paces.len() < VISITORS_MAX;
            if let Some(known) = self.paces.get_mut(&place) {
                *known = known.saturating_add(count);
            } else if room && place.1 > oldest {
                self.paces.insert(place, count);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{EventId, Kind};

    const NOW: i64 = 1_790_000_000_000;

    fn click(visitor: u64, at_ms: i64) -> RawEvent<'static> {
        RawEvent {
            visitor,
            ..RawEvent::new(EventId::from_bytes([1; 16]), Kind::Click, Source::Redirect, at_ms)
        }
    }

    fn looked(seen: &mut Conduct, known: &Conduct, mut raw: RawEvent<'static>) -> Hints {
        seen.look(known, &mut raw);
        raw.hints
    }

    #[test]
    fn who_went_into_a_trap_is_known_by_it_in_this_batch_and_the_next() {
        let (mut known, mut seen) = (Conduct::new(0), Conduct::default());
        assert_eq!(looked(&mut seen, &known, click(7, NOW)), Hints::default());
        let trap = RawEvent { hints: Hints::TRAP, ..click(7, NOW) };
        assert_eq!(looked(&mut seen, &known, trap), Hints::TRAP);
        assert_eq!(looked(&mut seen, &known, click(7, NOW)), Hints::TRAPPED);
        assert_eq!(looked(&mut seen, &known, click(8, NOW)), Hints::default());
        known.learn(seen);
        let page = RawEvent { source: Source::Pixel, ..click(7, NOW + 3_600_000) };
        assert_eq!(looked(&mut Conduct::default(), &known, page), Hints::TRAPPED);
        assert_eq!(
            looked(&mut Conduct::default(), &known, click(0, NOW)),
            Hints::default(),
            "nobody in particular"
        );
    }

    #[test]
    fn more_clicks_than_a_person_makes_are_a_burst_over_batches_and_in_any_order() {
        let (mut known, mut seen) = (Conduct::new(3), Conduct::default());
        for at_ms in [NOW + 9, NOW, NOW + 5] {
            assert_eq!(looked(&mut seen, &known, click(7, at_ms)), Hints::default());
        }
        assert_eq!(looked(&mut seen, &known, click(7, NOW)), Hints::BURST);
        assert_eq!(looked(&mut seen, &known, click(8, NOW)), Hints::default(), "somebody else");
        assert_eq!(looked(&mut seen, &known, click(7, NOW + SPAN_MS)), Hints::default(), "later");
        let again = looked(&mut Conduct::default(), &known, click(7, NOW));
        assert_eq!(again, Hints::default(), "a batch that failed left nothing behind");
        known.learn(seen);
        assert_eq!(looked(&mut Conduct::default(), &known, click(7, NOW)), Hints::BURST);
        let later = click(9, NOW + 1_000_000);
        let mut seen = Conduct::default();
        looked(&mut seen, &known, later);
        known.learn(seen);
        assert_eq!(known.paces.len(), 1, "what is old is forgotten");
    }

    #[test]
    fn what_is_no_click_of_a_person_makes_no_burst() {
        let known = Conduct::new(1);
        let mut seen = Conduct::default();
        for hints in [Hints::HEAD, Hints::PREFETCH] {
            for _ in 0..5 {
                assert_eq!(looked(&mut seen, &known, RawEvent { hints, ..click(7, NOW) }), hints);
            }
        }
        for source in [Source::Pixel, Source::Beacon, Source::Batch, Source::Postback] {
            for _ in 0..5 {
                assert_eq!(looked(&mut seen, &known, RawEvent { source, ..click(7, NOW) }), Hints::default());
            }
        }
        let off = Conduct::new(0);
        assert!((0..100).all(|_| looked(&mut seen, &off, click(7, NOW)) == Hints::default()));
    }

    proptest! {
        #[test]
        fn memory_is_bounded_whatever_the_clocks_say(hits in prop::collection::vec((1u64..5, any::<i64>()), 0..200)) {
            let mut known = Conduct::new(1);
            for batch in hits.chunks(10) {
                let mut seen = Conduct::default();
                for (visitor, at_ms) in batch {
                    looked(&mut seen, &known, click(*visitor, *at_ms));
                }
                known.learn(seen);
            }
            prop_assert!(known.paces.len() <= 4 * KEPT_SPANS as usize);
        }
    }

    #[test]
    fn a_flood_of_visitors_does_not_fill_the_memory() {
        let mut known = Conduct::new(1);
        for batch in 0..30u64 {
            let mut seen = Conduct::default();
            for visitor in 1..=1_000 {
                let trap = RawEvent { hints: Hints::TRAP, ..click(batch * 1_000 + visitor, NOW) };
                looked(&mut seen, &known, trap);
            }
            known.learn(seen);
        }
        assert!(known.trapped.len() <= VISITORS_MAX && known.paces.len() <= VISITORS_MAX);
    }
}
