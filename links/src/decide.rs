//! What a hit on a link gets.

use analytics::{Reason, Verdict};

use crate::{Destination, Hit, Link, Social, Status, choose, rule};

/// The answer to a hit, before it is HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome<'l> {
    /// On to [`crate::target`], if the meter has nothing against it.
    Go(Way<'l>),
    /// First the password.
    Ask,
    /// A bot that makes a card of the link gets this one.
    Card(&'l Social),
    /// A program at a link of which only so many may be had: it is not led on, and uses nothing up.
    Withheld,
    /// Nowhere, or to `url` as it is: the visitor's query was meant for another page.
    Closed(Closed, Option<&'l str>),
}

/// Where a hit is led.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way<'l> {
    /// How the redirect answers.
    pub status: Status,
    /// The page or the app.
    pub url: &'l Destination,
    /// The page in place of the app, where that is not there.
    pub fallback_url: Option<&'l Destination>,
    /// The A/B variant that was chosen, or empty.
    pub variant: &'l str,
}

/// Why a link leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// Deleted: as if it never was.
    Deleted,
    /// Taken out of service.
    Archived,
    /// Its time has not come.
    NotStarted,
    /// Its time is over. The moment `expires_at` itself is too late.
    Expired,
    /// All its clicks are used up.
    LimitReached,
}

impl Link {
    /// Whether the link is closed at `now_ms`, to whomever.
    pub fn closed(&self, now_ms: i64) -> Option<Closed> {
        if self.deleted_at_ms.is_some() {
            return Some(Closed::Deleted);
        }
        if self.archived {
            return Some(Closed::Archived);
        }
        if self.starts_at_ms.is_some_and(|start| now_ms < start) {
            return Some(Closed::NotStarted);
        }
        self.expires_at_ms.is_some_and(|end| now_ms >= end).then_some(Closed::Expired)
    }

    /// What its state is called.
    pub fn state(&self, now_ms: i64) -> &'static str {
        match self.closed(now_ms) {
            None | Some(Closed::LimitReached) => "active",
            Some(Closed::Deleted) => "deleted",
            Some(Closed::Archived) => "archived",
            Some(Closed::NotStarted) => "scheduled",
            Some(Closed::Expired) => "expired",
        }
    }

    /// The outcome of a link that is closed.
    pub fn turned_away(&self, why: Closed) -> Outcome<'_> {
        let instead = matches!(why, Closed::Expired | Closed::LimitReached);
        Outcome::Closed(why, self.expired_url.as_ref().filter(|_| instead).map(Destination::as_str))
    }
}

/// Decides about a hit. `unlocked` says that the visitor has given the password.
pub fn decide<'l>(link: &'l Link, hit: &Hit<'_>, unlocked: bool) -> Outcome<'l> {
    if let Some(why) = link.closed(hit.event().received_at_ms) {
        return link.turned_away(why);
    }
    // Before the password: the card is what its author wrote for all to see.
    if let Some(card) = &link.social
        && hit.bot().reasons.has(Reason::LinkPreview)
    {
        return Outcome::Card(card);
    }
    if !link.password.is_empty() && !unlocked {
        return Outcome::Ask;
    }
    if link.max_clicks.is_some() && hit.bot().verdict == Verdict::Bot {
        return Outcome::Withheld;
    }
    Outcome::Go(way(link, hit))
}

/// The first rule that fits, else the visitor's variant, else the link's own page.
pub fn way<'l>(link: &'l Link, hit: &Hit<'_>) -> Way<'l> {
    let own = link.fallback_url.as_ref();
    let (url, fallback_url, variant) = match rule::first(&link.rules, hit) {
        Some(rule) => (&rule.url, rule.fallback_url.as_ref().or(own), ""),
        None => match choose(&link.variants, &link.key(), hit.event()) {
            Some(variant) => (&variant.url, own, &*variant.name),
            None => (&link.url, own, ""),
        },
    };
    Way { status: link.status, url, fallback_url: fallback_url.filter(|_| url.is_app()), variant }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::tests::{destination, link};
    use crate::rule::tests::{BROWSER, hit, nowhere, visit};

    fn outcome<'l>(link: &'l Link, user_agent: &str, now_ms: i64) -> Outcome<'l> {
        let mut event = visit(user_agent);
        event.received_at_ms = now_ms;
        decide(link, &hit(&event), false)
    }

    #[test]
    fn a_link_leads_on_while_its_time_lasts() {
        let link = Link {
            starts_at_ms: Some(50),
            expires_at_ms: Some(100),
            status: Status::Temporary,
            ..link("https://example.com/")
        };
        assert_eq!(outcome(&link, BROWSER, 49), Outcome::Closed(Closed::NotStarted, None));
        for now_ms in [50, 99] {
            let Outcome::Go(way) = outcome(&link, BROWSER, now_ms) else { panic!("{now_ms}") };
            assert_eq!((way.url.as_str(), way.status), ("https://example.com/", Status::Temporary));
        }
        assert_eq!(outcome(&link, BROWSER, 100), Outcome::Closed(Closed::Expired, None));
        let over = Some(destination("https://example.com/over"));
        let link = Link { expired_url: over, ..link };
        let instead = Some("https://example.com/over");
        assert_eq!(outcome(&link, BROWSER, 100), Outcome::Closed(Closed::Expired, instead));
        assert_eq!(outcome(&link, BROWSER, 49), Outcome::Closed(Closed::NotStarted, None));
        assert_eq!(link.turned_away(Closed::LimitReached), Outcome::Closed(Closed::LimitReached, instead));
    }

    #[test]
    fn an_archived_or_deleted_link_leads_nowhere() {
        let archived = Link { archived: true, ..link("https://example.com/") };
        assert_eq!(outcome(&archived, BROWSER, 0), Outcome::Closed(Closed::Archived, None));
        let deleted = Link { deleted_at_ms: Some(7), ..archived };
        assert_eq!(outcome(&deleted, BROWSER, 0), Outcome::Closed(Closed::Deleted, None));
    }

    #[test]
    fn a_password_is_asked_for_once() {
        let link = Link { password: "hash".into(), ..link("https://example.com/") };
        let event = visit(BROWSER);
        assert_eq!(decide(&link, &hit(&event), false), Outcome::Ask);
        assert!(matches!(decide(&link, &hit(&event), true), Outcome::Go(_)));
    }

    #[test]
    fn programs_get_nothing_of_what_there_is_only_so_much_of() {
        let link = Link { max_clicks: Some(1), ..link("https://example.com/") };
        assert_eq!(outcome(&link, "curl/8.5.0", 0), Outcome::Withheld);
        assert_eq!(outcome(&link, "WhatsApp/2.23.20", 0), Outcome::Withheld);
        assert!(matches!(outcome(&link, BROWSER, 0), Outcome::Go(_)));
    }

    #[test]
    fn preview_bots_get_the_card_and_people_in_apps_the_page() {
        let card = Social { title: "T".into(), ..Social::default() };
        let link =
            Link { social: Some(card.clone()), password: "hash".into(), ..link("https://example.com/") };
        for bot in ["facebookexternalhit/1.1", "WhatsApp/2.23.20 N", "Twitterbot/1.0"] {
            assert_eq!(outcome(&link, bot, 0), Outcome::Card(&card), "{bot}");
        }
        let in_app = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 330.0.3 (iPhone15,2; iOS 17_4)";
        assert_eq!(outcome(&link, in_app, 0), Outcome::Ask);
    }

    #[test]
    fn a_rule_outweighs_a_variant_and_a_variant_the_links_own_page() {
        let page = |name: &str| destination(&format!("https://example.com/{name}"));
        let variant = |name: &str, weight| crate::Variant { name: name.into(), url: page(name), weight };
        let link = Link {
            rules: vec![crate::Rule {
                when: vec![crate::Condition::Any(crate::Subject::Country, vec!["US".into()])],
                url: page("us"),
                fallback_url: None,
            }],
            variants: vec![variant("a", 0), variant("b", 1)],
            ..link("https://example.com/")
        };
        let mut event = visit(BROWSER);
        assert_eq!(way(&link, &hit(&event)).variant, "b");
        event.country = "US".into();
        let ruled = way(&link, &hit(&event));
        assert_eq!((ruled.url.as_str(), ruled.variant), ("https://example.com/us", ""));
        let plain = Link { variants: Vec::new(), ..link };
        event.country = "DE".into();
        assert_eq!(way(&plain, &hit(&event)).url.as_str(), "https://example.com/");
    }

    #[test]
    fn only_an_app_has_a_page_to_fall_back_on() {
        let allowed = crate::Allowed { app_schemes: &["myapp".to_owned()], ..crate::Allowed::default() };
        let app = Destination::parse("/url", "myapp://open", &allowed).unwrap();
        let link = Link {
            fallback_url: Some(destination("https://example.com/store")),
            ..link("https://example.com/")
        };
        let event = visit(BROWSER);
        assert_eq!(
            decide(&link, &Hit::new(&event, &nowhere), false),
            Outcome::Go(Way { status: Status::Found, url: &link.url, fallback_url: None, variant: "" })
        );
        let link = Link { url: app, ..link };
        assert_eq!(way(&link, &hit(&event)).fallback_url, link.fallback_url.as_ref());
    }
}
