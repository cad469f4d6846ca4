use proptest::prelude::*;

use super::*;

#[test]
fn only_what_differs_is_noted() {
    let before =
        json!({"name": "Spring", "note": "x", "medium": null, "tags": ["a"], "updated_at": 1, "version": 1});
    let after = json!({"name": "Spring", "note": null, "medium": "email", "tags": ["a", "b"], "updated_at": 2, "version": 2});
    assert_eq!(
        changes(Some(&before), Some(&after)),
        json!({"note": ["x", null], "medium": [null, "email"], "tags": [["a"], ["a", "b"]], "version": [1, 2]})
    );
    assert_eq!(changes(Some(&after), Some(&after)), json!({}));
}

#[test]
fn a_creation_has_nothing_before_and_a_deletion_nothing_after() {
    let record = json!({"name": "Spring", "note": null, "created_at": 1});
    assert_eq!(changes(None, Some(&record)), json!({"name": [null, "Spring"]}));
    assert_eq!(changes(Some(&record), None), json!({"name": ["Spring", null]}));
}

#[test]
fn of_a_secret_nothing_is_shown_but_that_it_changed() {
    let before = json!({"password": null, "key": "a", "hooks": [{"secret": "s", "url": "u"}]});
    let after = json!({"password": "hunter2", "key": "b", "hooks": [{"secret": "t", "url": "u"}]});
    let noted = changes(Some(&before), Some(&after));
    assert_eq!(
        noted,
        json!({
            "password": [null, "***"],
            "key": ["***", "***"],
            "hooks": [[{"secret": "***", "url": "u"}], [{"secret": "***", "url": "u"}]],
        })
    );
}

#[test]
fn a_query_of_the_trail_is_read_or_refused_by_name() {
    let mut filter = Filter::default();
    for (name, value) in
        [("entity", "link"), ("entity_id", "a'b"), ("from", "2026-01-01"), ("limit", "7"), ("cursor", "12")]
    {
        filter.set(name, value).unwrap();
    }
    let Statement { params, .. } = filter.page();
    assert_eq!(params[0..3], ["link".into(), "a'b".into(), Param::Null]);
    assert_eq!(params[3..], [1_767_225_600_000.into(), Param::Null, 12.into(), 8.into()]);
    for (name, value) in [
        ("entity", "table"),
        ("from", "soon"),
        ("to", "x"),
        ("cursor", "-1"),
        ("limit", "501"),
        ("page", "2"),
    ] {
        assert_eq!(filter.set(name, value).unwrap_err().pointer, format!("/{name}"));
    }
}

proptest! {
    #[test]
    fn no_secret_gets_into_the_trail(name in "password|key|secret", before: Option<u64>, after: Option<u64>, deep: bool) {
        let wrap = |value: Option<u64>| {
            let member = json!({ name.clone(): value.map(|value| format!("s{value}")) });
            if deep { json!({"list": [member]}) } else { member }
        };
        let noted = changes(Some(&wrap(before)), Some(&wrap(after))).to_string();
        for value in before.into_iter().chain(after) {
            let secret = format!("s{value}");
            prop_assert!(!noted.contains(&secret));
        }
        prop_assert_eq!(noted == "{}", before == after);
    }
}
