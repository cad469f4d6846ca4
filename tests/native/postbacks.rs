//! Whom a transaction is told to, on the `SQLite` that D1 is: from the outcome to the row, and what becomes of it.

use std::collections::HashSet;

use analytics::campaign::Campaigns;
use analytics::catalog::statements::{changes_since, insert};
use analytics::catalog::{Item, Sort};
use analytics::conversion::Status;
use analytics::outcome::Converted;
use analytics::signature::Signer;
use analytics::{Dimension, EventId, Outcome, Statement};
use queues::delivery::{Answer, Due, Postbacks, Told, Want, statements};
use queues::plan::{Counted, Plan};
use queues::{Bonds, Frame, Head, Message};
use serde_json::{Value, json};

use crate::database::Database;

const T: i64 = 1_790_000_000_000;

fn put(d1: &Database, sort: Sort, id: &str, mut body: Value) {
    body["name"] = "x".into();
    let item = Item::create(sort, body.to_string().as_bytes(), id.into(), T).unwrap();
    d1.run(&insert(&item)).unwrap();
}

fn known(d1: &Database) -> Postbacks {
    let mut postbacks = Postbacks::default();
    for sort in [Sort::Campaign, Sort::Publisher] {
        for record in d1.rows(&changes_since(sort, 0), |row| row.get::<_, String>(0)) {
            postbacks.learn(sort, &record);
        }
    }
    postbacks
}

fn outcome(times: i64, status: Status) -> Outcome<'static> {
    let traits = [(Dimension::Link, "demo"), (Dimension::Publisher, "anna"), (Dimension::Sub1, "s&1")];
    Outcome::Converted(Converted {
        times,
        about: 7,
        conversion: EventId::from_bytes([2; 16]),
        at_ms: T,
        named_ms: Some(T - 1),
        txid: "t1".into(),
        name: "buy".into(),
        status,
        value_micros: 5_000_000,
        currency: "EUR".into(),
        campaign: "spring".into(),
        payee: "anna".into(),
        payout_nanos: 0,
        payout_currency: "".into(),
        touched_ms: Some(T - 1),
        clicked: true,
        traits: traits.into_iter().collect(),
    })
}

/// The transaction that counts these outcomes, as a journal's message of this number.
fn counting(postbacks: &Postbacks, number: i64, outcomes: &[Outcome<'_>]) -> Vec<Statement> {
    let mut frames = Vec::new();
    for outcome in outcomes {
        let mut body = Vec::new();
        outcome.encode(&mut body);
        Frame::Outcome(&body).write(&mut frames);
    }
    let message = Message::encode(Head::Admitted { gate: "journey/0", number }, &frames);
    let (hooks, signer) = (queues::delivery::Hooks::default(), Signer::new("secret").unwrap());
    let (mut told, nobody, none) = (Told::new(&hooks), Campaigns::default(), Bonds::default());
    let plan = Plan::of(
        [("m", message.as_slice())],
        &HashSet::new(),
        &nobody,
        (8, &none),
        &analytics::Conduct::default(),
        |counted| {
            if let Counted::Converted(converted) = counted {
                told.add_postbacks(postbacks.tell(converted, &signer, T));
            }
        },
    );
    plan.statements(T).into_iter().chain(told.statements(T)).collect()
}

fn rows(d1: &Database) -> Vec<(String, String, String, Option<String>)> {
    let all = Statement::new("SELECT owner, event, state, target FROM deliveries ORDER BY number", []);
    d1.rows(&all, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
}

#[test]
fn a_status_is_one_row_for_each_receiver_however_often_it_is_counted() {
    let d1 = Database::d1();
    put(&d1, Sort::Campaign, "spring", json!({"postback_url": "https://shop.example/{status}"}));
    put(
        &d1,
        Sort::Publisher,
        "anna",
        json!({"postback_url": "http://net.example/?s={status}&a={sub1}&k=s3cret"}),
    );
    let postbacks = known(&d1);
    let lead = [outcome(1, Status::Lead)];
    d1.transact(&counting(&postbacks, 1, &lead)).unwrap();
    d1.transact(&counting(&postbacks, 1, &lead)).unwrap_err();
    // Another journal that tells of it, because the visitor is known by another name now.
    d1.transact(&counting(&postbacks, 2, &lead)).unwrap();
    assert_eq!(rows(&d1).len(), 2);
    d1.transact(&counting(&postbacks, 3, &[outcome(-1, Status::Lead), outcome(1, Status::Sale)])).unwrap();
    let told = rows(&d1);
    let told: Vec<_> = told.iter().map(|row| (row.0.as_str(), row.1.as_str())).collect();
    assert_eq!(
        told,
        [
            ("postback/campaign/spring", "conversion.lead"),
            ("postback/publisher/anna", "conversion.lead"),
            ("postback/campaign/spring", "conversion.sale"),
            ("postback/publisher/anna", "conversion.sale"),
        ]
    );
}

#[test]
fn what_got_through_keeps_no_address_and_a_webhook_of_the_same_name_is_left_alone() {
    let d1 = Database::d1();
    let id = "postback/publisher/anna";
    put(&d1, Sort::Webhook, id, json!({"url": "https://hooks.example/", "events": ["link.created"]}));
    put(&d1, Sort::Publisher, "anna", json!({"postback_url": "http://net.example/?a={sub1}"}));
    d1.transact(&counting(&known(&d1), 1, &[outcome(1, Status::Sale)])).unwrap();
    let claim = |now_ms| -> Vec<Due> {
        let records: Vec<String> = d1.rows(&statements::claim(now_ms), |row| row.get(0));
        records.iter().map(|record| Due::of(record).unwrap()).collect()
    };
    let [due] = claim(T).try_into().unwrap();
    assert!(!due.of_hook);
    let Want::Send(request) = due.want(&Signer::new("secret").unwrap(), T) else { panic!("{due:?}") };
    assert_eq!((request.url.as_str(), request.method.as_str()), ("http://net.example/?a=s%261", "GET"));
    assert!(request.plain && request.headers.iter().all(|(name, _)| name == "user-agent"));
    let answer = |status| Answer::Status(status, None);
    d1.transact(&due.settle(&answer(500), Some("boom"), T, 0).1).unwrap();
    assert_eq!(claim(T + 4_000).len(), 0, "it is left alone for five seconds");
    let [again] = claim(T + 6_000).try_into().unwrap();
    assert_eq!((again.attempts, &again.id), (2, &due.id));
    d1.transact(&again.settle(&answer(200), None, T + 6_000, 0).1).unwrap();
    assert_eq!(rows(&d1), [(id.to_owned(), "conversion.sale".to_owned(), "delivered".to_owned(), None)]);
}
