//! Adding up what follows from journeys.
//!
//! One outcome for some events, and none for a click that is all that somebody did: cells are found by their text here,
//! which costs a few microseconds an outcome and nothing where there is none.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::minute;
use crate::aggregate::{Scope, StatsAggregate, Subject};
use crate::cohort::{Cohort, age_cell};
use crate::conversion::Status;
use crate::counters::Counters;
use crate::dimension::Cube;
use crate::lapse::cell;
use crate::measure::{
    BOUNCES, CONVERSIONS, CONVERTED, EVENTS, LASTED, PAGES, SHARES, TIMES, TOUCHES, UNATTRIBUTED,
};
use crate::outcome::{Correction, Credit, Session, Step};
use crate::sheet::{COST_IN, Gathered, Money, PAYOUT_IN, Sheet, line_of, put_money};
use crate::{Dimension, Outcome, Traits};

/// The sums of outcomes. Each can be taken back, so that a sum may be negative where what was taken back lies in another
/// batch.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    sheets: BTreeMap<(i64, Scope), (Sheet, Gathered)>,
}

/// How long something lasted, and what weight that has.
type Lapse = Option<(i64, i64)>;

impl Outcomes {
    pub(super) fn add(&mut self, outcome: &Outcome<'_>) {
        match outcome {
            Outcome::Session(session) => self.session(session),
            Outcome::Step(step) => self.step(step),
            Outcome::Credit(credit) => self.credit(credit),
            Outcome::Correction(correction) => self.correct(correction),
            Outcome::Moved(_) | Outcome::Converted(_) => {}
            Outcome::Cohort(cohort) => self.cohort(cohort),
        }
    }

    pub(super) fn add_to(self, aggregate: &mut StatsAggregate) {
        for (key, (mut sheet, gathered)) in self.sheets {
            sheet.detail = gathered.into();
            match aggregate.sheets.entry(key) {
                Entry::Vacant(place) => {
                    place.insert(sheet);
                }
                Entry::Occupied(mut known) => known.get_mut().merge(&sheet),
            }
        }
    }

    fn session(&mut self, session: &Session<'_>) {
        let times = session.times;
        let many = |count: u64| i64::try_from(count).unwrap_or(i64::MAX).saturating_mul(times);
        let counters = Counters::default()
            .with(TIMES, times)
            .with(BOUNCES, if session.events <= 1 { times } else { 0 })
            .with(EVENTS, many(session.events))
            .with(PAGES, many(session.pages))
            .with(CONVERTED, if session.conversions > 0 { times } else { 0 })
            .with(CONVERSIONS, many(session.conversions))
            .worth(session.value_micros.saturating_mul(times));
        for subject in subjects(&session.traits, true) {
            let mut sheet = self.sheet(session.start_ms, Scope::Sessions(subject));
            let money = ["", &*session.currency];
            sheet.put(&counters, Some((session.duration_ms, times)), money, &session.traits);
        }
    }

    fn step(&mut self, step: &Step<'_>) {
        let counters = Counters::default().with(TIMES, step.times);
        let lapse = (step.step > 0).then_some((step.elapsed_ms, step.times));
        let scope = Scope::Step((&*step.funnel).into(), step.step);
        self.sheet(step.entered_ms, scope).put(&counters, lapse, [""; 2], &step.traits);
    }

    /// The lag of a share weighs as much as the share, in thousandths, so that 90 days of it fit a million times.
    fn credit(&mut self, credit: &Credit<'_>) {
        let share = credit.share_micros.saturating_mul(credit.times);
        let earned = if credit.status.earns() { credit.value_micros } else { 0 };
        let counters = Counters::default()
            .with(SHARES + credit.status as usize, share)
            .with(TOUCHES, if credit.lag_ms.is_some() { credit.times } else { 0 })
            .with(UNATTRIBUTED, if credit.lag_ms.is_none() { share } else { 0 })
            .worth(earned.saturating_mul(credit.times));
        let lag = credit.lag_ms.filter(|_| credit.status != Status::Rejected);
        let lapse = lag.map(|ms| (ms, (credit.share_micros / 1_000).saturating_mul(credit.times)));
        for subject in subjects(&credit.traits, false) {
            let mut sheet = self.sheet(credit.at_ms, Scope::Credits(credit.model, subject));
            sheet.put(&counters, lapse, ["", &*credit.currency], &credit.traits);
            if !credit.currency.is_empty() {
                sheet.detail.add(Dimension::Currency, &credit.currency, &counters);
            }
        }
    }

    /// By how many weeks it was since the first click, and by nothing else: what a cohort did is read across, and each
    /// further dimension would be as many cells for every week of its life.
    fn cohort(&mut self, cohort: &Cohort<'_>) {
        let times = cohort.times;
        let counters = Counters::default()
            .with(TIMES, if cohort.came { times } else { 0 })
            .with(CONVERTED, if cohort.converted { times } else { 0 })
            .with(CONVERSIONS, i64::try_from(cohort.conversions).unwrap_or(i64::MAX).saturating_mul(times))
            .worth(cohort.value_micros.saturating_mul(times));
        let campaign = (!cohort.campaign.is_empty()).then(|| Subject::Campaign((&*cohort.campaign).into()));
        for subject in [Some(Subject::All), campaign].into_iter().flatten() {
            let mut sheet = self.sheet(cohort.week_ms, Scope::Cohorts(subject));
            sheet.put(&counters, None, ["", &*cohort.currency], &Traits::default());
            sheet.detail.add(Dimension::Lapse, &age_cell(cohort.age), &counters);
        }
    }

    /// A correction goes where the event went, as far as the traits say where that was.
    fn correct(&mut self, correction: &Correction<'_>) {
        let traits = &correction.traits;
        let counters = Counters::default()
            .converting(correction.conversions)
            .worth(correction.value_micros)
            .costing(correction.cost_nanos)
            .paying(correction.payout_nanos);
        let (campaign, link) = (traits.get(Dimension::Campaign), traits.get(Dimension::Link));
        let scopes = [
            Some(Scope::All),
            (!campaign.is_empty()).then(|| Scope::Campaign(campaign.into())),
            (!link.is_empty()).then(|| Scope::Link(link.into())),
        ];
        for scope in scopes.into_iter().flatten() {
            let cube = cube_key(traits, matches!(scope, Scope::Campaign(_)));
            let mut sheet = self.sheet(correction.at_ms, scope);
            sheet.put(&counters, None, ["", &*correction.currency], traits);
            sheet.detail.add(Dimension::Cube, &cube, &counters);
            if !correction.currency.is_empty() {
                sheet.detail.add(Dimension::Currency, &correction.currency, &counters);
            }
            put_money(sheet.money, COST_IN, &correction.cost_currency, correction.cost_nanos);
            put_money(sheet.money, PAYOUT_IN, &correction.payout_currency, correction.payout_nanos);
        }
        let publisher = traits.get(Dimension::Publisher);
        if correction.payout_nanos != 0 && !publisher.is_empty() {
            let mut sheet = self.sheet(correction.at_ms, Scope::Publisher(publisher.into()));
            let paid_for = line_of(&correction.payout_currency, campaign);
            sheet.put(&counters, None, ["", &*correction.currency], &Traits::default());
            sheet.detail.add(Dimension::Campaign, &paid_for, &counters);
            put_money(sheet.money, COST_IN, &correction.cost_currency, correction.cost_nanos);
            put_money(sheet.money, PAYOUT_IN, &correction.payout_currency, correction.payout_nanos);
        }
    }

    fn sheet(&mut self, at_ms: i64, scope: Scope) -> Open<'_> {
        let own = scope.own().map(|(dimension, _)| dimension);
        let (Sheet { totals, money, .. }, detail) = self.sheets.entry((minute(at_ms), scope)).or_default();
        Open { totals, money, detail, own }
    }
}

/// A sheet that is added to, and the dimension that it has no cells of.
struct Open<'s> {
    totals: &'s mut Counters,
    money: &'s mut Money,
    detail: &'s mut Gathered,
    own: Option<Dimension>,
}

impl Open<'_> {
    /// Adds counters to the totals and to the cell of each trait, and a length of time to all of them. `money` is a
    /// purpose and a currency for the value.
    fn put(&mut self, counters: &Counters, lapse: Lapse, money: [&str; 2], traits: &Traits<'_>) {
        let counters = match lapse {
            Some((ms, weight)) => counters.lasting(ms, weight),
            None => *counters,
        };
        *self.totals += &counters;
        let [purpose, currency] = money;
        put_money(self.money, purpose, currency, counters.value_micros());
        for (dimension, value) in traits.iter().filter(|(dimension, _)| Some(*dimension) != self.own) {
            self.detail.add(dimension, value, &counters);
        }
        if let Some((ms, weight)) = lapse {
            let counters = Counters::default().with(TIMES, weight).with(LASTED, ms.saturating_mul(weight));
            self.detail.add(Dimension::Lapse, &cell(ms), &counters);
        }
    }
}

/// Whose sums the traits belong to.
fn subjects(traits: &Traits<'_>, links: bool) -> impl Iterator<Item = Subject> {
    let (campaign, link) = (traits.get(Dimension::Campaign), traits.get(Dimension::Link));
    let campaign = (!campaign.is_empty()).then(|| Subject::Campaign(campaign.into()));
    let link = (links && !link.is_empty()).then(|| Subject::Link(link.into()));
    [Some(Subject::All), campaign, link].into_iter().flatten()
}

/// The key that the event has in the cube: of everybody and of links with its campaign, of a campaign with its link.
fn cube_key(traits: &Traits<'_>, of_campaign: bool) -> String {
    let mut key = String::with_capacity(64);
    let [campaign, link, rest @ .., variant] = Cube::DIMENSIONS;
    key.push_str(if of_campaign { "" } else { traits.get(campaign) });
    key.push(Cube::SEPARATOR);
    key.push_str(if of_campaign { traits.get(link) } else { "" });
    for dimension in
        rest.into_iter().chain([variant].into_iter().filter(|variant| !traits.get(*variant).is_empty()))
    {
        key.push(Cube::SEPARATOR);
        key.push_str(traits.get(dimension));
    }
    key
}
