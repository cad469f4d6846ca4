//! Budgets and statements, on the `SQLite` that D1 is.

use std::collections::HashSet;

use analytics::campaign::Campaigns;
use analytics::catalog::{Item, Sort};
use analytics::fold::{Fold, read_generation, read_segments};
use analytics::outcome::{Correction, Outcome};
use analytics::page::{Level, PageKey, PageRow};
use analytics::report::statement::Asked;
use analytics::segment::partition;
use analytics::{Conduct, Dimension, EventId, Kind, RawEvent, Scope, Source, Text};
use proptest::prelude::*;
use queues::Frame;
use queues::plan::{Known, Plan, Planner};
use queues::{Bonds, Head, Message};
use serde_json::{Value, json};

use crate::database::Database;
use crate::simulation::folder::page_row;

const T: i64 = 1_790_000_000_000;
const PRICE: i64 = 250_000;
const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1";

fn record(sort: Sort, id: &str, body: &Value, change: i64) -> String {
    let item = Item::create(sort, body.to_string().as_bytes(), id.to_owned(), T).unwrap();
    let mut record: Value = serde_json::from_str(&item.to_record()).unwrap();
    record["change"] = change.into();
    record.to_string()
}

fn set_budget(campaigns: &mut Campaigns, micros: i64, change: i64) {
    let body = json!({"name": "x", "cost_model": "cpc", "cost_micros": PRICE, "currency": "EUR",
        "budget_micros": micros, "publisher_id": "anna"});
    campaigns.learn(&record(Sort::Campaign, "tight", &body, change));
}

/// What a consumer knows when it starts.
fn consumer(budget_micros: i64) -> Campaigns {
    let mut campaigns = Campaigns::default();
    set_budget(&mut campaigns, budget_micros, 1);
    let anna = json!({"name": "x", "payout_model": "cpc", "payout_micros": 3, "currency": "EUR"});
    campaigns.learn_publisher(&record(Sort::Publisher, "anna", &anna, 1));
    campaigns
}

fn clicks(number: i64, clicks: usize) -> Vec<u8> {
    let mut frames = Vec::new();
    for _ in 0..clicks {
        let id = EventId::from_bytes([1; 16]);
        let mut raw = RawEvent::new(id, Kind::Click, Source::Redirect, T);
        (raw.campaign_id, raw.user_agent, raw.visitor) = ("tight".into(), PHONE.into(), 1);
        Frame::write_event(&raw, &mut frames);
    }
    Message::encode(Head::Admitted { gate: "gate/weur/0", number }, &frames)
}

/// A click turned out not to be billable.
fn given_back(number: i64) -> Vec<u8> {
    let traits = [(Dimension::Campaign, "tight"), (Dimension::Publisher, "anna")];
    let correction = Outcome::Correction(Correction {
        at_ms: T,
        conversions: 0,
        value_micros: 0,
        currency: Text::EMPTY,
        cost_nanos: -PRICE * 1_000,
        cost_currency: "EUR".into(),
        payout_nanos: -3_000,
        payout_currency: "EUR".into(),
        traits: traits.into_iter().collect(),
    });
    let (mut body, mut frames) = (Vec::new(), Vec::new());
    correction.encode(&mut body);
    Frame::Outcome(&body).write(&mut frames);
    Message::encode(Head::Admitted { gate: "journey/0", number }, &frames)
}

fn spent(d1: &Database) -> i64 {
    d1.number("SELECT coalesce(sum(nanos), 0) FROM spend") / 1_000
}

/// Counts a message as the shell does: by what is known, and if that was wrong, by what is read.
fn count(d1: &Database, campaigns: &mut Campaigns, message: &[u8]) -> usize {
    for tries in 1.. {
        let plan = Plan::of(
            [("m", message)],
            &HashSet::new(),
            campaigns,
            (0, &Bonds::default()),
            &Conduct::default(),
            |_| (),
        );
        match d1.transact(&plan.statements(T)) {
            Ok(()) => {
                plan.charges.written(campaigns);
                let refused = plan.charges.read_refused();
                if let Some(read) = refused {
                    learn(d1, campaigns, &read);
                }
                return tries;
            }
            Err(error) => {
                assert!(error.to_string().contains("CHECK"), "{error}");
                assert!(tries < 3, "nobody else spends meanwhile");
                learn(d1, campaigns, &plan.charges.read());
            }
        }
    }
    unreachable!()
}

fn learn(d1: &Database, campaigns: &mut Campaigns, read: &analytics::Statement) {
    for (id, nanos) in d1.rows(read, |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))) {
        campaigns.learn_spent(&id, nanos.parse().unwrap());
    }
}

fn statement(d1: &Database) -> Value {
    let asked = Asked::parse("anna", "month=2026-09", T).unwrap();
    let [pages, segments] = asked.reads();
    let rows = d1.rows(&pages, |row| {
        let key = PageKey { level: Level::Day, scope: asked.scope.clone(), start_ms: row.get(0)? };
        let [totals, detail, visitors] = [row.get(2)?, row.get(3)?, row.get(4)?];
        Ok(PageRow { key, chunk: row.get(1)?, totals, detail, visitors })
    });
    let segments: Vec<String> = d1.rows(&segments, |row| row.get(2));
    asked.answer(&rows, &segments, T).unwrap()
}

fn fold(d1: &Database) {
    let part = partition(&Scope::Publisher("anna".into()));
    let generation = d1.rows(&read_generation(part), |row| row.get(0)).pop().unwrap();
    let segments = d1.rows(&read_segments(part), |row| Ok((row.get(0)?, row.get(1)?)));
    let (mut fold, left) = Fold::begin(part, generation, &segments);
    assert_eq!(left, []);
    for read in fold.read_pages() {
        for row in d1.rows(&read, page_row) {
            fold.add(&row).unwrap();
        }
    }
    d1.transact(&fold.write()).unwrap();
}

#[test]
fn a_consumer_that_knows_nothing_finds_out_when_it_would_overdraw() {
    let d1 = Database::d1();
    let (mut one, mut other) = (consumer(3 * PRICE), consumer(3 * PRICE));
    assert_eq!(count(&d1, &mut one, &clicks(1, 2)), 1, "nobody reads before there is need");
    assert_eq!(count(&d1, &mut other, &clicks(2, 2)), 2);
    assert_eq!(spent(&d1), 3 * PRICE);
    assert_eq!(count(&d1, &mut other, &clicks(3, 5)), 1, "now it knows");
    assert_eq!(spent(&d1), 3 * PRICE);
    assert_eq!(count(&d1, &mut one, &given_back(1)), 1);
    assert_eq!(spent(&d1), 2 * PRICE);
    // What was given back is learnt with the next event that is refused.
    count(&d1, &mut other, &clicks(4, 1));
    count(&d1, &mut other, &clicks(5, 1));
    assert_eq!(spent(&d1), 3 * PRICE);
    let totals = &statement(&d1)["totals"][0];
    assert_eq!((&totals["payout_micros"], &totals["clicks"]), (&json!(9), &json!(4)));
}

#[test]
fn a_budget_that_shrinks_stops_the_campaign_and_nothing_else() {
    let d1 = Database::d1();
    let mut one = consumer(5 * PRICE);
    count(&d1, &mut one, &clicks(1, 4));
    set_budget(&mut one, PRICE, 2);
    count(&d1, &mut one, &clicks(2, 1));
    count(&d1, &mut one, &given_back(1));
    assert_eq!(spent(&d1), 3 * PRICE);
    let mut fresh = consumer(PRICE);
    count(&d1, &mut fresh, &given_back(2));
    count(&d1, &mut fresh, &clicks(3, 1));
    assert_eq!(spent(&d1), 2 * PRICE);
}

/// Found by the law below.
#[test]
fn what_another_consumer_charged_and_is_given_back_is_no_room() {
    let d1 = Database::d1();
    let (mut one, mut other) = (consumer(PRICE + PRICE / 2), consumer(PRICE + PRICE / 2));
    count(&d1, &mut one, &clicks(1, 1));
    count(&d1, &mut other, &given_back(2));
    count(&d1, &mut other, &clicks(3, 2));
    assert_eq!(spent(&d1), PRICE);
}

/// A consumer plans its batch in turns with others, and learns between two messages what they have charged.
#[test]
fn what_becomes_known_while_a_batch_is_planned_is_no_room_either() {
    let d1 = Database::d1();
    let (mut one, mut other) = (consumer(3 * PRICE), consumer(3 * PRICE));
    let (bonds, conduct, nothing) = (Bonds::default(), Conduct::default(), HashSet::new());
    let messages = [clicks(1, 2), clicks(2, 1)];
    let mut planner = Planner::new(0);
    let mut add = |message, campaigns: &Campaigns| {
        let known = Known { campaigns, bonds: &bonds, conduct: &conduct };
        planner.add(("m", message), &nothing, known, &mut |_| ());
    };
    add(&messages[0], &one);
    count(&d1, &mut other, &clicks(3, 2));
    one.learn_spent("tight", spent(&d1) * 1_000);
    add(&messages[1], &one);
    let plan = planner.finish(&one);
    let refused = d1.transact(&plan.statements(T)).unwrap_err();
    assert!(refused.to_string().contains("CHECK"), "{refused}");
    assert_eq!(spent(&d1), 2 * PRICE);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_budget_is_ever_overdrawn_and_statements_are_of_what_was_spent(
        budget in 0i64..30,
        batches in prop::collection::vec((0usize..3, 1usize..6, prop::bool::weighted(0.2)), 0..16),
        fold_at in 0usize..16,
    ) {
        let d1 = Database::d1();
        let mut consumers = [(); 3].map(|()| consumer(budget * PRICE + PRICE / 2));
        let (mut billed, mut back) = (0i64, 0i64);
        for (number, (who, many, refund)) in (1i64..).zip(batches) {
            let before = spent(&d1);
            if refund && billed > back {
                count(&d1, &mut consumers[who], &given_back(number));
                back += 1;
                prop_assert_eq!(spent(&d1), before - PRICE);
            } else {
                count(&d1, &mut consumers[who], &clicks(number, many));
                billed += (spent(&d1) - before) / PRICE;
            }
            prop_assert!(spent(&d1) <= budget * PRICE);
            if number as usize == fold_at {
                fold(&d1);
            }
        }
        let statement = statement(&d1);
        let lines = statement["lines"].as_array().unwrap().iter();
        let paid: i64 = lines.map(|line| line["payout_micros"].as_i64().unwrap()).sum();
        prop_assert_eq!(paid, (billed - back) * 3);
        prop_assert_eq!(spent(&d1), (billed - back) * PRICE);
    }
}
