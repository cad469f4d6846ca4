//! Erasing people and forgetting what is old, on the `SQLite` that D1 is.

use analytics::archive::{Chunk, Keeping, Span, gathered, keep, named, run, waiting};
use analytics::erasure::{self, Run, Subject, Wanted, hex, unhex};
use analytics::retention::{Class, Days, held, prune_hourly, runs};
use analytics::{Statement, VisitorKey};
use serde_json::{Value, json};

use crate::database::Database;

const T: i64 = 1_790_000_000_000;
const DAY: i64 = 86_400_000;

fn text(text: &str) -> Chunk {
    Chunk { text: text.to_owned(), lines: 1, events: 1, copies: 0, first_ms: T, last_ms: T }
}

fn archived(d1: &Database, chunk: &Chunk, keeping: Keeping) {
    d1.run(&keep(T, chunk.text.len() as i64, Span::of(std::slice::from_ref(chunk)), keeping)).unwrap();
}

fn receipt(d1: &Database, id: &str) -> Value {
    let rows = d1.rows(&erasure::receipt(id), |row| row.get::<_, String>(0));
    serde_json::from_str(&rows[0]).unwrap()
}

fn now(d1: &Database) -> Option<Run> {
    let [run, ..] = erasure::look();
    let rows = d1.rows(&run, |row| {
        Ok(Run {
            step: row.get(0)?,
            phase: row.get(1)?,
            place: row.get(2)?,
            upto: row.get(3)?,
            round: row.get(4)?,
            grown: row.get(5)?,
            salt: row.get(6)?,
        })
    });
    rows.into_iter().next()
}

fn wanted(d1: &Database) -> Vec<(String, String, i64)> {
    let [_, keys, _] = erasure::look();
    d1.rows(&keys, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}

fn bounds(d1: &Database) -> (i64, i64) {
    let [.., bounds] = erasure::look();
    d1.rows(&bounds, |row| Ok((row.get(0)?, row.get(1)?)))[0]
}

#[test]
fn an_erasure_waits_runs_watches_and_is_done() {
    let d1 = Database::d1();
    let ada = Subject { kind: "user_id", id: "ada".to_owned() };
    let ask = |id: &str| d1.transact(&erasure::request(id, &ada, "hash", "admin", &[ada.key()], T)).unwrap();
    ask("one");
    assert_eq!(receipt(&d1, "one")["state"], "waiting");
    assert_eq!(wanted(&d1), [], "nobody is looked for yet");
    d1.transact(&erasure::begin("salt", T)).unwrap();
    assert_eq!(wanted(&d1), [(hex(ada.key()), "one".to_owned(), T)]);
    // Who asks while it runs waits for the next.
    ask("two");
    d1.transact(&erasure::begin("other", T)).unwrap();
    assert_eq!(receipt(&d1, "two")["state"], "waiting");
    let before = now(&d1).unwrap();
    assert_eq!((before.salt.as_str(), before.step, bounds(&d1)), ("salt", 0, (0, 0)));
    let next = Run { step: 1, place: 7, ..before };
    let statements: Vec<_> =
        erasure::step(&next).into_iter().chain([erasure::count("one", "events", 3)]).collect();
    d1.transact(&statements).unwrap();
    assert!(d1.transact(&statements).is_err(), "a step is taken once");
    assert_eq!(receipt(&d1, "one")["counts"], json!({ "events": 3 }));
    assert_eq!(now(&d1).unwrap().place, 7);
    d1.run(&erasure::names("one", &[VisitorKey::of_device("d")])).unwrap();
    assert_eq!(receipt(&d1, "one")["names"], 2);
    d1.transact(&erasure::end(40, T + 1)).unwrap();
    assert_eq!((now(&d1), receipt(&d1, "one")["state"].as_str()), (None, Some("watching")));
    assert!(d1.transact(&erasure::step(&Run { step: 2, ..next })).is_err(), "it is over");

    d1.transact(&erasure::begin("salt", T)).unwrap();
    assert_eq!(wanted(&d1).len(), 3, "whoever is watched for is looked for by each run");
    assert_eq!(bounds(&d1).0, 0, "in all of the archive, for there is a new one");
    d1.transact(&erasure::end(50, T + 2)).unwrap();
    d1.transact(&erasure::watch("salt", T + DAY)).unwrap();
    assert_eq!((now(&d1).unwrap().phase, bounds(&d1).0), (erasure::DATABASE, 50), "only what is new");
    d1.transact(&erasure::end(60, T + DAY)).unwrap();
    d1.transact(&erasure::watch("salt", T + 15 * DAY)).unwrap();
    assert_eq!(receipt(&d1, "one")["state"], "done");
    assert_eq!(d1.number("SELECT count(*) FROM erasure_keys"), 0, "nothing is left but the receipt");
    assert_eq!(d1.rows(&erasure::receipts(), |row| row.get::<_, String>(0)).len(), 2);
}

#[test]
fn lines_are_replaced_where_they_still_are() {
    let d1 = Database::d1();
    archived(&d1, &text("{long}\n"), Keeping::Row("{long}\n".to_owned()));
    archived(&d1, &text("{long}\n"), Keeping::Object("events/a-1.ndjson.gz".to_owned()));
    archived(&d1, &text("{late}\n"), Keeping::Row("{late}\n".to_owned()));
    let of = |after: i64, upto: i64, before_ms: i64| {
        d1.rows(&erasure::lines(after, upto, before_ms), |row| row.get::<_, i64>(0))
    };
    assert_eq!((of(0, 3, T), of(1, 3, T), of(2, 2, T), of(0, 3, T - 1)), (vec![1], vec![2], vec![], vec![]));

    let rows = d1.rows(&waiting()[1], |row| {
        let column = |place: usize| row.get::<_, i64>(place);
        Ok(analytics::archive::Waiting {
            seq: column(0)?,
            at_ms: column(1)?,
            bytes: column(2)?,
            lines: column(3)?,
            events: column(4)?,
            copies: column(5)?,
            first_ms: column(6)?,
            last_ms: column(7)?,
        })
    });
    let first = run(&rows, T).unwrap();
    // Somebody is erased between the gatherer's look and its transaction.
    d1.transact(&erasure::replace_body(1, 7, "{}\n", 3)).unwrap();
    assert!(d1.transact(&gathered(&first, 0, "new", 7)).is_err(), "it would bring them back");
    d1.transact(&gathered(&first, 0, "new", 3)).unwrap();
    assert!(d1.transact(&erasure::replace_body(1, 3, "{}\n", 3)).is_err(), "it is gathered");

    let (old, new) = ("events/a-1.ndjson.gz", "events/a-2.ndjson.gz");
    assert!(
        d1.transact(&erasure::replace_object(2, old, new, 3, T)).is_err(),
        "nobody said that it is written"
    );
    d1.run(&erasure::writing(new, T)).unwrap();
    let names = [old.to_owned(), new.to_owned(), "events/a-3.ndjson.gz".to_owned()];
    let kept = || d1.rows(&named(&names), |row| row.get::<_, String>(0));
    assert_eq!(kept(), [old, new], "none of them is a remainder");
    d1.transact(&erasure::replace_object(2, old, new, 3, T)).unwrap();
    assert_eq!(d1.number("SELECT bytes FROM archive WHERE seq = 2"), 3);
    let litter = |now_ms: i64| d1.rows(&erasure::litter(now_ms), |row| row.get::<_, String>(0));
    assert_eq!((litter(T), litter(T + 3_600_001)), (vec![], vec![old.to_owned()]));
    d1.run(&erasure::cleared(&[old.to_owned()])).unwrap();
    assert_eq!(kept(), [new]);
    assert!(d1.transact(&erasure::replace_object(2, old, "x", 3, T)).is_err(), "another stands there");
}

#[test]
fn who_is_asked_for_is_read_and_what_is_wrong_is_named() {
    let read = |body: Value| {
        let Value::Object(body) = body else { panic!() };
        Subject::read(&body, &["cursor"]).map_err(|reject| reject.pointer.to_string())
    };
    assert_eq!(read(json!({"user_id": " ada "})), Ok(Subject { kind: "user_id", id: "ada".to_owned() }));
    assert_eq!(read(json!({"anonymous_id": "d", "cursor": 1})).unwrap().key(), VisitorKey::of_device("d"));
    assert_eq!(read(json!({})), Err(String::new()));
    assert_eq!(read(json!({"user_id": ""})), Err("/user_id".to_owned()));
    assert_eq!(read(json!({"user_id": "x".repeat(257)})), Err("/user_id".to_owned()));
    assert_eq!(read(json!({"name": "ada"})), Err("/name".to_owned()));
    assert!(read(json!({"user_id": "a", "anonymous_id": "b"})).is_err());
    let key = VisitorKey::of_user("ada");
    assert_eq!((unhex(&hex(key)), unhex("7"), unhex(&"g".repeat(32))), (Some(key), None, None));
}

#[test]
fn a_message_to_a_webhook_loses_whoever_is_erased_and_nobody_else() {
    let mut wanted = Wanted::default();
    wanted.keys.insert(VisitorKey::of_user("ada"), ("e".to_owned(), T));
    let click = |user: &str, at_ms: i64| json!({"user_id": user, "anonymous_id": "d", "ip": "192.0.2.0", "kind": "click", "effective_time_ms": at_ms});
    let clicks = [click("ada", T), click("bob", T), click("ada", T + 1)];
    let mut message = json!({"type": "click.recorded", "data": {"clicks": clicks}});
    assert_eq!(erasure::without(&mut message, &mut wanted), ["e"]);
    let left = json!({"kind": "click", "effective_time_ms": T});
    assert_eq!(message["data"]["clicks"], json!([left, click("bob", T), click("ada", T + 1)]));
    // The device is hers, from then on; and so is what only the device says.
    assert_eq!(wanted.found, [(VisitorKey::of_device("d"), "e".to_owned())]);
    let d1 = Database::d1();
    d1.run(&Statement::new(
        "INSERT INTO deliveries (id, owner, event, body, state, attempts, created_at_ms, due_ms, expires_ms) \
         VALUES ('a', 'w', 'x', 'long', 'waiting', 0, 0, 0, 0), ('b', 'w', 'x', '', 'delivered', 0, 0, 0, 0)",
        [],
    ))
    .unwrap();
    let rows = d1.rows(&erasure::deliveries(0), |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)));
    assert_eq!(rows, [(1, "long".to_owned())]);
    d1.run(&erasure::redact(1, "short")).unwrap();
    assert!(d1.rows(&erasure::deliveries(1), |row| row.get::<_, i64>(0)).is_empty());
}

#[test]
fn what_is_old_goes_a_few_rows_at_a_time_and_it_is_said() {
    let d1 = Database::d1();
    for n in 0..5i64 {
        d1.run(&Statement::new(
            "INSERT INTO dead_letters (id, reason, body, at_ms) VALUES (?1, '', '', ?2)",
            [n.to_string().into(), (T + n * DAY).into()],
        ))
        .unwrap();
        d1.run(&Statement::new(
            "INSERT INTO audit (at_ms, actor, action, entity, entity_id, changes) VALUES (?1, '', '', '', '', '{}')",
            [(T + n * DAY).into()],
        ))
        .unwrap();
    }
    let left = || ["dead_letters", "audit"].map(|table| d1.dump(table).len());
    let days = Days { dead_letter_days: 10, audit_days: 10, ..Days::default() };
    let forget =
        |days: &Days, now_ms: i64, most: i64| d1.transact(&prune_hourly(days, now_ms, most)).unwrap();
    forget(&Days::default(), T + 1_000 * DAY, 100);
    assert_eq!(left(), [5, 5], "0 is for good");
    forget(&days, T + 13 * DAY + 1, 2);
    assert_eq!(left(), [3, 3], "two at a time");
    forget(&days, T + 13 * DAY + 1, 2);
    assert_eq!(left(), [1, 1]);
    forget(&days, T + 100 * DAY, 2);
    assert_eq!(left(), [0, 1], "others go by the number of the newest change");
    let ran =
        d1.rows(&runs(), |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(2)?, row.get::<_, i64>(3)?)));
    assert_eq!(ran, [("audit".to_owned(), 2, 4), ("dead_letters".to_owned(), 1, 5)]);
    let held = d1.rows(&held(), |row| row.get::<_, String>(0));
    let held: Vec<(String, Option<i64>, Option<i64>)> = serde_json::from_str(&held[0]).unwrap();
    assert!(held.contains(&("audit".to_owned(), Some(T + 4 * DAY), Some(1))));
    assert!(held.iter().all(|(class, ..)| Class::ALL.iter().any(|known| known.name() == class)));
}
