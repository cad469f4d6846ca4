//! `SQLite` as the platform has it: one for D1, one for each gate's storage.

use std::path::Path;
use std::sync::OnceLock;

use analytics::{Param, Statement};
use durable_objects::gate::handover;
use durable_objects::{journal, log};
use rusqlite::types::Value;
use rusqlite::{Connection, Error, Result, Row, params_from_iter};

/// A database in memory.
pub(crate) struct Database(Connection);

/// Every migration, in order.
fn migrations() -> &'static str {
    static ALL: OnceLock<String> = OnceLock::new();
    ALL.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../analytics/migrations");
        let mut files: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
    })
}

impl Database {
    /// D1 with every migration applied.
    pub(crate) fn d1() -> Self {
        Self::with(migrations())
    }

    /// A gate's storage with an empty log.
    pub(crate) fn log() -> Self {
        let log = Self::with(log::SCHEMA);
        log.0.execute_batch(handover::SCHEMA).unwrap();
        log
    }

    /// A journal's storage, empty.
    pub(crate) fn journal() -> Self {
        Self::with(&journal::SCHEMA.join(";"))
    }

    fn with(schema: &str) -> Self {
        let connection = Connection::open_in_memory().unwrap();
        connection.set_prepared_statement_cache_capacity(64);
        connection.execute_batch(schema).unwrap();
        Self(connection)
    }

    /// All of them or none, as D1's `batch` does it.
    pub(crate) fn transact<'s>(&self, statements: impl IntoIterator<Item = &'s Statement>) -> Result<()> {
        self.0.execute_batch("BEGIN")?;
        let done = statements.into_iter().try_for_each(|statement| self.run(statement));
        self.0.execute_batch(if done.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
        done
    }

    /// Runs one statement.
    pub(crate) fn run(&self, statement: &Statement) -> Result<()> {
        self.0.prepare_cached(statement.sql)?.query(values(statement))?.next().map(drop)
    }

    /// The rows that a statement returns.
    pub(crate) fn rows<T>(&self, statement: &Statement, read: impl FnMut(&Row<'_>) -> Result<T>) -> Vec<T> {
        let mut prepared = self.0.prepare_cached(statement.sql).unwrap();
        prepared.query_map(values(statement), read).unwrap().map(Result::unwrap).collect()
    }

    /// One number.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.0.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// Everything in a table, as text: to see that nothing changed.
    pub(crate) fn dump(&self, table: &str) -> Vec<String> {
        let mut all = self.0.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = all.column_count();
        let line = |row: &Row<'_>| {
            (0..columns).map(|column| row.get::<_, Value>(column)).collect::<Result<Vec<_>>>()
        };
        all.query_map([], line).unwrap().map(|row| format!("{:?}", row.unwrap())).collect()
    }

    /// How a statement finds its rows.
    pub(crate) fn explain(&self, statement: &Statement) -> Vec<String> {
        let mut plan = self.0.prepare(&format!("EXPLAIN QUERY PLAN {}", statement.sql)).unwrap();
        plan.query_map(values(statement), |row| row.get(3)).unwrap().map(Result::unwrap).collect()
    }
}

/// The gate's log, as `Gate::rebuild` wants it.
pub(crate) fn log_rows(storage: &Database) -> Vec<log::Row> {
    storage.rows(&log::rows(), |row| {
        Ok(log::Row {
            seq: row.get(0)?,
            message: row.get(1)?,
            at_ms: row.get(2)?,
            admitted: row.get(3)?,
            duplicates: row.get(4)?,
            body: row.get(5)?,
        })
    })
}

/// Whether it failed because a key was there already.
pub(crate) fn is_unique(error: &Error) -> bool {
    error.to_string().contains("UNIQUE")
}

fn values(statement: &Statement) -> impl rusqlite::Params {
    params_from_iter(statement.params.clone().into_iter().map(|param| match param {
        Param::Null => Value::Null,
        Param::Integer(number) => Value::Integer(number),
        Param::Text(text) => Value::Text(text),
        Param::Blob(bytes) => Value::Blob(bytes),
    }))
}
