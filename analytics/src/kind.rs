//! The kinds of events.

use serde::{Deserialize, Serialize};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Somebody followed a link.
    Click,
    /// Something was shown: a pixel was fetched.
    Impression,
    /// A page was viewed.
    Page,
    /// Something worth money was done.
    Conversion,
    /// The client says that the session is over.
    SessionEnd,
}

impl Kind {
    /// Every kind, in the order of its code.
    pub const ALL: [Self; 5] =
        [Self::Click, Self::Impression, Self::Page, Self::Conversion, Self::SessionEnd];

    /// The name in paths, queries and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Click => "click",
            Self::Impression => "impression",
            Self::Page => "page",
            Self::Conversion => "conversion",
            Self::SessionEnd => "session_end",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}
