use analytics::click_id::SealedClick;
use analytics::{Kind, Param, RawEvent, Source, Text, Traits, enrich};
use serde_json::json;

use super::super::discreet;
use super::*;

const T: i64 = 1_790_000_000_000;

fn signer() -> Signer {
    Signer::new("secret").unwrap()
}

fn record(sort: Sort, id: &str, change: i64, mut body: Value) -> String {
    body["name"] = "x".into();
    let item = Item::create(sort, body.to_string().as_bytes(), id.into(), T).unwrap();
    let mut record: Value = serde_json::from_str(&item.to_record()).unwrap();
    record["change"] = change.into();
    record.to_string()
}

/// A click of Anna's, with a `sub1` that its visitor chose.
fn click() -> RawEvent<'static> {
    let mut raw = RawEvent::new(EventId::from_bytes([1; 16]), Kind::Click, Source::Redirect, T);
    (raw.link, raw.campaign_id, raw.publisher_id) = ("offer".into(), "spring".into(), "anna".into());
    (raw.visitor, raw.country, raw.variant) = (0xfeed_beef, "DE".into(), "b".into());
    raw.sub[0] = "a&b=c/../é".into();
    raw
}

fn converted(status: Status, traits: Traits<'static>) -> Converted<'static> {
    Converted {
        times: 1,
        about: 7,
        conversion: EventId::from_bytes([2; 16]),
        at_ms: T + 3_600_000,
        named_ms: Some(T),
        txid: "t 1".into(),
        name: "buy".into(),
        status,
        value_micros: 12_500_000,
        currency: "EUR".into(),
        campaign: Text::EMPTY,
        payee: "anna".into(),
        payout_nanos: 1_250_000_000,
        payout_currency: "EUR".into(),
        touched_ms: Some(T),
        clicked: true,
        traits,
    }
}

fn sale() -> Converted<'static> {
    converted(Status::Sale, Traits::of(&enrich(click())).into_owned())
}

/// Id, owner, event and address of each call.
fn calls(postbacks: &Postbacks, converted: &Converted<'_>) -> Vec<[String; 4]> {
    let text = |param: &Param| match param {
        Param::Text(text) => text.clone(),
        other => panic!("{other:?}"),
    };
    let calls = postbacks.tell(converted, &signer(), T);
    calls
        .iter()
        .map(|call| {
            let target: Value = serde_json::from_str(&text(&call.params[3])).unwrap();
            let url = target[0].as_str().unwrap().to_owned();
            [text(&call.params[0]), text(&call.params[1]), text(&call.params[2]), url]
        })
        .collect()
}

fn known(template: &str) -> Postbacks {
    let mut postbacks = Postbacks::default();
    postbacks
        .learn(Sort::Publisher, &record(Sort::Publisher, "anna", 1, json!({ "postback_url": template })));
    postbacks
}

#[test]
fn every_macro_has_its_value() {
    let template = MACROS.map(|name| format!("{name}={{{name}}}")).join("&");
    let calls = calls(&known(&format!("https://net.example/p?{template}")), &sale());
    let url = url::Url::parse(&calls[0][3]).unwrap();
    let told: HashMap<String, String> =
        url.query_pairs().map(|(a, b)| (a.into_owned(), b.into_owned())).collect();
    for (name, value) in [
        ("conversion_id", "02020202-0202-0202-0202-020202020202"),
        ("txid", "t 1"),
        ("status", "sale"),
        ("type", "buy"),
        ("name", "buy"),
        ("value", "12.5"),
        ("currency", "EUR"),
        ("payout", "1.25"),
        ("payout_currency", "EUR"),
        ("campaign_id", "spring"),
        ("publisher_id", "anna"),
        ("link", "offer"),
        ("variant", "b"),
        ("sub1", "a&b=c/../é"),
        ("sub2", ""),
        ("country", "DE"),
        ("event_time", "2026-09-21T15:13:20.000Z"),
        ("event_timestamp", "1790003600"),
        ("click_time", "2026-09-21T14:13:20.000Z"),
        ("click_timestamp", "1790000000"),
    ] {
        assert_eq!(told.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert_eq!(told.len(), MACROS.len());
    // It is the id that the redirect put into the target's address, and that a postback is taken with.
    let id = ClickId { link: "offer", campaign_id: "spring", variant: "b", time_ms: T, visitor: 0xfeed_beef };
    assert_eq!(told["click_id"], id.encode(&signer()));
    assert_eq!(SealedClick::read(&told["click_id"], &signer()).unwrap().says(), id);
}

#[test]
fn who_led_to_it_by_a_view_or_not_at_all_has_no_click() {
    let postbacks = known("https://net.example/p?c={click_id}&t={click_timestamp}&p={payout}");
    let viewed = Converted { clicked: false, ..sale() };
    assert!(calls(&postbacks, &viewed)[0][3].ends_with("?c=&t=1790000000&p=1.25"));
    let nothing = Converted { touched_ms: None, clicked: false, payee: "bob".into(), ..sale() };
    assert!(
        calls(&postbacks, &nothing)[0][3].ends_with("?c=&t=&p=0"),
        "what is owed to Bob is not Anna's to know"
    );
}

#[test]
fn a_call_has_the_same_id_each_time_and_another_for_each_status_transaction_and_receiver() {
    let mut postbacks = known("https://net.example/p?c={click_id}&s={status}");
    let body = json!({"postback_url": "http://shop.example/?s={status}", "postback_method": "POST"});
    postbacks.learn(Sort::Campaign, &record(Sort::Campaign, "spring", 1, body));
    let told = calls(&postbacks, &sale());
    let owners: Vec<_> = told.iter().map(|call| [call[1].as_str(), call[2].as_str()]).collect();
    assert_eq!(
        owners,
        [["postback/campaign/spring", "conversion.sale"], ["postback/publisher/anna", "conversion.sale"]]
    );
    let id = |converted: Converted<'_>| calls(&postbacks, &converted)[1][0].clone();
    let mine = id(sale());
    assert_ne!(mine, told[0][0]);
    let same = [
        Converted { conversion: EventId::from_bytes([9; 16]), ..sale() },
        Converted { value_micros: 1, payout_nanos: 0, at_ms: T, ..sale() },
    ];
    for same in same {
        assert_eq!(id(same), mine);
    }
    for other in [
        Converted { status: Status::Rejected, ..sale() },
        Converted { about: 8, ..sale() },
        Converted { named_ms: Some(T + 1), ..sale() },
        Converted { named_ms: None, ..sale() },
    ] {
        assert_ne!(id(other), mine);
    }
}

#[test]
fn who_is_told_what_is_as_they_have_it() {
    let told = |body: Value, status| {
        let mut postbacks = Postbacks::default();
        postbacks.learn(Sort::Publisher, &record(Sort::Publisher, "anna", 1, body));
        calls(&postbacks, &Converted { status, ..sale() }).len()
    };
    let all = |body: Value| Status::ALL.map(|status| told(body.clone(), status));
    let (with, without) = ("https://net.example/?s={status}", "https://net.example/?c={click_id}");
    assert_eq!(all(json!({ "postback_url": with })), [1, 1, 1, 1]);
    assert_eq!(all(json!({ "postback_url": without })), [1, 1, 0, 1], "a rejection would look like a sale");
    assert_eq!(all(json!({ "postback_url": with, "postback_on": ["sale"] })), [0, 1, 0, 0]);
    assert_eq!(all(json!({ "postback_url": with, "status": "paused" })), [0; 4]);
    assert_eq!(all(json!({})), [0; 4]);
}

#[test]
fn an_older_record_does_not_bring_a_postback_back() {
    let mut postbacks = known("https://net.example/p");
    assert!(!postbacks.is_empty());
    postbacks.learn(Sort::Publisher, &record(Sort::Publisher, "anna", 3, json!({})));
    postbacks.learn(
        Sort::Publisher,
        &record(Sort::Publisher, "anna", 2, json!({"postback_url": "https://a.example/"})),
    );
    assert!(postbacks.is_empty());
}

#[test]
fn amounts_have_no_more_places_than_they_need() {
    let all = [(0, 6), (12_500_000, 6), (-1, 6), (10_000_000, 6), (1_250_000_125, 9), (i64::MIN, 6)];
    assert_eq!(
        all.map(|(amount, places)| decimal(amount, places)),
        ["0", "12.5", "-0.000001", "10", "1.250000125", "-9223372036854.775808"]
    );
}

#[test]
fn the_log_does_not_say_what_the_address_holds() {
    let url = "https://net.example/K3y-1234/postback?key=hunter22&c=AQRk";
    let said = "cannot reach https://net.example/K3y-1234/postback?key=hunter22: no postback for AQRk";
    assert_eq!(
        discreet(said.into(), url),
        "cannot reach https://net.example/…/postback?key=…: no postback for …"
    );
    assert_eq!(discreet("boom".into(), url), "boom");
}
