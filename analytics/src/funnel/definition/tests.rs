use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{EventId, Footprint, RawEvent, Source, enrich};

const NOW: i64 = 1_790_000_000_000;

fn admits(step: &Value, kind: Kind, name: &'static str) -> bool {
    let steps = read_steps(&json!([step])).unwrap();
    let mut raw = RawEvent::new(EventId::from_bytes([1; 16]), kind, Source::Beacon, NOW);
    (raw.name, raw.page_url) = (name.into(), "https://shop.example/pricing?x=1".into());
    (raw.value_micros, raw.user_agent) = (Some(10_000_000), crate::world::PHONE.into());
    let event = enrich(raw);
    steps_of(&steps)[0].admits(&Footprint::of(&event).unwrap())
}

#[test]
fn a_name_is_the_events_where_nothing_else_says_which_it_is() {
    let purchase = json!({"kind": "conversion", "name": "purchase"});
    assert!(admits(&purchase, Kind::Conversion, "purchase"));
    assert!(admits(&purchase, Kind::Conversion, ""), "an event that nobody named");
    assert!(!admits(&purchase, Kind::Conversion, "refund"));
    assert!(!admits(&purchase, Kind::Click, "purchase"));
    let named = json!({"name": "signup"});
    assert!(admits(&named, Kind::Click, "signup") && !admits(&named, Kind::Click, ""));
    let path = json!({"kind": "page", "path": "/pri*", "name": "Pricing"});
    assert!(admits(&path, Kind::Page, "") && admits(&path, Kind::Page, "view"));
    let labelled = json!({"kind": "page", "path": "/pricing", "name": "view", "label": "Pricing"});
    assert!(admits(&labelled, Kind::Page, "view") && !admits(&labelled, Kind::Page, ""));
    let told = json!({"name": "Bought", "event_name": "purchase"});
    assert!(admits(&told, Kind::Conversion, "purchase") && !admits(&told, Kind::Conversion, "Bought"));
}

#[test]
fn a_step_has_a_name_in_the_report() {
    let name = |step: Value| steps_of(&json!([step]))[0].name.clone();
    assert_eq!(name(json!({"label": "L", "name": "N", "path": "/p"})), "L");
    assert_eq!(name(json!({"name": "N", "path": "/p"})), "N");
    assert_eq!(name(json!({"kind": "page", "path": "/p"})), "/p");
    assert_eq!(name(json!({"kind": "page"})), "page");
    assert_eq!(name(json!({"campaign_id": "c"})), "step 1");
}

#[test]
fn the_least_value_is_exact() {
    for value in [json!(9.99), json!("9.99"), json!(10), json!(1e1)] {
        assert!(admits(&json!({"kind": "conversion", "min_value": value}), Kind::Conversion, ""), "{value}");
    }
    assert!(!admits(&json!({"kind": "conversion", "min_value": "10.000001"}), Kind::Conversion, ""));
}

#[test]
fn what_is_wrong_is_named_step_by_step() {
    let body = json!({
        "name": "F", "window_seconds": 2_592_001, "order": "loose", "basis": "click",
        "steps": [
            {"kind": "page", "path": "pricing"}, {}, {"label": "x"}, 7, {"kind": "failed"}, {"kind": null},
            {"colour": "red"}, {"min_value": "much"}, {"name": "x".repeat(129)}, {"name": 5},
        ],
        "exclude": {"kind": "page"}, "complete_from": 1,
    });
    let refused = Item::create(Sort::Funnel, body.to_string().as_bytes(), "f".into(), NOW).unwrap_err();
    let mut named: Vec<_> = refused.iter().map(|reject| &*reject.pointer).collect();
    named.sort_unstable();
    assert_eq!(
        named,
        [
            "/basis",
            "/complete_from",
            "/exclude",
            "/order",
            "/steps/0/path",
            "/steps/1",
            "/steps/2",
            "/steps/3",
            "/steps/4/kind",
            "/steps/5",
            "/steps/6/colour",
            "/steps/7/min_value",
            "/steps/8/name",
            "/steps/9/name",
            "/window_seconds",
        ]
    );
    let one = |body: Value| {
        let refused = Item::create(Sort::Funnel, body.to_string().as_bytes(), "f".into(), NOW).unwrap_err();
        refused.into_iter().map(|reject| reject.pointer.into_owned()).collect::<Vec<_>>()
    };
    let step = json!({"kind": "page"});
    assert_eq!(one(json!({"name": "F"})), ["/steps"]);
    assert_eq!(one(json!({"name": "F", "steps": [step]})), ["/steps"]);
    assert_eq!(one(json!({"name": "F", "steps": vec![step.clone(); 21]})), ["/steps"]);
    assert_eq!(one(json!({"name": "F", "steps": vec![step.clone(); 65]})), ["/steps"]);
    assert_eq!(one(json!({"name": "F", "steps": [step, step], "window_seconds": 0})), ["/window_seconds"]);
}

/// Journeys read what was stored by earlier versions.
#[test]
fn a_record_is_pinned_and_is_a_funnel() {
    let body = json!({
        "name": "F", "window_seconds": 3_600, "order": "strict", "basis": "session",
        "steps": [{"kind": "page", "path": "/a"}, {"kind": "conversion", "name": "buy", "min_value": 1.5}],
        "exclude": [{"event_name": "leave"}],
    });
    let item = Item::create(Sort::Funnel, body.to_string().as_bytes(), "f".into(), NOW).unwrap();
    let record = concat!(
        r#"{"basis":"session","complete_from":1790000000000,"created_at":1790000000000,"#,
        r#""exclude":[{"event_name":"leave"}],"id":"f","name":"F","order":"strict","#,
        r#""steps":[{"kind":"page","path":"/a"},{"kind":"conversion","min_value":1.5,"name":"buy"}],"#,
        r#""updated_at":1790000000000,"version":1,"window_seconds":3600}"#,
    );
    assert_eq!(item.to_record(), record);
    let funnel = Funnel::from_record(record).unwrap();
    assert_eq!((funnel.order, funnel.basis, funnel.window_seconds), (Order::Strict, Basis::Session, 3_600));
    assert_eq!((funnel.steps.len(), funnel.exclude.len(), funnel.complete_from_ms), (2, 1, NOW));
    assert_eq!(funnel.steps[1].min_value_micros, Some(1_500_000));
    assert_eq!(Funnel::from_record(&item.delete(NOW).to_record()), None);
    assert_eq!(Funnel::from_record("{}"), None);
}

#[test]
fn a_funnel_is_complete_from_where_it_became_what_it_is() {
    let body = json!({"name": "F", "steps": [{"kind": "click"}, {"kind": "page"}]});
    let item = Item::create(Sort::Funnel, body.to_string().as_bytes(), "f".into(), NOW).unwrap();
    let edited = |item: &Item, body: Value, at: i64| item.edit(body.to_string().as_bytes(), at).unwrap();
    let renamed = edited(&item, json!({"name": "G"}), NOW + 1);
    assert_eq!(Funnel::of(&renamed).complete_from_ms, NOW);
    let changed = edited(&renamed, json!({"window_seconds": 60}), NOW + 2);
    assert_eq!(Funnel::of(&changed).complete_from_ms, NOW + 2);
    let again = edited(&changed, json!({"window_seconds": 60, "note": "n"}), NOW + 3);
    assert_eq!(Funnel::of(&again).complete_from_ms, NOW + 2);
    let mut put = body;
    put["window_seconds"] = 60.into();
    let put = changed.replace(put.to_string().as_bytes(), NOW + 4).unwrap();
    assert_eq!(Funnel::of(&put).complete_from_ms, NOW + 2);
    let put = changed.replace(br#"{"name":"F","steps":[{"kind":"page"},{"kind":"page"}]}"#, NOW + 5).unwrap();
    assert_eq!(Funnel::of(&put).complete_from_ms, NOW + 5);
}

proptest! {
    #[test]
    fn any_step_is_read_or_refused(name in ".{0,20}", text in ".{0,20}", number: f64) {
        for value in [json!(text), json!(number), json!([text]), json!({ &name: text })] {
            let steps = json!([{ &name: value }, { "kind": value, "path": value, "min_value": value }]);
            if let Ok(read) = read_steps(&steps) {
                steps_of(&read);
                prop_assert_eq!(read_steps(&read), Ok(read.clone()));
            }
        }
    }
}
