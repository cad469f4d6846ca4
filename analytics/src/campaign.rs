//! The join of events with the campaigns that they belong to, and with the publishers that are paid for them.

mod payout;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::hash::Hasher;

use foldhash::fast::FixedState;
use serde_json::Value;
use siphasher::sip::SipHasher13;

use crate::catalog::{Item, Sort};
use crate::conversion::Status;
use crate::{AgentCache, Kind, RawEvent, Source, Text, TrackedEvent, Verdict, enrich_with};
use payout::Payout;

/// Where campaigns and links that nobody keeps count, if they are not to count by themselves.
pub const UNKNOWN: &str = "(unknown)";

/// Names that nobody keeps and that have sums of their own all the same, so far in this hour.
///
/// Each is worth a row of D1 at each of four levels, $4 for a million, and a batch invents 500 of them in one request.
/// Whoever is beyond the bound is not lost: it counts in all sums but those of its name. What is remembered is 8 bytes each.
#[derive(Debug)]
struct Strangers {
    hour: i64,
    names: HashSet<u64, FixedState>,
    most: usize,
}

impl Strangers {
    fn new(most: usize) -> RefCell<Self> {
        RefCell::new(Self { hour: 0, names: HashSet::default(), most })
    }

    fn admit(&mut self, name: &str, at_ms: i64) -> bool {
        let hour = at_ms.div_euclid(3_600_000);
        if hour > self.hour {
            (self.hour, self.names) = (hour, HashSet::default());
        }
        // One whose collisions nobody computes, or they would all count as the name that was admitted.
        let mut hasher = SipHasher13::new_with_key(b"clicktrail names");
        hasher.write(name.as_bytes());
        let hash = hasher.finish();
        self.names.contains(&hash) || self.names.len() < self.most && self.names.insert(hash)
    }
}

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::{Channel, EventId, enrich};

    const NOW: i64 = 1_790_000_000_000;

    fn record(change: i64, mut body: Value, edit: fn(Item) -> Item) -> String {
        body["name"] = "x".into();
        let item = Item::create(Sort::Campaign, body.to_string().as_bytes(), "spring".into(), NOW).unwrap();
        let mut record: Value = serde_json::from_str(&edit(item).to_record()).unwrap();
        record["change"] = change.into();
        record.to_string()
    }

    impl Campaigns {
        fn enrich<'a>(&'a self, raw: RawEvent<'a>) -> TrackedEvent<'a> {
            self.enrich_with(&mut AgentCache::default(), raw)
        }
    }

    fn campaigns(body: Value) -> Campaigns {
        let mut campaigns = Campaigns::new(100, 100);
        campaigns.learn(&record(1, body, |item| item));
        campaigns
    }

    fn event(kind: Kind) -> RawEvent<'static> {
        let mut raw = RawEvent::new(EventId::from_bytes([1; 16]), kind, Source::Redirect, NOW);
        raw.campaign_id = "spring".into();
        raw.user_agent = crate::world::PHONE.into();
        raw
    }

    fn costs(body: Value) -> [i64; 4] {
        let campaigns = campaigns(body);
        [Kind::Click, Kind::Impression, Kind::Conversion, Kind::Page]
            .map(|kind| campaigns.enrich(event(kind)).cost_nanos)
    }

    #[test]
    fn each_model_has_its_price_for_its_kind() {
        let priced = |model: &str| json!({"cost_model": model, "cost_micros": 2_500_000, "currency": "EUR"});
        assert_eq!(costs(priced("cpc")), [2_500_000_000, 0, 0, 0]);
        assert_eq!(costs(priced("cpm")), [0, 2_500_000, 0, 0]);
        assert_eq!(costs(priced("cpa")), [0, 0, 2_500_000_000, 0]);
        assert_eq!(costs(priced("none")), [0; 4]);
        assert_eq!(costs(json!({})), [0; 4]);
    }

    #[test]
    fn a_campaign_costs_while_it_runs_and_people_alone() {
        let price = json!({"cost_model": "cpc", "cost_micros": 1, "currency": "EUR"});
        let with = |name: &str, value: Value| {
            let mut body = price.clone();
            body[name] = value;
            costs(body)[0]
        };
        assert_eq!(with("starts_at", NOW.into()), 1_000);
        assert_eq!(with("starts_at", (NOW + 1).into()), 0);
        assert_eq!(with("ends_at", NOW.into()), 0, "the end is exclusive");
        assert_eq!(with("ends_at", (NOW + 1).into()), 1_000);
        assert_eq!(with("status", "paused".into()), 1_000, "what comes is billed");
        assert_eq!(with("status", "ended".into()), 0);
        assert_eq!(with("archived", true.into()), 1_000);
        let robot = RawEvent { user_agent: "Googlebot/2.1".into(), ..event(Kind::Click) };
        assert_eq!(campaigns(price.clone()).enrich(robot).cost_nanos, 0);
        let mut rejected = event(Kind::Conversion);
        rejected.postback.status = Status::Rejected;
        assert_eq!(campaigns(price).enrich(rejected).cost_nanos, 0);
    }

    #[test]
    fn publishers_are_paid_by_their_model() {
        let paid = |body: Value| {
            let mut campaigns = Campaigns::default();
            let mut body = body;
            body["name"] = "x".into();
            let item = Item::create(Sort::Publisher, body.to_string().as_bytes(), "p".into(), NOW).unwrap();
            let mut record: Value = serde_json::from_str(&item.to_record()).unwrap();
            record["change"] = 1.into();
            campaigns.learn_publisher(&record.to_string());
            let pays = |kind: Kind| {
                let mut raw = event(kind);
                (raw.publisher_id, raw.campaign_id) = ("p".into(), Text::EMPTY);
                (raw.value_micros, raw.currency) = (Some(10_000_001), "USD".into());
                let event = campaigns.enrich(raw);
                (event.payout_nanos, event.payout_currency.to_string())
            };
            [Kind::Click, Kind::Impression, Kind::Conversion].map(pays)
        };
        let fixed =
            |model: &str| json!({"payout_model": model, "payout_micros": 2_500_000, "currency": "EUR"});
        let (none, eur) = ((0, String::new()), "EUR".to_owned());
        let nothing = || none.clone();
        assert_eq!(paid(fixed("cpc")), [(2_500_000_000, eur.clone()), nothing(), nothing()]);
        assert_eq!(paid(fixed("cpm")), [nothing(), (2_500_000, eur.clone()), nothing()]);
        assert_eq!(paid(fixed("cpa")), [nothing(), nothing(), (2_500_000_000, eur)]);
        let share = json!({"payout_model": "revshare", "payout_percent": 12.5});
        assert_eq!(paid(share), [nothing(), nothing(), (1_250_000_125, "USD".to_owned())]);
        let paused = json!({"payout_model": "revshare", "payout_percent": 12.5, "status": "paused"});
        assert_eq!(paid(paused), [nothing(), nothing(), nothing()]);
    }

    #[test]
    fn publisher_and_medium_are_the_campaigns_where_the_event_names_none() {
        let campaigns = campaigns(json!({"publisher_id": "p", "medium": "email"}));
        let joined = campaigns.enrich(event(Kind::Click));
        assert_eq!((&*joined.raw.publisher_id, &*joined.raw.medium), ("p", "email"));
        assert_eq!(joined.channel, Channel::Email, "as if the link had said so");
        let own = RawEvent { publisher_id: "q".into(), medium: "cpc".into(), ..event(Kind::Click) };
        assert_eq!(campaigns.enrich(own.clone()), enrich(own));
        let other = RawEvent { campaign_id: "summer".into(), ..event(Kind::Click) };
        assert_eq!(campaigns.enrich(other.clone()), enrich(other));
    }

    #[test]
    fn of_names_that_nobody_keeps_so_many_an_hour_count_by_themselves() {
        let mut campaigns = Campaigns::new(2, 0);
        campaigns.learn(&record(1, json!({"medium": "email"}), |item| item));
        let counted = |id: &str, at_ms: i64| {
            let mut raw = RawEvent { campaign_id: id.to_owned().into(), ..event(Kind::Click) };
            raw.received_at_ms = at_ms;
            let event = campaigns.enrich(raw).raw.campaign_id.to_string();
            assert_eq!(event, campaigns.counted_as(id, at_ms), "an event and its duplicates");
            event
        };
        let ids = ["spring", "one", "two", "three", "", "one", "four", "spring"];
        assert_eq!(
            ids.map(|id| counted(id, NOW)),
            ["spring", "one", "two", UNKNOWN, "", "one", UNKNOWN, "spring"]
        );
        assert_eq!(ids.map(|id| counted(id, NOW + 3_600_000))[..4], ["spring", "one", "two", UNKNOWN]);
        assert_eq!(counted("three", NOW), UNKNOWN, "an hour that is over has no room");
    }

    #[test]
    fn a_followed_link_is_never_a_stranger_and_one_that_is_only_named_may_be() {
        let campaigns = Campaigns::new(0, 1);
        let link = |link: &str, source: Source| {
            let mut raw =
                RawEvent { link: link.to_owned().into(), campaign_id: "".into(), ..event(Kind::Click) };
            raw.source = source;
            campaigns.enrich(raw).raw.link.to_string()
        };
        assert_eq!(["a", "b", "c"].map(|name| link(name, Source::Redirect)), ["a", "b", "c"]);
        assert_eq!(["a", "b", "a"].map(|name| link(name, Source::Batch)), ["a", UNKNOWN, "a"]);
    }

    #[test]
    fn a_deleted_campaign_says_nothing_and_an_old_record_does_not_bring_it_back() {
        let mut campaigns = campaigns(json!({"medium": "email"}));
        campaigns.learn(&record(3, json!({}), |item| item.delete(NOW)));
        assert_eq!((campaigns.change(), &*campaigns.enrich(event(Kind::Click)).raw.medium), (3, ""));
        campaigns.learn(&record(2, json!({"medium": "old"}), |item| item));
        campaigns.learn("no record");
        assert_eq!((campaigns.change(), &*campaigns.enrich(event(Kind::Click)).raw.medium), (3, ""));
        campaigns.learn(&record(4, json!({"medium": "back"}), |item| item));
        assert_eq!((campaigns.change(), &*campaigns.enrich(event(Kind::Click)).raw.medium), (4, "back"));
    }

    proptest! {
        #[test]
        fn whatever_is_learnt_in_whatever_order_the_latest_is_known(ids in proptest::collection::vec(0u8..20, 0..60)) {
            let mut campaigns = Campaigns::default();
            let mut latest = std::collections::BTreeMap::new();
            for (change, id) in (1i64..).zip(&ids) {
                let body = json!({"id": format!("c{id}"), "medium": change.to_string()});
                campaigns.learn(&record(change, body, |item| item));
                latest.insert(*id, change);
            }
            for (id, change) in latest {
                let raw = RawEvent { campaign_id: format!("c{id}").into(), ..event(Kind::Click) };
                let joined = campaigns.enrich(raw);
                prop_assert_eq!(&*joined.raw.medium, change.to_string());
            }
        }
    }
}
