//! The join of events with the campaigns that they belong to, and with the publishers that are paid for them.

mod payout;
mod strangers;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::HashMap;

use foldhash::fast::FixedState;
use serde_json::Value;

use crate::catalog::{Item, Sort};
use crate::conversion::Status;
use crate::{AgentCache, Kind, RawEvent, Source, Text, TrackedEvent, Verdict, enrich_with};
use payout::Payout;
use strangers::Strangers;

/// Where campaigns and links that nobody keeps count, if they are not to count by themselves.
pub const UNKNOWN: &str = "(unknown)";

/// Every campaign, as far as events are concerned: some 200 bytes each, so that the largest customers' ten thousand
/// fit into an isolate many times.
///
/// What a campaign says is applied as it is known when the event is consumed, seconds after it happened; what has been
/// counted is not counted again when a price changes.
#[derive(Debug)]
pub struct Campaigns {
    /// By id.
    known: HashMap<String, Terms, FixedState>,
    change: i64,
    strangers: RefCell<Strangers>,
    strange_links: RefCell<Strangers>,
    /// By id.
    publishers: HashMap<String, Payout, FixedState>,
    publisher_change: i64,
    /// What was spent of each campaign, as far as it was read.
    spent: HashMap<String, i64, FixedState>,
}

/// What a campaign may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// All together, in thousand-millionths.
    pub nanos: i64,
    /// What the next event costs.
    pub price_nanos: i64,
}

/// What a campaign says of its events.
#[derive(Debug)]
struct Terms {
    publisher_id: String,
    medium: String,
    starts_at_ms: i64,
    ends_at_ms: i64,
    /// What a person's event of that kind costs.
    price: Option<(Kind, i64)>,
    currency: String,
    budget_nanos: Option<i64>,
}

impl Terms {
    fn of(campaign: &Item) -> Self {
        // Millionths of a unit, as billionths: an impression costs a thousandth of the price of a thousand.
        let price = |kind, times: i64| Some((kind, campaign.number("cost_micros")? * times));
        Self {
            publisher_id: campaign.text("publisher_id"),
            medium: campaign.text("medium"),
            starts_at_ms: campaign.number("starts_at").unwrap_or(i64::MIN),
            ends_at_ms: campaign.number("ends_at").unwrap_or(i64::MAX),
            price: match (campaign.text("status").as_str(), campaign.text("cost_model").as_str()) {
                // A paused campaign still gets what was shown before, and is billed for what comes.
                ("ended", _) => None,
                (_, "cpc") => price(Kind::Click, 1_000),
                (_, "cpm") => price(Kind::Impression, 1),
                (_, "cpa") => price(Kind::Conversion, 1_000),
                _ => None,
            },
            currency: campaign.text("currency"),
            budget_nanos: campaign.number("budget_micros").map(|micros| micros.saturating_mul(1_000)),
        }
    }

    fn runs(&self, event: &TrackedEvent<'_>) -> bool {
        (self.starts_at_ms..self.ends_at_ms).contains(&event.effective_time_ms)
    }
}

impl Default for Campaigns {
    /// Every name counts by itself.
    fn default() -> Self {
        Self::new(usize::MAX, usize::MAX)
    }
}

/// Whether anybody pays for it: a person did it, and it is not the news that a transaction came to nothing. What turns
/// out later, that it was told twice or was no new visitor's, is taken back ([`crate::outcome::Correction`]).
fn is_billable(event: &TrackedEvent<'_>) -> bool {
    event.bot.verdict != Verdict::Bot && event.raw.postback.status != Status::Rejected
}

impl Campaigns {
    /// No campaign so far. Of campaigns that nobody keeps, and of links that events only name, so many in an hour count
    /// by themselves.
    pub fn new(strangers: usize, strange_links: usize) -> Self {
        Self {
            known: HashMap::default(),
            change: 0,
            strangers: Strangers::new(strangers),
            strange_links: Strangers::new(strange_links),
            publishers: HashMap::default(),
            publisher_change: 0,
            spent: HashMap::default(),
        }
    }

    /// Whether the campaign is kept.
    pub fn have(&self, id: &str) -> bool {
        self.known.contains_key(id)
    }

    /// Where the campaign counts.
    pub fn counted_as<'a>(&self, id: &'a str, at_ms: i64) -> &'a str {
        if id.is_empty() || self.have(id) || self.strangers.borrow_mut().admit(id, at_ms) {
            id
        } else {
            UNKNOWN
        }
    }

    /// Everything up to this change of the catalog is known.
    pub fn change(&self) -> i64 {
        self.change
    }

    /// Takes a record of [`crate::catalog::statements::changes_since`], in the order in which they are returned. One
    /// that is known by now is passed over: of two readings at the same time, the older may end later.
    pub fn learn(&mut self, record: &str) {
        let change =
            serde_json::from_str::<Value>(record).ok().and_then(|record| record.get("change")?.as_i64());
        let Some(change) = change.filter(|change| *change > self.change) else { return };
        self.change = change;
        let Some(campaign) = Item::from_record(Sort::Campaign, record) else { return };
        if campaign.is_deleted() {
            self.known.remove(campaign.id());
        } else {
            self.known.insert(campaign.id().to_owned(), Terms::of(&campaign));
        }
    }

    /// Everything up to this change of the publishers is known.
    pub fn publisher_change(&self) -> i64 {
        self.publisher_change
    }

    /// Takes a publisher's record, as [`Campaigns::learn`] takes a campaign's.
    pub fn learn_publisher(&mut self, record: &str) {
        let change =
            serde_json::from_str::<Value>(record).ok().and_then(|record| record.get("change")?.as_i64());
        let Some(change) = change.filter(|change| *change > self.publisher_change) else { return };
        self.publisher_change = change;
        let Some(publisher) = Item::from_record(Sort::Publisher, record) else { return };
        match Payout::of(&publisher) {
            Some(payout) => self.publishers.insert(publisher.id().to_owned(), payout),
            None => self.publishers.remove(publisher.id()),
        };
    }

    /// What a campaign may cost, if it has a budget and a price.
    pub fn budget(&self, campaign: &str) -> Option<Budget> {
        let terms = self.known.get(campaign)?;
        Some(Budget { nanos: terms.budget_nanos?, price_nanos: terms.price?.1 })
    }

    /// What was spent of a campaign, as far as it is known.
    pub fn spent_nanos(&self, campaign: &str) -> i64 {
        self.spent.get(campaign).copied().unwrap_or(0)
    }

    /// Learns what was spent of a campaign: never less than nothing. Who gives back what another consumer has charged
    /// knows of the one alone, and would take the difference for room in the budget.
    pub fn learn_spent(&mut self, campaign: &str, nanos: i64) {
        self.spent.insert(campaign.to_owned(), nanos.max(0));
    }

    /// Works out what an event means, in its campaign: publisher and medium are the campaign's where the event names
    /// none, before all else, because the medium decides the channel; and a person's event has its price and its payout.
    /// An event of no campaign, or of one that nobody keeps, means what it says.
    pub fn enrich_with<'a>(&'a self, agents: &mut AgentCache, mut raw: RawEvent<'a>) -> TrackedEvent<'a> {
        let at_ms = raw.received_at_ms;
        // A redirect's link is one that there is; any other is the sender's word.
        let is_named = raw.source != Source::Redirect && !raw.link.is_empty();
        if is_named && !self.strange_links.borrow_mut().admit(&raw.link, at_ms) {
            raw.link = UNKNOWN.into();
        }
        let terms = self.known.get(&*raw.campaign_id);
        if let Some(terms) = terms {
            raw.publisher_id = raw.publisher_id.or(Text::from(terms.publisher_id.as_str()));
            raw.medium = raw.medium.or(Text::from(terms.medium.as_str()));
        } else if !raw.campaign_id.is_empty() && !self.strangers.borrow_mut().admit(&raw.campaign_id, at_ms) {
            raw.campaign_id = UNKNOWN.into();
        }
        let mut event = enrich_with(agents, raw);
        if terms.is_some_and(|terms| !terms.runs(&event)) || !is_billable(&event) {
            return event;
        }
        if let Some(terms) = terms
            && let Some((kind, nanos)) = terms.price
            && kind == event.raw.kind
        {
            event.cost_nanos = nanos;
            event.cost_currency = Text::from(terms.currency.as_str());
        }
        if let Some(publisher) = event.raw.publisher_id.present().and_then(|id| self.publishers.get(id)) {
            publisher.pay(&mut event);
        }
        event
    }
}
