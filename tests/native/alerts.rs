//! What alerts read and what becomes of an alarm, on the `SQLite` that D1 is.

use analytics::alert::judge::{Rule, State, judge};
use analytics::alert::keep::{self, Kept};
use analytics::alert::read::{Board, Reading, Service, hour_reads, reads};
use analytics::catalog::statements::update;
use analytics::catalog::{Item, Sort};
use analytics::page::{Level, PageKey, PageRow};
use analytics::segment::{partition, segments};
use analytics::{Scope, enrich};
use queues::ledger;
use serde_json::{Value, json};

use crate::database::Database;
use crate::deliveries::{MINUTE, PHONE, T, click, hook, put};

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
fn rules_find_their_rows_by_an_index() {
    let d1 = Database::d1();
    let rule = a_rule(&json!({"metric": "clicks", "condition": "spike"}));
    let [pages, _] = reads(0, &[&rule], T);
    for asked in [pages, hour_reads(&Scope::All, T)] {
        let plan = d1.explain(&asked).join("\n");
        assert!(!plan.contains("SCAN sums"), "{plan}");
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
