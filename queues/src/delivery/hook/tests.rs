use super::*;

const T: i64 = 1_790_000_000_000;

fn record(change: i64, body: &Value) -> String {
    let mut body = body.clone();
    (body["name"], body["url"]) = ("x".into(), "https://a.example/".into());
    let item = Item::create(Sort::Webhook, body.to_string().as_bytes(), "w".into(), T).unwrap();
    let mut record: Value = serde_json::from_str(&item.to_record()).unwrap();
    record["change"] = change.into();
    record.to_string()
}

#[test]
fn a_webhook_is_told_what_it_asked_for_since_it_did() {
    let mut hooks = Hooks::default();
    hooks.learn(&record(1, &json!({"events": ["session.ended", "alert.fired"], "campaign_id": "spring"})));
    assert!(hooks.want(Event::SessionEnded) && !hooks.want(Event::ClickRecorded) && hooks.want_changes());
    let told = |campaign: &str, at_ms| {
        hooks.tell(Event::SessionEnded, "session/1", campaign, at_ms, &json!({}), T).len()
    };
    assert_eq!((told("spring", T), told("", T), told("spring", T - 1)), (1, 0, 0));
    hooks.learn(&record(2, &json!({"events": ["session.ended"], "status": "paused"})));
    assert_eq!((hooks.change(), hooks.want(Event::SessionEnded)), (2, false));
    hooks.learn(&record(1, &json!({"events": ["session.ended"]})));
    assert!(!hooks.want(Event::SessionEnded), "an old record does not bring it back");
}

#[test]
fn a_message_has_the_same_id_each_time_and_another_for_each_webhook() {
    let hook = |id: &str| Hook {
        id: id.into(),
        ..Hook::of(
            &Item::from_record(Sort::Webhook, &record(1, &json!({"events": ["session.ended"]}))).unwrap(),
        )
    };
    let id = |hook: &Hook, about: &str| hook.delivery(Event::SessionEnded, about, String::new()).id;
    assert_eq!(id(&hook("a"), "s/1"), id(&hook("a"), "s/1"));
    assert_ne!(id(&hook("a"), "s/1"), id(&hook("b"), "s/1"));
    assert_ne!(id(&hook("a"), "s/1"), id(&hook("a"), "s/2"));
    assert!(id(&hook("a"), "s/1").starts_with("msg_") && !id(&hook("ü."), "s").contains('.'));
}
