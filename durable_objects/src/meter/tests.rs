//! What the meter promises, on the `SQLite` that Durable Objects have.

use analytics::Param;
use rusqlite::types::Value;
use rusqlite::{Connection, Result, params_from_iter};

use super::*;

mod laws;

const T: i64 = 1_790_000_000_000;

fn id(n: u32) -> EventId {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&n.to_be_bytes());
    EventId::from_bytes(bytes)
}

/// A meter with its storage, as the shell carries it out.
struct Object {
    meter: Meter,
    storage: Connection,
    now_ms: i64,
}

impl Object {
    fn new() -> Self {
        let storage = Connection::open_in_memory().unwrap();
        storage.execute_batch(grants::SCHEMA).unwrap();
        Self { meter: Meter::new(25), storage, now_ms: T }
    }

    fn run(&self, statement: &Statement) -> Result<Vec<Part>> {
        let params = params_from_iter(statement.params.iter().map(|param| match param.clone() {
            Param::Null => Value::Null,
            Param::Integer(number) => Value::Integer(number),
            Param::Text(text) => Value::Text(text),
            Param::Blob(bytes) => Value::Blob(bytes),
        }));
        let mut prepared = self.storage.prepare_cached(statement.sql)?;
        let rows = prepared.query_map(params, |row| {
            Ok(Part { number: row.get(0)?, used: row.get(1)?, at_ms: row.get(2)?, ids: row.get(3)? })
        })?;
        rows.collect()
    }

    fn ask(&mut self, link: &str, n: u32, max: u64) -> Decision {
        if let Err(read) = self.meter.take(link, id(n), max, self.now_ms) {
            let parts = self.run(&read).unwrap();
            self.meter.learn(link, parts, self.now_ms);
        }
        self.meter.take(link, id(n), max, self.now_ms).unwrap()
    }

    /// Writes what there is to write, but for the statements from the `fails_at`th on.
    fn commit(&mut self, fails_at: usize) -> bool {
        let mut commit = self.meter.commit(self.now_ms);
        let statements = commit.statements();
        statements.iter().take(fails_at).for_each(|statement| drop(self.run(statement).unwrap()));
        let written = statements.len() <= fails_at;
        if !written {
            self.meter.failed(&commit);
        }
        written
    }

    fn take(&mut self, link: &str, n: u32, max: u64) -> (bool, u64) {
        let Taken { granted, used } = self.ask(link, n, max).taken;
        assert!(self.commit(usize::MAX));
        (granted, used)
    }

    fn evict(&mut self) {
        self.meter = Meter::new(25);
    }

    fn number(&self, sql: &str) -> i64 {
        self.storage.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    fn used(&self, link: &str) -> u64 {
        let sql = "SELECT coalesce(max(used), 0) FROM grants WHERE link = ?1";
        self.storage.query_row(sql, [link], |row| row.get::<_, i64>(0)).unwrap().unsigned_abs()
    }
}

#[test]
fn a_one_time_link_lets_one_through_and_is_one_row() {
    let mut object = Object::new();
    assert_eq!(object.take("once", 1, 1), (true, 1));
    assert_eq!(object.take("once", 2, 1), (false, 1));
    assert_eq!(object.take("once", 1, 1), (true, 1), "a double tap");
    object.evict();
    assert_eq!(object.take("once", 3, 1), (false, 1));
    assert_eq!(object.take("once", 1, 1), (true, 1), "a retry after a lost answer");
    assert_eq!(object.number("SELECT count(*) FROM grants"), 1);
    assert_eq!((object.used("once"), object.used("never")), (1, 0));
}

#[test]
fn a_limit_may_be_changed() {
    let mut object = Object::new();
    assert_eq!(object.take("link", 1, 2), (true, 1));
    assert_eq!(object.take("link", 2, 2), (true, 2));
    assert_eq!(object.take("link", 3, 2), (false, 2));
    assert_eq!(object.take("link", 3, 3), (true, 3), "raised: there is room again");
    assert_eq!(object.take("link", 4, 1), (false, 3), "lowered");
    assert_eq!(object.take("link", 1, 1), (true, 3), "who was granted stays granted");
    assert_eq!(object.take("other", 4, 0), (false, 0), "and a limit of none is one too");
}

#[test]
fn a_grant_is_told_when_it_is_written_and_a_refusal_that_hangs_on_it_too() {
    let mut object = Object::new();
    assert_eq!(object.ask("a", 1, 1), Decision { taken: Taken { granted: true, used: 1 }, pending: true });
    assert!(object.ask("a", 1, 1).pending, "a copy");
    assert_eq!(object.ask("a", 2, 1), Decision { taken: Taken { granted: false, used: 1 }, pending: true });
    assert!(!object.ask("b", 1, 0).pending, "another link");
    assert!(!object.commit(0), "as if nobody had asked");
    assert_eq!(object.take("a", 2, 1), (true, 1));
    assert!(!object.ask("a", 1, 1).pending);
}

#[test]
fn a_busy_meter_commits_once_in_an_interval_and_an_idle_one_at_once() {
    let mut object = Object::new();
    assert_eq!(object.meter.commit_due_ms(T), T);
    for n in 1..=10 {
        object.ask("a", n, 100);
    }
    object.ask("b", 1, 100);
    assert_eq!(object.meter.commit(T).statements().len(), 2, "one row for each link");
    assert_eq!(object.meter.commit_due_ms(T + 5), T + 25);
    assert_eq!(object.meter.commit_due_ms(T + 40), T + 40);
    assert_eq!(object.meter.commit_due_ms(T - 40), T - 40, "the clock was set back");
    assert!(object.meter.commit(T + 25).statements().is_empty());
}

#[test]
fn ids_are_remembered_for_five_minutes_and_counts_for_good() {
    let mut object = Object::new();
    for n in 0..200 {
        object.take("link", n, 1_000);
    }
    assert_eq!(object.number("SELECT count(*) FROM grants"), 5, "of 48 ids each");
    object.now_ms += REMEMBERED_MS;
    object.evict();
    assert_eq!(object.take("link", 0, 1_000), (true, 200));
    object.now_ms += 1;
    assert_eq!(object.take("link", 0, 1_000), (true, 201), "it is another click by now");
    assert_eq!(object.number("SELECT count(*) FROM grants"), 1, "and the old ones go");
    assert_eq!(object.number("SELECT length(ids) FROM grants"), 16);
    object.evict();
    assert_eq!(object.take("link", 0, 201), (true, 201));
    assert_eq!(object.take("link", 1, 201), (false, 201));
}

#[test]
fn a_clock_that_is_set_back_makes_nothing_forgotten() {
    let mut object = Object::new();
    for n in 0..60 {
        object.take("link", n, 100);
    }
    object.now_ms -= 3_600_000;
    for n in 60..100 {
        object.take("link", n, 100);
    }
    object.evict();
    object.now_ms += REMEMBERED_MS;
    assert!((0..100).all(|n| object.take("link", n, 100).0));
    assert_eq!(object.take("link", 100, 100), (false, 100));
}

#[test]
fn a_link_that_is_gone_begins_anew() {
    let mut object = Object::new();
    for n in 0..100 {
        object.take("link", n, 100);
    }
    object.take("other", 1, 1);
    object.ask("link", 100, 200);
    let forget = object.meter.forget("link");
    object.run(&forget).unwrap();
    assert!(object.commit(0), "nothing is left to write");
    assert_eq!((object.used("link"), object.used("other")), (0, 1));
    assert_eq!(object.take("link", 1, 1), (true, 1));
}

#[test]
fn memory_is_bounded_and_what_is_put_out_of_it_comes_back_from_storage() {
    let mut object = Object::new();
    object.meter.held_max = 100;
    for n in 0..500u32 {
        assert_eq!(object.take(&n.to_string(), n, 1), (true, 1));
        assert!(object.meter.links.len() <= 100 / HELD_PER_LINK + 1);
    }
    object.ask("pending", 1, 1);
    for n in 0..500u32 {
        assert!(object.ask(&n.to_string(), n, 1).taken.granted);
        assert!(!object.ask(&n.to_string(), n + 1, 1).taken.granted);
    }
    assert!(!object.ask("pending", 2, 1).taken.granted, "what is not written stays");
}

#[test]
fn every_statement_finds_its_rows_by_the_key() {
    let object = Object::new();
    for statement in [grants::recall("a", T), grants::prune("a", 1, T), grants::forget("a")] {
        let sql = format!("EXPLAIN QUERY PLAN {}", statement.sql);
        let mut plan = object.storage.prepare(&sql).unwrap();
        let lines: Vec<String> = plan
            .query_map(rusqlite::params_from_iter(vec![Value::Null; statement.params.len()]), |row| {
                row.get(3)
            })
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert!(lines.iter().all(|line| !line.starts_with("SCAN")), "{lines:?}");
    }
}
