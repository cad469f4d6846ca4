//! What people keep, and the trail of who changed it, on the `SQLite` that D1 is.

use analytics::Statement;
use analytics::audit::{Action, Entity, Entry, Filter};
use serde_json::{Value, json};

use crate::database::Database;

fn entry(actor: &str, entity: Entity, id: &str, at_ms: i64) -> Entry {
    let changes = json!({"name": [null, "x"]});
    Entry { at_ms, actor: actor.into(), action: Action::Created, entity, entity_id: id.into(), changes }
}

fn noted(d1: &Database, query: &[(&str, &str)]) -> Vec<String> {
    let answer = answered(d1, query);
    answer["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["entity_id"].as_str().unwrap().into())
        .collect()
}

fn answered(d1: &Database, query: &[(&str, &str)]) -> Value {
    let mut filter = Filter::default();
    for (name, value) in query {
        filter.set(name, value).unwrap();
    }
    let records: Vec<String> = d1.rows(&filter.page(), |row| row.get(0));
    filter.answer(records.iter().map(String::as_str))
}

#[test]
fn a_change_is_noted_if_it_happened() {
    let d1 = Database::d1();
    let put = |name: &str| {
        let sql = "INSERT INTO keys (hash, name, scopes, created_at_ms) VALUES ('h', ?1, '', 0) \
                   ON CONFLICT DO NOTHING RETURNING hash";
        Statement::new(sql, [name.into()])
    };
    let note = |id: &str| entry("admin", Entity::Key, id, 1).insert();
    d1.transact(&[put("a"), note("first"), put("b"), note("second"), note("third")]).unwrap();
    assert_eq!(noted(&d1, &[]), ["first"]);
    let change = Statement::new("UPDATE keys SET name = 'c' RETURNING hash", []);
    let look = Statement::new("SELECT hash FROM keys", []);
    d1.transact(&[change, look, note("fourth")]).unwrap();
    assert_eq!(noted(&d1, &[]), ["fourth", "first"]);
}

#[test]
fn the_trail_is_read_newest_first_page_by_page() {
    let d1 = Database::d1();
    let touch = Statement::new("INSERT INTO folds (part, generation) SELECT 0, count(*) FROM folds", []);
    for (at_ms, actor, entity, id) in [
        (1, "admin", Entity::Link, "a"),
        (2, "key:x#1", Entity::Link, "b"),
        (3, "admin", Entity::Key, "a"),
        (4, "admin", Entity::Link, "a"),
    ] {
        d1.transact(&[touch.clone(), entry(actor, entity, id, at_ms).insert()]).unwrap();
    }
    assert_eq!(noted(&d1, &[]), ["a", "a", "b", "a"]);
    assert_eq!(noted(&d1, &[("actor", "key:x#1")]), ["b"]);
    assert_eq!(noted(&d1, &[("entity", "link"), ("entity_id", "a")]).len(), 2);
    assert_eq!(noted(&d1, &[("entity_id", "a")]).len(), 3);
    assert_eq!(noted(&d1, &[("from", "2"), ("to", "4")]), ["a", "b"]);
    let page = answered(&d1, &[("limit", "1"), ("cursor", "3")]);
    let entry = json!({
        "id": 2, "at": "1970-01-01T00:00:00.002Z", "actor": "key:x#1", "action": "created",
        "entity": "link", "entity_id": "b", "changes": {"name": [null, "x"]},
    });
    assert_eq!(page, json!({"data": [entry], "next_cursor": "2"}));
    assert_eq!(answered(&d1, &[("limit", "1"), ("cursor", "2")])["next_cursor"], Value::Null);
    let mut of_one = Filter::default();
    of_one.set("entity", "link").unwrap();
    of_one.set("entity_id", "a").unwrap();
    let steps = d1.explain(&of_one.page()).join("; ");
    assert!(steps.contains("USING INDEX audit_by_entity") && !steps.contains("TEMP"), "{steps}");
    let steps = d1.explain(&Filter::default().page()).join("; ");
    assert!(steps.contains("USING INTEGER PRIMARY KEY") && !steps.contains("TEMP"), "{steps}");
}
