//! `SQLite` as D1 has it, for tests: with the links' tables.

use analytics::{Param, Statement};
use rusqlite::types::Value;
use rusqlite::{Connection, Result, Row, params_from_iter};

use crate::Link;
use crate::change::{Change, statements};

pub(crate) struct Database(pub(crate) Connection);

impl Database {
    pub(crate) fn new() -> Self {
        let database = Connection::open_in_memory().unwrap();
        for migration in [
            include_str!("../../analytics/migrations/0001_links.sql"),
            include_str!("../../analytics/migrations/0003_keys.sql"),
            include_str!("../../analytics/migrations/0004_audit.sql"),
            include_str!("../../analytics/migrations/0006_links.sql"),
        ] {
            database.execute_batch(migration).unwrap();
        }
        Self(database)
    }

    pub(crate) fn rows<T>(&self, statement: &Statement, read: impl FnMut(&Row<'_>) -> Result<T>) -> Vec<T> {
        let mut prepared = self.0.prepare_cached(statement.sql).unwrap();
        prepared.query_map(values(statement), read).unwrap().map(Result::unwrap).collect()
    }

    pub(crate) fn texts(&self, statement: &Statement) -> Vec<String> {
        self.rows(statement, |row| row.get(0))
    }

    /// All of them or none, as D1's `batch` does it.
    pub(crate) fn transact(&self, statements: &[Statement]) -> Result<()> {
        self.0.execute_batch("BEGIN").unwrap();
        let done = statements.iter().try_for_each(|statement| {
            self.0.prepare_cached(statement.sql)?.execute(values(statement)).map(drop)
        });
        self.0.execute_batch(if done.is_ok() { "COMMIT" } else { "ROLLBACK" }).unwrap();
        done
    }

    pub(crate) fn change(&self, changes: &[Change]) -> Result<()> {
        self.transact(&statements(changes, "admin", 9))
    }

    pub(crate) fn insert(&self, links: impl IntoIterator<Item = Link>) {
        let change =
            |link| Change { before: None, after: Some(link), action: analytics::audit::Action::Created };
        self.change(&links.into_iter().map(change).collect::<Vec<_>>()).unwrap();
    }

    pub(crate) fn explain(&self, statement: &Statement) -> String {
        let mut plan = self.0.prepare(&format!("EXPLAIN QUERY PLAN {}", statement.sql)).unwrap();
        let steps = plan.query_map(values(statement), |row| row.get::<_, String>(3)).unwrap();
        steps.map(Result::unwrap).collect::<Vec<_>>().join("; ")
    }
}

fn values(statement: &Statement) -> impl rusqlite::Params {
    params_from_iter(statement.params.clone().into_iter().map(|param| match param {
        Param::Null => Value::Null,
        Param::Integer(number) => Value::Integer(number),
        Param::Text(text) => Value::Text(text),
        Param::Blob(bytes) => Value::Blob(bytes),
    }))
}
