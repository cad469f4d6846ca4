//! How long each class of data is kept, and what enforces it: a bounded number of rows at a time, each noted with what it removed.

use crate::page::Level;
use crate::statement::{Param, Statement};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Minutes are kept for 48 hours, which is what reports by the minute reach; an hour more, for those that are asked for just then.
const MINUTES_MS: i64 = 49 * HOUR_MS;

/// Likewise the cube, which reports that combine dimensions read.
const CUBE_MS: i64 = 91 * DAY_MS;

/// What can be set, in days; 0: for good.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs)] // the names of the settings
pub struct Days {
    pub sums_days: i64,
    pub archive_days: i64,
    pub journey_days: i64,
    pub dead_letter_days: i64,
    pub audit_days: i64,
    pub delivery_days: i64,
    pub dead_delivery_days: i64,
}

/// A class of data that is kept for a time of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Sums by the minute.
    Minutes,
    /// Sums by the hour and by the day.
    Sums,
    /// Sums by the day of all dimensions together.
    Cube,
    /// Every event, in the bucket.
    Archive,
    /// What visitors did, in the journals.
    Journeys,
    /// Which messages were counted.
    Ledger,
    /// What could not be counted.
    DeadLetters,
    /// Who changed what.
    Audit,
    /// What webhooks were told.
    Deliveries,
    /// What they could not be told.
    DeadDeliveries,
    /// Answers to requests with an idempotency key.
    Answers,
    /// Receipts of people who were erased.
    Erasures,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 12] = [
        Self::Archive,
        Self::Minutes,
        Self::Sums,
        Self::Cube,
        Self::Journeys,
        Self::Ledger,
        Self::DeadLetters,
        Self::Audit,
        Self::Deliveries,
        Self::DeadDeliveries,
        Self::Answers,
        Self::Erasures,
    ];

    /// The name in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Minutes => "minutes",
            Self::Sums => "sums",
            Self::Cube => "cube",
            Self::Archive => "archive",
            Self::Journeys => "journeys",
            Self::Ledger => "ledger",
            Self::DeadLetters => "dead_letters",
            Self::Audit => "audit",
            Self::Deliveries => "deliveries",
            Self::DeadDeliveries => "dead_deliveries",
            Self::Answers => "answers",
            Self::Erasures => "erasures",
        }
    }

    /// The setting that says how long, if there is one: what others rely on is fixed.
    pub fn setting(self) -> Option<&'static str> {
        match self {
            Self::Sums => Some("sums_days"),
            Self::Archive => Some("archive_days"),
            Self::Journeys => Some("journey_days"),
            Self::DeadLetters => Some("dead_letter_days"),
            Self::Audit => Some("audit_days"),
            Self::Deliveries => Some("delivery_days"),
            Self::DeadDeliveries => Some("dead_delivery_days"),
            _ => None,
        }
    }

    /// For how many days it is kept; 0: for good.
    pub fn days(self, days: &Days) -> i64 {
        match self {
            Self::Minutes => 2,
            Self::Cube => match days.sums_days {
                1..90 => days.sums_days,
                _ => 90,
            },
            Self::Sums => days.sums_days,
            Self::Archive => days.archive_days,
            Self::Journeys => days.journey_days,
            Self::Ledger => 16,
            Self::DeadLetters => days.dead_letter_days,
            Self::Audit => days.audit_days,
            Self::Deliveries => days.delivery_days,
            Self::DeadDeliveries => days.dead_delivery_days,
            Self::Answers => 1,
            Self::Erasures => 0,
        }
    }
}

/// Deletes pages whose time is over, at most `most` rows of each kind.
pub fn prune(days: &Days, now_ms: i64, most: i64) -> Vec<Statement> {
    let mut statements = Vec::new();
    let mut pages = |class: Class, level: Level, kept_ms: i64| {
        let params = [level.code().into(), (now_ms - kept_ms).into(), most.into()];
        statements.push(Statement::new(
            "DELETE FROM sums WHERE level = ?1 AND (scope, page, chunk) IN \
             (SELECT scope, page, chunk FROM sums WHERE level = ?1 AND page < ?2 LIMIT ?3)",
            params,
        ));
        statements.push(removed(class, now_ms));
    };
    pages(Class::Minutes, Level::Minute, MINUTES_MS);
    let sums_ms = days.sums_days * DAY_MS;
    pages(Class::Cube, Level::Cube, if sums_ms > 0 { CUBE_MS.min(sums_ms) } else { CUBE_MS });
    statements
}

/// Once an hour, what has no index by its age: a whole look at each table, and at most `most` rows of it go.
pub fn prune_hourly(days: &Days, now_ms: i64, most: i64) -> Vec<Statement> {
    let mut statements = Vec::new();
    let mut forget = |class: Class, sql: &'static str, params: Vec<Param>| {
        let kept = class.days(days);
        if kept > 0 {
            let before = (now_ms - kept * DAY_MS).into();
            statements.push(Statement::new(sql, [before, most.into()].into_iter().chain(params)));
            statements.push(removed(class, now_ms));
        }
    };
    let pages = "DELETE FROM sums WHERE level = ?3 AND (scope, page, chunk) IN \
                 (SELECT scope, page, chunk FROM sums WHERE level = ?3 AND page < ?1 LIMIT ?2)";
    forget(Class::Sums, pages, vec![Level::Hour.code().into()]);
    forget(Class::Sums, pages, vec![Level::Day.code().into()]);
    forget(
        Class::DeadLetters,
        "DELETE FROM dead_letters WHERE id IN (SELECT id FROM dead_letters WHERE at_ms < ?1 LIMIT ?2)",
        Vec::new(),
    );
    forget(
        Class::Audit,
        // The newest stays: others go by its number.
        "DELETE FROM audit WHERE id IN (SELECT id FROM (SELECT id, at_ms FROM audit ORDER BY id LIMIT ?2) \
         WHERE at_ms < ?1 AND id < (SELECT max(id) FROM audit))",
        Vec::new(),
    );
    let over = "DELETE FROM deliveries WHERE number IN (SELECT number FROM deliveries \
                WHERE state <> 'waiting' AND state = ?3 AND due_ms < ?1 ORDER BY due_ms LIMIT ?2)";
    forget(Class::Deliveries, over, vec!["delivered".into()]);
    forget(Class::DeadDeliveries, over, vec!["dead".into()]);
    statements
}

/// Notes how many rows the statement right before this one removed, if it was any; in the same transaction.
pub fn removed(class: Class, now_ms: i64) -> Statement {
    Statement::new(
        "INSERT INTO retention (class, run_ms, removed, removed_all) SELECT ?1, ?2, changes(), changes() \
         WHERE changes() > 0 ON CONFLICT DO UPDATE SET run_ms = excluded.run_ms, removed = excluded.removed, \
         removed_all = removed_all + excluded.removed",
        [class.name().into(), now_ms.into()],
    )
}

/// What is held of the classes that lie in D1: one column `record`, `[[class, oldest_ms, rows], ...]`; rows are null where to count
/// them is to read them all. Not a UNION: D1 takes five of those.
pub fn held() -> Statement {
    Statement::new(
        "SELECT json_array(\
         json_array('archive', (SELECT min(at_ms) FROM archive), (SELECT count(*) FROM archive)), \
         json_array('minutes', (SELECT min(page) FROM sums WHERE level = 'm' AND scope = '*'), NULL), \
         json_array('sums', (SELECT min(page) FROM sums WHERE level = 'd' AND scope = '*'), NULL), \
         json_array('cube', (SELECT min(page) FROM sums WHERE level = 'c' AND scope = '*'), NULL), \
         json_array('ledger', (SELECT at_ms FROM ledger ORDER BY gate, number LIMIT 1), NULL), \
         json_array('dead_letters', (SELECT min(at_ms) FROM dead_letters), (SELECT count(*) FROM dead_letters)), \
         json_array('audit', (SELECT at_ms FROM audit ORDER BY id LIMIT 1), (SELECT count(*) FROM audit)), \
         json_array('deliveries', (SELECT min(due_ms) FROM deliveries WHERE state = 'delivered'), \
           (SELECT count(*) FROM deliveries WHERE state = 'delivered')), \
         json_array('dead_deliveries', (SELECT min(due_ms) FROM deliveries WHERE state = 'dead'), \
           (SELECT count(*) FROM deliveries WHERE state = 'dead')), \
         json_array('answers', (SELECT min(at_ms) FROM answered), (SELECT count(*) FROM answered)), \
         json_array('erasures', (SELECT min(requested_ms) FROM erasures), (SELECT count(*) FROM erasures))) AS record",
        [],
    )
}

/// What was removed: `class, run_ms, removed, removed_all`.
pub fn runs() -> Statement {
    Statement::new("SELECT class, run_ms, removed, removed_all FROM retention", [])
}
