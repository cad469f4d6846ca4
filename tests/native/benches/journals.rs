//! What a journal costs while it grows: `cargo bench -p native --bench journals -- --visitors 10000`.
//!
//! One journal on SQLite, called and woken as the platform would, by a clock of its own. A line for each so many events:
//! nanoseconds, rows and bytes for each of them, merges included. Without `--visitors` nobody was seen before.

use std::cell::Cell;

use analytics::{EventId, Footprint, Kind, Param, Statement, Text, VisitorKey};
use durable_objects::journal::{Database, Failed, Journal, SCHEMA};
use durable_objects::{JournalName, Settings, Terms};
use queues::Handed;
use rusqlite::Connection;
use rusqlite::types::{Value, ValueRef};

/// 2026-09-21T14:13:20Z
const NOW_MS: i64 = 1_790_000_000_000;

#[derive(Default)]
struct Counts {
    statements: Cell<u64>,
    written: Cell<u64>,
    read: Cell<u64>,
    bytes_written: Cell<u64>,
    bytes_read: Cell<u64>,
}

struct Disk {
    sqlite: Connection,
    counts: Counts,
}

fn add(cell: &Cell<u64>, more: usize) {
    cell.set(cell.get() + more as u64);
}

impl Database for Disk {
    fn run(&self, statement: Statement) -> Result<Vec<Vec<Param>>, Failed> {
        let failed = |error: rusqlite::Error| Failed(error.to_string());
        let counts = &self.counts;
        add(&counts.statements, 1);
        let params = statement.params.into_iter().map(|param| match param {
            Param::Null => Value::Null,
            Param::Integer(value) => Value::Integer(value),
            Param::Text(value) => Value::Text(value),
            Param::Blob(value) => {
                add(&counts.bytes_written, value.len());
                Value::Blob(value)
            }
        });
        let before = self.sqlite.total_changes();
        let mut prepared = self.sqlite.prepare_cached(statement.sql).map_err(failed)?;
        let width = prepared.column_count();
        let column = |value: ValueRef<'_>| match value {
            ValueRef::Integer(value) => Param::Integer(value),
            ValueRef::Blob(value) => {
                add(&counts.bytes_read, value.len());
                Param::Blob(value.to_vec())
            }
            _ => Param::Null,
        };
        let rows = prepared
            .query_map(rusqlite::params_from_iter(params), |row| {
                (0..width).map(|place| row.get_ref(place).map(column)).collect()
            })
            .map_err(failed)?;
        let rows: Result<Vec<_>, _> = rows.collect();
        add(&counts.written, (self.sqlite.total_changes() - before) as usize);
        let rows = rows.map_err(failed)?;
        add(&counts.read, rows.len());
        Ok(rows)
    }
}

/// Knuth's multiplier: places that follow one another become hashes that do not.
fn hash(place: usize) -> u128 {
    let half = |place: usize| {
        (place as u64 + 1)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(23)
            .wrapping_mul(0xd6e8_feb8_6659_fd93)
    };
    u128::from(half(place)) << 64 | u128::from(half(place ^ 0x5555_5555))
}

#[expect(clippy::disallowed_methods, reason = "a stopwatch")]
fn main() {
    let given = |name: &str| std::env::args().skip_while(|argument| argument != name).nth(1);
    let number = |name: &str, or: usize| given(name).and_then(|text| text.parse().ok()).unwrap_or(or);
    let (events, visitors) = (number("--events", 20_000), number("--visitors", 0));
    let (call, rate, line) = (number("--call", 200), number("--rate", 500), number("--line", 50_000));
    let sqlite = Connection::open_in_memory().expect("a database in memory");
    sqlite.set_prepared_statement_cache_capacity(64);
    for table in SCHEMA {
        sqlite.execute_batch(table).expect("the schema");
    }
    let disk = Disk { sqlite, counts: Counts::default() };
    let mut now_ms = NOW_MS;
    let mut journal =
        Journal::open(&disk, JournalName { shard: 0 }, Settings::default(), now_ms).expect("opens");
    journal.set_terms(&disk, Terms::default(), 1).expect("terms");
    println!(
        "  events  ns/event  statements  rows written  rows read  bytes written  bytes read  held MB  rows"
    );
    let (mut last, mut spent, mut slowest) = ([0; 5], 0.0f64, 0.0f64);
    let values: Vec<_> = [
        "US",
        "NA",
        "Texas",
        "Austin",
        "mobile",
        "Android",
        "Chrome",
        "en-US",
        "news.example",
        "campaign-7",
        "bench12",
        "direct",
        "newsletter",
        "email",
        "spring",
        "AS64496",
        "human",
        "landing",
    ]
    .into_iter()
    .map(Text::from)
    .collect();
    let mut told = 0;
    let mut due_ms = i64::MAX;
    while told < events {
        let handed: Vec<_> = (told..(told + call).min(events))
            .map(|n| {
                let who = if visitors == 0 { n } else { (hash(n) >> 70) as usize % visitors };
                let mut key = hash(who).to_be_bytes();
                key[0] = key[0] & 0x3f | 0x40;
                let traits: Vec<_> = (0u8..).zip(values.iter().cloned()).collect();
                Handed::Footprint(
                    VisitorKey::from_bytes(key),
                    Footprint {
                        id: EventId::from_bytes(hash(n ^ 0x1234_5678_9abc).to_be_bytes()),
                        at_ms: now_ms - 2_000,
                        kind: Kind::Page,
                        name: Text::EMPTY,
                        page: format!("https://shop.example/p/{}", n % 50).into(),
                        element_id: Text::EMPTY,
                        session_id: format!("s{who}").into(),
                        value_micros: 0,
                        currency: Text::EMPTY,
                        cost_nanos: 0,
                        cost_currency: Text::EMPTY,
                        payout_nanos: 0,
                        payout_currency: Text::EMPTY,
                        click_ms: None,
                        postback: None,
                        traits: traits.leak()[..].into(),
                    },
                )
            })
            .collect();
        let start = std::time::Instant::now();
        journal.hand(&disk, &handed, now_ms).expect("hands");
        due_ms = journal.wake_ms(now_ms).map_or(i64::MAX, |at_ms| at_ms.min(due_ms));
        spent += start.elapsed().as_secs_f64();
        told += handed.len();
        now_ms += (call * 1_000 / rate) as i64;
        // The alarm, as often as it is due.
        while due_ms <= now_ms {
            let start = std::time::Instant::now();
            journal.work(&disk, due_ms).expect("works");
            let sent: Vec<_> = journal.ship(due_ms).into_iter().map(|message| message.number).collect();
            let known: Vec<_> = journal.report().unconfirmed.into_iter().map(|(number, _)| number).collect();
            journal.confirm(sent.into_iter().chain(known), due_ms);
            let took = start.elapsed().as_secs_f64();
            spent += took;
            slowest = slowest.max(took);
            due_ms = journal.wake_ms(due_ms).unwrap_or(i64::MAX);
        }
        if told % line < call {
            let counts = &disk.counts;
            let now = [
                &counts.statements,
                &counts.written,
                &counts.read,
                &counts.bytes_written,
                &counts.bytes_read,
            ]
            .map(Cell::get);
            let per: Vec<_> =
                now.iter().zip(last).map(|(now, last)| (now - last) as f64 / line as f64).collect();
            let report = journal.report();
            println!(
                "{told:8}  {:8.0}  {:10.4}  {:12.4}  {:9.4}  {:13.0}  {:10.0}  {:7.1}  {:4}  slowest alarm {:.1} ms",
                spent * 1e9 / line as f64,
                per[0],
                per[1],
                per[2],
                per[3],
                per[4],
                report.held_bytes as f64 / 1e6,
                report.rows,
                slowest * 1e3,
            );
            (last, spent, slowest) = (now, 0.0, 0.0);
        }
    }
}
