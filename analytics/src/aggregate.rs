//! The sums of some events: what a consumer adds to the ledger in one transaction.

use std::collections::BTreeMap;
use std::fmt;

use crate::dimension::Dimension;
use crate::sheet::Sheet;

/// Length of a minute.
pub const MINUTE_MS: i64 = 60_000;

/// Whose sums they are.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Everybody's.
    All,
    /// One campaign's.
    Campaign(Box<str>),
    /// One link's.
    Link(Box<str>),
}

impl Scope {
    /// The scope as a key in D1.
    pub fn key(&self) -> String {
        match self {
            Self::All => "*".to_owned(),
            Self::Campaign(id) => format!("c/{id}"),
            Self::Link(token) => format!("l/{token}"),
        }
    }

    /// The scope of a key.
    pub fn from_key(key: &str) -> Option<Self> {
        match key.split_once('/') {
            None if key == "*" => Some(Self::All),
            Some(("c", id)) => Some(Self::Campaign(id.into())),
            Some(("l", token)) => Some(Self::Link(token.into())),
            _ => None,
        }
    }

    /// The dimension that is the same for everything in the scope, and so has no cells there, and its value.
    pub fn own(&self) -> Option<(Dimension, &str)> {
        match self {
            Self::All => None,
            Self::Campaign(id) => Some((Dimension::Campaign, id)),
            Self::Link(token) => Some((Dimension::Link, token)),
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
