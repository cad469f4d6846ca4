//! Redirects to a page that the caller names.

use super::draft::Draft;
use super::hit::hit_id;
use super::{Facts, QUERY_MAX_BYTES, Rules, cut};
use crate::{Kind, RawEvent, Source, Text};

/// The click of a redirect to `target`, from the rest of its query, in which fields have the names that a pixel's
/// have. Never fails: the visitor is on the way, so what is unusable in the query is left out.
///
/// The page of the click is the one that it leads to: that is whose tags say how the visitor was won.
pub fn forward<'a>(target: &'a str, query: &'a str, facts: &Facts<'a>, rules: &Rules) -> RawEvent<'a> {
    let mut draft = Draft::new(Kind::Click, Source::Redirect, facts);
    let rest = draft.take_query(query, rules);
    let named = draft.id;
    let mut event = draft.into_what_is_usable();
    event.kind = Kind::Click;
    event.page_url = Text::from(cut(target, QUERY_MAX_BYTES));
    event.id = hit_id(named, facts, &["forward", target, &event.campaign_id, &event.element_id]);
    event.query = rest;
    event
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_click_is_the_pages_and_the_querys() {
        let facts = Facts { received_at_ms: 1_790_000_000_000, visitor: 7, ..Facts::default() };
        let rules = Rules::default();
        let shop = "https://shop.example/?utm_source=news";
        let event =
            forward(shop, "cid=spring&sid=s&et=conversion&u=https%3A%2F%2Fx.example%2F&b=1", &facts, &rules);
        assert_eq!((event.kind, event.source), (Kind::Click, Source::Redirect));
        assert_eq!(
            [&*event.campaign_id, &event.session_id, &event.page_url, &event.query],
            ["spring", "s", shop, "b=1"]
        );
        let other = forward("https://other.example/", "cid=spring&sid=s", &facts, &rules);
        assert_ne!(event.id, other.id, "two pages are two clicks");
        let again = forward(shop, "cid=spring&sid=%00&eid=", &facts, &rules);
        assert_eq!(event.id, again.id, "a double tap is one");
    }
}
