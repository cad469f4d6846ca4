//! The `Location` of a redirect.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::{Link, PassThrough};

/// Parameters that are for the service and not for the destination.
const RESERVED: [&str; 1] = ["eid"];

/// What the URL standard encodes in a query: among it all that could end the query or the header.
const IN_QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'\'').add(b'<').add(b'>');

/// Where a visitor with this query string (as it came in, without the question mark) is sent.
///
/// The visitor's parameters stand behind the destination's own, before its fragment. Where both have a name,
/// the destination's wins and the visitor's are dropped: whoever shares a link can add to it, but not change
/// what its author fixed. Names are compared decoded, so `%65id` is `eid`. The rest is passed on byte for byte.
///
/// Nothing is parsed, and nothing is allocated unless there is something to add.
pub fn target<'a>(link: &'a Link, query: &str) -> Cow<'a, str> {
    let whole = link.url.as_str();
    if link.query == PassThrough::Off || query.is_empty() {
        return Cow::Borrowed(whole);
    }
    let (base, fragment) = whole.split_at(whole.find('#').unwrap_or(whole.len()));
    let own = base.split_once('?').map(|(_, own)| own);
    // Sorted, or thousands of parameters on a long destination would cost milliseconds.
    let mut names: Vec<_> = own.into_iter().flat_map(parameters).map(name).collect();
    names.sort_unstable();
    let passed = |part: &&str| {
        let name = name(part);
        !RESERVED.contains(&&*name) && names.binary_search(&name).is_err()
    };
    let mut passed = parameters(query).filter(passed).peekable();
    if passed.peek().is_none() {
        return Cow::Borrowed(whole);
    }
    let mut out = String::with_capacity(whole.len() + 1 + query.len());
    out.push_str(base);
    let mut separator = match own {
        None => "?",
        Some(own) if own.is_empty() || own.ends_with('&') => "",
        Some(_) => "&",
    };
    for part in passed {
        out.push_str(separator);
        out.extend(utf8_percent_encode(part, IN_QUERY));
        separator = "&";
    }
    out.push_str(fragment);
    Cow::Owned(out)
}

fn parameters(query: &str) -> impl Iterator<Item = &str> {
    query.split('&').filter(|part| !part.is_empty())
}

fn name(part: &str) -> Cow<'_, str> {
    let raw = part.split_once('=').map_or(part, |(name, _)| name);
    form_urlencoded::parse(raw.as_bytes()).next().map_or(Cow::Borrowed(""), |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::tests::link;
    use crate::{Allowed, Destination};
    use proptest::prelude::*;

    #[test]
    fn the_visitors_query_is_added_before_the_fragment() {
        for (url, query, wanted) in [
            ("https://example.com", "", "https://example.com/"),
            ("https://example.com", "a=1&b", "https://example.com/?a=1&b"),
            ("https://example.com/x?a=1", "b=2", "https://example.com/x?a=1&b=2"),
            ("https://example.com/?", "b=2", "https://example.com/?b=2"),
            ("https://example.com/?a=1&", "b=2", "https://example.com/?a=1&b=2"),
            ("https://example.com/#top?x", "b=2", "https://example.com/?b=2#top?x"),
            ("https://example.com/?a=1#top", "b=2&&b=3&", "https://example.com/?a=1&b=2&b=3#top"),
            ("https://example.com/", "b=%C3%A4+%2B%zz", "https://example.com/?b=%C3%A4+%2B%zz"),
        ] {
            assert_eq!(target(&link(url), query), wanted, "{url} {query}");
        }
    }

    #[test]
    fn the_destinations_own_parameters_win() {
        let link = link("https://example.com/?aff=7&s%20x=1#top");
        assert_eq!(
            target(&link, "aff=8&b=2&%61ff=9&s+x=3&AFF=1"),
            "https://example.com/?aff=7&s%20x=1&b=2&AFF=1#top"
        );
        assert!(matches!(target(&link, "aff=8&&aff"), Cow::Borrowed(_)));
    }

    #[test]
    fn the_event_id_stays_with_the_service() {
        let link = link("https://example.com/");
        assert_eq!(target(&link, "eid=1&b=2&%65id=3&eid"), "https://example.com/?b=2");
        assert!(matches!(target(&link, "eid=1"), Cow::Borrowed("https://example.com/")));
    }

    #[test]
    fn nothing_can_be_smuggled_in() {
        let link = link("https://example.com/#f");
        assert_eq!(
            target(&link, "a=\r\nset-cookie: x=1#g\u{e4}"),
            "https://example.com/?a=%0D%0Aset-cookie:%20x=1%23g%C3%A4#f"
        );
    }

    #[test]
    fn a_link_may_keep_the_query_to_itself() {
        let link = Link { query: PassThrough::Off, ..link("https://example.com/") };
        assert_eq!(target(&link, "a=1"), "https://example.com/");
    }

    proptest! {
        #[test]
        fn a_target_is_total_and_leads_to_the_links_own_page(
            rest in prop_oneof![any::<String>(), "[a-c?#&=%/]{0,12}"],
            query in prop_oneof![any::<String>(), "[a-c?#&=%/]{0,12}"],
        ) {
            let text = format!("https://example.com/{rest}");
            let mut link = link("https://example.com/");
            if let Ok(url) = Destination::parse("/url", &text, &Allowed::default()) {
                link.url = url;
            }
            let stored = url::Url::parse(link.url.as_str()).unwrap();
            let target = target(&link, &query).into_owned();
            prop_assert!(target.bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert!(target.starts_with("https://example.com/"));
            let led = url::Url::parse(&target).unwrap();
            prop_assert_eq!(led.as_str(), &target);
            prop_assert_eq!(led.path(), stored.path());
            prop_assert_eq!(led.fragment(), stored.fragment());
            prop_assert!(led.query().unwrap_or("").starts_with(stored.query().unwrap_or("")));
        }
    }
}
