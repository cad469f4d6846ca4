//! What a hit on a link gets.

use crate::{Destination, Link, Status};

/// The answer to a hit, before it is HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// On to [`crate::target`].
    Go {
        /// How the redirect answers.
        status: Status,
    },
    /// The link's time is over.
    Expired {
        /// Where it leads instead, as it is: the visitor's query was meant for another page.
        url: Option<&'a str>,
    },
    /// Taken out of service.
    Gone,
}

/// Decides about a hit at `now_ms`. The moment `expires_at` itself is too late.
pub fn decide(link: &Link, now_ms: i64) -> Outcome<'_> {
    if link.archived {
        return Outcome::Gone;
    }
    if link.expires_at_ms.is_some_and(|end| now_ms >= end) {
        return Outcome::Expired { url: link.expired_url.as_ref().map(Destination::as_str) };
    }
    Outcome::Go { status: link.status }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::tests::{destination, link};

    #[test]
    fn a_link_leads_on_until_it_expires() {
        let link =
            Link { expires_at_ms: Some(100), status: Status::Temporary, ..link("https://example.com/") };
        assert_eq!(decide(&link, 99), Outcome::Go { status: Status::Temporary });
        assert_eq!(decide(&link, 100), Outcome::Expired { url: None });
        let link = Link { expired_url: Some(destination("https://example.com/over")), ..link };
        assert_eq!(decide(&link, 100), Outcome::Expired { url: Some("https://example.com/over") });
    }

    #[test]
    fn an_archived_link_leads_nowhere() {
        let link = Link { archived: true, ..link("https://example.com/") };
        assert_eq!(decide(&link, 0), Outcome::Gone);
    }
}
