//! What is told to others, on the `SQLite` that D1 is.

use std::collections::HashSet;

use analytics::alert::judge::{Rule, State, judge};
use analytics::alert::keep::{self, Kept};
use analytics::alert::read::{Board, Reading, Service, hour_reads, reads};
use analytics::audit::{Action, Entity, Entry};
use analytics::campaign::Campaigns;
use analytics::catalog::statements::{changes_since, insert, update};
use analytics::catalog::{Item, Sort};
use analytics::outcome::Session;
use analytics::page::{Level, PageKey, PageRow};
use analytics::retention::{Days, prune_hourly};
use analytics::segment::{partition, segments};
use analytics::signature::Signer;
use analytics::{
    Conduct, Dimension, EventId, Kind, Outcome, RawEvent, Scope, Source, Statement, Text, enrich,
};
use queues::delivery::list::{self, List};
use queues::delivery::{Delivery, Due, Event, Fate, Hooks, Target, Told, Want, request, statements};
use queues::plan::{Counted, Plan};
use queues::{Bonds, Frame, Head, Message, ledger};
use serde_json::{Value, json};

use crate::database::Database;

const T: i64 = 1_790_000_000_000;
const MINUTE: i64 = 60_000;
const DAY: i64 = 86_400_000;

fn put(d1: &Database, sort: Sort, body: &Value) -> Item {
    let mut body = body.clone();
    body["name"] = "x".into();
    let item = Item::create(sort, body.to_string().as_bytes(), "w".into(), T).unwrap();
    d1.run(&insert(&item)).unwrap();
    item
}

fn hook(d1: &Database, id: &str, events: &[&str]) -> Item {
    put(d1, Sort::Webhook, &json!({"id": id, "url": "https://hooks.example/", "events": events}))
}

fn known(d1: &Database) -> Hooks {
    let mut hooks = Hooks::default();
    for record in d1.rows(&changes_since(Sort::Webhook, 0), |row| row.get::<_, String>(0)) {
        hooks.learn(&record);
    }
    hooks
}

fn told(d1: &Database) -> Vec<(String, String, Value)> {
    let all = Statement::new("SELECT owner, event, body FROM deliveries ORDER BY number", []);
    d1.rows(&all, |row| {
        let body: String = row.get(2)?;
        Ok((row.get(0)?, row.get(1)?, serde_json::from_str(&body).unwrap_or(Value::Null)))
    })
}

fn claimed(d1: &Database, now_ms: i64) -> Vec<(String, u32, Option<String>)> {
    let records: Vec<String> = d1.rows(&statements::claim(now_ms), |row| row.get(0));
    let due = records.iter().map(|record| Due::of(record).unwrap());
    due.map(|due| (due.id, due.attempts, Some(due.owner).filter(|_| due.of_hook))).collect()
}

fn click(id: u8, campaign: &str, agent: &'static str) -> RawEvent<'static> {
    let mut raw = RawEvent::new(EventId::from_bytes([id; 16]), Kind::Click, Source::Redirect, T + 1);
    (raw.link, raw.campaign_id, raw.user_agent) = ("demo".into(), campaign.to_owned().into(), agent.into());
    raw
}

const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Mobile/15E148 Safari/604.1";

#[test]
fn clicks_are_told_with_what_counts_them_or_not_at_all() {
    let d1 = Database::d1();
    hook(&d1, "all", &["click.recorded"]);
    put(
        &d1,
        Sort::Webhook,
        &json!({"id": "one", "url": "https://a.example/", "events": ["click.recorded"], "campaign_id": "spring"}),
    );
    put(
        &d1,
        Sort::Webhook,
        &json!({"id": "sink", "url": "https://b.example/", "kind": "http_sink", "include_bots": true}),
    );
    hook(&d1, "other", &["link.created"]);
    let hooks = known(&d1);
    let batch = || {
        let mut batch = Told::new(&hooks);
        for raw in [click(1, "spring", PHONE), click(2, "", PHONE), click(3, "spring", "curl/8")] {
            batch.add(&enrich(raw));
        }
        let entry =
            ledger::Entry { gate: "gate/weur/0".into(), number: 1, events: 3, dead: 0, duplicates: 0 };
        ledger::apply(&[entry], &[], &[], T).into_iter().chain(batch.statements(T + 5)).collect::<Vec<_>>()
    };
    d1.transact(&batch()).unwrap();
    d1.transact(&batch()).unwrap_err();
    let of = |owner: &str| told(&d1).into_iter().filter(|(name, ..)| name == owner).collect::<Vec<_>>();
    let ids = |body: &Value| -> Vec<String> {
        body["data"]["clicks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|click| click["event_id"].as_str().unwrap()[..2].into())
            .collect()
    };
    assert_eq!((of("all").len(), ids(&of("all")[0].2)), (1, vec!["01".into(), "02".into()]));
    assert_eq!(ids(&of("one")[0].2), ["01"]);
    assert_eq!(of("other"), []);
    let lines: Vec<String> =
        d1.rows(&Statement::new("SELECT body FROM deliveries WHERE owner = 'sink'", []), |row| row.get(0));
    let lines: Vec<Value> = lines[0].lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(
        (&lines[2]["verdict"], &lines[0]["link"], &lines[0]["device"]),
        (&"bot".into(), &"demo".into(), &"smartphone".into())
    );
    let mut none = Hooks::default();
    none.learn("no record");
    let mut quiet = Told::new(&none);
    quiet.add(&enrich(click(1, "", PHONE)));
    assert_eq!(quiet.statements(T), []);
}

#[test]
fn a_session_is_told_when_its_outcome_is_counted() {
    let d1 = Database::d1();
    hook(&d1, "w", &["session.ended"]);
    let hooks = known(&d1);
    let session = |times, verdict: &'static str| {
        let traits = [(Dimension::Campaign, "spring"), (Dimension::Verdict, verdict)];
        Outcome::Session(Session {
            times,
            start_ms: T,
            duration_ms: 90_000,
            events: 3,
            pages: 2,
            conversions: 0,
            value_micros: 0,
            currency: Text::EMPTY,
            entry_page: "https://shop.example/".into(),
            exit_page: Text::EMPTY,
            session_id: "s1".into(),
            traits: traits.into_iter().collect(),
        })
    };
    let mut frames = Vec::new();
    for outcome in [session(1, "human"), session(-1, "human"), session(1, "bot")] {
        let mut body = Vec::new();
        outcome.encode(&mut body);
        Frame::Outcome(&body).write(&mut frames);
    }
    let message = Message::encode(Head::Admitted { gate: "journey/0", number: 7 }, &frames);
    let count = || {
        let mut batch = Told::new(&hooks);
        let (nobody, none) = (Campaigns::default(), Bonds::default());
        let plan = Plan::of(
            [("m", message.as_slice())],
            &HashSet::new(),
            &nobody,
            (8, &none),
            &Conduct::default(),
            |counted| {
                if let Counted::Session { about, session } = counted {
                    batch.add_session(about, session);
                }
            },
        );
        plan.statements(T).into_iter().chain(batch.statements(T + 5)).collect::<Vec<_>>()
    };
    d1.transact(&count()).unwrap();
    d1.transact(&count()).unwrap_err();
    let told = told(&d1);
    let [(owner, event, body)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((owner.as_str(), event.as_str()), ("w", "session.ended"));
    let session = &body["data"]["session"];
    let of = |name: &str| session[name].clone();
    assert_eq!(
        (of("end"), of("duration_ms"), of("pages"), of("campaign_id"), of("exit_page")),
        ("2026-09-21T14:14:50.000Z".into(), 90_000.into(), 2.into(), "spring".into(), Value::Null)
    );
}

#[test]
fn a_large_batch_is_cut() {
    let d1 = Database::d1();
    hook(&d1, "w", &["click.recorded"]);
    let hooks = known(&d1);
    let mut batch = Told::new(&hooks);
    for n in 0..1_200u32 {
        let mut raw = click(0, "", PHONE);
        raw.id = EventId::of_notice(&[&n.to_string()]);
        batch.add(&enrich(raw));
    }
    d1.transact(&batch.statements(T)).unwrap();
    let sizes: Vec<_> =
        told(&d1).iter().map(|(.., body)| body["data"]["clicks"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [500, 500, 200]);
}

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
fn the_trail_is_told_once_from_where_it_was_told() {
    let d1 = Database::d1();
    let touch = |n: i64| Statement::new("INSERT INTO folds (part, generation) VALUES (0, ?1)", [n.into()]);
    let note = |n: i64, entity: Entity, id: &str, at_ms: i64| {
        let entry = Entry {
            at_ms,
            actor: "admin".into(),
            action: Action::Created,
            entity,
            entity_id: id.into(),
            changes: json!({}),
        };
        d1.transact(&[touch(n), entry.insert()]).unwrap();
    };
    let untold = |now_ms: i64| -> Vec<(i64, String, Option<String>)> {
        let records: Vec<String> = d1.rows(&statements::untold(now_ms), |row| row.get(0));
        let rows = records.iter().map(|record| serde_json::from_str::<Value>(record).unwrap());
        rows.map(|row| {
            (row[0].as_i64().unwrap(), row[5].as_str().unwrap().into(), row[7].as_str().map(Into::into))
        })
        .collect()
    };
    note(1, Entity::Link, "old", T - DAY);
    d1.run(&Statement::new(
        "INSERT INTO links (token, domain, record, words) VALUES ('a', 'go.example', '{\"token\":\"a\"}', '\n')", [],
    )).unwrap();
    note(2, Entity::Link, "go.example/a", T);
    note(3, Entity::Key, "k", T);
    assert_eq!(
        untold(T),
        [(2, "go.example/a".into(), Some("{\"token\":\"a\"}".into())), (3, "k".into(), None)]
    );
    d1.run(&statements::told(2)).unwrap();
    assert_eq!(untold(T).len(), 1);
    d1.run(&statements::told(1)).unwrap();
    assert_eq!(untold(T).len(), 1, "it does not go back");
    d1.run(&statements::pass_over()).unwrap();
    assert_eq!((untold(T).len(), d1.number("SELECT position FROM told WHERE source = 'audit'")), (0, 3));
    d1.run(&statements::pass_over()).unwrap();
    d1.run(&statements::limit_reached("go.example/a", T)).unwrap();
    d1.run(&statements::limit_reached("go.example/a", T)).unwrap();
    assert_eq!(untold(T).len(), 1, "once");
    note(5, Entity::Link, "go.example/a", T);
    d1.run(&statements::limit_reached("go.example/a", T)).unwrap();
    assert_eq!(untold(T).len(), 3, "and once again after a change");
}

#[test]
fn a_link_that_expires_is_noted_once() {
    let d1 = Database::d1();
    let link = |token: &str, expires_ms: i64| {
        let record = json!({"token": token, "expires_at_ms": expires_ms}).to_string();
        let sql = "INSERT INTO links (token, domain, record, words) VALUES (?1, '', ?2, '\n')";
        d1.run(&Statement::new(sql, [token.into(), record.into()])).unwrap();
    };
    link("past", T - DAY);
    link("now", T - 1);
    link("soon", T + MINUTE);
    d1.run(&Statement::new("INSERT INTO links (token, domain, record, words) VALUES ('never', '', '{\"token\":\"never\"}', '\n')", [])).unwrap();
    let expired = || -> Vec<String> {
        d1.rows(
            &Statement::new("SELECT entity_id FROM audit WHERE action = 'expired' ORDER BY id", []),
            |row| row.get(0),
        )
    };
    for (now_ms, noted) in [(T, 1), (T, 1), (T + 2 * MINUTE, 2), (T + 3 * MINUTE, 2)] {
        d1.transact(&statements::expired(now_ms)).unwrap();
        assert_eq!(expired().len(), noted);
    }
    assert_eq!(expired(), ["now", "soon"]);
    let plan = d1.explain(&statements::expired(T)[0]).join("\n");
    assert!(plan.contains("links_by_expiry"), "{plan}");
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
    let rule = a_rule(&json!({"metric": "clicks", "condition": "spike"}));
    let [pages, _] = reads(0, &[&rule], T);
    assert!(!plan(&pages).contains("SCAN sums"), "{}", plan(&pages));
    assert!(!plan(&hour_reads(&Scope::All, T)).contains("SCAN sums"));
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

fn a_rule(body: &Value) -> Rule {
    let mut body = body.clone();
    body["name"] = "x".into();
    Rule::of(&Item::create(Sort::Alert, body.to_string().as_bytes(), "a".into(), T).unwrap()).unwrap()
}

fn page_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<PageRow> {
    let (level, scope): (String, String) = (row.get(0)?, row.get(1)?);
    let key = PageKey {
        level: Level::from_code(&level).unwrap(),
        scope: Scope::from_key(&scope).unwrap(),
        start_ms: row.get(2)?,
    };
    Ok(PageRow { key, chunk: row.get(3)?, totals: row.get(4)?, detail: row.get(5)?, visitors: row.get(6)? })
}

#[test]
fn rules_read_segments_and_pages_of_their_own_scope() {
    let d1 = Database::d1();
    let at = T - T.rem_euclid(MINUTE);
    let events: Vec<_> = (0..6u8)
        .map(|n| {
            let mut raw = click(n, if n < 4 { "spring" } else { "" }, PHONE);
            (raw.received_at_ms, raw.event_time_ms, raw.visitor) =
                (at - MINUTE, at - MINUTE, u64::from(n % 2) * 77 + 1);
            let mut event = enrich(raw);
            event.cost_nanos = 250_000_000;
            event
        })
        .collect();
    for (n, (part, body)) in segments(&analytics::rollup::rollup(&events)).into_iter().enumerate() {
        d1.transact(&ledger::add_segments(&n.to_string(), &[(part, body)], T).collect::<Vec<_>>()).unwrap();
    }
    let read = |body: Value, service: Service| -> Option<Reading> {
        let rule = a_rule(&body);
        let [pages, bodies] = reads(partition(&rule.scope), &[&rule], at);
        let mut board = Board::default();
        for row in d1.rows(&pages, page_row) {
            board.add(&row).unwrap();
        }
        for body in d1.rows(&bodies, |row| row.get::<_, String>(2)) {
            board.add_segment(&body, |scope| *scope == rule.scope).unwrap();
        }
        board.settle();
        board.read(&rule, service, Some(2_000_000), at)
    };
    let value = |body: Value| read(body, Service::default()).unwrap().value.round() as i64;
    assert_eq!(value(json!({"metric": "clicks", "threshold": 1})), 6);
    assert_eq!(value(json!({"metric": "clicks", "threshold": 1, "campaign_id": "spring"})), 4);
    assert_eq!(value(json!({"metric": "clicks", "threshold": 1, "link": "demo"})), 6);
    assert_eq!(value(json!({"metric": "clicks", "threshold": 1, "link": "none"})), 0);
    assert_eq!(value(json!({"metric": "clicks_per_visitor", "threshold": 1, "link": "demo"})), 3);
    assert_eq!(value(json!({"metric": "bot_percent", "threshold": 1})), 0);
    assert_eq!(value(json!({"metric": "budget_percent", "threshold": 1, "campaign_id": "spring"})), 50);
    assert_eq!(
        read(json!({"metric": "clicks", "condition": "spike"}), Service::default()),
        None,
        "nothing is known of past weeks"
    );
    let service = Service { lost: 3, in_flight: 2, dead_lettered: 1 };
    for (metric, value) in [("lost", 3), ("in_flight", 2), ("dead_lettered", 1)] {
        assert_eq!(
            read(json!({"metric": metric, "threshold": 0}), service).unwrap().value.round() as i64,
            value
        );
    }
}

#[test]
fn an_alarm_is_kept_noted_and_told_once() {
    let d1 = Database::d1();
    hook(&d1, "w", &["alert.fired", "alert.resolved"]);
    let item = put(&d1, Sort::Alert, &json!({"id": "lost", "metric": "lost", "threshold": 0}));
    let rule = Rule::of(&item).unwrap();
    let states = || -> Vec<Kept> {
        let rows: Vec<String> = d1.rows(&keep::rules(), |row| row.get(0));
        rows.iter().map(|row| Kept::of(row).unwrap()).collect()
    };
    assert_eq!(states(), [Kept { item: item.clone(), state: State::default() }]);
    let reading = Reading { value: 2.0, events: u64::MAX, score: None };
    let verdict = judge(&rule, State::default(), Some(&reading), T);
    let keep_it = || d1.transact(&keep::keep("lost", &State::default(), &verdict, T)).unwrap();
    keep_it();
    keep_it();
    let fired = "SELECT count(*) FROM audit WHERE entity = 'alert' AND action = 'fired'";
    assert_eq!(d1.number(fired), 1, "of two looks at the same time one notes it");
    let state = states()[0].state;
    assert_eq!(state, verdict.state);
    assert_eq!(keep::keep("lost", &state, &judge(&rule, state, Some(&reading), T + MINUTE), T + MINUTE), []);
    let shown = states()[0].to_json();
    assert_eq!(
        (&shown["alert_id"], &shown["state"], &shown["value"]),
        (&"lost".into(), &"firing".into(), &2.0.into())
    );
    let gone = item.set("status", "paused".into(), T);
    d1.run(&update(1, &gone)).unwrap();
    assert_eq!(states().len(), 0);
}
