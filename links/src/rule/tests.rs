use super::*;
use crate::Allowed;
use crate::link::tests::link;
use analytics::{EventId, Kind, Source};
use proptest::prelude::*;
use serde_json::{Value, json};

pub(crate) const BROWSER: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36";
const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1";
const IPAD: &str = "Mozilla/5.0 (iPad; CPU OS 16_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.1 Mobile/15E148 Safari/604.1";
const INSTAGRAM: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 330.0.3 (iPhone15,2; iOS 17_4)";

pub(crate) fn visit(user_agent: &str) -> RawEvent<'_> {
    let id = EventId::from_bytes([1; 16]);
    RawEvent { user_agent: user_agent.into(), ..RawEvent::new(id, Kind::Click, Source::Redirect, 1_000) }
}

pub(crate) fn nowhere(_: &str, _: i64) -> Option<(u8, u16)> {
    None
}

pub(crate) fn hit<'a>(event: &'a RawEvent<'a>) -> Hit<'a> {
    Hit::new(event, &nowhere)
}

fn rules(when: &[Value]) -> Vec<Rule> {
    let place =
        |(at, when): (usize, &Value)| json!({"when": when, "url": format!("https://example.com/{at}")});
    let body = json!({ "rules": when.iter().enumerate().map(place).collect::<Value>() }).to_string();
    link("https://example.com/").edit(body.as_bytes(), 0, &Allowed::default()).unwrap().link.rules
}

fn fits(when: &Value, event: &RawEvent<'_>) -> bool {
    first(&rules(std::slice::from_ref(when)), &hit(event)).is_some()
}

#[test]
fn each_condition_asks_for_what_it_says() {
    let base = RawEvent {
        country: "US".into(),
        region: "CA".into(),
        city: "São Paulo".into(),
        continent: "NA".into(),
        language: "de-AT,de;q=0.9".into(),
        referrer: "https://www.News.example.com/x".into(),
        query: "a=1&b".into(),
        ..visit(IPHONE)
    };
    for (when, wanted) in [
        (json!({}), true),
        (json!({"os": ["ios"]}), true),
        (json!({"os": "iOS"}), true),
        (json!({"os": ["android", "windows"]}), false),
        (json!({"os": ["-ios"]}), false),
        (json!({"device": ["smartphone"]}), true),
        (json!({"device": ["desktop", "tablet"]}), false),
        (json!({"browser": ["Safari"]}), true),
        (json!({"country": ["us", "BR"]}), true),
        (json!({"country": ["EU"]}), false),
        (json!({"country": ["-EU"]}), true),
        (json!({"country": ["-US"]}), false),
        (json!({"country": ["-DE"]}), true),
        (json!({"region": ["US-CA"]}), true),
        (json!({"region": ["BR-CA", "US-NY"]}), false),
        (json!({"city": ["são paulo"]}), true),
        (json!({"continent": ["EU"]}), false),
        (json!({"language": ["de"]}), true),
        (json!({"language": ["de-at"]}), true),
        (json!({"language": ["d", "at", "de-ch"]}), false),
        (json!({"referrer": ["example.com"]}), true),
        (json!({"referrer": ["www.news.example.com"]}), true),
        (json!({"referrer": ["ample.com"]}), false),
        (json!({"query": {"a": "1"}}), true),
        (json!({"query": {"a": "2"}}), false),
        (json!({"query": {"b": null, "a": null}}), true),
        (json!({"query": {"c": null}}), false),
        (json!({"after": "1970-01-01T00:00:01Z"}), true),
        (json!({"after": "1970-01-01T00:00:01.001Z"}), false),
        (json!({"before": "1970-01-01T00:00:01Z"}), false),
        (json!({"in_app": true}), false),
        (json!({"bot": false}), true),
        (json!({"country": ["US"], "os": ["ios"]}), true),
        (json!({"country": ["US"], "os": ["android"]}), false),
        (json!({"time": {"from": "09:00", "to": "17:00"}}), false), // of a zone that nobody knows
    ] {
        assert_eq!(fits(&when, &base), wanted, "{when}");
    }
    assert!(fits(&json!({"in_app": true}), &visit(INSTAGRAM)));
    assert!(fits(&json!({"bot": true, "device": ["bot"]}), &visit("curl/8.5.0")));
}

#[test]
fn an_ipad_is_an_ios_and_can_be_told_from_one() {
    assert!(fits(&json!({"os": ["ios"]}), &visit(IPAD)));
    assert!(fits(&json!({"os": ["ipados"]}), &visit(IPAD)));
    assert!(!fits(&json!({"os": ["ipados"]}), &visit(IPHONE)));
    assert!(!fits(&json!({"os": ["ios", "-ipados"]}), &visit(IPAD)));
}

#[test]
fn hours_are_those_of_their_zone() {
    let event = visit(BROWSER);
    let when = json!({"time": {"from": "09:00", "to": "17:00", "days": ["tue"], "tz": "Europe/Berlin"}});
    let rules = rules(&[when]);
    let local = |zone: &str, ms: i64| (zone == "Europe/Berlin" && ms == 1_000).then_some((1, 600));
    assert!(first(&rules, &Hit::new(&event, &local)).is_some());
    let later = |_: &str, _: i64| Some((1, 1_020));
    assert!(first(&rules, &Hit::new(&event, &later)).is_none());
}

#[test]
fn the_first_rule_that_fits_decides() {
    let rules = rules(&[json!({"country": ["DE"]}), json!({"os": ["windows"]}), json!({})]);
    let led = |country: &'static str, agent| {
        let event = RawEvent { country: country.into(), ..visit(agent) };
        first(&rules, &hit(&event)).unwrap().url.as_str().to_owned()
    };
    assert_eq!(led("DE", BROWSER), "https://example.com/0");
    assert_eq!(led("US", BROWSER), "https://example.com/1");
    assert_eq!(led("US", IPHONE), "https://example.com/2");
}

#[test]
fn what_no_rule_can_ask_for_is_refused_where_it_stands() {
    let body = json!({"rules": [
        {"when": {"country": ["USA"], "os": ["beos"], "planet": ["earth"], "device": []}, "url": "https://example.com/"},
        {"when": {"time": {"from": "9", "tz": 1, "days": ["mon", "xyz"]}, "in_app": 1, "query": [], "after": "soon"}},
        {"url": "javascript:alert(1)", "then": 1},
        7,
    ]});
    let rejects =
        link("https://example.com/").edit(body.to_string().as_bytes(), 0, &Allowed::default()).unwrap_err();
    let mut named: Vec<_> = rejects.iter().map(|reject| &*reject.pointer).collect();
    named.sort_unstable();
    assert_eq!(
        named,
        [
            "/rules/0/when/country/0",
            "/rules/0/when/device",
            "/rules/0/when/os/0",
            "/rules/0/when/planet",
            "/rules/1/url",
            "/rules/1/when/after",
            "/rules/1/when/in_app",
            "/rules/1/when/query",
            "/rules/1/when/time/days/1",
            "/rules/1/when/time/from",
            "/rules/1/when/time/tz",
            "/rules/2/then",
            "/rules/2/url",
            "/rules/3",
        ]
    );
}

/// Rules are stored with their links, which are printed somewhere.
#[test]
fn the_record_of_a_rule_is_pinned() {
    let when = json!({"os": ["ios", "-ipados"], "query": {"a": null}, "in_app": true, "before": 200_000_000_000_000_i64,
        "time": {"days": ["mon"], "from": "01:00"}});
    let record = serde_json::to_string(&rules(&[when])).unwrap();
    assert_eq!(
        record,
        concat!(
            r#"[{"when":[{"before":200000000000000},{"in_app":true},{"any":["os",["ios"]]},{"none":["os",["ipados"]]},"#,
            r#"{"query":["a",null]},{"hours":{"from":60,"to":1440,"days":1,"tz":"UTC"}}],"url":"https://example.com/0"}]"#,
        )
    );
    assert_eq!(serde_json::from_str::<Vec<Rule>>(&record).unwrap().len(), 1);
}

fn whens() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({})),
        prop::sample::subsequence(vec!["US", "DE", "-US"], 1..=2).prop_map(|list| json!({ "country": list })),
        prop::sample::select(vec!["ios", "android", "windows", "-ios"]).prop_map(|os| json!({ "os": [os] })),
        any::<bool>().prop_map(|bot| json!({ "bot": bot })),
        Just(json!({"query": {"a": null}})),
    ]
}

proptest! {
    #[test]
    fn routing_is_total_deterministic_and_in_order(
        whens in prop::collection::vec(whens(), 0..8), country in "US|DE||\\PC{0,3}", query in "a=1|\\PC{0,9}",
        agent in prop_oneof![Just(BROWSER.to_owned()), Just(IPHONE.to_owned()), any::<String>()],
    ) {
        let rules = rules(&whens);
        let event = RawEvent { country: (&*country).into(), query: (&*query).into(), ..visit(&agent) };
        let place = first(&rules, &hit(&event)).map(|rule| rules.iter().position(|r| std::ptr::eq(r, rule)).unwrap());
        let each: Vec<bool> = whens.iter().map(|when| fits(when, &event)).collect();
        prop_assert_eq!(place, each.iter().position(|fits| *fits));
        let again = first(&rules, &hit(&event)).map(|rule| rule.url.as_str());
        prop_assert_eq!(again, place.map(|place| rules[place].url.as_str()));
    }
}
