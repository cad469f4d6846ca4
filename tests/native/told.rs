//! What is told of clicks, sessions, links and the trail: once, with what counts it.

use std::collections::HashSet;

use analytics::audit::{Action, Entity, Entry};
use analytics::campaign::Campaigns;
use analytics::catalog::Sort;
use analytics::outcome::Session;
use analytics::{Conduct, Dimension, EventId, Outcome, Statement, Text, enrich};
use queues::delivery::{Hooks, Told, statements};
use queues::plan::{Counted, Plan};
use queues::{Bonds, Frame, Head, Message, ledger};
use serde_json::{Value, json};

use crate::database::Database;
use crate::deliveries::{DAY, MINUTE, PHONE, T, click, hook, known, put, told};

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
