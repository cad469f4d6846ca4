//! What follows from footprints: the one function that everything is told by.

use analytics::Footprint;
use analytics::funnel::Basis;

use super::fact::{Fact, Place};
use super::sessions::{Sitting, session_of, sessions};
use super::{Terms, attribution, billing, funnels, transactions};

/// What follows, in order, and when more will even if nothing comes.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) all: Vec<Fact>,
    pub(crate) due_ms: Option<i64>,
    /// How many of the oldest footprints are to go once this is told.
    pub(crate) past: usize,
}

/// What follows from footprints in the order of their times, by these terms, at this time. Of more than `max`, the oldest
/// go: what follows from them is told for the last time.
pub(crate) fn facts(trail: &[Footprint<'_>], terms: &Terms, now_ms: i64, max: usize) -> Facts {
    let (mut sittings, of) = sessions(trail, terms);
    let mut facts = Vec::new();
    let past = past(trail, &sittings, now_ms.saturating_sub(terms.keep_ms), max);
    for funnel in terms.funnels() {
        let mut tell = |attempts: Vec<Vec<Place>>| {
            let attempts = attempts.into_iter().filter(|reached| !reached.is_empty());
            facts.extend(attempts.map(|reached| Fact::Attempt { funnel: funnel.id.clone(), reached }));
        };
        match funnel.basis {
            Basis::Visitor => tell(funnels::attempts(trail, 0..trail.len() as Place, funnel)),
            Basis::Session => {
                for sitting in &sittings {
                    tell(funnels::attempts(trail, sitting.places.iter().copied(), funnel));
                }
            }
        }
    }
    for transaction in transactions::transactions(trail, terms) {
        transaction.corrections(trail, &mut facts);
        facts.extend(attribution::worth(trail, &transaction, terms).map(Fact::Worth));
        let session =
            session_of(trail, &of, transaction.click).or_else(|| session_of(trail, &of, transaction.holder));
        if let Some(sitting) =
            session.and_then(|index| sittings.get_mut(index)).filter(|_| transaction.counts())
        {
            sitting.visit.conversions = sitting.visit.conversions.saturating_add(1);
            sitting.visit.value_micros =
                sitting.visit.value_micros.saturating_add(transaction.worth_micros());
        }
    }
    billing::corrections(trail, terms, &mut facts);
    let mut due_ms = None;
    for sitting in sittings {
        let over_ms = sitting.over_ms(terms);
        // One that loses footprints is told while they are there: a session of too many events is told in parts.
        if over_ms <= now_ms || usize::from(sitting.visit.first) < past {
            facts.push(Fact::Session(sitting.visit));
        } else {
            due_ms = Some(due_ms.map_or(over_ms, |due_ms: i64| due_ms.min(over_ms)));
        }
    }
    facts.sort_unstable();
    facts.dedup();
    Facts { all: facts, due_ms, past }
}

/// How many of the oldest footprints are to go. Sessions go as a whole: those of which something is still to be kept are
/// kept as long as there is room, and go with the rest where there is none.
fn past(trail: &[Footprint<'_>], sittings: &[Sitting], horizon_ms: i64, max: usize) -> usize {
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for sitting in sittings {
        let visit = &sitting.visit;
        let first = visit.first.min(visit.id.unwrap_or(visit.first));
        spans.push((usize::from(first), usize::from(visit.last)));
    }
    spans.sort_unstable();
    let mut old = trail.partition_point(|footprint| footprint.at_ms < horizon_ms);
    for (first, last) in spans.iter().rev() {
        if *first < old && old <= *last {
            old = *first;
        }
    }
    let mut past = old.max(trail.len().saturating_sub(max));
    if past > old {
        for (first, last) in &spans {
            if *first < past && past <= *last {
                past = last + 1;
            }
        }
    }
    past
}
