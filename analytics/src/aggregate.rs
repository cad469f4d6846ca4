//! The sums of some events: what a consumer adds to the ledger in one transaction.

use std::collections::BTreeMap;
use std::fmt;

use crate::dimension::Dimension;
use crate::outcome::Model;
use crate::page::Level;
use crate::sheet::Sheet;

/// Length of a minute.
pub const MINUTE_MS: i64 = 60_000;

/// Of whom they are, where that is not all that a scope says.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// Everybody.
    All,
    /// One campaign.
    Campaign(Box<str>),
    /// One link.
    Link(Box<str>),
}

impl Subject {
    fn key(&self) -> Scope {
        match self.clone() {
            Self::All => Scope::All,
            Self::Campaign(id) => Scope::Campaign(id),
            Self::Link(token) => Scope::Link(token),
        }
    }

    fn from_key(key: &str) -> Option<Self> {
        match Scope::from_key(key)? {
            Scope::All => Some(Self::All),
            Scope::Campaign(id) => Some(Self::Campaign(id)),
            Scope::Link(token) => Some(Self::Link(token)),
            _ => None,
        }
    }

    fn own(&self) -> Option<(Dimension, &str)> {
        match self {
            Self::All => None,
            Self::Campaign(id) => Some((Dimension::Campaign, id)),
            Self::Link(token) => Some((Dimension::Link, token)),
        }
    }
}

/// Whose sums they are, and of what.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Hits, everybody's.
    All,
    /// One campaign's.
    Campaign(Box<str>),
    /// One link's.
    Link(Box<str>),
    /// What was paid for to one publisher.
    Publisher(Box<str>),
    /// Sessions.
    Sessions(Subject),
    /// Who reached a step of a funnel: its id, and which step from 0.
    Step(Box<str>, u8),
    /// Conversions as a model shares them out; no link has its own.
    Credits(Model, Subject),
    /// Who first clicked when, and came back or bought; no link has its own.
    Cohorts(Subject),
}

impl Scope {
    /// The scope as a key in D1.
    pub fn key(&self) -> String {
        match self {
            Self::All => "*".to_owned(),
            Self::Campaign(id) => ["c/", id].concat(),
            Self::Link(token) => ["l/", token].concat(),
            Self::Publisher(id) => ["p/", id].concat(),
            Self::Sessions(of) => ["s/", &of.key().key()].concat(),
            Self::Step(funnel, step) => format!("f/{funnel}/{step}"),
            Self::Cohorts(of) => ["w/", &of.key().key()].concat(),
            Self::Credits(model, of) => ["a/", model.name(), "/", &of.key().key()].concat(),
        }
    }

    /// The scope of a key.
    pub fn from_key(key: &str) -> Option<Self> {
        Some(match key.split_once('/') {
            None if key == "*" => Self::All,
            Some(("c", id)) => Self::Campaign(id.into()),
            Some(("l", token)) => Self::Link(token.into()),
            Some(("p", id)) => Self::Publisher(id.into()),
            Some(("s", of)) => Self::Sessions(Subject::from_key(of)?),
            Some(("w", of)) => Self::Cohorts(Subject::from_key(of)?),
            Some(("f", of)) => {
                // An id may have slashes in it, a number has none.
                let (funnel, step) = of.rsplit_once('/')?;
                Self::Step(funnel.into(), step.parse().ok()?)
            }
            Some(("a", of)) => {
                let (model, of) = of.split_once('/')?;
                Self::Credits(Model::parse(model)?, Subject::from_key(of)?)
            }
            _ => return None,
        })
    }

    /// The dimension that is the same for everything in the scope, and so has no cells there, and its value.
    pub fn own(&self) -> Option<(Dimension, &str)> {
        match self {
            Self::All | Self::Step(..) => None,
            Self::Campaign(id) => Some((Dimension::Campaign, id)),
            Self::Link(token) => Some((Dimension::Link, token)),
            Self::Publisher(id) => Some((Dimension::Publisher, id)),
            Self::Sessions(of) | Self::Credits(_, of) | Self::Cohorts(of) => of.own(),
        }
    }

    /// Whether it has sums of a level: only hits are combined, and a statement or a cohort is by day.
    pub(crate) fn keeps(&self, level: Level) -> bool {
        match self {
            Self::All | Self::Campaign(_) | Self::Link(_) => true,
            Self::Publisher(_) | Self::Cohorts(_) => level == Level::Day,
            Self::Sessions(_) | Self::Step(..) | Self::Credits(..) => level != Level::Cube,
        }
    }
}

/// Sums by minute and scope: a commutative monoid under [`StatsAggregate::merge`]. Prints as a report.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct StatsAggregate {
    /// Epoch ms of the minute's start, and the scope.
    pub sheets: BTreeMap<(i64, Scope), Sheet>,
}

impl StatsAggregate {
    /// Adds every sum of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (key, sheet) in &other.sheets {
            match self.sheets.get_mut(key) {
                Some(mine) => mine.merge(sheet),
                None => {
                    self.sheets.insert(key.clone(), sheet.clone());
                }
            }
        }
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.sheets.is_empty()
    }
}

impl fmt::Debug for StatsAggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((minute_ms, scope), sheet) in &self.sheets {
            write!(f, "{} {} .. {sheet:?}", crate::time::rfc3339(*minute_ms), scope.key())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kept sums are found by these.
    #[test]
    fn keys_are_pinned_and_read_back() {
        let campaign = || Subject::Campaign("a/b".into());
        for (scope, key) in [
            (Scope::All, "*"),
            (Scope::Campaign("a/b".into()), "c/a/b"),
            (Scope::Link("x".into()), "l/x"),
            (Scope::Publisher("*".into()), "p/*"),
            (Scope::Sessions(Subject::All), "s/*"),
            (Scope::Sessions(campaign()), "s/c/a/b"),
            (Scope::Sessions(Subject::Link("x".into())), "s/l/x"),
            (Scope::Cohorts(Subject::All), "w/*"),
            (Scope::Cohorts(campaign()), "w/c/a/b"),
            (Scope::Step("f/1".into(), 2), "f/f/1/2"),
            (Scope::Credits(Model::TimeDecay, Subject::All), "a/time_decay/*"),
            (Scope::Credits(Model::Last, campaign()), "a/last/c/a/b"),
        ] {
            assert_eq!(scope.key(), key);
            assert_eq!(Scope::from_key(key), Some(scope));
        }
        for key in ["", "x/y", "s/", "s/p/x", "s/s/*", "f/x", "f/x/300", "a/last", "a/best/*", "a/last/f/x/1"]
        {
            assert_eq!(Scope::from_key(key), None, "{key}");
        }
    }
}
