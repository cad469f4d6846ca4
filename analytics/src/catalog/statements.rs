//! The catalog in D1.
//!
//! Every statement returns one column, `record`. A change returns the record that it wrote; no row means that it did
//! nothing.

use serde_json::{Value, json};

use super::{Item, Sort};
use crate::time::rfc3339;
use crate::{Param, Reject, Statement};

/// How long ago an id may have been counted last, to be listed as unknown.
const UNKNOWN_FOR_MS: i64 = 30 * 86_400_000;
const PAGE_DEFAULT: i64 = 50;
const PAGE_MAX: i64 = 500;
/// Later than any item, and still exact as a JavaScript number.
const LAST_MS: i64 = (1 << 53) - 1;
/// How many changes [`changes_since`] returns at most.
pub const CHANGES_AT_ONCE: i64 = 1_000;

/// Adds an item. No row: the id is taken, if only by a deleted one.
pub fn insert(item: &Item) -> Statement {
    let sql = "INSERT INTO catalog (sort, id, record, version, state, words, created_at_ms, change) VALUES \
               (?1, ?2, ?3, ?4, ?5, ?6, ?7, (SELECT coalesce(max(change), 0) + 1 FROM catalog WHERE sort = ?1)) \
               ON CONFLICT DO NOTHING RETURNING record";
    Statement::new(sql, columns(item))
}

/// Replaces version `before` of the item. No row: somebody else changed it since it was read, and theirs would be
/// lost.
pub fn update(before: u32, after: &Item) -> Statement {
    let sql = "UPDATE catalog SET record = ?3, version = ?4, state = ?5, words = ?6, created_at_ms = ?7, \
               change = (SELECT coalesce(max(change), 0) + 1 FROM catalog WHERE sort = ?1) \
               WHERE sort = ?1 AND id = ?2 AND version = ?8 RETURNING record";
    Statement::new(sql, columns(after).into_iter().chain([Param::Integer(before.into())]))
}

/// One item, deleted or not.
pub fn by_id(sort: Sort, id: &str) -> Statement {
    Statement::new("SELECT record FROM catalog WHERE sort = ?1 AND id = ?2", [sort.name().into(), id.into()])
}

/// What became of the sort since a change, oldest first; each record has its own `change` in it.
pub fn changes_since(sort: Sort, change: i64) -> Statement {
    let sql = "SELECT json_set(record, '$.change', change) AS record FROM catalog \
               WHERE sort = ?1 AND change > ?2 ORDER BY change LIMIT ?3";
    Statement::new(sql, [sort.name().into(), change.into(), CHANGES_AT_ONCE.into()])
}

fn columns(item: &Item) -> [Param; 7] {
    let words = format!("{}\n{}", item.id, item.text("name")).to_lowercase();
    [
        item.sort.name().into(),
        item.id.as_str().into(),
        item.to_record().into(),
        i64::from(item.version).into(),
        item.state().into(),
        words.into(),
        item.created_at_ms.into(),
    ]
}

/// Which items are asked for. A cursor names a position, not a row: the page behind it is right even when the item it
/// was made from is gone.
#[derive(Debug, Clone)]
pub struct List {
    sort: Sort,
    state: Option<String>,
    words: Option<String>,
    after: Option<(i64, String)>,
    limit: i64,
}

impl List {
    /// All items that are not deleted.
    pub fn new(sort: Sort) -> Self {
        Self { sort, state: None, words: None, after: None, limit: PAGE_DEFAULT }
    }

    /// Takes one parameter of the query.
    ///
    /// # Errors
    /// It is no parameter of the list, or has no such value.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), Reject> {
        let say = |detail: &'static str| Reject::new(format!("/{name}"), detail);
        match name {
            "search" => self.words = Some(value.trim().to_lowercase()),
            "status" => {
                let unknown = value == "unknown" && self.sort == Sort::Campaign;
                if !unknown && !self.sort.has_state(value) {
                    return Err(say("is no status of these"));
                }
                self.state = Some(value.to_owned());
            }
            "cursor" => {
                let parsed = value.split_once('.').and_then(|(ms, id)| {
                    let ms = ms.parse().ok().filter(|ms| (0..=LAST_MS).contains(ms))?;
                    Some((ms, id.to_owned()))
                });
                self.after = Some(parsed.ok_or_else(|| say("is not one that this list returned"))?);
            }
            "limit" => {
                let parsed = value.parse().ok().filter(|limit| (1..=PAGE_MAX).contains(limit));
                self.limit = parsed.ok_or_else(|| say("is not a number from 1 to 500"))?;
            }
            _ => return Err(say("is no parameter of this route")),
        }
        Ok(())
    }

    pub(super) fn limit(&self) -> usize {
        self.limit as usize
    }

    /// Goes on behind this id.
    pub fn go_on(&mut self, id: String) {
        self.after = Some((0, id));
    }

    pub(super) fn of_unknown(&self) -> bool {
        self.state.as_deref() == Some("unknown")
    }

    /// The page as it is answered. `None`: a record is damaged.
    pub fn answer<'a>(&self, records: impl ExactSizeIterator<Item = &'a str>) -> Option<Value> {
        let more = records.len() > self.limit as usize;
        let (mut data, mut next) = (Vec::new(), Value::Null);
        for record in records.take(self.limit as usize) {
            if self.of_unknown() {
                let seen: Value = serde_json::from_str(record).ok()?;
                let id = seen.get("id")?.as_str()?;
                let day = rfc3339(seen.get("last_day")?.as_i64()?);
                next = format!("0.{id}").into();
                let day = day.get(..10).unwrap_or_default();
                data.push(json!({ "id": id, "status": "unknown", "last_day": day }));
            } else {
                let item = Item::from_record(self.sort, record)?;
                next = format!("{}.{}", item.created_at_ms, item.id).into();
                data.push(item.to_json());
            }
        }
        Some(json!({ "data": data, "next_cursor": if more { next } else { Value::Null } }))
    }

    /// The records, newest first, and one more than the page holds if another page follows.
    pub fn page(&self, now_ms: i64) -> Statement {
        if self.of_unknown() {
            return self.unknown(now_ms);
        }
        let sql = "SELECT record FROM catalog WHERE sort = ?1 AND (created_at_ms, id) < (?2, ?3) \
                   AND (state = ?4 OR ?4 IS NULL AND state <> 'deleted') AND instr(words, ?5) > 0 \
                   ORDER BY created_at_ms DESC, id DESC LIMIT ?6";
        let (created_at_ms, id) = self.after.as_ref().map_or((LAST_MS, ""), |(ms, id)| (*ms, id));
        let state = self.state.as_deref().map_or(Param::Null, Param::from);
        let words = self.words.as_deref().unwrap_or_default();
        Statement::new(
            sql,
            [
                self.sort.name().into(),
                created_at_ms.into(),
                id.into(),
                state,
                words.into(),
                (self.limit + 1).into(),
            ],
        )
    }

    /// Ids that were counted of late and that no campaign has, by id. From one scope of the sums to the next by a
    /// search each, not by a scan: a campaign of a year has hundreds of pages.
    fn unknown(&self, now_ms: i64) -> Statement {
        let sql = "WITH RECURSIVE seen (scope) AS (\
                     VALUES ('c/' || ?1) UNION ALL SELECT (SELECT next.scope FROM sums AS next \
                     WHERE next.level = 'd' AND next.scope > seen.scope AND next.scope < 'c0' \
                     ORDER BY next.scope LIMIT 1) FROM seen WHERE seen.scope IS NOT NULL), \
                   counted (id, day) AS (SELECT substr(scope, 3), (SELECT max(page) FROM sums AS of \
                     WHERE of.level = 'd' AND of.scope = seen.scope) FROM seen WHERE scope > 'c/' || ?1) \
                   SELECT json_object('id', id, 'last_day', day) AS record FROM counted WHERE day >= ?2 \
                   AND instr(lower(id), ?3) > 0 AND NOT EXISTS (SELECT 1 FROM catalog \
                     WHERE sort = 'campaign' AND catalog.id = counted.id AND state <> 'deleted') LIMIT ?4";
        let after = self.after.as_ref().map_or("", |(_, id)| id.as_str());
        let words = self.words.as_deref().unwrap_or_default();
        let since_ms = now_ms - UNKNOWN_FOR_MS;
        Statement::new(sql, [after.into(), since_ms.into(), words.into(), (self.limit + 1).into()])
    }
}
