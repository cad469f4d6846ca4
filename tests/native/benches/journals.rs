//! What a journal costs while it grows: `cargo bench -p native --bench journals -- --visitors 10000`.
//!
//! One journal on `SQLite`, called and woken as the platform would, by a clock of its own. A line for each so many events:
//! nanoseconds of CPU, rows and bytes for each of them, merges included. Without `--visitors` nobody was seen before.
//! `--file PATH` keeps the database there, in place of memory.

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

const VALUES: [&str; 18] = [
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
];

/// The event at a place of the stream, of the visitor of that number.
fn handed(place: usize, who: usize, at_ms: i64) -> Handed<'static> {
    let mut key = hash(who).to_be_bytes();
    key[0] = key[0] & 0x3f | 0x40; // a session's
    let mut traits: Vec<_> = (0u8..).zip(VALUES.map(Text::from)).collect();
    // Few of many links get most of the clicks, and who comes back comes by other ways.
    let dice = hash(place ^ 0x7777_7777) as usize;
    let link = 200usize >> (dice % 8).min(dice >> 8 & 7);
    for (at, value) in [
        (8, format!("news{}.example", dice >> 16 & 7)),
        (9, format!("campaign-{}", link % 20)),
        (10, format!("bench{link}")),
        (12, format!("newsletter{}", dice >> 24 & 3)),
    ] {
        if let Some((_, text)) = traits.get_mut(at) {
            *text = value.into();
        }
    }
    let footprint = Footprint {
        id: EventId::from_bytes(hash(place ^ 0x1234_5678_9abc).to_be_bytes()),
        at_ms,
        kind: Kind::Page,
        name: Text::EMPTY,
        page: format!("https://shop.example/p/{}", place % 50).into(),
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
    };
    Handed::Footprint(VisitorKey::from_bytes(key), footprint)
}

/// The alarms that are due until then; the next one.
fn wake(journal: &mut Journal, disk: &Disk, mut due_ms: i64, until_ms: i64) -> Result<i64, Failed> {
    while due_ms <= until_ms {
        journal.work(disk, due_ms)?;
        journal.ship(due_ms);
        let known: Vec<_> = journal.report().unconfirmed.into_iter().map(|(number, _)| number).collect();
        journal.confirm(known, due_ms);
        due_ms = journal.wake_ms(due_ms).unwrap_or(i64::MAX);
    }
    Ok(due_ms)
}

/// What this thread took so far, by the kernel's own count where there is one: the machine may do other things besides.
fn cpu_ns(since: std::time::Instant) -> u64 {
    let counted = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let counted = counted.and_then(|text| text.split(' ').next()?.parse().ok());
    counted.unwrap_or_else(|| since.elapsed().as_nanos() as u64)
}

fn opened(file: Option<String>) -> rusqlite::Result<Connection> {
    let Some(file) = file else { return Connection::open_in_memory() };
    let sqlite = Connection::open(file)?;
    sqlite.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF")?;
    Ok(sqlite)
}

#[expect(clippy::disallowed_methods, reason = "a stopwatch")]
fn measure(
    sqlite: Connection,
    events: usize,
    visitors: usize,
    call: usize,
    rate: usize,
    line: usize,
) -> Result<(), Failed> {
    let failed = |error: rusqlite::Error| Failed(error.to_string());
    let begun = std::time::Instant::now();
    sqlite.execute_batch(&SCHEMA.join(";")).map_err(failed)?;
    let disk = Disk { sqlite, counts: Counts::default() };
    let (mut now_ms, mut due_ms, mut told) = (NOW_MS, i64::MAX, 0);
    let mut journal = Journal::open(&disk, JournalName { shard: 0 }, Settings::default(), now_ms)?;
    journal.set_terms(&disk, Terms::default(), 1)?;
    println!("  events  ns/event  statements  rows written  rows read  bytes written  bytes read");
    let (mut before, mut ns) = ([0; 5], 0);
    while told < events {
        let who = |n| if visitors == 0 { n } else { (hash(n) >> 70) as usize % visitors };
        let given: Vec<_> = (told..told + call).map(|n| handed(n, who(n), now_ms - 2_000)).collect();
        let start = cpu_ns(begun);
        journal.hand(&disk, &given, now_ms)?;
        due_ms = journal.wake_ms(now_ms).map_or(i64::MAX, |at_ms| at_ms.min(due_ms));
        (told, now_ms) = (told + call, now_ms + (call * 1_000 / rate) as i64);
        due_ms = wake(&mut journal, &disk, due_ms, now_ms)?;
        ns += cpu_ns(begun) - start;
        if told % line < call {
            let counts = &disk.counts;
            let all = [
                &counts.statements,
                &counts.written,
                &counts.read,
                &counts.bytes_written,
                &counts.bytes_read,
            ];
            let now = all.map(Cell::get);
            let each: Vec<_> =
                now.iter().zip(before).map(|(now, before)| (now - before) as f64 / line as f64).collect();
            let [statements, written, read, bytes_written, bytes_read] = each.as_slice() else { continue };
            println!(
                "{told:8}  {:8.0}  {statements:10.4}  {written:12.4}  {read:9.4}  {bytes_written:13.0}  {bytes_read:10.0}",
                ns as f64 / line as f64,
            );
            (before, ns) = (now, 0);
        }
    }
    Ok(())
}

fn main() {
    let given = |name: &str| std::env::args().skip_while(|argument| argument != name).nth(1);
    let number = |name: &str, or: usize| given(name).and_then(|text| text.parse().ok()).unwrap_or(or).max(1);
    // `cargo test --benches` calls it without arguments of ours: few events.
    let visitors = given("--visitors").map_or(0, |_| number("--visitors", 1));
    let [events, call] = [number("--events", 20_000), number("--call", 200)];
    let rate = (number("--rate", 500), number("--line", 10_000));
    let measured = opened(given("--file"))
        .map_err(|error| Failed(error.to_string()))
        .and_then(|sqlite| measure(sqlite, events, visitors, call, rate.0, rate.1));
    if let Err(failed) = measured {
        eprintln!("{failed:?}");
        std::process::exit(1);
    }
}
