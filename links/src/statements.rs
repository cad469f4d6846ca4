//! The links in D1, the store of record, of which KV holds copies: reading them. [`crate::change`] writes,
//! [`crate::list`] lists.

use analytics::Statement;
use serde_json::json;

use crate::Token;

/// The `record` of a link.
pub fn by_token(domain: &str, token: &Token) -> Statement {
    let sql = "SELECT record FROM links WHERE token = ?1 AND domain = ?2";
    Statement::new(sql, [token.as_str().into(), domain.into()])
}

/// The `record` of the link that has the name in the customer's own system.
pub fn by_external_id(external_id: &str) -> Statement {
    Statement::new("SELECT record FROM links WHERE external_id = ?1", [external_id.into()])
}

/// The `record`s of all links that have one of these names, in no order; some twice.
pub fn named<'a>(
    tokens: impl Iterator<Item = (&'a str, &'a Token)>,
    external_ids: impl Iterator<Item = &'a str>,
) -> Statement {
    let tokens: Vec<_> = tokens.map(|(domain, token)| json!([token, domain])).collect();
    let external_ids: Vec<_> = external_ids.collect();
    let sql = "SELECT l.record FROM json_each(?1) name CROSS JOIN links l \
               ON l.token = name.value ->> 0 AND l.domain = name.value ->> 1 \
               UNION ALL SELECT l.record FROM json_each(?2) name CROSS JOIN links l ON l.external_id = name.value";
    Statement::new(sql, [json!(tokens).to_string().into(), json!(external_ids).to_string().into()])
}

/// What links are labelled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// Words.
    Tag,
    /// A place.
    Folder,
}

/// The labels behind `after`, and for each how many `links` have it that are not deleted: `label, links`.
pub fn labels(kind: Label, after: &str, limit: u32) -> Statement {
    let kind = match kind {
        Label::Tag => "tag",
        Label::Folder => "folder",
    };
    let sql = "SELECT label, count(*) AS links FROM link_labels \
               WHERE kind = ?1 AND label > ?2 AND deleted = 0 GROUP BY label ORDER BY label LIMIT ?3";
    Statement::new(sql, [kind.into(), after.into(), i64::from(limit).into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Link;
    use crate::database::Database;
    use crate::link::tests::link;

    fn named_link(token: &str, domain: &str, external_id: &str, tags: &[&str]) -> Link {
        Link {
            token: Token::parse(token).unwrap(),
            domain: domain.into(),
            external_id: external_id.into(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            ..link("https://example.com/")
        }
    }

    #[test]
    fn links_are_found_by_any_of_their_names() {
        let database = Database::new();
        let links = [
            named_link("a", "", "e1", &[]),
            named_link("a", "go.example", "", &[]),
            named_link("b", "", "e2", &[]),
        ];
        database.insert(links.clone());
        let a = &links[0].token;
        assert_eq!(database.texts(&by_token("", a)), [links[0].to_record()]);
        assert_eq!(database.texts(&by_token("go.example", a)), [links[1].to_record()]);
        assert!(database.texts(&by_token("other.example", a)).is_empty());
        assert_eq!(database.texts(&by_external_id("e2")), [links[2].to_record()]);
        assert!(database.texts(&by_external_id("")).is_empty());
        let all = named([("", a), ("go.example", a), ("x", a)].into_iter(), ["e2", "e3"].into_iter());
        let mut found = database.texts(&all);
        found.sort_unstable();
        let mut wanted: Vec<_> = links.iter().map(Link::to_record).collect();
        wanted.sort_unstable();
        assert_eq!(found, wanted);
        for statement in [by_token("", a), by_external_id("e"), all] {
            let plan = database.explain(&statement);
            assert!(!plan.contains("SCAN l") && plan.contains("SEARCH l"), "{plan}");
        }
    }

    #[test]
    fn labels_are_counted_from_their_index() {
        let database = Database::new();
        let deleted = Link { deleted_at_ms: Some(1), ..named_link("d", "", "", &["x", "gone"]) };
        database.insert([
            named_link("a", "", "", &["x", "y"]),
            named_link("b", "", "", &["x"]),
            Link { folder: "f".into(), ..named_link("c", "", "", &[]) },
            deleted,
        ]);
        let counted = |statement| {
            database.rows(&statement, |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))
        };
        assert_eq!(counted(labels(Label::Tag, "", 9)), [("x".to_owned(), 2), ("y".to_owned(), 1)]);
        assert_eq!(counted(labels(Label::Tag, "x", 9)), [("y".to_owned(), 1)]);
        assert_eq!(counted(labels(Label::Folder, "", 9)), [("f".to_owned(), 1)]);
        let plan = database.explain(&labels(Label::Tag, "", 9));
        assert_eq!(plan, "SEARCH link_labels USING PRIMARY KEY (kind=? AND label>?)");
    }

    #[test]
    fn links_of_before_are_carried_over_with_their_labels() {
        let database = rusqlite::Connection::open_in_memory().unwrap();
        database.execute_batch(include_str!("../../analytics/migrations/0001_links.sql")).unwrap();
        let record =
            r#"{"token":"old","url":"https://example.com/","title":"T","campaign_id":"c","created_at_ms":5}"#;
        database.execute("INSERT INTO links VALUES ('old', ?1, 'c', 5, 6)", [record]).unwrap();
        database.execute_batch(include_str!("../../analytics/migrations/0006_links.sql")).unwrap();
        let text = |sql| database.query_row::<String, _, _>(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(text("SELECT record FROM links WHERE token = 'old' AND domain = ''"), record);
        assert_eq!(text("SELECT words FROM links"), "t\nold\nhttps://example.com/");
        assert_eq!(text("SELECT kind || label || created_at_ms || token FROM link_labels"), "campaignc5old");
    }
}
