//! What must hold of a shelf whatever happens, on a real database.

use std::cell::Cell;
use std::collections::BTreeMap;

use analytics::{Param, Statement, VisitorKey};
use proptest::prelude::*;
use rusqlite::Connection;
use rusqlite::types::{Value, ValueRef};

use super::database::{Database, Failed};
use super::filter::Filter;
use super::page::Record;
use super::shelf::Shelf;
use super::table;

/// A database in memory, which fails when it is told to.
pub(super) struct Disk {
    pub(super) sqlite: Connection,
    /// So many statements are carried out before one fails.
    pub(super) fails_in: Cell<Option<u32>>,
}

impl Disk {
    pub(super) fn new() -> Self {
        let sqlite = Connection::open_in_memory().unwrap();
        for table in table::SCHEMA {
            sqlite.execute(table, ()).unwrap();
        }
        Self { sqlite, fails_in: Cell::new(None) }
    }
}

impl Database for Disk {
    fn run(&self, statement: Statement) -> Result<Vec<Vec<Param>>, Failed> {
        if let Some(left) = self.fails_in.get() {
            self.fails_in.set(left.checked_sub(1));
            if left == 0 {
                return Err(Failed("the disk is full".to_owned()));
            }
        }
        let params = statement.params.into_iter().map(|param| match param {
            Param::Null => Value::Null,
            Param::Integer(value) => Value::Integer(value),
            Param::Text(value) => Value::Text(value),
            Param::Blob(value) => Value::Blob(value),
        });
        let mut prepared = self.sqlite.prepare_cached(statement.sql).unwrap();
        let width = prepared.column_count();
        let column = |value: ValueRef<'_>| match value {
            ValueRef::Integer(value) => Param::Integer(value),
            ValueRef::Blob(value) => Param::Blob(value.to_vec()),
            other => panic!("{other:?}"),
        };
        let rows = prepared.query_map(rusqlite::params_from_iter(params), |row| {
            (0..width).map(|place| row.get_ref(place).map(column)).collect()
        });
        Ok(rows.unwrap().map(Result::unwrap).collect())
    }
}

#[derive(Debug, Clone)]
enum Doing {
    /// These visitors are written, each with a body of that size, and what they are worth ends then; or as a sequel.
    Write(Vec<(u8, u16, i64, bool)>),
    Tidy,
    Restart,
    Fail(u32),
    Pass(i64),
}

fn doings() -> impl Strategy<Value = Vec<Doing>> {
    let write = prop::collection::vec((any::<u8>(), 0..5_000u16, 1..400i64, any::<bool>()), 1..12)
        .prop_map(Doing::Write);
    let doing = prop_oneof![
        6 => write,
        5 => Just(Doing::Tidy),
        1 => Just(Doing::Restart),
        1 => (0..12u32).prop_map(Doing::Fail),
        1 => (1..60i64).prop_map(Doing::Pass),
    ];
    prop::collection::vec(doing, 1..200)
}

fn key(n: u8) -> VisitorKey {
    let mut bytes = [n; 16];
    bytes[15] = 9;
    VisitorKey::from_bytes(bytes)
}

fn opened(disk: &Disk) -> Shelf {
    let (mut shelf, _) = Shelf::open(disk).unwrap();
    for row in disk.run(table::entries()).unwrap() {
        let [Param::Integer(seq), .., Param::Blob(records)] = row.as_slice() else { panic!() };
        shelf.add(*seq, *seq, records.clone(), false);
    }
    shelf
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_visitor_is_found_as_last_written_whatever_was_merged(doings in doings()) {
        let disk = Disk::new();
        let mut shelf = opened(&disk);
        let mut world: BTreeMap<u8, (Vec<u8>, i64)> = BTreeMap::new();
        // Never back, as the writer's own clock.
        let (mut seq, mut now_ms) = (1, 0);
        for doing in doings {
            match doing {
                Doing::Write(visitors) => {
                    seq += 1;
                    let visitors: BTreeMap<u8, (u16, i64, bool)> =
                        visitors.into_iter().map(|(n, size, lives_ms, more)| (n, (size, lives_ms, more))).collect();
                    let mut page = Vec::new();
                    for (&n, &(size, lives_ms, more)) in &visitors {
                        let before = world.get(&n).filter(|(body, until_ms)| *until_ms > now_ms && !body.is_empty());
                        // What is written later is never worth less long, and all parts of a record as long.
                        let before_ms = world.get(&n).map_or(0, |(_, expires_ms)| *expires_ms);
                        let (mut whole, tag, expires_ms) = match before.filter(|_| more && size > 0) {
                            Some((before, expires_ms)) => (before.clone(), 3, *expires_ms),
                            None => (Vec::new(), 2, before_ms.max(now_ms + lives_ms)),
                        };
                        let mut body = vec![seq as u8; usize::from(size)];
                        if let Some(first) = body.first_mut() {
                            *first = tag;
                        }
                        whole.extend_from_slice(&body);
                        Record { key: key(n), due_ms: None, expires_ms, body: &body }.write(&mut page);
                        world.insert(n, (whole, expires_ms));
                    }
                    let insert = table::insert_entry(seq, 0, 0, Vec::new(), page.clone());
                    disk.fails_in.set(None);
                    disk.run(insert).unwrap();
                    shelf.add(seq, seq, page, true);
                }
                Doing::Tidy => {
                    if shelf.tidy(&disk, seq, now_ms).and_then(|()| shelf.expire(&disk, now_ms)).is_err() {
                        // The object starts over, as it does after any error.
                        disk.fails_in.set(None);
                        shelf = opened(&disk);
                    }
                }
                Doing::Restart => {
                    disk.fails_in.set(None);
                    shelf = opened(&disk);
                }
                Doing::Fail(after) => disk.fails_in.set(Some(after)),
                Doing::Pass(ms) => now_ms += ms,
            }
        }
        disk.fails_in.set(None);
        for _ in 0..2 {
            for n in 0..=255 {
                let wanted = world.get(&n).filter(|(body, expires_ms)| *expires_ms > now_ms && !body.is_empty());
                let found = shelf.find(&disk, key(n), now_ms, |body, _, _| body.to_vec()).unwrap();
                prop_assert_eq!(found.as_ref(), wanted.map(|(body, _)| body), "{}", n);
            }
            while shelf.is_untidy(seq) {
                shelf.tidy(&disk, seq, now_ms).unwrap();
            }
            shelf = opened(&disk);
        }
        let rows: i64 = disk.sqlite.query_row("SELECT count(*) FROM entries", (), |row| row.get(0)).unwrap();
        prop_assert!(rows <= 4, "{} entries are left", rows);
    }
}

/// Pages of before have no number, and no pieces.
#[test]
fn pages_of_before_are_read_and_merged() {
    let disk = Disk::new();
    let record =
        |n: u8, body: &'static [u8]| Record { key: key(n), due_ms: Some(7), expires_ms: 1_000, body };
    for run in 1..=8i64 {
        let mut page = Vec::new();
        let keys = [key(run as u8), key(100)];
        record(run as u8, b"\x02alone").write(&mut page);
        record(100, if run == 8 { b"\x02last" } else { b"\x02before" }).write(&mut page);
        disk.run(Statement::new(
            "INSERT INTO pages (run, tier, page, first, due_ms, expires_ms, filter, body) \
             VALUES (?1, 1, 0, ?2, 7, 1000, ?3, ?4)",
            [
                run.into(),
                keys[0].as_bytes().to_vec().into(),
                Filter::of(&keys).as_bytes().to_vec().into(),
                page.into(),
            ],
        ))
        .unwrap();
        disk.run(table::insert_run(run, run, 1)).unwrap();
    }
    let count = |table: &str| {
        let sql = format!("SELECT count(*) FROM {table}");
        disk.sqlite.query_row(&sql, (), |row| row.get::<_, i64>(0)).unwrap()
    };
    for merged in [false, true] {
        let (_, due) = Shelf::open(&disk).unwrap();
        assert!(due.contains(&(7, key(3))));
        let mut shelf = opened(&disk);
        let mut found = |n| shelf.find(&disk, key(n), 5, |body, _, _| body.to_vec()).unwrap();
        assert_eq!(found(100).as_deref(), Some(&b"\x02last"[..]));
        assert_eq!(found(3).as_deref(), Some(&b"\x02alone"[..]));
        assert_eq!(found(50), None);
        // Somebody is erased from a page of before, and from a piece of one of now.
        shelf.scrub(&disk, key(if merged { 2 } else { 1 })).unwrap();
        assert_eq!(shelf.find(&disk, key(1), 5, |_, _, _| ()).unwrap(), None);
        assert_eq!(shelf.find(&disk, key(2), 5, |_, _, _| ()).unwrap().is_none(), merged);
        while shelf.is_untidy(0) {
            shelf.tidy(&disk, 0, 5).unwrap();
        }
        assert_eq!((count("pages"), count("leaves")), (0, 1));
    }
}
