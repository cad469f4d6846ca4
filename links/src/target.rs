//! The `Location` of a redirect.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::link::UTM;
use crate::{Destination, Link, PassThrough};

/// What the URL standard encodes in a query: among it all that could end the query or the header.
const IN_QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'\'').add(b'<').add(b'>');

/// What is encoded in a value of ours: everything that means something in a query.
const IN_VALUE: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':').remove(b'/');

/// Google Play hands this parameter to the app that is installed from the page.
/// <https://developer.android.com/google/play/installreferrer>
const PLAY: &str = "https://play.google.com/store/apps/details";
const PLAY_REFERRER: &str = "referrer";

/// Where a visitor with this query string (as it came in, without the question mark) is sent, of the link's pages
/// to `url`, with `click_id` if the link asks for one.
///
/// The visitor's parameters stand behind the destination's own and the link's `utm_*`, before its fragment. Where
/// both have a name, the destination's wins and the visitor's are dropped: whoever shares a link can add to it,
/// but not change what its author fixed; unless the link says `override`, then it is the other way round. Names are
/// compared decoded, so `%65id` is `eid`. The rest is passed on byte for byte.
///
/// Nothing is parsed, and nothing is allocated unless there is something to add.
pub fn target<'l>(link: &Link, url: &'l Destination, query: &str, click_id: &str) -> Cow<'l, str> {
    let whole = url.as_str();
    let query = if link.query == PassThrough::Off { "" } else { query };
    let click_id = if link.append_click_id.is_empty() { "" } else { click_id };
    if query.is_empty() && click_id.is_empty() && link.utm.iter().all(String::is_empty) {
        return Cow::Borrowed(whole);
    }
    let (base, fragment) = whole.split_at(whole.find('#').unwrap_or(whole.len()));
    let (page, own) = base.split_once('?').map_or((base, None), |(page, own)| (page, Some(own)));
    let over = link.query == PassThrough::Override;
    // Sorted, or thousands of parameters on a long destination would cost milliseconds.
    let theirs = if over { Names::of(query) } else { Names::default() };
    let mut fixed = Names::of(own.unwrap_or_default());
    let mut added: Vec<Cow<'_, str>> = Vec::new();
    for (name, value) in UTM.into_iter().zip(&link.utm) {
        if !value.is_empty() && !fixed.have(name) && !theirs.have(name) {
            added.push(format!("{name}={}", utf8_percent_encode(value, IN_VALUE)).into());
            fixed = fixed.and(std::iter::once(name.into()));
        }
    }
    let passed = |part: &&str| {
        let name = name(part);
        let ours = name == "eid" || *part == "src=qr" || !click_id.is_empty() && name == link.append_click_id;
        !ours && (over || !fixed.have(&name))
    };
    added.extend(parameters(query).filter(passed).map(|part| utf8_percent_encode(part, IN_QUERY).into()));
    if !click_id.is_empty() {
        added.push(format!("{}={click_id}", link.append_click_id).into());
    }
    let replaced = |part: &&str| {
        let name = name(part);
        theirs.have(&name) || !click_id.is_empty() && name == link.append_click_id
    };
    let own = match own {
        Some(own) if parameters(own).any(|part| replaced(&part)) => {
            Cow::Owned(parameters(own).filter(|part| !replaced(part)).collect::<Vec<_>>().join("&"))
        }
        _ if added.is_empty() => return Cow::Borrowed(whole),
        own => Cow::Borrowed(own.unwrap_or_default()),
    };
    if whole.starts_with(PLAY) && !fixed.have(PLAY_REFERRER) && !added.is_empty() {
        let referrer = utf8_percent_encode(&added.join("&"), IN_VALUE).to_string();
        added.push(format!("{PLAY_REFERRER}={referrer}").into());
    }
    let mut out =
        String::with_capacity(whole.len() + 1 + added.iter().map(|part| part.len() + 1).sum::<usize>());
    out.push_str(page);
    let own = (!own.is_empty()).then_some(&own);
    for (place, part) in own.into_iter().chain(&added).enumerate() {
        match place {
            0 => out.push('?'),
            _ if out.ends_with('&') => {}
            _ => out.push('&'),
        }
        out.push_str(part);
    }
    out.push_str(fragment);
    Cow::Owned(out)
}

/// Names of parameters, sorted.
#[derive(Default)]
struct Names<'a>(Vec<Cow<'a, str>>);

impl<'a> Names<'a> {
    fn of(query: &'a str) -> Self {
        Self::default().and(parameters(query).map(name))
    }

    fn and(mut self, more: impl Iterator<Item = Cow<'a, str>>) -> Self {
        self.0.extend(more);
        self.0.sort_unstable();
        self
    }

    fn have(&self, name: &str) -> bool {
        self.0.binary_search_by(|own| (**own).cmp(name)).is_ok()
    }
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
    use crate::Allowed;
    use crate::link::tests::link;
    use proptest::prelude::*;

    fn target<'l>(link: &'l Link, query: &str) -> Cow<'l, str> {
        super::target(link, &link.url, query, "id")
    }

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
    fn a_link_may_let_the_visitor_override() {
        let over = |url: &str| Link { query: PassThrough::Override, ..link(url) };
        for (url, query, wanted) in [
            ("https://example.com/?aff=7&x=1#top", "aff=8", "https://example.com/?x=1&aff=8#top"),
            ("https://example.com/?aff=7", "%61ff=8&aff=9", "https://example.com/?%61ff=8&aff=9"),
            ("https://example.com/?aff=7&&x", "b=1", "https://example.com/?aff=7&&x&b=1"),
            ("https://example.com/?aff=7", "", "https://example.com/?aff=7"),
        ] {
            assert_eq!(target(&over(url), query), wanted, "{url} {query}");
        }
    }

    #[test]
    fn utm_tags_of_the_link_are_added_where_the_destination_has_none() {
        let utm = ["news", "", "spring & co", "", ""].map(String::from);
        let tagged = Link { utm, ..link("https://example.com/?utm_source=own#f") };
        assert_eq!(
            target(&tagged, "utm_campaign=theirs&utm_term=shoes"),
            "https://example.com/?utm_source=own&utm_campaign=spring%20%26%20co&utm_term=shoes#f"
        );
        let off = Link { query: PassThrough::Off, ..tagged.clone() };
        assert_eq!(
            target(&off, "a=1"),
            "https://example.com/?utm_source=own&utm_campaign=spring%20%26%20co#f"
        );
        let over = Link { query: PassThrough::Override, ..tagged };
        assert_eq!(
            target(&over, "utm_campaign=theirs"),
            "https://example.com/?utm_source=own&utm_campaign=theirs#f"
        );
    }

    #[test]
    fn a_click_id_is_the_services_and_nobody_elses() {
        let link = Link { append_click_id: "cid".into(), ..link("https://example.com/?cid=old&a=1") };
        assert_eq!(target(&link, "cid=forged&b=2"), "https://example.com/?a=1&b=2&cid=id");
        assert_eq!(target(&link, ""), "https://example.com/?a=1&cid=id");
        assert_eq!(super::target(&link, &link.url, "", ""), "https://example.com/?cid=old&a=1");
    }

    #[test]
    fn google_play_hands_what_was_added_to_the_app() {
        let utm = ["news", "", "", "", ""].map(String::from);
        let store = link("https://play.google.com/store/apps/details?id=app");
        let play = Link { utm, append_click_id: "cid".into(), ..store.clone() };
        assert_eq!(
            target(&play, "a=1"),
            "https://play.google.com/store/apps/details?id=app&utm_source=news&a=1&cid=id\
             &referrer=utm_source%3Dnews%26a%3D1%26cid%3Did"
        );
        assert_eq!(target(&store, ""), store.url.as_str());
        let own = link("https://play.google.com/store/apps/details?id=app&referrer=x");
        assert_eq!(target(&own, "a=1"), "https://play.google.com/store/apps/details?id=app&referrer=x&a=1");
    }

    #[test]
    fn a_scanned_codes_mark_stays_with_the_service() {
        let link = link("https://example.com/");
        assert_eq!(target(&link, "src=qr&b=2"), "https://example.com/?b=2");
        assert_eq!(target(&link, "src=mail"), "https://example.com/?src=mail");
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
            over: bool, utm in "[a-c]{0,2}", asks: bool,
        ) {
            let text = format!("https://example.com/{rest}");
            let mut link = link("https://example.com/");
            if let Ok(url) = Destination::parse("/url", &text, &Allowed::default()) {
                link.url = url;
            }
            link.query = if over { PassThrough::Override } else { PassThrough::Append };
            link.utm = [utm, String::new(), String::new(), String::new(), String::new()];
            link.append_click_id = if asks { "cid".into() } else { String::new() };
            let stored = url::Url::parse(link.url.as_str()).unwrap();
            let target = target(&link, &query).into_owned();
            prop_assert!(target.bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert!(target.starts_with("https://example.com/"));
            let led = url::Url::parse(&target).unwrap();
            prop_assert_eq!(led.as_str(), &target);
            prop_assert_eq!(led.path(), stored.path());
            prop_assert_eq!(led.fragment(), stored.fragment());
            if !over {
                prop_assert!(led.query().unwrap_or("").starts_with(stored.query().unwrap_or("")));
            }
        }
    }
}
