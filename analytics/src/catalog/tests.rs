use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::Reject;

const NOW: i64 = 1_790_000_000_000;

fn create(sort: Sort, body: &Value) -> Result<Item, Vec<Reject>> {
    Item::create(sort, body.to_string().as_bytes(), "fresh".into(), NOW)
}

fn campaign(body: &Value) -> Item {
    create(Sort::Campaign, body).unwrap()
}

fn edit(item: &Item, body: &Value) -> Result<Item, Vec<Reject>> {
    item.edit(body.to_string().as_bytes(), NOW + 1)
}

fn pointers(refused: Result<Item, Vec<Reject>>) -> Vec<String> {
    let mut named: Vec<_> = refused.unwrap_err().iter().map(|reject| reject.pointer.to_string()).collect();
    named.sort_unstable();
    named
}

fn full() -> Value {
    json!({
        "id": "spring", "name": "Spring", "status": "paused", "starts_at": "2026-03-01T00:00:00Z",
        "ends_at": 1_798_761_600_000i64, "cost_model": "cpm", "cost_micros": 2_500_000, "currency": "eur",
        "budget_micros": 5_000_000_000i64, "click_lookback_seconds": 3_600, "view_lookback_seconds": 0,
        "publisher_id": "p1", "medium": "email", "note": "n", "archived": true,
    })
}

#[test]
fn a_name_is_all_that_a_campaign_needs() {
    let item = campaign(&json!({"name": " Spring "}));
    assert_eq!(
        item.to_json(),
        json!({
            "id": "fresh", "name": "Spring", "status": "active", "starts_at": null, "ends_at": null,
            "cost_model": "none", "cost_micros": null, "currency": null, "budget_micros": null,
            "click_lookback_seconds": 604_800, "view_lookback_seconds": 86_400, "billing_window_seconds": 86_400,
            "publisher_id": null, "medium": null, "postback_url": null, "postback_method": "GET",
            "postback_on": ["lead", "sale", "rejected", "rebill"], "note": null, "archived": false, "created_at": "2026-09-21T14:13:20.000Z",
            "updated_at": "2026-09-21T14:13:20.000Z", "deleted_at": null, "version": 1,
        })
    );
    assert_eq!(pointers(create(Sort::Campaign, &json!({}))), ["/name"]);
}

/// Records outlive the code that wrote them: when a sort grows, add a record; never change one.
#[test]
fn records_are_pinned() {
    let publisher = json!({"name": "P", "payout_model": "revshare", "payout_percent": 12.5});
    for (item, record) in [
        (
            campaign(&json!({"name": "Spring"})),
            r#"{"created_at":1790000000000,"id":"fresh","name":"Spring","updated_at":1790000000000,"version":1}"#,
        ),
        (
            campaign(&full()).delete(NOW + 2),
            concat!(
                r#"{"archived":true,"budget_micros":5000000000,"click_lookback_seconds":3600,"cost_micros":2500000,"#,
                r#""cost_model":"cpm","created_at":1790000000000,"currency":"EUR","deleted_at":1790000000002,"#,
                r#""ends_at":1798761600000,"id":"spring","medium":"email","name":"Spring","note":"n","#,
                r#""publisher_id":"p1","starts_at":1772323200000,"status":"paused","updated_at":1790000000002,"#,
                r#""version":2,"view_lookback_seconds":0}"#,
            ),
        ),
        (
            create(Sort::Publisher, &publisher).unwrap(),
            concat!(
                r#"{"created_at":1790000000000,"id":"fresh","name":"P","payout_model":"revshare","#,
                r#""payout_percent":12.5,"updated_at":1790000000000,"version":1}"#,
            ),
        ),
    ] {
        assert_eq!(item.to_record(), record);
        assert_eq!(Item::from_record(item.sort(), record), Some(item));
    }
}

#[test]
fn records_of_postbacks_are_pinned() {
    let body = json!({
        "name": "P", "postback_url": " https://a.example/?c={click_id} ", "postback_method": "POST",
        "postback_on": ["sale", "lead", "sale"],
    });
    let mut longer = body.clone();
    longer["billing_window_seconds"] = 3_600.into();
    for (item, record) in [
        (
            create(Sort::Publisher, &body).unwrap(),
            concat!(
                r#"{"created_at":1790000000000,"id":"fresh","name":"P","postback_method":"POST","#,
                r#""postback_on":["lead","sale"],"postback_url":"https://a.example/?c={click_id}","#,
                r#""updated_at":1790000000000,"version":1}"#,
            ),
        ),
        (
            campaign(&longer),
            concat!(
                r#"{"billing_window_seconds":3600,"created_at":1790000000000,"id":"fresh","name":"P","#,
                r#""postback_method":"POST","postback_on":["lead","sale"],"#,
                r#""postback_url":"https://a.example/?c={click_id}","updated_at":1790000000000,"version":1}"#,
            ),
        ),
    ] {
        assert_eq!(item.to_record(), record);
        assert_eq!(Item::from_record(item.sort(), record), Some(item));
    }
}

#[test]
fn a_postback_that_cannot_be_made_is_refused_where_it_is_written() {
    for (name, value) in [
        ("postback_url", json!("https://a.example/?c={nothing}")),
        ("postback_url", json!("https://{sub1}.example/")),
        ("postback_url", json!(7)),
        ("postback_method", json!("PUT")),
        ("postback_on", json!(["sold"])),
        ("postback_on", json!([])),
        ("billing_window_seconds", json!(-1)),
    ] {
        let mut body = json!({"name": "x", "postback_url": "https://a.example/?c={click_id}"});
        body[name] = value.clone();
        assert_eq!(pointers(create(Sort::Campaign, &body)), [format!("/{name}")], "{value}");
        if name != "billing_window_seconds" {
            assert_eq!(pointers(create(Sort::Publisher, &body)), [format!("/{name}")], "{value}");
        }
    }
}

#[test]
fn records_of_webhooks_and_alerts_are_pinned() {
    let webhook = json!({
        "name": "CRM", "url": "https://a.example/", "events": ["link.created", "click.recorded", "link.created"],
    });
    let alert = json!({"name": "A", "metric": "bot_percent", "threshold": 12.5, "link": "a"});
    for (item, record) in [
        (
            create(Sort::Webhook, &webhook).unwrap().set("secret_version", 2.into(), NOW + 1),
            concat!(
                r#"{"created_at":1790000000000,"events":["click.recorded","link.created"],"id":"fresh","name":"CRM","#,
                r#""secret_version":2,"updated_at":1790000000001,"url":"https://a.example/","version":2}"#,
            ),
        ),
        (
            create(Sort::Alert, &alert).unwrap(),
            concat!(
                r#"{"created_at":1790000000000,"id":"fresh","link":"a","metric":"bot_percent","name":"A","#,
                r#""threshold":12.5,"updated_at":1790000000000,"version":1}"#,
            ),
        ),
    ] {
        assert_eq!(item.to_record(), record);
        assert_eq!(Item::from_record(item.sort(), record), Some(item));
    }
}

#[test]
fn what_is_the_services_own_is_its_own() {
    let body = json!({"name": "x", "url": "https://a.example/", "events": ["link.created"]});
    let mut given = body.clone();
    given["secret_version"] = 3.into();
    assert_eq!(pointers(create(Sort::Webhook, &given)), ["/secret_version"]);
    let rotated = create(Sort::Webhook, &body).unwrap().set("secret_version", 2.into(), NOW);
    assert_eq!(pointers(edit(&rotated, &json!({"secret_version": 3}))), ["/secret_version"]);
    assert_eq!(edit(&rotated, &json!({"secret_version": 2})).unwrap(), rotated);
    let put = rotated.replace(body.to_string().as_bytes(), NOW).unwrap();
    assert_eq!((put.number("secret_version"), put.version), (Some(2), 2), "it is the same");
    let sink =
        json!({"name": "x", "url": "ftp://a.example/", "kind": "http_sink", "events": ["link.created"]});
    assert_eq!(pointers(create(Sort::Webhook, &sink)), ["/events", "/url"]);
    assert_eq!(pointers(create(Sort::Webhook, &json!({"name": "x"}))), ["/events", "/url"]);
}

#[test]
fn everything_that_is_wrong_is_named_at_once() {
    let refused = create(
        Sort::Campaign,
        &json!({
            "id": "a\nb", "status": "gone", "starts_at": "soon", "cost_model": "cpc", "cost_micros": 1.5,
            "currency": "euro", "budget_micros": -1, "click_lookback_seconds": 7_776_001, "archived": "no",
            "medium": "x".repeat(129), "version": 3, "end_at": 1,
        }),
    );
    assert_eq!(
        pointers(refused),
        [
            "/archived",
            "/budget_micros",
            "/click_lookback_seconds",
            "/cost_micros",
            "/currency",
            "/end_at",
            "/id",
            "/medium",
            "/name",
            "/starts_at",
            "/status",
            "/version",
        ]
    );
}

#[test]
fn what_contradicts_itself_is_refused() {
    let cases = [
        (json!({"starts_at": 1_790_000_000_000i64, "ends_at": 1_790_000_000_000i64}), "/ends_at"),
        (json!({"cost_model": "cpc", "currency": "EUR"}), "/cost_micros"),
        (json!({"cost_model": "cpc", "cost_micros": 1}), "/currency"),
        (json!({"budget_micros": 1}), "/currency"),
    ];
    for (mut body, pointer) in cases {
        body["name"] = "x".into();
        assert_eq!(pointers(create(Sort::Campaign, &body)), [pointer], "{body}");
    }
    let priced = campaign(&json!({"name": "x", "cost_model": "cpc", "cost_micros": 1, "currency": "EUR"}));
    assert_eq!(
        pointers(edit(&priced, &json!({"currency": null}))),
        ["/currency"],
        "a patch is judged as a whole"
    );
    for (body, pointer) in [
        (json!({"payout_model": "revshare"}), "/payout_percent"),
        (json!({"payout_model": "cpa", "currency": "EUR"}), "/payout_micros"),
        (json!({"payout_micros": 5}), "/currency"),
        (json!({"payout_percent": 100.1}), "/payout_percent"),
    ] {
        let mut body = body;
        body["name"] = "x".into();
        assert_eq!(pointers(create(Sort::Publisher, &body)), [pointer], "{body}");
    }
}

#[test]
fn a_patch_changes_what_it_names_and_a_put_everything() {
    let item = campaign(&full());
    let patched = edit(&item, &json!({"id": "spring", "note": null, "name": "Summer"})).unwrap();
    assert_eq!(
        (patched.text("name"), patched.text("note"), patched.text("medium")),
        ("Summer".into(), String::new(), "email".into())
    );
    assert_eq!((patched.version, patched.created_at_ms, patched.updated_at_ms), (2, NOW, NOW + 1));
    assert_eq!(edit(&patched, &json!({"name": "Summer", "note": ""})).unwrap(), patched);
    assert_eq!(pointers(edit(&patched, &json!({"id": "other"}))), ["/id"]);

    let put = patched.replace(br#"{"name":"Autumn"}"#, NOW + 3).unwrap();
    assert_eq!((put.version, put.text("medium"), put.created_at_ms), (3, String::new(), NOW));
    assert_eq!(put.replace(br#"{"id":"spring","name":"Autumn"}"#, NOW + 4).unwrap(), put);
    let back = put.delete(NOW + 5).replace(br#"{"name":"Autumn"}"#, NOW + 6).unwrap();
    assert_eq!((back.is_deleted(), back.version), (false, 5));
    assert_eq!(
        Item::create_as(Sort::Campaign, "spring", br#"{"name":"Autumn"}"#, NOW).unwrap().id(),
        "spring"
    );
    assert_eq!(
        pointers(Item::create_as(Sort::Campaign, "spring", br#"{"name":"A","id":"b"}"#, NOW)),
        ["/id"]
    );
    assert_eq!(pointers(Item::create_as(Sort::Campaign, &"é".repeat(129), b"{}", NOW)), ["/id"]);
}

#[test]
fn an_items_state_is_where_it_shows() {
    let item = campaign(&json!({"name": "x", "status": "ended"}));
    assert_eq!(item.state(), "ended");
    let archived = edit(&item, &json!({"archived": true})).unwrap();
    assert_eq!(archived.state(), "archived");
    assert_eq!(archived.delete(NOW).state(), "deleted");
    assert_eq!(archived.delete(NOW).restore(NOW).state(), "archived");
}

proptest! {
    #[test]
    fn any_bytes_are_answered(body: Vec<u8>, record: String) {
        let item = campaign(&full());
        let _ = Item::create(Sort::Publisher, &body, "x".into(), NOW);
        let _ = item.edit(&body, NOW);
        let _ = item.replace(&body, NOW);
        let _ = Item::from_record(Sort::Campaign, &record);
    }

    #[test]
    fn any_value_of_any_field_is_answered_and_what_is_taken_is_stored_and_shown(
        place in 0usize..29, text in any::<String>(), number: i64, flag: bool,
    ) {
        let sort = if place < 18 { Sort::Campaign } else { Sort::Publisher };
        let field = sort.fields()[place % 18].name;
        let item = create(sort, &json!({"name": "x", "currency": "EUR"})).unwrap();
        let kept = item.value(field);
        for value in [json!(text), json!(number), json!(number % 100), json!(flag), json!([text]), kept] {
            let Ok(edited) = edit(&item, &json!({ field: value })) else { continue };
            prop_assert_eq!(Item::from_record(sort, &edited.to_record()), Some(edited.clone()));
            // What an answer shows, less what the service sets, is a patch that changes nothing.
            let mut shown = edited.to_json();
            for name in ["created_at", "updated_at", "deleted_at", "version"] {
                shown.as_object_mut().unwrap().remove(name);
            }
            prop_assert_eq!(edit(&edited, &shown).unwrap(), edited.clone());
            prop_assert_eq!(edited.replace(shown.to_string().as_bytes(), NOW).unwrap(), edited);
        }
    }
}
