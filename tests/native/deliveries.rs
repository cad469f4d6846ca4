//! What becomes of what is told to others, on the `SQLite` that D1 is.

use analytics::catalog::statements::{changes_since, insert};
use analytics::catalog::{Item, Sort};
use analytics::retention::{Days, prune_hourly};
use analytics::signature::Signer;
use analytics::{EventId, Kind, RawEvent, Source, Statement};
use queues::delivery::list::{self, List};
use queues::delivery::{Delivery, Due, Event, Fate, Hooks, Target, Want, request, statements};
use queues::ledger;
use serde_json::{Value, json};

use crate::database::Database;

pub(crate) const T: i64 = 1_790_000_000_000;
pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const DAY: i64 = 86_400_000;

pub(crate) fn put(d1: &Database, sort: Sort, body: &Value) -> Item {
    let mut body = body.clone();
    body["name"] = "x".into();
    let item = Item::create(sort, body.to_string().as_bytes(), "w".into(), T).unwrap();
    d1.run(&insert(&item)).unwrap();
    item
}

pub(crate) fn hook(d1: &Database, id: &str, events: &[&str]) -> Item {
    put(d1, Sort::Webhook, &json!({"id": id, "url": "https://hooks.example/", "events": events}))
}

pub(crate) fn known(d1: &Database) -> Hooks {
    let mut hooks = Hooks::default();
    for record in d1.rows(&changes_since(Sort::Webhook, 0), |row| row.get::<_, String>(0)) {
        hooks.learn(&record);
    }
    hooks
}

pub(crate) fn told(d1: &Database) -> Vec<(String, String, Value)> {
    let all = Statement::new("SELECT owner, event, body FROM deliveries ORDER BY number", []);
    d1.rows(&all, |row| {
        let body: String = row.get(2)?;
        Ok((row.get(0)?, row.get(1)?, serde_json::from_str(&body).unwrap_or(Value::Null)))
    })
}

pub(crate) fn claimed(d1: &Database, now_ms: i64) -> Vec<(String, u32, Option<String>)> {
    let records: Vec<String> = d1.rows(&statements::claim(now_ms), |row| row.get(0));
    let due = records.iter().map(|record| Due::of(record).unwrap());
    due.map(|due| (due.id, due.attempts, Some(due.owner).filter(|_| due.of_hook))).collect()
}

pub(crate) fn click(id: u8, campaign: &str, agent: &'static str) -> RawEvent<'static> {
    let mut raw = RawEvent::new(EventId::from_bytes([id; 16]), Kind::Click, Source::Redirect, T + 1);
    (raw.link, raw.campaign_id, raw.user_agent) = ("demo".into(), campaign.to_owned().into(), agent.into());
    raw
}

pub(crate) const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Mobile/15E148 Safari/604.1";

#[test]
fn a_delivery_is_claimed_by_one_tried_again_and_dead_in_the_end() {
    let d1 = Database::d1();
    hook(&d1, "w", &["link.created"]);
    for statement in known(&d1).tell(Event::LinkCreated, "x/1", "", T, &json!({}), T) {
        d1.transact([&statement, &statement]).unwrap();
    }
    let first = claimed(&d1, T);
    assert_eq!((first.len(), first[0].1, first[0].2.is_some()), (1, 1, true), "told twice is told once");
    assert_eq!(claimed(&d1, T), [], "it is somebody's");
    let id = first[0].0.clone();
    d1.run(&statements::settle(&id, Fate::Again(T + 5), Some(500), Some("boom"), T)).unwrap();
    assert_eq!(claimed(&d1, T + 4), []);
    assert_eq!(claimed(&d1, T + 5)[0].1, 2);
    assert_eq!(claimed(&d1, T + 5 + MINUTE)[0].1, 3, "whoever had it is gone");
    let listed = |query: &[(&str, &str)]| {
        let mut list = List::default();
        for (name, value) in query {
            list.set(name, value).unwrap();
        }
        let rows: Vec<(String, String)> = d1.rows(&list.page(), |row| Ok((row.get(0)?, row.get(1)?)));
        list.answer(rows.iter().map(|(record, place)| (&**record, &**place)))["data"]
            .as_array()
            .unwrap()
            .clone()
    };
    let waiting = &listed(&[("webhook_id", "w"), ("state", "waiting")])[0];
    assert_eq!(
        (&waiting["status"], &waiting["error"], &waiting["ended_at"]),
        (&500.into(), &"boom".into(), &Value::Null)
    );
    d1.run(&statements::settle(&id, Fate::Dead, None, Some("no answer"), T + 9)).unwrap();
    assert_eq!(
        listed(&[("state", "dead"), ("event", "link.created")])[0]["ended_at"],
        "2026-09-21T14:13:20.009Z"
    );
    assert_eq!(claimed(&d1, T + DAY), []);
    let shown: Vec<String> = d1.rows(&list::by_id(&id), |row| row.get(0));
    assert!(shown[0].contains("link.created"));

    d1.transact(&statements::replay(&id, T + DAY)).unwrap();
    assert_eq!(claimed(&d1, T + DAY)[0].1, 1);
    d1.run(&statements::settle(&id, Fate::Delivered, Some(200), None, T + DAY)).unwrap();
    assert_eq!(d1.number("SELECT length(body) FROM deliveries"), 0);
    assert_eq!(
        d1.rows(&statements::replay(&id, T)[0], |row| row.get::<_, String>(0)).len(),
        0,
        "it is not dead"
    );
    let kept = Days { delivery_days: 7, ..Days::default() };
    for (days, left) in [(7, 1), (9, 0)] {
        d1.transact(&prune_hourly(&kept, T + days * DAY, 10)).unwrap();
        assert_eq!(d1.number("SELECT count(*) FROM deliveries"), left);
    }
}

#[test]
fn a_receiver_that_fails_is_left_alone_for_longer_and_longer_and_keeps_nobody_waiting() {
    let d1 = Database::d1();
    let deliver = |owner: &str, n: i64| {
        let to = Some(Target {
            url: "https://a.example/?x=1".into(),
            method: "GET",
            headers: vec![("x-a".into(), "b".into())],
        });
        let delivery = Delivery {
            id: format!("{owner}{n}"),
            owner: owner.into(),
            event: "postback".into(),
            to,
            body: String::new(),
        };
        d1.run(&statements::insert(&delivery, T)).unwrap();
    };
    (0..10).for_each(|n| deliver("down", n));
    let failed = |now_ms: i64| {
        let record: String = d1.rows(&statements::failed("down", now_ms), |row| row.get(0)).remove(0);
        serde_json::from_str::<(i64, i64)>(&record).unwrap()
    };
    assert_eq!(claimed(&d1, T).len(), 6);
    assert_eq!(failed(T), (T, 1));
    deliver("up", 0);
    assert_eq!(claimed(&d1, T).iter().map(|row| &*row.0).collect::<Vec<_>>(), ["up0"]);
    assert_eq!(claimed(&d1, T + 4_999).len(), 0);
    assert_eq!(claimed(&d1, T + 5_000).len(), 4);
    assert_eq!((failed(T + 6_000), failed(T + 6_000)), ((T, 2), (T, 3)));
    assert_eq!(claimed(&d1, T + MINUTE + 25_999 - 60_000).len(), 0);
    d1.run(&statements::recovered("down")).unwrap();
    assert_eq!(d1.number("SELECT count(*) FROM failing"), 0);
    let Want::Send(request) = request(
        "id",
        Some(r#"["https://a.example/","GET",[["x-a","b"]]]"#),
        None,
        "",
        &Signer::new("s").unwrap(),
        T,
    ) else {
        panic!("it has an address of its own")
    };
    assert_eq!((&*request.method, &request.headers[1]), ("GET", &("x-a".to_owned(), "b".to_owned())));
}

#[test]
fn a_webhook_is_asked_for_at_the_time_of_the_try() {
    let d1 = Database::d1();
    let item = hook(&d1, "w", &["link.created"]);
    let signer = Signer::new("s").unwrap();
    let want = |item: &Item| request("msg_1", None, Some(&item.to_record()), "{}", &signer, T + 1_000);
    let Want::Send(plain) = want(&item) else { panic!() };
    let header = |request: &queues::delivery::Request, name: &str| {
        request.headers.iter().find(|(header, _)| header == name).unwrap().1.clone()
    };
    assert_eq!(
        (header(&plain, "webhook-id"), header(&plain, "webhook-timestamp")),
        ("msg_1".into(), "1790000001".into())
    );
    assert_eq!(header(&plain, "webhook-signature").matches("v1,").count(), 1);
    let rotated = item.set("secret_version", 2.into(), T).set("rotated_at", "2026-09-21T14:13:20Z".into(), T);
    let Want::Send(both) = want(&rotated) else { panic!() };
    let signatures = header(&both, "webhook-signature");
    assert_eq!(
        signatures.split(' ').nth(1),
        Some(&*header(&plain, "webhook-signature")),
        "the old secret still holds"
    );
    assert_eq!(want(&item.set("status", "paused".into(), T)), Want::Wait);
    assert_eq!(
        (want(&item.delete(T)), request("m", None, None, "", &signer, T)),
        (Want::Nothing, Want::Nothing)
    );
    let secretive = [rotated.to_record(), rotated.to_json().to_string()];
    assert!(secretive.iter().all(|text| !text.contains("whsec_")));
}

#[test]
fn statements_find_their_rows_by_an_index() {
    let d1 = Database::d1();
    let plan = |statement: &Statement| d1.explain(statement).join("\n");
    assert!(plan(&statements::claim(T)).contains("deliveries_due"));
    for statement in prune_hourly(&Days { delivery_days: 1, ..Days::default() }, T, 1).iter().step_by(2) {
        assert!(plan(statement).contains("deliveries_over"), "{}", plan(statement));
    }
    assert!(!plan(&statements::untold(T)).contains("SCAN links"));
}

#[test]
fn a_scrape_counts_what_waits_and_reads_no_delivery_that_is_over() {
    let d1 = Database::d1();
    let asked = analytics::report::metrics::waiting(T);
    let dead =
        ledger::DeadLetter { id: "letter".to_owned(), reason: "cut".to_owned(), body: "AA==".to_owned() };
    d1.transact(&ledger::bury(&[dead], T)).unwrap();
    for (id, state, due_ms) in
        [("a", "waiting", T - 1), ("b", "waiting", T + 1), ("c", "dead", T), ("d", "delivered", T)]
    {
        d1.run(&Statement::new(
            "INSERT INTO deliveries (id, owner, event, body, state, attempts, created_at_ms, due_ms, expires_ms) \
             VALUES (?1, 'hook', 'click', '', ?2, 0, 0, ?3, 0)",
            [id.into(), state.into(), due_ms.into()],
        ))
        .unwrap();
    }
    let counts = d1.rows(&asked, |row| (0..7).map(|column| row.get(column)).collect::<Result<Vec<i64>, _>>());
    assert_eq!(counts, [[1, 2, 1, 1, 0, 0, 0]]);
    let plan = d1.explain(&asked);
    let of_deliveries: Vec<_> = plan.iter().filter(|step| step.contains("deliveries")).collect();
    assert_eq!(of_deliveries.len(), 3, "{plan:?}");
    assert!(of_deliveries.iter().all(|step| step.contains("INDEX deliveries_d")), "{of_deliveries:?}");
}
