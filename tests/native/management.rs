//! What people keep, and the trail of who changed it, on the `SQLite` that D1 is.

use analytics::Statement;
use analytics::audit::{Action, Entity, Entry, Filter};
use analytics::catalog::statements::{List, by_id, changes_since, insert, update};
use analytics::catalog::unknown::known;
use analytics::catalog::{Item, Sort};
use analytics::idempotency;
use serde_json::{Value, json};

use crate::database::{Database, is_unique};

const T: i64 = 1_790_000_000_000;
const DAY: i64 = 86_400_000;

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

fn campaign(id: &str, at_ms: i64) -> Item {
    let body = json!({"id": id, "name": format!("The {id} Sale")});
    Item::create(Sort::Campaign, body.to_string().as_bytes(), String::new(), at_ms).unwrap()
}

fn records(d1: &Database, statement: &Statement) -> Vec<String> {
    d1.rows(statement, |row| row.get(0))
}

fn listed(d1: &Database, query: &[(&str, &str)]) -> (Vec<String>, Option<String>) {
    let mut list = List::new(Sort::Campaign);
    for (name, value) in query {
        list.set(name, value).unwrap();
    }
    let records = records(d1, &list.page(T));
    let answer = list.answer(records.iter().map(String::as_str)).unwrap();
    let ids = answer["data"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned());
    (ids.collect(), answer["next_cursor"].as_str().map(str::to_owned))
}

#[test]
fn an_id_is_given_once_and_of_two_changes_to_one_version_the_second_is_refused() {
    let d1 = Database::d1();
    let item = campaign("spring", 1);
    assert_eq!(records(&d1, &insert(&item)), [item.to_record()]);
    assert!(records(&d1, &insert(&campaign("spring", 2))).is_empty());
    let publisher =
        Item::create(Sort::Publisher, br#"{"id":"spring","name":"x"}"#, String::new(), 1).unwrap();
    assert_eq!(records(&d1, &insert(&publisher)).len(), 1, "ids are each sort's own");
    let mine = item.edit(br#"{"name":"mine"}"#, 3).unwrap();
    let theirs = item.delete(3);
    assert_eq!(records(&d1, &update(item.version(), &theirs)), [theirs.to_record()]);
    assert!(records(&d1, &update(item.version(), &mine)).is_empty());
    assert_eq!(records(&d1, &by_id(Sort::Campaign, "spring")), [theirs.to_record()]);
    assert!(records(&d1, &insert(&item)).is_empty(), "a deleted item keeps its id");
}

#[test]
fn pages_hold_every_item_once_newest_first() {
    let d1 = Database::d1();
    for (id, at_ms) in [("a", 3), ("b", 1), ("c", 2), ("d.e", 2), ("東", 2)] {
        records(&d1, &insert(&campaign(id, at_ms)));
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let query: &[_] =
            if cursor.is_empty() { &[("limit", "2")] } else { &[("limit", "2"), ("cursor", &cursor)] };
        let (ids, next) = listed(&d1, query);
        seen.extend(ids);
        records(&d1, &insert(&campaign("later", 9))); // does not shift what follows
        let Some(next) = next else { break };
        cursor = next;
    }
    assert_eq!(seen, ["a", "東", "d.e", "c", "b"]);
    let steps = d1.explain(&List::new(Sort::Campaign).page(T)).join("; ");
    assert!(
        steps.contains("catalog_by_age (sort=? AND (created_at_ms,id)<(?,?))") && !steps.contains("TEMP"),
        "{steps}"
    );
}

#[test]
fn a_list_is_searched_and_filtered() {
    let d1 = Database::d1();
    for (place, id) in ["Spring", "summer", "autumn"].into_iter().enumerate() {
        records(&d1, &insert(&campaign(id, place as i64)));
    }
    let change = |id: &str, after: fn(&Item) -> Item| {
        let record = records(&d1, &by_id(Sort::Campaign, id)).remove(0);
        let item = Item::from_record(Sort::Campaign, &record).unwrap();
        assert_eq!(records(&d1, &update(item.version(), &after(&item))).len(), 1);
    };
    change("summer", |item| item.delete(5));
    change("autumn", |item| item.edit(br#"{"archived":true}"#, 5).unwrap());
    let ids = |query: &[(&str, &str)]| listed(&d1, query).0;
    assert_eq!(ids(&[]), ["autumn", "Spring"]);
    assert_eq!(ids(&[("status", "deleted")]), ["summer"]);
    assert_eq!(ids(&[("status", "archived")]), ["autumn"]);
    assert_eq!(ids(&[("status", "active")]), ["Spring"]);
    assert_eq!(ids(&[("search", " sPRING s")]), ["Spring"]);
    assert!(ids(&[("search", "winter")]).is_empty());
    change("summer", |item| item.restore(6));
    assert_eq!(ids(&[("status", "active")]), ["summer", "Spring"]);
}

#[test]
fn who_knows_up_to_a_change_is_told_the_rest() {
    let d1 = Database::d1();
    let since = |change: i64| -> Vec<(i64, String)> {
        let read = |record: &String| {
            let record: Value = serde_json::from_str(record).unwrap();
            (record["change"].as_i64().unwrap(), record["id"].as_str().unwrap().to_owned())
        };
        records(&d1, &changes_since(Sort::Campaign, change)).iter().map(read).collect()
    };
    let first = campaign("a", 1);
    records(&d1, &insert(&first));
    records(&d1, &insert(&campaign("b", 1)));
    assert_eq!(since(0), [(1, "a".into()), (2, "b".into())]);
    records(&d1, &update(first.version(), &first.delete(2)));
    assert_eq!(since(2), [(3, "a".into())]);
    assert!(since(3).is_empty());
    let steps = d1.explain(&changes_since(Sort::Campaign, 0)).join("; ");
    assert!(steps.contains("catalog_by_change (sort=? AND change>?)") && !steps.contains("TEMP"), "{steps}");
}

#[test]
fn ids_that_no_campaign_has_are_found_in_the_sums() {
    let d1 = Database::d1();
    for (scope, day) in [
        ("*", 0),
        ("c/known", 0),
        ("c/kept", 1),
        ("c/old", 40),
        ("c/X/1", 2),
        ("c/X/1", 3),
        ("c/東", 0),
        ("l/x", 0),
    ] {
        for level in ["d", "h"] {
            let page = Statement::new(
                "INSERT INTO sums (level, scope, page, chunk, totals, detail, visitors) VALUES (?1, ?2, ?3, 0, '', '', '')",
                [level.into(), scope.into(), (T - day * DAY).into()],
            );
            d1.run(&page).unwrap();
        }
    }
    records(&d1, &insert(&campaign("known", 1)));
    let deleted = campaign("kept", 1);
    records(&d1, &insert(&deleted));
    assert_eq!(listed(&d1, &[("status", "unknown")]).0, ["X/1", "東"]);
    records(&d1, &update(deleted.version(), &deleted.delete(2)));
    assert_eq!(listed(&d1, &[("status", "unknown")]).0, ["X/1", "kept", "東"]);
    let taken: Vec<String> = d1.rows(&known(["known", "kept", "X/1"].iter()), |row| row.get(0));
    assert_eq!(taken, [r#"{"id":"known"}"#.to_owned()]);
    assert_eq!(listed(&d1, &[("status", "unknown"), ("search", "x/")]).0, ["X/1"]);
    let (ids, next) = listed(&d1, &[("status", "unknown"), ("limit", "2")]);
    assert_eq!(ids, ["X/1", "kept"]);
    assert_eq!(
        listed(&d1, &[("status", "unknown"), ("cursor", &next.unwrap())]),
        (vec!["東".to_owned()], None)
    );
    let mut list = List::new(Sort::Campaign);
    list.set("status", "unknown").unwrap();
    let steps = d1.explain(&list.page(T)).join("; ");
    assert!(
        !steps.contains("SCAN next") && !steps.contains("SCAN of") && !steps.contains("SCAN catalog"),
        "{steps}"
    );
}

#[test]
fn an_answer_is_kept_for_a_day_and_given_once() {
    let d1 = Database::d1();
    let request = |actor: &str, body: &str| {
        idempotency::Request::new(actor, "k", "/api/links", body.as_bytes()).unwrap()
    };
    let mine = request("admin", "{}");
    let kept = |at_ms| {
        d1.rows(&mine.find(at_ms), |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, String>(2)?))
        })
    };
    assert!(kept(5).is_empty());
    d1.transact(&mine.keep(201, "first".into(), 5)).unwrap();
    assert!(is_unique(&d1.transact(&mine.keep(201, "second".into(), 6)).unwrap_err()));
    assert!(is_unique(&d1.transact(&request("admin", "[]").keep(201, "other".into(), 6)).unwrap_err()));
    d1.transact(&request("key:x#1", "{}").keep(201, "theirs".into(), 6)).unwrap();
    let (fingerprint, status, answer) = kept(6).remove(0);
    assert!(mine.is(&fingerprint) && !request("admin", "[]").is(&fingerprint));
    assert_eq!((status, &*answer), (201, "first"));
    assert!(kept(5 + DAY).is_empty());
    d1.transact(&mine.keep(201, "again".into(), 5 + DAY)).unwrap();
    d1.run(&idempotency::prune(6 + DAY, 9)).unwrap();
    assert_eq!(d1.number("SELECT count(*) FROM answered"), 1);
}
