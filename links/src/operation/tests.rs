use super::*;
use crate::change::Change;
use crate::link::tests::link;
use crate::{Allowed, Link};
use analytics::audit::Action;
use proptest::prelude::*;
use serde_json::json;

const NOW: i64 = 2_000;

fn stored(token: &str, external_id: &str) -> Link {
    let token = Token::parse(token).unwrap();
    Link { token, external_id: external_id.into(), ..link("https://example.com/") }
}

fn deleted(token: &str) -> Link {
    Link { deleted_at_ms: Some(5), ..stored(token, "") }
}

fn planned(operations: &[Operation], stored: &[Link], holds: &dyn Fn(Option<u32>) -> bool) -> Vec<Outcome> {
    let domains = ["go.example".to_owned()];
    let allowed = Allowed { domains: &domains, ..Allowed::default() };
    let mut drawn = 0;
    let mut fresh = || {
        drawn += 1;
        Token::generate(drawn)
    };
    plan(operations, stored, NOW, &allowed, holds, &mut fresh)
}

fn outcome(operation: Operation, stored: &[Link]) -> Outcome {
    planned(&[operation], stored, &|_| true).remove(0)
}

fn body(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

fn at(path: &str, verb: Verb, value: &Value) -> Operation {
    Operation::on(Name::of_path(path, "").unwrap(), verb, body(value))
}

fn create(value: &Value) -> Operation {
    Operation::new(Verb::Create, body(value))
}

#[track_caller]
fn changed(outcome: Outcome) -> Change {
    match outcome {
        Outcome::Change(change, _) => *change,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn taken(outcome: Outcome) -> (String, bool) {
    match outcome {
        Outcome::Taken(reject) => (reject.pointer.to_string(), reject.detail.contains("deleted")),
        other => panic!("{other:?}"),
    }
}

const URL: &str = "https://example.com/new";

#[test]
fn a_link_is_made_once_by_each_of_its_names() {
    let here = [stored("a", "e"), deleted("d")];
    let made = changed(outcome(create(&json!({"url": URL})), &here));
    assert_eq!((made.before, made.action), (None, Action::Created));
    assert_eq!(made.after.unwrap().token, Token::generate(1));
    assert_eq!(taken(outcome(create(&json!({"url": URL, "token": "a"})), &here)), ("/token".into(), false));
    assert_eq!(taken(outcome(create(&json!({"url": URL, "token": "d"})), &here)), ("/token".into(), true));
    let same_id = json!({"url": URL, "external_id": " e "});
    assert_eq!(taken(outcome(create(&same_id), &here)), ("/external_id".into(), false));
    changed(outcome(create(&json!({"url": URL, "token": "a", "domain": "go.example"})), &here));
    assert!(matches!(outcome(create(&json!({"token": "b"})), &here), Outcome::Invalid(_)));
}

#[test]
fn a_put_makes_a_link_or_makes_it_what_the_body_says() {
    let here = [stored("a", "e"), deleted("d")];
    let put = |path: &str, value: &Value| outcome(at(path, Verb::Put, value), &here);
    let made = changed(put("new", &json!({"url": URL})));
    assert_eq!((made.before, made.after.unwrap().token.as_str()), (None, "new"));
    let made = changed(put("ext:e2", &json!({"url": URL, "token": "chosen"}))).after.unwrap();
    assert_eq!((made.token.as_str(), &*made.external_id), ("chosen", "e2"));
    for path in ["a", "ext:e"] {
        let change = changed(put(path, &json!({"url": URL})));
        let after = change.after.unwrap();
        assert_eq!((after.token.as_str(), &*after.external_id, after.version), ("a", "e", 2));
    }
    let same = json!({"url": "https://example.com/"});
    assert!(matches!(put("a", &same), Outcome::Same(_)));
    let back = changed(put("d", &same));
    assert_eq!((back.action, back.after.unwrap().deleted_at_ms), (Action::Restored, None));
    assert_eq!(taken(put("ext:e2", &json!({"url": URL, "token": "a"}))).0, "/token");
    assert_eq!(taken(put("new", &json!({"url": URL, "external_id": "e"}))).0, "/external_id");
    for (path, value) in [
        ("new", json!({"url": URL, "token": "other"})),
        ("ext:e2", json!({"url": URL, "external_id": "e3"})),
        ("api", json!({"url": URL})),
    ] {
        assert!(matches!(put(path, &value), Outcome::Invalid(_)), "{path}");
    }
    let there = |value: &Value| {
        let name = Name::of_path("new", "GO.example").unwrap();
        outcome(Operation::on(name, Verb::Put, body(value)), &here)
    };
    assert_eq!(changed(there(&json!({"url": URL}))).after.unwrap().domain, "go.example");
    let unknown = Name::of_path("new", "other.example").unwrap();
    let unknown = outcome(Operation::on(unknown, Verb::Put, body(&json!({"url": URL}))), &here);
    assert!(matches!(unknown, Outcome::Invalid(_)));
}

#[test]
fn what_is_deleted_can_be_restored_or_erased_and_nothing_else() {
    let here = [stored("a", ""), deleted("d")];
    let outcome = |path: &str, verb| outcome(at(path, verb, &json!({})), &here);
    let change = changed(outcome("a", Verb::Delete));
    let after = change.after.unwrap();
    assert_eq!((change.action, after.deleted_at_ms, after.version), (Action::Deleted, Some(NOW), 2));
    let change = changed(outcome("d", Verb::Restore));
    let after = change.after.unwrap();
    assert_eq!((change.action, after.deleted_at_ms, after.version), (Action::Restored, None, 2));
    for path in ["a", "d"] {
        let change = changed(outcome(path, Verb::Purge));
        assert_eq!((change.action, change.after), (Action::Purged, None));
    }
    assert!(matches!(outcome("a", Verb::Restore), Outcome::Same(_)));
    for (path, verb) in [
        ("d", Verb::Delete),
        ("d", Verb::Update),
        ("x", Verb::Update),
        ("x", Verb::Delete),
        ("x", Verb::Purge),
        ("x", Verb::Restore),
        ("ext:x", Verb::Delete),
    ] {
        assert_eq!(outcome(path, verb), Outcome::NotFound, "{path} {verb:?}");
    }
}

#[test]
fn a_condition_is_asked_of_the_link_as_it_is() {
    let here = [stored("a", ""), deleted("d")];
    for (path, verb, asked) in [
        ("a", Verb::Update, Some(1)),
        ("a", Verb::Put, Some(1)),
        ("a", Verb::Delete, Some(1)),
        ("d", Verb::Purge, Some(1)),
        ("d", Verb::Put, None),
        ("x", Verb::Put, None),
    ] {
        let holds = |version| {
            assert_eq!(version, asked, "{path} {verb:?}");
            false
        };
        let operation = at(path, verb, &json!({"url": URL}));
        assert_eq!(planned(&[operation], &here, &holds), [Outcome::Stale]);
    }
}

#[test]
fn items_of_a_list_name_their_link() {
    let here = [stored("a", "e"), stored("b", "")];
    let update = |value: &Value| outcome(Operation::in_body(Verb::Update, body(value)), &here);
    for value in [
        json!({"token": "a", "title": "T"}),
        json!({"external_id": "e", "title": "T"}),
        json!({"token": "a", "external_id": "e", "title": "T"}),
    ] {
        assert_eq!(changed(update(&value)).after.unwrap().title, "T");
    }
    let renamed = changed(update(&json!({"token": "b", "external_id": "f"})));
    assert_eq!(renamed.after.unwrap().external_id, "f");
    assert_eq!(taken(update(&json!({"token": "b", "external_id": "e"}))).0, "/external_id");
    for (value, pointer) in [
        (json!({"title": "T"}), "/token"),
        (json!({"token": 7}), "/token"),
        (json!([]), ""),
        (json!({"token": "a/b"}), "/token"),
    ] {
        let Outcome::Invalid(rejects) = update(&value) else { panic!("{value}") };
        assert_eq!(rejects[0].pointer, pointer);
    }
}

#[test]
fn one_operation_of_a_call_may_change_a_link_and_the_rest_goes_on() {
    let here = [stored("a", "e"), stored("b", "")];
    let delete = |token: &str| Operation::in_body(Verb::Delete, body(&json!({"token": token})));
    let operations = [
        create(&json!({"url": URL, "token": "n", "external_id": "m"})),
        create(&json!({"url": URL, "token": "n"})),
        create(&json!({"url": URL, "external_id": "m"})),
        Operation::in_body(Verb::Update, body(&json!({"token": "a", "title": "T"}))),
        delete("a"),
        delete("b"),
        delete("x"),
        create(&json!({"url": "nowhere"})),
    ];
    let said: Vec<_> = planned(&operations, &here, &|_| true)
        .into_iter()
        .map(|outcome| match outcome {
            Outcome::Change(change, _) => change.action.name(),
            Outcome::Taken(_) => "taken",
            Outcome::Twice => "twice",
            Outcome::NotFound => "not found",
            Outcome::Invalid(_) => "invalid",
            _ => "?",
        })
        .collect();
    let wanted = ["created", "taken", "taken", "updated", "twice", "deleted", "not found", "invalid"];
    assert_eq!(said, wanted);
}

#[test]
fn a_line_of_a_file_meets_the_link_that_is_there() {
    let here = [stored("a", "e"), deleted("d")];
    let import =
        |on_conflict, value: &Value| outcome(Operation::new(Verb::Import(on_conflict), body(value)), &here);
    let there = json!({"url": URL, "token": "a", "title": "T"});
    assert!(matches!(import(OnConflict::Skip, &there), Outcome::Skipped(_)));
    assert_eq!(taken(import(OnConflict::Refuse, &there)).0, "/token");
    let by_id = json!({"url": URL, "external_id": "e"});
    assert_eq!(taken(import(OnConflict::Refuse, &by_id)).0, "/external_id");
    for value in [there, by_id] {
        let after = changed(import(OnConflict::Update, &value)).after.unwrap();
        assert_eq!((after.token.as_str(), after.url.as_str()), ("a", URL));
    }
    let back = changed(import(OnConflict::Update, &json!({"url": "https://example.com/", "token": "d"})));
    assert_eq!((back.action, back.after.unwrap().version), (Action::Restored, 2));
    let new = changed(import(OnConflict::Skip, &json!({"url": URL, "token": "n"})));
    assert_eq!(new.action, Action::Imported);
}

#[test]
fn a_path_names_a_token_or_an_external_id() {
    let name = |segment: &str| Name::of_path(segment, "").map(|name| (name.token, name.external_id));
    assert_eq!(name("%E6%9D%B1"), Some((Some(Token::parse("東").unwrap()), String::new())));
    assert_eq!(name("ext:a%2Fb"), Some((None, "a/b".into())));
    assert_eq!(name("ext%3Aa"), Some((None, "a".into())));
    for bad in ["", "ext:", "a.b", "ext:%ff"] {
        assert_eq!(name(bad), None, "{bad}");
    }
}

proptest! {
    #[test]
    fn any_bodies_are_answered(bodies in proptest::collection::vec(any::<Vec<u8>>(), 0..4)) {
        for verb in [Verb::Create, Verb::Update, Verb::Put, Verb::Import(OnConflict::Update)] {
            let operations: Vec<_> =
                bodies.iter().map(|body| Operation::in_body(verb, body.clone())).collect();
            prop_assert_eq!(planned(&operations, &[stored("a", "e")], &|_| true).len(), bodies.len());
        }
    }
}

#[test]
fn a_bulk_is_read_in_order_and_answered_item_by_item() {
    let here = [stored("a", ""), stored("b", "e"), stored("c", "")];
    let wanted = json!({
        "delete": ["c", {"external_id": "e"}, "a/b", 7, "x"],
        "create": [{"url": URL, "token": "n"}, {"url": "nowhere", "token": "m"}, null],
        "update": [{"token": "a", "title": "T"}, {"token": "a", "title": "U"}, {"title": "T"}],
    });
    let operations = Operation::bulk(&body(&wanted)).unwrap();
    let outcomes = planned(&operations, &here, &|_| true);
    let results = operations.iter().zip(&outcomes).map(|(operation, outcome)| operation.result(outcome));
    let results: Vec<Value> = results.collect();
    let short = |result: &Value| {
        format!("{} {} {}", result["op"], result["status"], result["token"]).replace('"', "")
    };
    assert_eq!(
        results.iter().map(short).collect::<Vec<_>>(),
        [
            "create created n",
            "create invalid m",
            "create invalid null",
            "update updated a",
            "update conflict a",
            "update invalid null",
            "delete deleted c",
            "delete deleted b",
            "delete invalid null",
            "delete invalid null",
            "delete not_found x",
        ]
    );
    assert_eq!(results[1]["errors"][0]["pointer"], "/url");
    assert_eq!((&results[3]["version"], &results[7]["external_id"]), (&json!(2), &json!("e")));
}

/// A misspelt host would leave the name of another link, of every host.
#[test]
fn what_is_to_be_deleted_is_named_and_nothing_else() {
    let wanted = json!({"delete": [{"token": "a", "domian": "go.example"}, {"slug": "a", "domain": null}]});
    let operations = Operation::bulk(&body(&wanted)).unwrap();
    let outcomes = planned(&operations, &[stored("a", "")], &|_| true);
    assert_eq!(outcomes[0].errors()[0].pointer, "/domian");
    assert_eq!(outcomes[1].status(), "deleted");
}

#[test]
fn a_bulk_of_none_or_too_many_or_something_else_is_refused() {
    let many = json!({"delete": vec!["a"; 1_001]});
    for value in [json!([]), json!({}), json!({"create": {}}), json!({"upsert": []}), many] {
        assert_eq!(Operation::bulk(&body(&value)).unwrap_err().pointer, "", "{value}");
    }
    assert_eq!(Operation::bulk(&body(&json!({"delete": vec!["a"; 1_000]}))).unwrap().len(), 1_000);
}
