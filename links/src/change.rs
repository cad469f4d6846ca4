//! Changes of links, as statements of one transaction that happens as planned or not at all.
//!
//! A plan is made from what was read. If it no longer holds when it is carried out, because a token was taken or a
//! link changed meanwhile, a constraint fails and with it the transaction: read again, plan again. So what was
//! answered is what happened, and a change and its entry in the audit trail are both there or neither.

use analytics::Statement;
use analytics::audit::{Action, Entity, Entry, changes};
use serde_json::{Value, json};

use crate::Link;

/// A string that D1 takes as a parameter may have 2 MB. A link of 50 rules takes 105 KB, and twice that in the trail, where
/// it stands before and after.
const PARAM_BYTES: usize = 512 << 10;

/// What becomes of one link.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The link as it was read; none: it is new.
    pub before: Option<Link>,
    /// The link as it shall be; none: it is erased.
    pub after: Option<Link>,
    /// What people call it.
    pub action: Action,
}

impl Change {
    /// The link that changes.
    pub fn link(&self) -> Option<&Link> {
        self.after.as_ref().or(self.before.as_ref())
    }

    fn entry(&self, actor: &str, at_ms: i64) -> Entry {
        let noted = |link: &Option<Link>| link.as_ref().map(noted);
        Entry {
            at_ms,
            actor: actor.to_owned(),
            action: self.action,
            entity: Entity::Link,
            entity_id: self.link().map_or_else(String::new, |link| link.key().into_owned()),
            changes: changes(noted(&self.before).as_ref(), noted(&self.after).as_ref()),
        }
    }
}

/// A link as the trail compares it: without what follows from the rest, and with what the trail masks.
fn noted(link: &Link) -> Value {
    let mut value = link.to_json("", 0);
    if let Some(members) = value.as_object_mut() {
        for derived in ["short_url", "state", "warnings", "protected"] {
            members.remove(derived);
        }
        if !link.password.is_empty() {
            members.insert("password".to_owned(), link.password.as_str().into());
        }
    }
    value
}

/// What a search looks through. The title is the first line: lists are sorted by it.
fn words(link: &Link) -> String {
    let words = [&*link.title, &link.key(), link.url.as_str(), &link.external_id, &link.note];
    words.join("\n").to_lowercase()
}

/// No row may have the name of another: the transaction fails.
const INSERT: &str = "INSERT INTO links (token, domain, record, words) \
    SELECT value ->> '$.r.token', coalesce(value ->> '$.r.domain', ''), value -> '$.r', value ->> '$.w' \
    FROM json_each(?1)";

/// A row whose version is no longer the one that was read is not touched, which [`Entry::insert_all`] notices.
const UPDATE: &str = "UPDATE links SET record = value -> '$.r', words = value ->> '$.w' FROM json_each(?1) \
    WHERE token = value ->> '$.r.token' AND domain = coalesce(value ->> '$.r.domain', '') AND version = value ->> '$.v'";

/// Likewise.
const DELETE: &str = "DELETE FROM links WHERE (token, domain, version) IN \
    (SELECT value ->> '$.r.token', coalesce(value ->> '$.r.domain', ''), value ->> '$.v' FROM json_each(?1))";

/// The statements of a transaction that makes these changes and notes who made them. No link may be in two of them.
pub fn statements<'a>(all: impl IntoIterator<Item = &'a Change>, actor: &str, now_ms: i64) -> Vec<Statement> {
    let mut writes = [Writes::new(INSERT), Writes::new(UPDATE), Writes::new(DELETE)];
    let [inserts, updates, deletes] = &mut writes;
    for change in all {
        let version = change.before.as_ref().map(|before| before.version);
        let (kind, row) = match (&change.before, &change.after) {
            (None, Some(after)) => (&mut *inserts, row(after, version)),
            (Some(_), Some(after)) => (&mut *updates, row(after, version)),
            (Some(before), None) => (
                &mut *deletes,
                json!({ "r": { "token": before.token, "domain": before.domain }, "v": version }).to_string(),
            ),
            (None, None) => continue,
        };
        kind.add(&row, change.entry(actor, now_ms));
    }
    writes.into_iter().flat_map(Writes::finish).collect()
}

/// The link's row; the record goes in as it is, so that it comes out as it is.
fn row(link: &Link, version: Option<u32>) -> String {
    let version = version.map_or(String::new(), |version| format!(r#","v":{version}"#));
    format!(r#"{{"r":{},"w":{}{version}}}"#, link.to_record(), Value::from(words(link)))
}

/// Rows of one statement, in as few as the size of a parameter allows.
struct Writes {
    sql: &'static str,
    rows: String,
    entries: Vec<Entry>,
    statements: Vec<Statement>,
}

impl Writes {
    fn new(sql: &'static str) -> Self {
        Self { sql, rows: String::new(), entries: Vec::new(), statements: Vec::new() }
    }

    fn add(&mut self, row: &str, entry: Entry) {
        if !self.rows.is_empty() && self.rows.len() + row.len() > PARAM_BYTES {
            self.cut();
        }
        self.rows.push(if self.rows.is_empty() { '[' } else { ',' });
        self.rows.push_str(row);
        self.entries.push(entry);
    }

    fn cut(&mut self) {
        let rows = std::mem::take(&mut self.rows) + "]";
        self.statements.push(Statement::new(self.sql, [rows.into()]));
        self.statements.push(Entry::insert_all(&std::mem::take(&mut self.entries)));
    }

    fn finish(mut self) -> Vec<Statement> {
        if !self.rows.is_empty() {
            self.cut();
        }
        self.statements
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Token;
    use crate::database::Database;
    use crate::link::tests::link;
    use crate::statements::by_token;
    use proptest::prelude::*;

    fn named(token: &str) -> Link {
        Link { token: Token::parse(token).unwrap(), ..link("https://example.com/") }
    }

    fn created(link: Link) -> Change {
        Change { before: None, after: Some(link), action: Action::Created }
    }

    fn updated(before: &Link, after: Link) -> Change {
        Change { before: Some(before.clone()), after: Some(after), action: Action::Updated }
    }

    fn purged(link: &Link) -> Change {
        Change { before: Some(link.clone()), after: None, action: Action::Purged }
    }

    fn stored(database: &Database, token: &str) -> Option<Link> {
        let records = database.texts(&by_token("", &Token::parse(token).unwrap()));
        records.first().map(|record| Link::from_record(record).unwrap())
    }

    fn trail(database: &Database) -> Vec<String> {
        let all = "SELECT action || ' ' || entity_id || ' ' || changes FROM audit ORDER BY id";
        database.texts(&Statement::new(all, []))
    }

    #[test]
    fn a_thousand_changes_are_six_statements() {
        let links: Vec<_> = (0..1_000).map(|n| named(&format!("t{n}"))).collect();
        let mut changes: Vec<_> = links[..400].iter().cloned().map(created).collect();
        let next = |link: &Link| Link { version: 2, ..link.clone() };
        changes.extend(links[400..800].iter().map(|link| updated(link, next(link))));
        changes.extend(links[800..].iter().map(purged));
        let planned = statements(&changes, "admin", 9);
        assert_eq!(planned.len(), 6);
        let database = Database::new();
        database.insert(links[400..].to_vec());
        database.transact(&planned).unwrap();
        assert_eq!(stored(&database, "t0"), Some(links[0].clone()));
        assert_eq!(stored(&database, "t400").unwrap().version, 2);
        assert_eq!(stored(&database, "t999"), None);
        assert_eq!(trail(&database).len(), 600 + 1_000);
    }

    #[test]
    fn what_is_too_much_for_one_parameter_is_cut_and_is_still_one_transaction() {
        let note = "x".repeat(4_096);
        let links = (0..1_000).map(|n| Link { note: note.clone(), ..named(&format!("t{n}")) });
        let changes: Vec<_> = links.map(created).collect();
        let planned = statements(&changes, "admin", 9);
        assert!(planned.len() > 20, "{}", planned.len());
        let longest = |statement: &Statement| {
            let length = |param: &analytics::Param| match param {
                analytics::Param::Text(text) => text.len(),
                _ => 0,
            };
            statement.params.iter().map(length).max()
        };
        assert!(planned.iter().filter_map(longest).max().unwrap() < 1_000_000);
        let database = Database::new();
        database.insert([named("t999")]);
        database.transact(&planned).unwrap_err();
        assert_eq!(stored(&database, "t0"), None);
    }

    #[test]
    fn a_plan_that_no_longer_holds_changes_nothing_and_notes_nothing() {
        let database = Database::new();
        let (here, other) = (Link { external_id: "e".into(), ..named("here") }, named("other"));
        database.insert([here.clone(), other.clone()]);
        let theirs = Link { title: "theirs".into(), version: 2, ..other.clone() };
        database.change(&[updated(&other, theirs.clone())]).unwrap();
        let before = trail(&database);
        let new = || created(named("new"));
        for failing in [
            created(named("here")),
            created(Link { external_id: "e".into(), ..named("same-id") }),
            updated(&other, Link { title: "mine".into(), version: 2, ..other.clone() }),
            updated(&theirs, Link { external_id: "e".into(), version: 3, ..theirs.clone() }),
            updated(&named("absent"), named("absent")),
            purged(&other),
            purged(&named("absent")),
        ] {
            database.change(&[new(), failing]).unwrap_err();
            assert_eq!((stored(&database, "new"), trail(&database)), (None, before.clone()));
        }
        assert_eq!(stored(&database, "other"), Some(theirs.clone()));
        database.change(&[new(), purged(&theirs)]).unwrap();
        assert_eq!(stored(&database, "other"), None);
    }

    #[test]
    fn a_change_is_noted_by_what_differs_without_the_password() {
        let database = Database::new();
        let before = Link { password: "old".into(), domain: "go.example".into(), ..named("a") };
        let after = Link { password: "new".into(), title: "T".into(), version: 2, ..before.clone() };
        database.insert([before.clone()]);
        database.change(&[updated(&before, after)]).unwrap();
        let noted = r#"updated go.example/a {"password":["***","***"],"title":[null,"T"],"version":[1,2]}"#;
        assert_eq!(trail(&database)[1], noted);
    }

    #[test]
    fn labels_follow_the_link() {
        let database = Database::new();
        let labels = || {
            let all = "SELECT kind || ' ' || label || ' ' || deleted FROM link_labels ORDER BY kind, label";
            database.texts(&Statement::new(all, []))
        };
        let link = Link { tags: vec!["a".into(), "b".into()], folder: "f".into(), ..named("l") };
        database.insert([link.clone()]);
        assert_eq!(labels(), ["folder f 0", "tag a 0", "tag b 0"]);
        let moved = Link {
            tags: vec!["b".into()],
            folder: String::new(),
            campaign_id: "c".into(),
            version: 2,
            ..link.clone()
        };
        database.change(&[updated(&link, moved.clone())]).unwrap();
        assert_eq!(labels(), ["campaign c 0", "tag b 0"]);
        let deleted = Link { deleted_at_ms: Some(3), version: 3, ..moved.clone() };
        database.change(&[updated(&moved, deleted.clone())]).unwrap();
        assert_eq!(labels(), ["campaign c 1", "tag b 1"]);
        database.change(&[purged(&deleted)]).unwrap();
        assert!(labels().is_empty());
    }

    #[test]
    fn changes_find_their_rows_by_key() {
        let database = Database::new();
        for sql in [UPDATE, DELETE] {
            let plan = database.explain(&Statement::new(sql, ["[]".into()]));
            assert!(plan.contains("SEARCH links USING PRIMARY KEY (token=? AND domain=?)"), "{plan}");
        }
    }

    proptest! {
        #[test]
        fn a_record_comes_out_as_it_went_in(title in any::<String>(), note in any::<String>(), tag in any::<String>()) {
            let database = Database::new();
            let link = Link { title, note, tags: vec![tag], ..named("l") };
            database.insert([link.clone()]);
            let after = Link { version: 2, ..link.clone() };
            database.change(&[updated(&link, after.clone())]).unwrap();
            prop_assert_eq!(database.texts(&by_token("", &link.token)), [after.to_record()]);
        }
    }
}
