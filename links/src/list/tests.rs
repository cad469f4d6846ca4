use super::*;
use crate::Link;
use crate::database::Database;
use crate::link::tests::link;
use proptest::prelude::*;

const NOW: i64 = 1_000;

fn named(token: &str, created_at_ms: i64) -> Link {
    Link { token: Token::parse(token).unwrap(), created_at_ms, ..link("https://example.com/") }
}

fn list(query: &[(&str, &str)]) -> List {
    let mut list = List::default();
    for (name, value) in query {
        list.set(name, value).unwrap();
    }
    list
}

/// The tokens of one page, and the cursor behind it.
fn page(database: &Database, list: &List) -> (Vec<String>, Option<String>) {
    let rows = database.rows(&list.page(NOW).unwrap(), |row| Ok((row.get(0)?, row.get(1)?)));
    let rows: Vec<(Link, String)> = rows
        .into_iter()
        .map(|(record, place): (String, _)| (Link::from_record(&record).unwrap(), place))
        .collect();
    let shown = &rows[..rows.len().min(list.limit())];
    let next = (rows.len() > list.limit())
        .then(|| shown.last().map(|(link, place)| list.cursor(place, &link.token, &link.domain)).unwrap());
    (shown.iter().map(|(link, _)| link.key().into_owned()).collect(), next)
}

fn tokens(database: &Database, query: &[(&str, &str)]) -> Vec<String> {
    page(database, &list(query)).0
}

#[test]
fn a_list_is_read_in_every_order_page_by_page_each_link_once() {
    let database = Database::new();
    let link = |n: i64, token: &str, title: &str, expires_at_ms| Link {
        title: title.into(),
        expires_at_ms,
        updated_at_ms: 100 - n,
        tags: vec!["all".into()],
        ..named(token, n / 2)
    };
    let long = "z".repeat(100);
    database.insert([
        link(1, "d", "B", None),
        link(2, "b", "a", Some(9_000)),
        link(3, "c", "", Some(5_000)),
        link(4, "a", "É.1", None),
        link(5, "e", &format!("{long}1"), Some(9_000)),
        link(6, "東", &format!("{long}0"), Some(7_000)),
        Link { domain: "go.example".into(), ..link(7, "a", "\u{10FFFF}", None) },
    ]);
    for (sort, wanted) in [
        ("created", ["d", "b", "c", "a", "e", "go.example/a", "東"]),
        ("updated", ["go.example/a", "東", "e", "a", "c", "b", "d"]),
        ("title", ["c", "b", "d", "e", "東", "a", "go.example/a"]),
        ("token", ["a", "go.example/a", "b", "c", "d", "e", "東"]),
        ("expires", ["c", "東", "b", "e", "a", "go.example/a", "d"]),
    ] {
        for labelled in [false, true] {
            for (sort, wanted) in [
                (sort.to_owned(), wanted.to_vec()),
                (format!("-{sort}"), wanted.iter().rev().copied().collect()),
            ] {
                let mut list = list(&[("sort", &sort), ("limit", "2")]);
                if labelled {
                    list.set("tag", "all").unwrap();
                }
                let mut seen = Vec::new();
                for _ in 0..4 {
                    let (page, next) = page(&database, &list);
                    seen.extend(page);
                    let Some(next) = next else { break };
                    list = list.behind(next);
                }
                assert_eq!(seen, wanted, "{sort} {labelled}");
            }
        }
    }
}

#[test]
fn what_comes_while_pages_are_read_moves_nothing() {
    let database = Database::new();
    database.insert([named("a", 1), named("b", 2), named("c", 3)]);
    let list = list(&[("limit", "1")]);
    let (first, next) = page(&database, &list);
    database.insert([named("later", 9)]);
    let (second, _) = page(&database, &list.behind(next.unwrap()));
    assert_eq!((first, second), (vec!["c".to_owned()], vec!["b".to_owned()]));
}

#[test]
fn links_are_found_by_what_is_said_of_them() {
    let database = Database::new();
    database.insert([
        Link { title: "Весна 100%".into(), tags: vec!["x".into(), "y".into()], ..named("a", 4) },
        Link { note: "Line\nTWO_".into(), folder: "f".into(), tags: vec!["x".into()], ..named("b", 3) },
        Link { external_id: "CRM-7".into(), campaign_id: "c1".into(), folder: "f".into(), ..named("c", 2) },
        Link { domain: "go.example".into(), deleted_at_ms: Some(1), folder: "f".into(), ..named("d", 1) },
    ]);
    for (query, wanted) in [
        (vec![], "abc"),
        (vec![("search", "весНА")], "a"),
        (vec![("search", "%")], "a"),
        (vec![("search", "_")], "b"),
        (vec![("search", "two_")], "b"),
        (vec![("search", "crm-")], "c"),
        (vec![("search", "EXAMPLE.com")], "abc"),
        (vec![("search", "nothing")], ""),
        (vec![("tag", "x")], "ab"),
        (vec![("tag", "x"), ("tag", "y")], "a"),
        (vec![("tag", "y"), ("tag", "x"), ("tag", "z")], ""),
        (vec![("folder", "f")], "bc"),
        (vec![("folder", "")], "a"),
        (vec![("folder", "f"), ("campaign_id", "c1")], "c"),
        (vec![("campaign_id", "c1")], "c"),
        (vec![("campaign_id", "")], "ab"),
        (vec![("tag", "x"), ("folder", "f")], "b"),
        (vec![("domain", "GO.example")], ""),
        (vec![("domain", "go.example"), ("state", "deleted")], "go.example/d"),
        (vec![("domain", "")], "abc"),
        (vec![("external_id", "CRM-7")], "c"),
        (vec![("external_id", "CRM-7"), ("folder", "g")], ""),
        (vec![("state", "deleted"), ("folder", "f")], "go.example/d"),
        (vec![("state", "all")], "abcgo.example/d"),
    ] {
        assert_eq!(tokens(&database, &query).concat(), wanted, "{query:?}");
    }
}

#[test]
fn lists_are_read_from_indices() {
    let database = Database::new();
    let plan = |query: &[(&str, &str)]| database.explain(&list(query).page(NOW).unwrap());
    for (query, wanted) in [
        (vec![], "SEARCH l USING INDEX links_by_age ((created_at_ms,token,domain)<(?,?,?))"),
        (
            vec![("sort", "created")],
            "SEARCH l USING INDEX links_by_age ((created_at_ms,token,domain)>(?,?,?))",
        ),
        (
            vec![("sort", "-updated")],
            "SEARCH l USING INDEX links_by_change ((updated_at_ms,token,domain)<(?,?,?))",
        ),
        (vec![("sort", "token")], "SEARCH l USING PRIMARY KEY ((token,domain)>(?,?))"),
        (
            vec![("tag", "x")],
            "SEARCH f USING PRIMARY KEY (kind=? AND label=? AND (created_at_ms,token,domain)<(?,?,?))",
        ),
        (vec![("external_id", "e")], "SEARCH l USING INDEX links_by_external_id (external_id=?)"),
    ] {
        let plan = plan(&query);
        assert!(plan.starts_with(wanted) && !plan.contains("TEMP B-TREE"), "{query:?}: {plan}");
    }
    // What is sorted when it has been found: all links, or those of one label.
    assert!(plan(&[("sort", "title")]).contains("USE TEMP B-TREE FOR ORDER BY"));
    let labelled = plan(&[("sort", "title"), ("folder", "f")]);
    assert!(labelled.starts_with("SEARCH f USING PRIMARY KEY (kind=? AND label=?)"), "{labelled}");
}

#[test]
fn what_is_no_list_is_refused_by_name() {
    for (name, value) in [
        ("limit", "0"),
        ("limit", "501"),
        ("limit", "many"),
        ("state", "gone"),
        ("sort", "clicks"),
        ("sort", "--created"),
        ("search", &"x".repeat(257)),
        ("page", "2"),
    ] {
        assert_eq!(List::default().set(name, value).unwrap_err().pointer, format!("/{name}"), "{value}");
    }
    let refused = |query: &[(&str, &str)]| list(query).page(NOW).unwrap_err().pointer == "/cursor";
    for bad in [
        "",
        "7",
        "-created.7",
        "-created.7.a",
        "-created.x.a.",
        "-created.-1.a.",
        "-created.7.a/b.",
        "created.7.a.",
    ] {
        assert!(refused(&[("cursor", bad)]), "{bad}");
    }
    assert!(refused(&[("sort", "title"), ("cursor", "title.%ff.a.")]));
    list(&[("cursor", "-created.7.a.")]).page(NOW).unwrap();
}

proptest! {
    #[test]
    fn sql_and_rust_agree_on_the_state(
        archived: bool, deleted: bool, starts in proptest::option::of(990i64..1010), expires in proptest::option::of(990i64..1010),
    ) {
        let database = Database::new();
        let link = Link {
            archived, starts_at_ms: starts, expires_at_ms: expires, deleted_at_ms: deleted.then_some(5), ..named("l", 1)
        };
        database.insert([link.clone()]);
        for state in STATES {
            let found = !tokens(&database, &[("state", state)]).is_empty();
            prop_assert_eq!(found, state == "all" || state == link.state(NOW), "{}", state);
        }
        prop_assert_eq!(!tokens(&database, &[]).is_empty(), !deleted);
    }

    #[test]
    fn any_query_is_answered(
        name in "cursor|search|tag|folder|state|sort|limit|domain|external_id|x", value in any::<String>(),
        sort in "-?(created|title|token)", cursor in "-?(created|title|token)\\.\\PC{0,8}\\.\\PC{0,4}\\.\\PC{0,4}",
    ) {
        let mut list = List::default();
        let _ = list.set(&name, &value);
        let _ = list.page(NOW);
        let mut list = List::default();
        list.set("sort", &sort).unwrap();
        if let Ok(statement) = list.behind(cursor).page(NOW) {
            Database::new().texts(&statement);
        }
    }
}
