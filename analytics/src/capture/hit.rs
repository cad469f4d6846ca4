//! Redirects and pixels: hits that a browser makes by itself, and that may come without an id.

use super::draft::Draft;
use super::field::Field;
use super::{Facts, QUERY_MAX_BYTES, Rules, cut, query};
use crate::{EventId, Hints, Kind, RawEvent, Reject, Source, Text, Trigger, page_url};

/// What the followed link says about its clicks.
#[derive(Debug, Clone, Copy, Default)]
pub struct LinkFacts<'a> {
    /// Its token.
    pub token: &'a str,
    /// The campaign its clicks count for.
    pub campaign_id: &'a str,
    /// Who gets paid for them.
    pub publisher_id: &'a str,
    /// Its medium.
    pub medium: &'a str,
    /// The creative it is behind.
    pub ad_id: &'a str,
    /// Name of the variant that was chosen for this visitor, if it has several.
    pub variant: &'a str,
    /// Whether it is a trap: no person sees it.
    pub honeypot: bool,
}

/// The parameter that the address in a code carries, so that a scan is told from a followed link.
const SCANNED: (&str, &str) = ("src", "qr");

/// The click of a followed link. Never fails: the visitor is on the way, so what is unusable in the query is
/// left out.
///
/// Of the query, `eid` (event id), `sid`, `uid`, `aid` (session, user, anonymous id) and `sub1` to `sub5` are
/// taken, and `src=qr` tells a scan; all of it is kept for its UTM tags.
pub fn redirect<'a>(link: &LinkFacts<'a>, query: &'a str, facts: &Facts<'a>) -> RawEvent<'a> {
    let draft = asked(Kind::Click, query, facts);
    let id = hit_id(draft.id, facts, &[link.token]);
    let mut event = draft.into_what_is_usable();
    event.id = id;
    event.link = Text::from(link.token);
    event.campaign_id = Text::from(link.campaign_id);
    event.publisher_id = Text::from(link.publisher_id);
    event.medium = Text::from(link.medium);
    event.ad_id = Text::from(link.ad_id);
    event.variant = Text::from(link.variant);
    if link.honeypot {
        event.hints = event.hints.with(Hints::TRAP);
    }
    event
}

/// What the query asks of a redirect.
pub(super) fn asked<'a>(kind: Kind, query: &'a str, facts: &Facts<'a>) -> Draft<'a> {
    let mut draft = Draft::new(kind, Source::Redirect, facts);
    draft.event.query = Text::from(cut(query, QUERY_MAX_BYTES));
    for pair in query::pairs(query) {
        if let Some((field, pointer)) = Field::of_redirect(&pair.name) {
            draft.take_first(field, pointer, pair.value, &Rules::default());
        } else if (&*pair.name, &*pair.value) == SCANNED {
            draft.event.trigger = Trigger::Qr;
        }
    }
    draft
}

/// The event of a pixel, from its query string.
///
/// Without `u` the page is the one that embeds the pixel, which the browser names in `Referer`.
///
/// # Errors
/// Every parameter that has to be corrected, by the name it was sent under.
pub fn pixel<'a>(query: &'a str, facts: &Facts<'a>, rules: &Rules) -> Result<RawEvent<'a>, Vec<Reject>> {
    let mut draft = Draft::new(Kind::Impression, Source::Pixel, facts);
    let rest = draft.take_query(query, rules);
    if !draft.has(Field::PageUrl)
        && let Ok(page) = page_url::parse(facts.referrer, &rules.app_schemes)
    {
        draft.event.page_url = Text::from(page);
    }
    let named = draft.id;
    let mut event = draft.finish().map_err(|invalid| invalid.rejects)?;
    let kind = event.kind.name();
    event.id = hit_id(named, facts, &[&event.campaign_id, &event.element_id, &event.page_url, kind]);
    event.query = rest;
    Ok(event)
}

/// The identity of a hit: the client's, or one made of the `subject`, the visitor and the moment.
///
/// A scanner's HEAD or a browser's look ahead comes within the two seconds before the person's click, and often
/// with the same `eid`, which is written in the link. They get an identity beside the person's, because the first
/// of two equal ones would be marked as a machine's and the second be its duplicate: a click lost.
pub(super) fn hit_id(named: Option<EventId>, facts: &Facts<'_>, subject: &[&str]) -> EventId {
    let machine = if facts.hints.has(Hints::HEAD) {
        Some("head")
    } else if facts.hints.has(Hints::PREFETCH) {
        Some("prefetch")
    } else {
        None
    };
    match (named, machine) {
        (Some(id), None) => id,
        (Some(id), Some(machine)) => EventId::of_hit(&[&id.to_string(), machine], 0, 0),
        (None, None) => EventId::of_hit(subject, facts.visitor, facts.received_at_ms),
        (None, Some(machine)) => {
            EventId::of_hit(&[subject, &[machine]].concat(), facts.visitor, facts.received_at_ms)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_790_000_000_000;
    const UUID: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";

    fn facts() -> Facts<'static> {
        Facts { received_at_ms: NOW, visitor: 7, referrer: "https://search.example/?q=1", ..Facts::default() }
    }

    fn link() -> LinkFacts<'static> {
        LinkFacts {
            token: "demo",
            campaign_id: "spring",
            publisher_id: "p1",
            medium: "email",
            ad_id: "a1",
            variant: "B",
            honeypot: false,
        }
    }

    fn pointers(rejects: &[Reject]) -> Vec<&str> {
        rejects.iter().map(|reject| &*reject.pointer).collect()
    }

    #[test]
    fn a_click_is_the_links_and_the_querys() {
        let query = "eid=67E5504410B1426F9247BB680E5FE0C8&sid=s&uid=u%20x&aid=a\
            &sub1=1&sub5=5&cid=theirs&utm_source=x";
        let event = redirect(&link(), query, &facts());
        assert_eq!(event.id.to_string(), UUID);
        assert_eq!((event.kind, event.source), (Kind::Click, Source::Redirect));
        assert_eq!((event.event_time_ms, event.received_at_ms), (NOW, NOW));
        assert_eq!(
            [
                &*event.link,
                &event.campaign_id,
                &event.publisher_id,
                &event.medium,
                &event.ad_id,
                &event.variant
            ],
            ["demo", "spring", "p1", "email", "a1", "B"]
        );
        assert_eq!(
            [&*event.session_id, &event.user_id, &event.anonymous_id, &event.sub[0], &event.sub[4]],
            ["s", "u x", "a", "1", "5"]
        );
        assert_eq!((&*event.query, &*event.page_url), (query, ""));
        assert_eq!(event.referrer, "https://search.example/?q=1");
    }

    #[test]
    fn a_click_survives_whatever_the_query_holds() {
        let long = "x".repeat(5_000);
        for query in
            [&format!("eid={long}&sid={long}"), "eid=&sid=", "eid=%00&sid=%0a", "&&=%", &"é".repeat(2_000)]
        {
            let event = redirect(&link(), query, &facts());
            assert_eq!(event.id, EventId::of_hit(&["demo"], 7, NOW));
            assert_eq!(event.session_id, "");
            assert!(event.query.len() <= QUERY_MAX_BYTES && query.starts_with(&*event.query));
        }
        assert_eq!(redirect(&link(), "sid=1&sid=2", &facts()).session_id, "1");
    }

    #[test]
    fn a_scan_is_told_from_a_followed_link_by_its_address() {
        let trigger = |query| redirect(&link(), query, &facts()).trigger;
        for query in ["src=qr", "a=b&src=qr", "src=mail&src=qr", "s%72c=%71r&eid=x"] {
            assert_eq!(trigger(query), Trigger::Qr, "{query}");
        }
        for query in ["", "src", "src=", "src=QR", "src=qr2", "src=mail", "xsrc=qr", "a=src=qr"] {
            assert_eq!(trigger(query), Trigger::Link, "{query}");
        }
        assert_eq!(pixel("src=qr", &facts(), &Rules::default()).unwrap().trigger, Trigger::Link);
    }

    /// A mail scanner's HEAD arrives just before the person's GET, with the `eid` that is in the link.
    #[test]
    fn a_machines_look_does_not_swallow_the_persons_click() {
        for query in ["", "eid=order-1"] {
            let with = |hints| redirect(&link(), query, &Facts { hints, ..facts() }).id;
            let ids = [Hints::default(), Hints::HEAD, Hints::PREFETCH].map(with);
            assert_ne!(ids[0], ids[1]);
            assert_ne!(ids[0], ids[2]);
            assert_ne!(ids[1], ids[2]);
            assert_eq!(ids, [Hints::default(), Hints::HEAD, Hints::PREFETCH].map(with));
        }
    }

    #[test]
    fn a_pixel_is_read_from_its_query() {
        let query = "eid=67e55044-10b1-426f-9247-bb680e5fe0c8&cid=c&sid=s&uid=u&aid=a&et=conversion&el=buy\
            &u=https%3A%2F%2Fshop.example%2F&r=https%3A%2F%2Fnews.example%2F&t=1789999999000&utm_source=x%20y\
            &link=demo&pub=p&med=m&ad=d&sub2=2&v=19.99&cur=eur&gclid=g";
        let event = pixel(query, &facts(), &Rules::default()).unwrap();
        assert_eq!((event.id.to_string().as_str(), event.kind), (UUID, Kind::Conversion));
        assert_eq!(event.event_time_ms, NOW - 1_000);
        assert_eq!([&*event.page_url, &event.referrer], ["https://shop.example/", "https://news.example/"]);
        assert_eq!(
            [
                &*event.campaign_id,
                &event.element_id,
                &event.link,
                &event.publisher_id,
                &event.medium,
                &event.ad_id
            ],
            ["c", "buy", "demo", "p", "m", "d"]
        );
        assert_eq!((event.value_micros, &*event.currency), (Some(19_990_000), "EUR"));
        assert_eq!(event.query, "utm_source=x%20y&gclid=g");
    }

    #[test]
    fn a_pixel_without_an_id_is_one_per_visitor_place_and_moment() {
        let id =
            |query: &str, visitor| pixel(query, &Facts { visitor, ..facts() }, &Rules::default()).unwrap().id;
        assert_eq!(id("cid=c&el=e", 7), id("el=e&cid=c&utm_source=x", 7));
        for other in ["cid=d&el=e", "cid=c&el=f", "cid=c&el=e&et=page", "cid=c&el=e&u=https://example.com/"] {
            assert_ne!(id("cid=c&el=e", 7), id(other, 7), "{other}");
        }
        assert_ne!(id("cid=c", 7), id("cid=c", 8));
        assert_eq!(pixel("", &facts(), &Rules::default()).unwrap().kind, Kind::Impression);
    }

    #[test]
    fn the_page_around_a_pixel_is_no_referrer() {
        let at = |query| pixel(query, &facts(), &Rules::default()).unwrap();
        let event = at("cid=c");
        assert_eq!([&*event.page_url, &event.referrer], ["https://search.example/?q=1", ""]);
        let event = at("u=https://SEARCH.example/page");
        assert_eq!([&*event.page_url, &event.referrer], ["https://SEARCH.example/page", ""]);
        let event = at("u=https://shop.example/");
        assert_eq!(
            [&*event.page_url, &event.referrer],
            ["https://shop.example/", "https://search.example/?q=1"]
        );
    }

    #[test]
    fn a_pixel_names_what_is_wrong_as_it_was_sent() {
        let query = "et=tap&t=1&u=javascript:1&v=x&cur=EURO&event_id=%01";
        let rejects = pixel(query, &facts(), &Rules::default()).unwrap_err();
        assert_eq!(pointers(&rejects), ["/et", "/t", "/u", "/v", "/cur", "/event_id"]);
        let ours = pixel("et=failed", &facts(), &Rules::default()).unwrap_err();
        assert_eq!(pointers(&ours), ["/et"]);
    }

    #[test]
    fn headers_are_cut_to_their_bounds() {
        let long = "é".repeat(5_000);
        let facts = Facts { user_agent: &long, referrer: &long, language: &long, city: &long, ..facts() };
        let event = redirect(&link(), "", &facts);
        assert_eq!(
            [event.user_agent.len(), event.referrer.len(), event.language.len(), event.city.len()],
            [512, 2_048, 256, 128]
        );
    }
}
