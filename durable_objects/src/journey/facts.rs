//! What follows from footprints: the one function that everything is told by.

use std::hash::Hasher;

use analytics::Footprint;
use analytics::funnel::Basis;
use siphasher::sip::SipHasher13;

use super::fact::{Fact, Owed, Place, Sold};
use super::remains::Remains;
use super::sessions::{Sitting, session_of, sessions};
use super::transactions::transactions;
use super::{Terms, attribution, billing, funnels};

/// Until when a funnel begins no attempt, or a campaign pays for no click, because of footprints that are gone.
pub(crate) type Bar = (u64, i64);

/// What footprints that are gone, or as good as gone, have left behind.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Before<'a> {
    /// How many of the oldest footprints are remains: they are kept for the sake of transactions alone.
    pub(crate) remains: usize,
    pub(crate) bars: &'a [Bar],
}

impl Before<'_> {
    /// Whether something at this time is barred.
    pub(crate) fn bars(&self, bar: u64, at_ms: i64) -> bool {
        self.bars.iter().any(|(other, until_ms)| *other == bar && at_ms < *until_ms)
    }
}

/// What a bar is remembered by.
pub(crate) fn bar(of: u8, id: &str) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write_u8(of);
    hasher.write(id.as_bytes());
    hasher.finish()
}

/// What follows, in order, and what becomes of the footprints.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) all: Vec<Fact>,
    /// When more will follow even if nothing comes.
    pub(crate) due_ms: Option<i64>,
    /// How many of the oldest footprints are to go once this is told.
    pub(crate) past: usize,
    /// Which of them stay as remains.
    pub(crate) remains: Vec<Place>,
    /// Until when they are needed.
    pub(crate) settled_ms: i64,
    pub(crate) bars: Vec<Bar>,
}

/// What follows from footprints in the order of their times, by these terms, at this time. Of more than `max`, the oldest
/// go: what follows from them is told for the last time.
pub(crate) fn facts(
    trail: &[Footprint<'_>],
    before: Before<'_>,
    terms: &Terms,
    now_ms: i64,
    max: usize,
) -> Facts {
    let (mut sittings, mut of) = sessions(trail, before.remains, usize::MAX, terms);
    let mut facts = Vec::new();
    let mut past = old(trail, &sittings, now_ms.saturating_sub(terms.keep_ms));
    if trail.len() > max {
        // Half of them at once, so that it is not for each that comes. Sessions are told in parts then.
        past = past.max(trail.len() - max / 2);
        (sittings, of) = sessions(trail, before.remains, past, terms);
    }
    if past <= before.remains {
        // Only remains: whether they still have to stay is looked at when others go.
        past = 0;
    }
    let cut_ms = past.checked_sub(1).and_then(|last| trail.get(last)).map_or(i64::MIN, |last| last.at_ms);
    let mut bars: Vec<Bar> = before.bars.iter().filter(|(_, until_ms)| *until_ms > cut_ms).copied().collect();
    for funnel in terms.funnels() {
        let bar = bar(0, &funnel.id);
        let mut tell = |places: &mut dyn Iterator<Item = Place>| {
            for reached in funnels::attempts(trail, places, funnel, |at_ms| before.bars(bar, at_ms)) {
                // Within a millisecond the first step may stand behind the second.
                let Some(begun) = reached.iter().min().copied().map(usize::from) else { continue };
                let until_ms =
                    trail.get(begun).map_or(0, |first| first.at_ms) + funnels::window_ms(funnel) + 1;
                if begun < past && until_ms > cut_ms && funnel.basis == Basis::Visitor {
                    bars.push((bar, until_ms));
                }
                facts.push(Fact::Attempt { funnel: funnel.id.clone(), reached });
            }
        };
        match funnel.basis {
            Basis::Visitor => tell(&mut (before.remains as Place..trail.len() as Place)),
            Basis::Session => sittings.iter().for_each(|sitting| tell(&mut sitting.places.iter().copied())),
        }
    }
    let transactions = transactions(trail, terms);
    let mut remains = Remains::new(terms, now_ms, past);
    remains.keep_clicks(trail);
    for transaction in transactions.iter().rev() {
        transaction.corrections(trail, &mut facts);
        if let Some(worth) = attribution::worth(trail, transaction, terms) {
            remains.keep(trail, transaction, &worth.touches);
            let (about, payout) = (transaction.about(trail), transaction.payout);
            facts.push(Fact::Sold(Sold { worth, about, payout }));
        }
        let session =
            session_of(trail, &of, transaction.click).or_else(|| session_of(trail, &of, transaction.holder));
        if let Some(sitting) =
            session.and_then(|index| sittings.get_mut(index)).filter(|_| transaction.counts())
        {
            let (visit, worth) = (&mut sitting.visit, transaction.worth_micros());
            let currency = trail.get(usize::from(transaction.currency)).map(|event| event.currency.as_str());
            if let Some(currency) = currency.filter(|_| worth != 0) {
                let first = visit.value_micros == 0 && visit.currency.is_none();
                visit.currency = match visit.currency.take() {
                    None if first => Some(currency.to_owned()),
                    held => held.filter(|held| held == currency),
                };
            }
            sitting.visit.conversions = sitting.visit.conversions.saturating_add(1);
            sitting.visit.value_micros = sitting.visit.value_micros.saturating_add(worth);
        }
    }
    for (click, campaign, paid) in billing::clicks(trail, before, terms) {
        let Some(footprint) = trail.get(usize::from(click)) else { continue };
        let until_ms = footprint.at_ms.saturating_add(terms.windows(campaign).billing_ms);
        let owed = Owed::by(footprint);
        if !paid && !owed.is_nothing() {
            facts.push(Fact::Unpaid { click, owed });
        } else if paid && usize::from(click) < past && until_ms > cut_ms {
            bars.push((bar(1, campaign), until_ms));
        }
    }
    // Of too many, those that last longest stay.
    bars.sort_unstable_by_key(|(_, until_ms)| -until_ms);
    bars.truncate(BARS_MAX);
    let mut due_ms = None;
    for sitting in sittings {
        let over_ms = sitting.over_ms(terms);
        // One that loses footprints is told while they are there.
        if over_ms <= now_ms || usize::from(sitting.visit.first) < past {
            facts.push(Fact::Session(sitting.visit));
        } else {
            due_ms = Some(due_ms.map_or(over_ms, |due_ms: i64| due_ms.min(over_ms)));
        }
    }
    facts.sort_unstable();
    facts.dedup();
    Facts { all: facts, due_ms, past, remains: remains.places, settled_ms: remains.until_ms, bars }
}

/// How many bars there are at most: a funnel or campaign of which a visitor made something lately has one.
const BARS_MAX: usize = 256;

/// How many of the oldest footprints are to go by their age. Sessions go as a whole, with their last.
fn old(trail: &[Footprint<'_>], sittings: &[Sitting], horizon_ms: i64) -> usize {
    let mut spans: Vec<(usize, usize)> = Vec::with_capacity(sittings.len());
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
    old
}
