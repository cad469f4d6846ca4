use std::collections::BTreeMap;

use analytics::cohort::Cohort;
use analytics::conversion::{Postback, Status};
use analytics::funnel::{Basis, Funnel, Matcher, Order};
use analytics::outcome::{Converted, Correction, Credit, Model, Outcome, Session, Step};
use analytics::{Dimension, EventId, Footprint, Kind, Text, Traits, VisitorKey};

use super::*;

mod bounds;
mod called;
mod cohorts;
mod funnels;
mod laws;
mod money;
mod scale;
mod sessions;

pub(super) const T: i64 = 1_790_000_000_000;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// When everything is over.
const LATER: i64 = T + 25 * DAY;

fn id(n: u32) -> EventId {
    let mut bytes = [0; 16];
    // Ids are in no order that means anything.
    bytes[..4].copy_from_slice(&n.wrapping_mul(2_654_435_761).to_be_bytes());
    EventId::from_bytes(bytes)
}

/// A footprint, so many ms from the beginning.
pub(super) fn step(n: u32, kind: Kind, after_ms: i64) -> Footprint<'static> {
    Footprint {
        id: id(n),
        at_ms: T + after_ms,
        kind,
        name: Text::EMPTY,
        page: Text::EMPTY,
        element_id: Text::EMPTY,
        session_id: Text::EMPTY,
        value_micros: 0,
        currency: Text::EMPTY,
        cost_nanos: 0,
        cost_currency: Text::EMPTY,
        payout_nanos: 0,
        payout_currency: Text::EMPTY,
        click_ms: None,
        postback: (kind == Kind::Conversion).then(Postback::default),
        traits: Traits::default(),
    }
}

fn page(n: u32, after_ms: i64, path: &str) -> Footprint<'static> {
    Footprint { page: Text::from(format!("https://a.example{path}")), ..step(n, Kind::Page, after_ms) }
}

fn click(n: u32, after_ms: i64, campaign: &'static str) -> Footprint<'static> {
    let traits = [(Dimension::Link, "demo"), (Dimension::Campaign, campaign)].into_iter().collect();
    Footprint { traits, ..step(n, Kind::Click, after_ms) }
}

fn view(n: u32, after_ms: i64, campaign: &'static str) -> Footprint<'static> {
    Footprint { kind: Kind::Impression, ..click(n, after_ms, campaign) }
}

fn sale(n: u32, after_ms: i64, txid: &'static str, status: Status, value: i64) -> Footprint<'static> {
    Footprint {
        value_micros: value,
        currency: Text::from("EUR"),
        postback: Some(Postback { txid: Text::from(txid), status }),
        ..step(n, Kind::Conversion, after_ms)
    }
}

fn in_session(session: &'static str, footprint: Footprint<'static>) -> Footprint<'static> {
    Footprint { session_id: Text::from(session), ..footprint }
}

/// What was told, added up: the words of each outcome, and how often they stand.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Sum(BTreeMap<Vec<u8>, i64>, Vec<Footprint<'static>>);

impl Sum {
    fn add(&mut self, mut outcome: Outcome<'_>) {
        let mut bytes = Vec::new();
        let times = match &mut outcome {
            Outcome::Session(Session { times, .. })
            | Outcome::Step(Step { times, .. })
            | Outcome::Credit(Credit { times, .. })
            | Outcome::Cohort(Cohort { times, .. }) => std::mem::replace(times, 1),
            Outcome::Correction(correction) => {
                let negative = (
                    correction.conversions,
                    correction.value_micros,
                    correction.cost_nanos,
                    correction.payout_nanos,
                ) < (0, 0, 0, 0);
                if negative {
                    outcome.negate();
                }
                if negative { -1 } else { 1 }
            }
            // Who is called is called for a transaction and its status, whatever else is said of it.
            Outcome::Converted(it) => {
                let (times, txid) = (it.times, it.txid.clone());
                *it = Converted { about: it.about, txid, status: it.status, ..blank() };
                times
            }
            Outcome::Moved(moved) => {
                let mut body = Vec::new();
                moved.footprint.encode(&mut body);
                self.1.push(Footprint::decode(Box::leak(body.into_boxed_slice())).unwrap());
                return;
            }
        };
        outcome.encode(&mut bytes);
        let sum = self.0.entry(bytes).or_default();
        *sum += times;
        if *sum == 0 {
            self.0.retain(|_, times| *times != 0);
        }
    }

    fn each(&self) -> impl Iterator<Item = (Outcome<'_>, i64)> {
        self.0.iter().map(|(bytes, times)| (Outcome::decode(bytes).unwrap(), *times))
    }

    fn sessions(&self) -> Vec<Session<'_>> {
        let mut all: Vec<_> = self
            .each()
            .filter_map(|(outcome, times)| match outcome {
                Outcome::Session(session) => Some(Session { times, ..session }),
                _ => None,
            })
            .collect();
        all.sort_by_key(|session| (session.start_ms, session.session_id.to_string(), session.events));
        all
    }

    /// Transactions by txid, with the status that was told last and not taken back.
    fn called(&self) -> Vec<(String, Status, i64)> {
        self.each()
            .filter_map(|(outcome, times)| match outcome {
                Outcome::Converted(it) => Some((it.txid.to_string(), it.status, times)),
                _ => None,
            })
            .collect()
    }

    /// Steps reached by funnel: how often each, and the sum of elapsed ms.
    fn steps(&self, funnel: &str) -> Vec<(i64, i64)> {
        let mut all = Vec::new();
        for (outcome, times) in self.each() {
            if let Outcome::Step(step) = outcome
                && step.funnel == *funnel
            {
                let place = usize::from(step.step);
                if all.len() <= place {
                    all.resize(place + 1, (0, 0));
                }
                all[place].0 += times;
                all[place].1 += times * step.elapsed_ms;
            }
        }
        all
    }

    /// Shares by campaign under a model: of conversions, and of worth.
    fn credits(&self, model: Model) -> BTreeMap<String, (i64, i64)> {
        let mut all: BTreeMap<String, (i64, i64)> = BTreeMap::new();
        for (outcome, times) in self.each() {
            if let Outcome::Credit(credit) = outcome
                && credit.model == model
            {
                let share = all.entry(credit.traits.get(Dimension::Campaign).to_owned()).or_default();
                share.0 += times * credit.share_micros;
                share.1 += times * credit.value_micros;
            }
        }
        all
    }

    fn corrections(&self) -> Vec<Correction<'_>> {
        self.each()
            .filter_map(|(outcome, times)| match outcome {
                Outcome::Correction(it) => Some(Correction {
                    conversions: it.conversions * times,
                    value_micros: it.value_micros * times,
                    cost_nanos: it.cost_nanos * times,
                    ..it
                }),
                _ => None,
            })
            .collect()
    }
}

/// A visitor by a name that lasts.
fn guest() -> Visitor {
    let mut visitor = Visitor::default();
    visitor.know(VisitorKey::from_bytes([3 << 6; 16]));
    visitor
}

fn blank() -> Converted<'static> {
    Converted {
        times: 1,
        about: 0,
        conversion: id(0),
        at_ms: 0,
        named_ms: None,
        txid: Text::EMPTY,
        name: Text::EMPTY,
        status: Status::Lead,
        value_micros: 0,
        currency: Text::EMPTY,
        campaign: Text::EMPTY,
        payee: Text::EMPTY,
        payout_nanos: 0,
        payout_currency: Text::EMPTY,
        touched_ms: None,
        clicked: false,
        traits: Traits::default(),
    }
}

/// A visitor who left these footprints, looked at when everything is over.
fn told(footprints: &[Footprint<'static>], terms: &Terms) -> Sum {
    let (mut visitor, mut sum) = (guest(), Sum::default());
    for footprint in footprints {
        assert!(visitor.add(footprint));
    }
    visitor.advance(terms, LATER, &mut |outcome| sum.add(outcome));
    assert_eq!(visitor.due_ms(), None);
    sum
}

fn named(name: &str) -> Matcher {
    Matcher { path: Some(format!("/{name}")), ..Matcher::default() }
}

fn funnel(steps: &str, order: Order) -> Funnel {
    let steps = steps.chars().map(|step| named(&step.to_string())).collect();
    Funnel { id: "f".into(), steps, order, window_seconds: 3_600, ..Funnel::default() }
}
