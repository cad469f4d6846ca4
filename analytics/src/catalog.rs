//! What customers keep by name: campaigns, publishers, funnels, webhooks and alerts.
//!
//! An item is a row of values under the fields of its sort. The fields are a table and not a struct, so that one
//! piece of code reads, checks, stores and shows an item whatever its sort, and a new sort is a new table.

mod edit;
mod field;
mod sort;
pub mod statements;
#[cfg(test)]
mod tests;
pub mod unknown;

use serde_json::{Map, Value};

use crate::time::rfc3339;
use field::Form;
pub use sort::{EVENTS, Sort};

/// The longest id, in characters and in bytes: a longer value is cut by the sums, and two campaigns would be one.
const ID_MAX: (usize, usize) = (128, crate::dimension::VALUE_MAX_BYTES);

/// A campaign, or whatever its sort says.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    sort: Sort,
    id: String,
    /// In the order of the sort's fields; null where a field has the value that it has by itself.
    values: Vec<Value>,
    created_at_ms: i64,
    updated_at_ms: i64,
    deleted_at_ms: Option<i64>,
    /// When what it is was last changed; kept of funnels alone.
    defined_at_ms: i64,
    version: u32,
}

impl Item {
    /// An item without values, not stored yet.
    fn blank(sort: Sort, id: String, now_ms: i64) -> Self {
        Self {
            sort,
            id,
            values: vec![Value::Null; sort.fields().len()],
            created_at_ms: now_ms,
            updated_at_ms: now_ms,
            deleted_at_ms: None,
            defined_at_ms: now_ms,
            version: 0,
        }
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its sort.
    pub fn sort(&self) -> Sort {
        self.sort
    }

    /// The name that people gave it.
    pub fn name(&self) -> String {
        self.text("name")
    }

    /// Since when it is what it is, epoch ms.
    pub(crate) fn defined_at_ms(&self) -> i64 {
        self.defined_at_ms
    }

    /// Counts the changes from 1.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Whether it is out of sight until somebody restores it.
    pub fn is_deleted(&self) -> bool {
        self.deleted_at_ms.is_some()
    }

    /// The value of a field, or the one that it has by itself.
    pub(crate) fn value(&self, name: &str) -> Value {
        let fields = self.sort.fields();
        let place = fields.iter().position(|field| field.name == name);
        let field =
            place.and_then(|place| fields.get(place)).map_or(Value::Null, |field| field.form.absent());
        let given = place.and_then(|place| self.values.get(place)).filter(|value| !value.is_null());
        given.cloned().unwrap_or(field)
    }

    /// The text of a field; absent is empty.
    pub fn text(&self, name: &str) -> String {
        self.value(name).as_str().unwrap_or_default().to_owned()
    }

    /// The number of a field.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.value(name).as_i64()
    }

    /// The decimal of a field.
    pub fn decimal(&self, name: &str) -> Option<f64> {
        self.value(name).as_f64()
    }

    /// Whether a field is set to yes.
    pub fn flag(&self, name: &str) -> bool {
        self.value(name) == Value::Bool(true)
    }

    /// Whether a field's list holds the word.
    pub fn lists(&self, name: &str, word: &str) -> bool {
        self.value(name).as_array().is_some_and(|words| words.iter().any(|held| held == word))
    }

    /// When it was created, epoch ms.
    pub fn created_at_ms(&self) -> i64 {
        self.created_at_ms
    }

    /// Where it shows: `deleted`, `archived`, or its status.
    pub fn state(&self) -> String {
        if self.is_deleted() {
            "deleted".to_owned()
        } else if self.flag("archived") {
            "archived".to_owned()
        } else {
            self.text("status")
        }
    }

    /// The stored record. A field that has the value it has by itself is left out; a later version may add fields,
    /// with a value of their own that means what their absence meant.
    pub fn to_record(&self) -> String {
        let mut record = Map::new();
        let mut put = |name: &str, value: Value| {
            if !value.is_null() {
                record.insert(name.to_owned(), value);
            }
        };
        put("id", self.id.as_str().into());
        for (field, value) in self.sort.fields().iter().zip(&self.values) {
            put(field.name, value.clone());
        }
        put("created_at", self.created_at_ms.into());
        put("updated_at", self.updated_at_ms.into());
        put("deleted_at", self.deleted_at_ms.into());
        if self.sort == Sort::Funnel {
            put("complete_from", self.defined_at_ms.into());
        }
        put("version", self.version.into());
        Value::Object(record).to_string()
    }

    /// Reads a stored record. Fields of a later version are skipped. `None`: it is no record.
    pub fn from_record(sort: Sort, record: &str) -> Option<Self> {
        let record: Value = serde_json::from_str(record).ok()?;
        let mut values = Vec::new();
        for field in sort.fields() {
            values.push(record.get(field.name).cloned().unwrap_or_default());
        }
        let created_at_ms = record.get("created_at")?.as_i64()?;
        Some(Self {
            sort,
            id: record.get("id")?.as_str()?.to_owned(),
            values,
            created_at_ms,
            defined_at_ms: record.get("complete_from").and_then(Value::as_i64).unwrap_or(created_at_ms),
            updated_at_ms: record.get("updated_at")?.as_i64()?,
            deleted_at_ms: record.get("deleted_at").and_then(Value::as_i64),
            version: u32::try_from(record.get("version")?.as_u64()?).ok()?,
        })
    }

    /// The item in an answer: every field is there, so that a client that reads, changes and patches sees what it can
    /// set.
    pub fn to_json(&self) -> Value {
        let mut answer = Map::new();
        let mut put = |name: &str, value: Value| {
            answer.insert(name.to_owned(), value);
        };
        put("id", self.id.as_str().into());
        for field in self.sort.fields() {
            let value = self.value(field.name);
            let moment = value.as_i64().filter(|_| matches!(field.form, Form::Moment));
            put(field.name, moment.map_or(value, |ms| rfc3339(ms).into()));
        }
        put("created_at", rfc3339(self.created_at_ms).into());
        put("updated_at", rfc3339(self.updated_at_ms).into());
        put("deleted_at", self.deleted_at_ms.map(rfc3339).into());
        if self.sort == Sort::Funnel {
            put("complete_from", rfc3339(self.defined_at_ms).into());
        }
        put("version", self.version.into());
        Value::Object(answer)
    }
}
