//! Redirects that lead nowhere.

use super::Facts;
use super::hit::{asked, hit_id};
use crate::{Kind, RawEvent, Text};

/// Why a redirect leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailedReason {
    /// There is no such link.
    NotFound,
    /// It is not open yet.
    NotStarted,
    /// Its time is over.
    Expired,
    /// It was put away.
    Archived,
    /// It was followed as often as it may be.
    LimitReached,
    /// The visitor does not know its password.
    WrongPassword,
    /// What it was signed with does not hold.
    Signature,
}

impl FailedReason {
    /// Every reason.
    pub const ALL: [Self; 7] = [
        Self::NotFound,
        Self::NotStarted,
        Self::Expired,
        Self::Archived,
        Self::LimitReached,
        Self::WrongPassword,
        Self::Signature,
    ];

    /// The name of its events.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::NotStarted => "not_started",
            Self::Expired => "expired",
            Self::Archived => "archived",
            Self::LimitReached => "limit_reached",
            Self::WrongPassword => "wrong_password",
            Self::Signature => "signature",
        }
    }
}

/// The event of a redirect that leads nowhere. `link` is empty if there is no such link: each guess of a scanner
/// would have a scope of sums to itself.
///
/// An `eid` in the query is not its identity: the click that comes of a second try, with the password this time, would
/// be its duplicate.
pub fn failed_redirect<'a>(
    link: &'a str,
    reason: FailedReason,
    query: &'a str,
    facts: &Facts<'a>,
) -> RawEvent<'a> {
    let mut event = asked(Kind::Failed, query, facts).into_what_is_usable();
    event.id = hit_id(None, facts, &[link, Kind::Failed.name()]);
    event.link = Text::from(link);
    event.name = Text::from(reason.name());
    event
}

#[cfg(test)]
mod tests {
    use super::super::{LinkFacts, redirect};
    use super::*;
    use crate::{Hints, Source, Trigger};

    fn facts() -> Facts<'static> {
        Facts { received_at_ms: 1_790_000_000_000, visitor: 7, country: "DE", ..Facts::default() }
    }

    #[test]
    fn a_failure_says_why_and_whom_it_befell() {
        let query = "src=qr&uid=u&sub1=s&utm_source=x";
        let event = failed_redirect("demo", FailedReason::Expired, query, &facts());
        assert_eq!((event.kind, event.source, event.trigger), (Kind::Failed, Source::Redirect, Trigger::Qr));
        assert_eq!(
            [&*event.link, &event.name, &event.user_id, &event.sub[0], &event.query, &event.country],
            ["demo", "expired", "u", "s", query, "DE"]
        );
        let names: std::collections::BTreeSet<_> = FailedReason::ALL.map(FailedReason::name).into();
        assert_eq!(names.len(), FailedReason::ALL.len());
    }

    #[test]
    fn a_failure_is_one_per_visitor_link_and_moment_and_never_the_click() {
        let at = |link, reason, query, facts: Facts<'static>| failed_redirect(link, reason, query, &facts).id;
        let one = at("demo", FailedReason::WrongPassword, "eid=order-1", facts());
        assert_eq!(one, at("demo", FailedReason::WrongPassword, "", facts()));
        let later = Facts { received_at_ms: facts().received_at_ms + crate::DOUBLE_TAP_MS, ..facts() };
        for other in [
            at("", FailedReason::NotFound, "", facts()),
            at("demo", FailedReason::WrongPassword, "", Facts { visitor: 8, ..facts() }),
            at("demo", FailedReason::WrongPassword, "", Facts { hints: Hints::HEAD, ..facts() }),
            at("demo", FailedReason::WrongPassword, "", later),
        ] {
            assert_ne!(one, other);
        }
        let link = LinkFacts { token: "demo", ..LinkFacts::default() };
        for query in ["", "eid=order-1"] {
            assert_ne!(one, redirect(&link, query, &facts()).id);
        }
    }
}
