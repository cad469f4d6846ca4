//! Runs statements: on D1, and on a Durable Object's own database.

use analytics::page::{Level, PageKey, PageRow};
use analytics::{Param, Scope, Statement};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use worker::wasm_bindgen::JsValue;
use worker::{
    D1Database, D1PreparedStatement, D1Result, Error, Result, SqlCursor, SqlStorage, SqlStorageValue,
};

fn prepare(db: &D1Database, statement: Statement) -> Result<D1PreparedStatement> {
    let prepared = db.prepare(statement.sql);
    if statement.params.is_empty() {
        return Ok(prepared);
    }
    let params: Vec<JsValue> = statement
        .params
        .into_iter()
        .map(|param| match param {
            Param::Null => JsValue::NULL,
            // Not `D1Type::Integer`, which has 32 bits.
            Param::Integer(value) => JsValue::from_f64(value as f64),
            Param::Text(value) => JsValue::from_str(&value),
            Param::Blob(value) => worker::js_sys::Uint8Array::from(value.as_slice()).into(),
        })
        .collect();
    prepared.bind(&params)
}

/// Runs statements on D1 as one transaction.
pub(crate) async fn transact(
    db: &D1Database,
    statements: impl IntoIterator<Item = Statement>,
) -> Result<Vec<D1Result>> {
    let prepared: Result<Vec<_>> = statements.into_iter().map(|statement| prepare(db, statement)).collect();
    let prepared = prepared?;
    if prepared.is_empty() { Ok(Vec::new()) } else { db.batch(prepared).await }
}

/// Reads rows from D1.
pub(crate) async fn read<T: DeserializeOwned>(db: &D1Database, statement: Statement) -> Result<Vec<T>> {
    let results = transact(db, [statement]).await?;
    results.first().map_or(Ok(Vec::new()), D1Result::results)
}

/// A page of sums as D1 returns it.
#[derive(Debug, Deserialize)]
pub(crate) struct StoredPage {
    /// With its scope, where a statement reads pages of several.
    #[serde(default)]
    level: String,
    #[serde(default)]
    scope: String,
    #[serde(rename = "page")]
    start_ms: i64,
    chunk: i64,
    totals: String,
    detail: String,
    visitors: String,
}

impl StoredPage {
    /// As its own columns say what it is.
    pub(crate) fn keyed(self) -> Result<PageRow> {
        let key = Level::from_code(&self.level).zip(Scope::from_key(&self.scope));
        let (level, scope) = key
            .ok_or_else(|| Error::RustError(format!("no page has the key {} {}", self.level, self.scope)))?;
        Ok(self.into_row(level, scope))
    }

    pub(crate) fn into_row(self, level: Level, scope: Scope) -> PageRow {
        PageRow {
            key: PageKey { level, scope, start_ms: self.start_ms },
            chunk: self.chunk,
            totals: self.totals,
            detail: self.detail,
            visitors: self.visitors,
        }
    }
}

/// Runs a statement on a Durable Object's database.
pub(crate) fn execute(sql: &SqlStorage, statement: Statement) -> Result<SqlCursor> {
    let params: Vec<SqlStorageValue> = statement
        .params
        .into_iter()
        .map(|param| match param {
            Param::Null => SqlStorageValue::Null,
            Param::Integer(value) => SqlStorageValue::Integer(value),
            Param::Text(value) => SqlStorageValue::String(value),
            Param::Blob(value) => SqlStorageValue::Blob(value),
        })
        .collect();
    sql.exec(statement.sql, params)
}

/// The next column of a row from a Durable Object's database, which holds a number.
pub(crate) fn integer(columns: &mut dyn Iterator<Item = SqlStorageValue>) -> Result<i64> {
    match columns.next() {
        Some(SqlStorageValue::Integer(value)) => Ok(value),
        // A number beyond 32 bits comes over as a float.
        Some(SqlStorageValue::Float(value)) => Ok(value as i64),
        other => Err(Error::RustError(format!("storage has {other:?} where a number should be"))),
    }
}

/// Likewise, which holds bytes.
pub(crate) fn blob(columns: &mut dyn Iterator<Item = SqlStorageValue>) -> Result<Vec<u8>> {
    match columns.next() {
        Some(SqlStorageValue::Blob(bytes)) => Ok(bytes),
        other => Err(Error::RustError(format!("storage has {other:?} where bytes should be"))),
    }
}
