//! Conversions: what they say of themselves, and how one follows from another.

use serde::{Deserialize, Serialize};

use crate::Text;

/// What became of a transaction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Status {
    /// Something is in sight: a form was sent, an order placed.
    Lead,
    /// It is bought. What is told without a status is a sale.
    #[default]
    Sale,
    /// A lead or sale that came to nothing.
    Rejected,
    /// A sale that follows from an earlier one: a subscription goes on.
    Rebill,
}

impl Status {
    /// Every status, in the order of its code.
    pub const ALL: [Self; 4] = [Self::Lead, Self::Sale, Self::Rejected, Self::Rebill];

    /// The name in queries and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lead => "lead",
            Self::Sale => "sale",
            Self::Rejected => "rejected",
            Self::Rebill => "rebill",
        }
    }

    /// The status of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether a transaction may go from this status to that one: lead -> sale | rejected, sale -> rejected,
    /// rebill -> rejected. Anything else that is told of it changes nothing (Keitaro's table).
    pub fn leads_to(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Lead, Self::Sale | Self::Rejected) | (Self::Sale | Self::Rebill, Self::Rejected)
        )
    }

    /// Whether it is worth its value.
    pub fn earns(self) -> bool {
        matches!(self, Self::Sale | Self::Rebill)
    }
}

/// What a conversion says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Postback<'a> {
    /// The customer's id of the transaction: what is told of the same one twice is one. Empty: every event is its own.
    #[serde(borrow)]
    pub txid: Text<'a>,
    /// What became of it.
    pub status: Status,
}
