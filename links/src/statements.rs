//! The links in D1: the store of record, of which KV holds copies.
//!
//! Every change returns the token of the row it touched; no row means that there was nothing to touch, and
//! the statement did nothing.

use std::fmt;

use analytics::{Param, Reject, Statement};

use crate::{Link, Token, key};

/// Adds a link. No row: the token is taken.
pub fn insert(link: &Link) -> Statement {
    let sql = "INSERT INTO links (token, record, campaign_id, created_at_ms, updated_at_ms) \
               VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (token) DO NOTHING RETURNING token";
    Statement::new(sql, columns(link))
}

/// Replaces `before` by `after`. No row: somebody else changed or deleted the link since it was read, and
/// theirs would be lost.
pub fn update(before: &Link, after: &Link) -> Statement {
    let sql = "UPDATE links SET record = ?2, campaign_id = ?3, created_at_ms = ?4, updated_at_ms = ?5 \
               WHERE token = ?1 AND coalesce(json_extract(record, '$.version'), 1) = ?6 RETURNING token";
    let version = Param::Integer(before.version.into());
    Statement::new(sql, columns(after).into_iter().chain([version]))
}

/// Deletes a link. No row: there was none.
pub fn delete(link: &Link) -> Statement {
    Statement::new("DELETE FROM links WHERE token = ?1 RETURNING token", [(&*link.key()).into()])
}

/// The `record` of a link.
pub fn by_token(domain: &str, token: &Token) -> Statement {
    Statement::new("SELECT record FROM links WHERE token = ?1", [(&*key(domain, token)).into()])
}

/// The `record`s of at most `limit` links behind the cursor, newest first. Ask for one more than the page
/// holds to know whether another follows.
pub fn page(after: Option<&Cursor>, limit: u32) -> Statement {
    let sql = "SELECT record FROM links WHERE (created_at_ms, token) < (?1, ?2) \
               ORDER BY created_at_ms DESC, token DESC LIMIT ?3";
    let (created_at_ms, token) =
        after.map_or((LAST_MS, ""), |cursor| (cursor.created_at_ms, cursor.token.as_str()));
    Statement::new(sql, [created_at_ms.into(), token.into(), i64::from(limit).into()])
}

fn columns(link: &Link) -> [Param; 5] {
    let campaign = &link.campaign_id;
    [
        (&*link.key()).into(),
        link.to_record().into(),
        if campaign.is_empty() { Param::Null } else { campaign.as_str().into() },
        link.created_at_ms.into(),
        link.updated_at_ms.into(),
    ]
}

/// Later than any link, and still exact as a JavaScript number.
const LAST_MS: i64 = (1 << 53) - 1;

/// A place in the list of links. It names a position, not a row: the page behind it is right even when the
/// link it was made from is gone, and links that are created meanwhile do not shift it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    created_at_ms: i64,
    token: Token,
}

impl Cursor {
    /// The place behind this link.
    pub fn after(link: &Link) -> Self {
        Self { created_at_ms: link.created_at_ms, token: link.token.clone() }
    }

    /// Reads what [`fmt::Display`] wrote. A token holds no dot.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, Reject> {
        let parts = text.split_once('.').and_then(|(ms, token)| {
            let created_at_ms = ms.parse().ok().filter(|ms| (0..=LAST_MS).contains(ms))?;
            Some(Self { created_at_ms, token: Token::from_segment(token)? })
        });
        parts.ok_or_else(|| Reject::new("/cursor", "is not one that a list of links returned"))
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.created_at_ms, self.token.to_segment())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::tests::link;
    use rusqlite::types::Value;
    use rusqlite::{Connection, params_from_iter};

    fn database() -> Connection {
        let database = Connection::open_in_memory().unwrap();
        database.execute_batch(include_str!("../../analytics/migrations/0001_links.sql")).unwrap();
        database
    }

    fn run(database: &Connection, statement: Statement) -> Vec<String> {
        let params = statement.params.into_iter().map(|param| match param {
            Param::Null => Value::Null,
            Param::Integer(number) => Value::Integer(number),
            Param::Text(text) => Value::Text(text),
            Param::Blob(bytes) => Value::Blob(bytes),
        });
        let mut prepared = database.prepare(statement.sql).unwrap();
        let rows = prepared.query_map(params_from_iter(params), |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    fn stored(database: &Connection, token: &Token) -> Option<Link> {
        run(database, by_token("", token)).pop().map(|record| Link::from_record(&record).unwrap())
    }

    fn named(token: &str, created_at_ms: i64) -> Link {
        Link { token: Token::parse(token).unwrap(), created_at_ms, ..link("https://example.com/") }
    }

    #[test]
    fn a_token_is_given_once() {
        let database = database();
        let first = named("demo", 1);
        assert_eq!(run(&database, insert(&first)), ["demo"]);
        assert!(run(&database, insert(&named("demo", 2))).is_empty());
        assert_eq!(stored(&database, &first.token), Some(first));
        assert_eq!(run(&database, insert(&named("Demo", 2))), ["Demo"], "tokens are case-sensitive");
    }

    #[test]
    fn of_two_changes_to_one_version_the_second_is_refused() {
        let database = database();
        let link = named("demo", 1);
        run(&database, insert(&link));
        let mine = Link { title: "mine".into(), campaign_id: "c".into(), version: 2, ..link.clone() };
        let theirs = Link { title: "theirs".into(), version: 2, ..link.clone() };
        assert_eq!(run(&database, update(&link, &theirs)), ["demo"]);
        assert!(run(&database, update(&link, &mine)).is_empty());
        assert_eq!(stored(&database, &link.token), Some(theirs.clone()));
        let merged = Link { version: 3, ..mine };
        assert_eq!(run(&database, update(&theirs, &merged)), ["demo"]);
        let campaign: String =
            database.query_row("SELECT campaign_id FROM links", [], |row| row.get(0)).unwrap();
        assert_eq!(campaign, "c");
    }

    #[test]
    fn what_is_deleted_is_gone_and_its_token_free() {
        let database = database();
        let link = named("demo", 1);
        run(&database, insert(&link));
        assert_eq!(run(&database, delete(&link)), ["demo"]);
        assert!(run(&database, delete(&link)).is_empty());
        assert!(run(&database, update(&link, &link)).is_empty());
        assert_eq!(run(&database, insert(&link)), ["demo"]);
    }

    #[test]
    fn pages_hold_every_link_once_newest_first() {
        let database = database();
        for (token, at) in [("a", 3), ("b", 1), ("c", 2), ("d", 2), ("東", 2)] {
            run(&database, insert(&named(token, at)));
        }
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let records = run(&database, page(cursor.as_ref(), 2));
            let links: Vec<_> = records.iter().map(|record| Link::from_record(record).unwrap()).collect();
            let Some(last) = links.last() else { break };
            cursor = Some(Cursor::parse(&Cursor::after(last).to_string()).unwrap());
            seen.extend(links.iter().map(|link| link.token.as_str().to_owned()));
            run(&database, insert(&named("later", 9))); // does not shift what follows
        }
        assert_eq!(seen, ["a", "東", "d", "c", "b"]);
    }

    #[test]
    fn a_page_is_read_from_the_index() {
        let database = database();
        let Statement { sql, .. } = page(None, 1);
        let mut plan = database.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps = plan.query_map((1, "", 1), |row| row.get::<_, String>(3)).unwrap();
        let steps: Vec<_> = steps.map(Result::unwrap).collect();
        assert_eq!(steps, ["SEARCH links USING INDEX links_by_age ((created_at_ms,token)<(?,?))"]);
    }

    #[test]
    fn a_cursor_that_was_never_returned_is_refused() {
        for bad in ["", "7", ".", "7.", "7.a/b", "x.a", "-1.a", "9007199254740992.a", "7.a.b"] {
            assert_eq!(Cursor::parse(bad).unwrap_err().pointer, "/cursor", "{bad}");
        }
    }
}
