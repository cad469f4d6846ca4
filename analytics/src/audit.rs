//! The audit trail: who changed what, and when.

mod changes;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use crate::{Param, Reject, Statement};

pub use changes::changes;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It is new.
    Created,
    /// Some of its fields changed.
    Updated,
    /// It is out of sight, and can be restored.
    Deleted,
    /// It is back.
    Restored,
    /// It is gone for good.
    Purged,
    /// It came with a file.
    Imported,
    /// A key opens nothing any more.
    Revoked,
    /// A link's time is over.
    Expired,
    /// A link was followed as often as it may be.
    LimitReached,
    /// An alert's rule was broken.
    Fired,
    /// It holds again.
    Resolved,
    /// A webhook failed for days, and is told nothing any more.
    Disabled,
}

impl Action {
    /// The name in the table and in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
            Self::Restored => "restored",
            Self::Purged => "purged",
            Self::Imported => "imported",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::LimitReached => "limit_reached",
            Self::Fired => "fired",
            Self::Resolved => "resolved",
            Self::Disabled => "disabled",
        }
    }
}

/// What can be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entity {
    /// A link, by its token.
    Link,
    /// A campaign.
    Campaign,
    /// A publisher.
    Publisher,
    /// A funnel.
    Funnel,
    /// An API key, by its hash.
    Key,
    /// A webhook.
    Webhook,
    /// An alert's rule.
    Alert,
    /// A request to erase a person, by its receipt.
    Erasure,
    /// A request to see what is held of a person, by the hash of their id.
    Access,
}

impl Entity {
    /// Every entity.
    pub const ALL: [Self; 9] = [
        Self::Link,
        Self::Campaign,
        Self::Publisher,
        Self::Funnel,
        Self::Key,
        Self::Webhook,
        Self::Alert,
        Self::Erasure,
        Self::Access,
    ];

    /// The name in the table, in queries and in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Campaign => "campaign",
            Self::Publisher => "publisher",
            Self::Funnel => "funnel",
            Self::Key => "key",
            Self::Webhook => "webhook",
            Self::Alert => "alert",
            Self::Erasure => "erasure",
            Self::Access => "access",
        }
    }
}

/// So many changes of links are asked for at once.
pub const LINK_CHANGES_MAX: usize = 1_000;

/// The changes of links behind the one numbered `seen`, in order: `id, at_ms, entity_id`. Without it the latest.
pub fn link_changes(seen: Option<i64>) -> Statement {
    let most = LINK_CHANGES_MAX as i64;
    match seen {
        Some(seen) => Statement::new(
            "SELECT id, at_ms, entity_id FROM audit WHERE id > ?1 AND entity = 'link' ORDER BY id LIMIT ?2",
            [seen.into(), most.into()],
        ),
        None => Statement::new(
            "SELECT id, at_ms, entity_id FROM audit WHERE +entity = 'link' ORDER BY id DESC LIMIT ?1",
            [most.into()],
        ),
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// When, epoch ms.
    pub at_ms: i64,
    /// Who.
    pub actor: String,
    /// What was done,
    pub action: Action,
    /// to what,
    pub entity: Entity,
    /// to which,
    pub entity_id: String,
    /// and what of it changed: see [`changes`].
    pub changes: Value,
}

impl Entry {
    /// Notes the change that the statement right before this one made, in the same transaction; if that touched no
    /// row, because somebody else was faster, there is nothing to note. A read between the two does no harm, another
    /// write does: `changes()` counts the rows of the latest INSERT, UPDATE or DELETE.
    pub fn insert(&self) -> Statement {
        let sql = "INSERT INTO audit (at_ms, actor, action, entity, entity_id, changes) \
                   SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE changes() > 0";
        Statement::new(
            sql,
            [
                self.at_ms.into(),
                self.actor.as_str().into(),
                self.action.name().into(),
                self.entity.name().into(),
                self.entity_id.as_str().into(),
                self.changes.to_string().into(),
            ],
        )
    }

    /// Notes what changed nothing.
    pub fn note(&self) -> Statement {
        let Statement { params, .. } = self.insert();
        let sql = "INSERT INTO audit (at_ms, actor, action, entity, entity_id, changes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        Statement { sql, params }
    }

    /// Notes the changes that the statement right before this one made, one to a row, in the same transaction. If that
    /// touched another number of rows, the transaction fails: what is noted is what happened.
    pub fn insert_all(entries: &[Self]) -> Statement {
        let row = |entry: &Self| {
            let (action, entity) = (entry.action.name(), entry.entity.name());
            json!([entry.at_ms, entry.actor, action, entity, entry.entity_id, entry.changes])
        };
        let rows = Value::Array(entries.iter().map(row).collect());
        // A time that is NULL is refused by the table.
        let sql = "INSERT INTO audit (at_ms, actor, action, entity, entity_id, changes) \
                   SELECT iif(changes() = json_array_length(?1), value ->> 0, NULL), \
                   value ->> 1, value ->> 2, value ->> 3, value ->> 4, value -> 5 FROM json_each(?1)";
        Statement::new(sql, [rows.to_string().into()])
    }
}

/// An entry as one column: the shell reads rows of records everywhere, and needs no code for rows of another shape.
macro_rules! record {
    () => {
        "SELECT json_object('id', id, 'at', at_ms, 'actor', actor, 'action', action, 'entity', entity, \
         'entity_id', entity_id, 'changes', json(changes)) AS record FROM audit "
    };
}

/// Which entries are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    entity: Option<&'static str>,
    entity_id: Option<String>,
    actor: Option<String>,
    from_ms: Option<i64>,
    to_ms: Option<i64>,
    before_id: Option<i64>,
    limit: Option<i64>,
}

impl Filter {
    const LIMIT_DEFAULT: i64 = 50;
    const LIMIT_MAX: i64 = 500;

    /// Takes one parameter of the query.
    ///
    /// # Errors
    /// It is no parameter of the trail, or has no such value.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), Reject> {
        let say = |detail| Reject::new(format!("/{name}"), detail);
        match name {
            "entity" => {
                let entity = Entity::ALL.iter().find(|entity| entity.name() == value);
                self.entity = Some(entity.ok_or_else(|| say("is nothing that is noted"))?.name());
            }
            "entity_id" => self.entity_id = Some(value.to_owned()),
            "actor" => self.actor = Some(value.to_owned()),
            "from" => self.from_ms = Some(crate::time::parse_time(value).map_err(say)?),
            "to" => self.to_ms = Some(crate::time::parse_time(value).map_err(say)?),
            "cursor" => {
                let id = value.parse().ok().filter(|id| (0..1i64 << 53).contains(id));
                self.before_id = Some(id.ok_or_else(|| say("is not one that the trail returned"))?);
            }
            "limit" => {
                let limit = value.parse().ok().filter(|limit| (1..=Self::LIMIT_MAX).contains(limit));
                self.limit = Some(limit.ok_or_else(|| say("is not a number from 1 to 500"))?);
            }
            _ => return Err(say("is no parameter of this route")),
        }
        Ok(())
    }

    fn limit(&self) -> i64 {
        self.limit.unwrap_or(Self::LIMIT_DEFAULT)
    }

    /// The entries, newest first, and one more than the page holds if another page follows: one column `record`, which
    /// [`Filter::answer`] takes.
    pub fn page(&self) -> Statement {
        // What was done to one thing is found by the index; the rest is a walk back through a table that grows with
        // what people do, not with what is clicked.
        let sql = match (self.entity, &self.entity_id) {
            (Some(_), Some(_)) => concat!(
                record!(),
                "WHERE entity = ?1 AND entity_id = ?2 AND (?3 IS NULL OR actor = ?3) \
                 AND (?4 IS NULL OR at_ms >= ?4) AND (?5 IS NULL OR at_ms < ?5) \
                 AND id < ?6 ORDER BY id DESC LIMIT ?7"
            ),
            _ => concat!(
                record!(),
                "WHERE (?1 IS NULL OR entity = ?1) AND (?2 IS NULL OR entity_id = ?2) \
                 AND (?3 IS NULL OR actor = ?3) AND (?4 IS NULL OR at_ms >= ?4) AND (?5 IS NULL OR at_ms < ?5) \
                 AND id < ?6 ORDER BY id DESC LIMIT ?7"
            ),
        };
        let text = |value: Option<&str>| value.map_or(Param::Null, Param::from);
        let number = |value: Option<i64>| value.map_or(Param::Null, Param::Integer);
        Statement::new(
            sql,
            [
                text(self.entity),
                text(self.entity_id.as_deref()),
                text(self.actor.as_deref()),
                number(self.from_ms),
                number(self.to_ms),
                self.before_id.unwrap_or((1 << 53) - 1).into(),
                (self.limit() + 1).into(),
            ],
        )
    }

    /// The page as it is answered.
    pub fn answer<'a>(&self, records: impl IntoIterator<Item = &'a str>) -> Value {
        let mut data: Vec<Value> =
            records.into_iter().filter_map(|record| serde_json::from_str(record).ok()).collect();
        let most = self.limit() as usize;
        let more = data.len() > most;
        data.truncate(most);
        for entry in &mut data {
            let at_ms = entry["at"].as_i64().unwrap_or_default();
            if let Some(members) = entry.as_object_mut() {
                members.insert("at".to_owned(), crate::time::rfc3339(at_ms).into());
            }
        }
        let next = data.last().filter(|_| more).map(|last| last["id"].to_string());
        json!({ "data": data, "next_cursor": next })
    }
}
