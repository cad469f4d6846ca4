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
    /// A redirect led nowhere; its name says why ([`crate::capture::FailedReason`]). Only the edge knows that.
    Failed,
}

impl Kind {
    /// Every kind, in the order of its code.
    pub const ALL: [Self; 6] =
        [Self::Click, Self::Impression, Self::Page, Self::Conversion, Self::SessionEnd, Self::Failed];

    /// The name in paths, queries and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Click => "click",
            Self::Impression => "impression",
            Self::Page => "page",
            Self::Conversion => "conversion",
            Self::SessionEnd => "session_end",
            Self::Failed => "failed",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The kind of that name, if a client may send events of it.
    pub fn of_client(name: &str) -> Option<Self> {
        Self::parse(name).filter(|kind| *kind != Self::Failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_name_and_clients_send_all_but_one() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.name()), Some(kind));
            assert_eq!(Kind::of_client(kind.name()), Some(kind).filter(|kind| *kind != Kind::Failed));
        }
        assert_eq!((Kind::parse("tap"), Kind::of_client("")), (None, None));
    }
}
