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
    let fixed = |model: &str| json!({"payout_model": model, "payout_micros": 2_500_000, "currency": "EUR"});
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
        let mut raw = RawEvent { link: link.to_owned().into(), campaign_id: "".into(), ..event(Kind::Click) };
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
