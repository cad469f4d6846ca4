//! Every statement of the pure crates, on the `SQLite` that D1 and Durable Objects are.

use analytics::campaign::Campaigns;
use analytics::fold::{Fold, read_generation, read_segments};
use analytics::page::PageRow;
use analytics::privacy::Why;
use analytics::privacy::dropped::{self, Dropped};
use analytics::report::query::Query;
use analytics::report::{answer, reads};
use analytics::rollup::rollup;
use analytics::segment::{PARTITIONS, partition, segments};
use analytics::zone::Zone;
use analytics::{EventId, Kind, RawEvent, Scope, Source, Statement, enrich, retention};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use durable_objects::log::{self, Row};
use queues::Frame;
use queues::ledger::{self, DeadLetter, Entry};
use queues::letter::{keep, replay};

use crate::database::{Database, is_unique, log_rows};
use crate::simulation::folder::page_row;

const T: i64 = 1_790_000_000_000;
const DAY: i64 = 86_400_000;
const GATE: &str = "gate/weur/0";

/// The sums of one click, as a transaction adds them.
fn click(link: &str) -> Vec<(u8, String)> {
    let mut event = RawEvent::new(EventId::from_bytes([7; 16]), Kind::Click, Source::Redirect, T);
    event.link = link.into();
    segments(&rollup(&[enrich(event)]))
}

fn entry(gate: &str, number: i64) -> Entry {
    Entry { gate: gate.to_owned(), number, events: 1, dead: 0, duplicates: 2 }
}

/// Counts one message with one click.
fn count(d1: &Database, number: i64) -> rusqlite::Result<()> {
    d1.transact(&ledger::apply(&[entry(GATE, number)], &click("demo"), &[], T))
}

fn everything(d1: &Database) -> Vec<String> {
    ["ledger", "applied", "segments", "folds", "sums", "dead_letters"]
        .iter()
        .flat_map(|table| d1.dump(table))
        .collect()
}

fn clicks(d1: &Database, query: &str) -> i64 {
    let query = format!("from={}&to={}&include_bots=true&{query}", T - DAY, T + DAY);
    let query =
        Query::parse(&query, T, |name, from_ms, _| Some(Zone::new(name, [(from_ms, 19_800)]))).unwrap();
    let [pages, bodies] = reads(&query);
    let pages = d1.rows(&pages, |row| {
        let key = analytics::page::PageKey {
            level: query.level,
            scope: query.scope.clone(),
            start_ms: row.get(0)?,
        };
        Ok(PageRow {
            key,
            chunk: row.get(1)?,
            totals: row.get(2)?,
            detail: row.get(3)?,
            visitors: row.get(4)?,
        })
    });
    let bodies = d1.rows(&bodies, |row| row.get(0));
    answer(&query, &pages, &bodies, T).unwrap()["totals"]["clicks"].as_i64().unwrap()
}

/// Reads what a fold of the partition begins with.
fn begin(d1: &Database, part: u8) -> Fold {
    let generation = d1.rows(&read_generation(part), |row| row.get(0))[0];
    let segments: Vec<_> = d1.rows(&read_segments(part), |row| Ok((row.get(0)?, row.get(1)?)));
    let (mut fold, left) = Fold::begin(part, generation, &segments);
    assert_eq!(left, []);
    for statement in fold.read_pages() {
        d1.rows(&statement, page_row).iter().for_each(|row| fold.add(row).unwrap());
    }
    fold
}

#[test]
fn a_message_that_was_counted_cannot_be_counted_again() {
    let d1 = Database::d1();
    count(&d1, T).unwrap();
    let before = everything(&d1);
    let again = ledger::apply(&[entry(GATE, T + 1), entry(GATE, T)], &click("demo"), &[], T + 5);
    assert!(is_unique(&d1.transact(&again).unwrap_err()));
    assert_eq!(everything(&d1), before, "nor does its neighbour get in");
    count(&d1, T + 1).unwrap();
    assert_eq!(clicks(&d1, "link=demo"), 2);
    let totals = d1.rows(&ledger::applied(), |row| {
        Ok((row.get::<_, String>(0)?, [1, 2, 3, 4].map(|column| row.get::<_, i64>(column).unwrap())))
    });
    assert_eq!(totals, [(GATE.to_owned(), [2, 2, 0, 4])]);
}

#[test]
fn the_ledger_tells_what_was_counted() {
    let d1 = Database::d1();
    (0..5).for_each(|number| count(&d1, T + number).unwrap());
    let asked = [(GATE.to_owned(), T + 3), (GATE.to_owned(), T + 9), ("gate/weur/1".to_owned(), T + 3)];
    let counted: Vec<(String, i64)> = d1.rows(&ledger::counted(&asked), |row| Ok((row.get(0)?, row.get(1)?)));
    assert_eq!(counted, [(GATE.to_owned(), T + 3)]);
    let of_gate: Vec<i64> = d1.rows(&ledger::counted_of_gate(GATE, T + 3), |row| row.get(0));
    assert_eq!(of_gate, [T + 3, T + 4]);
    for statement in [ledger::counted(&asked), ledger::counted_of_gate(GATE, T)] {
        let steps = d1.explain(&statement).join("; ");
        assert!(steps.contains("USING PRIMARY KEY") && !steps.contains("SCAN ledger"), "{steps}");
    }
}

#[test]
fn a_dead_letter_is_kept_once() {
    let d1 = Database::d1();
    let letter = |reason: &str| DeadLetter { id: "a".into(), reason: reason.into(), body: "Zg".into() };
    d1.transact(&ledger::apply(&[], &[], &[letter("first")], T)).unwrap();
    d1.transact(&ledger::bury(&[letter("second"), DeadLetter { id: "b".into(), ..letter("third") }], T))
        .unwrap();
    let letters: Vec<String> = d1.dump("dead_letters");
    assert_eq!(letters.len(), 2);
    assert!(letters[0].contains("first"));
    assert!(ledger::bury(&[], T).is_none());
}

#[test]
fn the_ledger_forgets_what_is_old_a_little_at_a_time_and_never_the_newest() {
    let d1 = Database::d1();
    (0..10).for_each(|number| count(&d1, T + number).unwrap());
    d1.transact(&ledger::apply(&[entry("gate/weur/1", T)], &[], &[], T)).unwrap();
    let left = |now: i64| {
        d1.run(&ledger::prune(now, 4)).unwrap();
        d1.number("SELECT count(*) FROM ledger")
    };
    assert_eq!(left(T + 16 * DAY), 11, "not yet");
    let later = T + 17 * DAY;
    assert_eq!([left(later), left(later), left(later), left(later)], [7, 3, 2, 2]);
    // A gate that wakes now finds its newest row confirmed. Were it not, it would send it again, to be counted.
    assert_eq!(d1.rows(&ledger::counted_of_gate(GATE, T), |row| row.get::<_, i64>(0)), [T + 9]);
    let steps = d1.explain(&ledger::prune(later, 4)).join("; ");
    assert!(steps.contains("SEARCH old USING PRIMARY KEY (gate=? AND number<?)"), "{steps}");
}

#[test]
fn minutes_and_the_cube_are_forgotten_and_hours_and_days_are_kept() {
    let d1 = Database::d1();
    count(&d1, T).unwrap();
    for part in 0..PARTITIONS {
        d1.transact(&begin(&d1, part).write()).unwrap();
    }
    let levels = |now: i64| {
        let kept = retention::Days::default();
        for statement in
            retention::prune(&kept, now, 1_000).iter().chain(&retention::prune_hourly(&kept, now, 1_000))
        {
            d1.run(statement).unwrap();
        }
        d1.rows(&Statement::new("SELECT DISTINCT level FROM sums ORDER BY level", []), |row| {
            row.get::<_, String>(0)
        })
    };
    assert_eq!(levels(T + DAY), ["c", "d", "h", "m"]);
    assert_eq!(levels(T + 3 * DAY), ["c", "d", "h"]);
    assert_eq!(levels(T + 93 * DAY), ["d", "h"]);
    assert_eq!(clicks(&d1, "link=demo"), 1);
}

#[test]
fn a_dead_letter_that_can_be_read_again_counts_once_and_is_gone() {
    let d1 = Database::d1();
    let mut event = RawEvent::new(EventId::from_bytes([7; 16]), Kind::Click, Source::Redirect, T);
    event.link = "demo".into();
    let mut frame = Vec::new();
    Frame::write_event(&event, &mut frame);
    let letter = |frame: &[u8]| DeadLetter {
        id: format!("{GATE} {T} 0"),
        reason: "of a later version".to_owned(),
        body: STANDARD.encode(frame),
    };
    let lost = Entry { events: 0, dead: 1, ..entry(GATE, T) };
    d1.transact(&ledger::apply(&[lost], &[], &[letter(&frame)], T)).unwrap();
    assert!(
        replay(&letter(b"no frame"), &Campaigns::default(), 0, T, |_| {}).is_err(),
        "it still cannot be read"
    );
    d1.run(&keep(&letter(b"").id, "part")).unwrap();
    let bodies = Statement::new("SELECT body FROM dead_letters", []);
    assert_eq!(d1.rows(&bodies, |row| row.get::<_, String>(0)), ["part"], "what is left of it");
    let again = replay(&letter(&frame), &Campaigns::default(), 0, T + 1, |_| {}).unwrap().statements;
    d1.transact(&again).unwrap();
    assert!(is_unique(&d1.transact(&again).unwrap_err()), "two who replay it at the same time");
    assert_eq!(clicks(&d1, "link=demo"), 1);
    assert_eq!(d1.number("SELECT count(*) FROM dead_letters"), 0);
    let applied = Statement::new("SELECT events * 10 + dead FROM applied", []);
    assert_eq!(d1.rows(&applied, |row| row.get::<_, i64>(0)), [10]);
}

#[test]
fn a_report_says_the_same_before_and_after_a_fold() {
    let d1 = Database::d1();
    (0..6).for_each(|number| count(&d1, T + number).unwrap());
    let queries = [
        "",
        "link=demo",
        "interval=minute",
        "interval=hour",
        "interval=day&tz=Asia/Kolkata",
        "group_by=link",
    ];
    let before = queries.map(|query| clicks(&d1, query.replace("interval=minute", "interval=hour").as_str()));
    assert_eq!(before, [6; 6]);
    let busy: Vec<u8> = d1.rows(&ledger::partitions_to_fold(6), |row| row.get(0));
    assert!(busy.contains(&partition(&Scope::All)) && busy.contains(&partition(&Scope::Link("demo".into()))));
    assert!(d1.rows(&ledger::partitions_to_fold(7), |row| row.get::<_, u8>(0)).is_empty());
    for part in busy {
        d1.transact(&begin(&d1, part).write()).unwrap();
    }
    assert_eq!(d1.number("SELECT count(*) FROM segments"), 0);
    assert_eq!(
        queries.map(|query| clicks(&d1, query.replace("interval=minute", "interval=hour").as_str())),
        [6; 6]
    );
    count(&d1, T + 100).unwrap();
    assert_eq!(clicks(&d1, "link=demo"), 7, "half folded, half not");
}

/// Of two that read the same, or of one that slept while others folded, only one may write.
#[test]
fn a_fold_of_what_was_folded_meanwhile_changes_nothing() {
    let d1 = Database::d1();
    let part = partition(&Scope::All);
    count(&d1, T).unwrap();
    let (slow, fast) = (begin(&d1, part), begin(&d1, part));
    d1.transact(&fast.write()).unwrap();
    for more in 1..4 {
        let before = everything(&d1);
        assert!(is_unique(&d1.transact(&slow.write()).unwrap_err()), "{more} behind");
        assert_eq!(everything(&d1), before);
        count(&d1, T + more).unwrap();
        d1.transact(&begin(&d1, part).write()).unwrap();
    }
    assert_eq!(clicks(&d1, ""), 4);
    assert_eq!(d1.number("SELECT count(*) FROM folds"), 1);
}

#[test]
fn the_log_keeps_rows_and_gives_messages_back() {
    let storage = Database::log();
    let row = |seq: i64, message: i64| Row {
        seq,
        message,
        at_ms: seq,
        admitted: seq,
        duplicates: 0,
        body: vec![seq as u8],
    };
    let rows = [row(1, 1), row(2, 1), row(3, 3), row(4, 3), row(5, 5)];
    for row in &rows {
        storage.run(&row.clone().write(None)).unwrap();
    }
    assert!(is_unique(&storage.run(&row(3, 3).write(None)).unwrap_err()));
    assert_eq!(log_rows(&storage), rows);
    let message = |number| -> Vec<Vec<u8>> { storage.rows(&log::message(number), |row| row.get(0)) };
    assert_eq!(message(3), [[3], [4]]);
    storage.run(&log::undo(5)).unwrap();
    storage.run(&log::prune(3, 2)).unwrap();
    assert_eq!(log_rows(&storage), rows[1..4], "before seq 3 and older than 2: the first alone");
    storage.run(&log::prune(3, 10)).unwrap();
    assert_eq!(log_rows(&storage), rows[2..4]);
    storage.run(&row(6, 6).write(Some(3))).unwrap();
    assert_eq!(log_rows(&storage), [row(4, 3), row(6, 6)]);
}

#[test]
fn what_was_dropped_is_counted_by_the_hour_and_told_of_a_span() {
    let d1 = Database::d1();
    let mut dropped = Dropped::default();
    for (why, hits) in [(Why::OptOut, 2), (Why::DoNotTrack, 3)] {
        (0..hits).for_each(|_| dropped.note(why, T));
    }
    d1.transact(&dropped.take(T, 0)).unwrap();
    dropped.note(Why::OptOut, T + 5);
    dropped.note(Why::OptOut, T + DAY);
    d1.transact(&dropped.take(T + DAY, 0)).unwrap();
    let told = |from_ms, to_ms| -> Vec<String> { d1.rows(&dropped::read(from_ms, to_ms), |row| row.get(0)) };
    let both = [r#"{"value":"do_not_track","hits":3}"#, r#"{"value":"opt_out","hits":3}"#];
    assert_eq!(told(T, T + 1), both);
    assert_eq!(told(T + DAY, T + 2 * DAY), [r#"{"value":"opt_out","hits":1}"#]);
    assert!(told(T - DAY, T - 3_600_000).is_empty());
}
