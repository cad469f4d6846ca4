//! Rules and their states in D1.

use serde_json::{Value, json};

use super::judge::{State, Verdict};
use crate::Statement;
use crate::audit::{Action, Entity, Entry};
use crate::catalog::{Item, Sort};

/// So many rules are looked at each minute: the first by id.
pub const RULES_MAX: i64 = 100;

/// The rules that are on, and where each stands, as one column `record`, for [`Kept::of`].
pub fn rules() -> Statement {
    Statement::new(
        "SELECT json_array(c.record, s.record) AS record FROM catalog AS c LEFT JOIN alert_states AS s ON s.rule = c.id \
         WHERE c.sort = 'alert' AND c.state = 'active' ORDER BY c.id LIMIT ?1",
        [RULES_MAX.into()],
    )
}

/// All rules that are not deleted, likewise.
pub fn states() -> Statement {
    Statement::new(
        "SELECT json_array(c.record, s.record) AS record FROM catalog AS c LEFT JOIN alert_states AS s ON s.rule = c.id \
         WHERE c.sort = 'alert' AND c.state <> 'deleted' ORDER BY c.id LIMIT 500",
        [],
    )
}

/// A rule, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// The rule.
    pub item: Item,
    /// Its state.
    pub state: State,
}

impl Kept {
    /// Reads a row.
    pub fn of(record: &str) -> Option<Self> {
        let row: Value = serde_json::from_str(record).ok()?;
        let text = |place: usize| row.get(place).and_then(Value::as_str);
        let item = Item::from_record(Sort::Alert, text(0)?)?;
        Some(Self { item, state: text(1).map_or_else(State::default, State::from_record) })
    }

    /// As it is answered.
    pub fn to_json(&self) -> Value {
        let item = &self.item;
        let mut shown = self.state.to_json();
        if let Some(members) = shown.as_object_mut() {
            members.insert("alert_id".to_owned(), item.id().into());
            for name in ["name", "metric", "condition"] {
                members.insert(name.to_owned(), item.text(name).into());
            }
            members.insert("status".to_owned(), item.state().into());
        }
        shown
    }
}

/// Remembers what was judged, and notes in the trail what somebody is to be told.
pub fn keep(rule: &str, before: &State, verdict: &Verdict, now_ms: i64) -> Vec<Statement> {
    if verdict.state == *before {
        return Vec::new();
    }
    let state = &verdict.state;
    // A look that overlaps with another does not note the same turn twice.
    let mut statements = vec![Statement::new(
        "INSERT INTO alert_states (rule, record) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET record = excluded.record \
         WHERE record = ?3",
        [rule.into(), state.to_record().into(), before.to_record().into()],
    )];
    if verdict.tell {
        let (mut changes, action) =
            (state.to_json(), if state.firing { Action::Fired } else { Action::Resolved });
        if let Some(members) = changes.as_object_mut() {
            for (_, value) in members.iter_mut() {
                *value = json!([null, value.take()]);
            }
        }
        let entry = Entry {
            at_ms: now_ms,
            actor: "system".to_owned(),
            action,
            entity: Entity::Alert,
            entity_id: rule.to_owned(),
            changes,
        };
        statements.push(entry.insert());
    }
    statements
}
