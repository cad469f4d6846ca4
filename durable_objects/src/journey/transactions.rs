//! Transactions: which conversions are one, what became of it, and what it is worth.
//!
//! Everything counts where the transaction began: it is what the visitor did then that is attributed, and a sale that is
//! confirmed a month later is still that day's. So reports that count events and reports that share out credits have the
//! same worth on the same day.

use analytics::conversion::Status;
use analytics::{Footprint, Kind};

use super::fact::{Fact, Owed, Place, about_txid};
use super::facts::bar;
use super::{Repeats, Terms};

/// What makes two conversions one.
#[derive(Debug, PartialEq, Eq)]
enum Identity<'a> {
    Own,
    Txid(&'a str),
    Click(&'a str, Option<i64>),
}

/// Conversions that are one.
#[derive(Debug)]
pub(crate) struct Transaction<'a> {
    identity: Identity<'a>,
    /// The first event, under which everything counts.
    pub(crate) holder: Place,
    /// The first that names a click, or the holder.
    pub(crate) click: Place,
    pub(crate) status: Status,
    value_micros: i64,
    /// Whose currency the value is in.
    pub(crate) currency: Place,
    owed: Owed,
    /// Which event says what its publisher gets.
    pub(crate) payout: Place,
    /// All of its events.
    pub(crate) members: Vec<Place>,
}

impl Transaction<'_> {
    /// Whether it counts as a conversion: a lead does.
    pub(crate) fn counts(&self) -> bool {
        self.status != Status::Rejected
    }

    /// Whether another event could be of it.
    pub(crate) fn goes_on(&self) -> bool {
        self.identity != Identity::Own
    }

    /// What tells it from the visitor's others.
    pub(crate) fn about(&self, trail: &[Footprint<'_>]) -> u64 {
        let Some(conversion) = trail.get(usize::from(self.holder)) else { return 0 };
        match self.identity {
            Identity::Own => about_txid("", conversion),
            Identity::Txid(txid) => about_txid(txid, conversion),
            Identity::Click(name, _) => bar(4, name),
        }
    }

    /// What it is worth: a lead, nothing yet.
    pub(crate) fn worth_micros(&self) -> i64 {
        if self.status.earns() { self.value_micros } else { 0 }
    }

    /// Goes on by what another event of it says.
    fn go_on(&mut self, place: Place, event: &Footprint<'_>, currencies: (&str, &str), repeats: Repeats) {
        let next = event.postback.as_ref().map_or(Status::Sale, |postback| postback.status);
        if self.click == self.holder && event.click_ms.is_some() {
            self.click = place;
        }
        if self.status.leads_to(next) {
            self.status = next;
            // Who confirms often does not say the amount again.
            if event.value_micros != 0 {
                (self.value_micros, self.currency) = (event.value_micros, place);
            }
            if event.cost_nanos != 0 {
                self.owed.cost_nanos = event.cost_nanos;
            }
            if event.payout_nanos != 0 {
                (self.owed.payout_nanos, self.payout) = (event.payout_nanos, place);
            }
        } else if self.status == next && event.value_micros != 0 {
            match repeats {
                Repeats::Replace => (self.value_micros, self.currency) = (event.value_micros, place),
                Repeats::Add if currencies.0 == currencies.1 => {
                    self.value_micros = self.value_micros.saturating_add(event.value_micros);
                }
                _ => {}
            }
        }
    }

    /// The difference between what its events added to the sums by themselves, each a conversion with its value and
    /// cost, and what it is.
    pub(crate) fn corrections(&self, trail: &[Footprint<'_>], facts: &mut Vec<Fact>) {
        for place in &self.members {
            let Some(event) = trail.get(usize::from(*place)) else { continue };
            let (mut conversions, mut value, mut owes) =
                (-1, event.value_micros.saturating_neg(), Owed::default());
            if *place == self.holder {
                conversions += i64::from(self.counts());
                if self.counts() {
                    owes = self.owed;
                }
                let currency = trail.get(usize::from(self.currency)).map(|other| &other.currency);
                if currency == Some(&event.currency) {
                    value = value.saturating_add(self.worth_micros());
                } else if self.worth_micros() != 0 {
                    facts.push(Fact::correction(
                        *place,
                        self.currency,
                        0,
                        self.worth_micros(),
                        Owed::default(),
                    ));
                }
            }
            let mut owes = owes.less(Owed::by(event));
            // A share of a sale is owed in the sale's currency, and the lead that it began with may have none.
            if owes.payout_nanos != 0 && event.payout_currency.is_empty() && self.payout != *place {
                let share = Owed { payout_nanos: std::mem::take(&mut owes.payout_nanos), ..Owed::default() };
                facts.push(Fact::correction(*place, self.payout, 0, 0, share));
            }
            if (conversions, value) != (0, 0) || !owes.is_nothing() {
                facts.push(Fact::correction(*place, *place, conversions, value, owes));
            }
        }
    }
}

/// The transactions of a journey, by their first events.
pub(crate) fn transactions<'a>(trail: &'a [Footprint<'a>], terms: &Terms) -> Vec<Transaction<'a>> {
    let mut all: Vec<Transaction<'a>> = Vec::new();
    for (place, event) in (0..).zip(trail) {
        if event.kind != Kind::Conversion {
            continue;
        }
        let repeats = terms.repeats(&event.name);
        let txid = event.postback.as_ref().map_or("", |postback| postback.txid.as_str());
        let identity = match repeats {
            Repeats::OncePerClick => Identity::Click(&event.name, event.click_ms),
            Repeats::Each => Identity::Own,
            _ if txid.is_empty() => Identity::Own,
            _ => Identity::Txid(txid),
        };
        let known = all.iter_mut().find(|other| identity != Identity::Own && other.identity == identity);
        if let Some(known) = known {
            let currency = trail.get(usize::from(known.currency)).map_or("", |other| other.currency.as_str());
            known.go_on(place, event, (currency, &event.currency), repeats);
            known.members.push(place);
        } else {
            all.push(Transaction {
                identity,
                holder: place,
                click: place,
                status: event.postback.as_ref().map_or(Status::Sale, |postback| postback.status),
                value_micros: event.value_micros,
                currency: place,
                owed: Owed::by(event),
                payout: place,
                members: vec![place],
            });
        }
    }
    all
}
