//! The page an event happened on.

use url::Url;

use crate::text::has_control;

/// The longest page URL, in bytes: what every browser and proxy on the way passes.
pub const URL_MAX_BYTES: usize = 2_048;

/// Schemes that no list of app schemes can allow: they run or carry content, and the page URL is shown as a link.
const NEVER: [&str; 6] = ["javascript", "data", "vbscript", "file", "blob", "about"];

const NOT_A_PAGE: &str = "is not an absolute http(s) URL";

/// Reads an absolute http(s) URL, or one of an allow-listed app scheme. The client's own spelling is kept, so
/// that what a report shows is what the page's owner knows.
///
/// # Errors
/// The end of a sentence that begins with the field's name.
pub fn parse<'t>(text: &'t str, app_schemes: &[String]) -> Result<&'t str, &'static str> {
    let text = text.trim();
    if text.len() > URL_MAX_BYTES {
        return Err("is longer than 2048 bytes");
    }
    if has_control(text) {
        return Err("holds a control character");
    }
    if is_plain(text) {
        return Ok(text);
    }
    let (scheme, rest) = text.split_once(':').ok_or(NOT_A_PAGE)?;
    let http = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let app = app_schemes.iter().any(|allowed| allowed.eq_ignore_ascii_case(scheme))
        && !NEVER.iter().any(|never| never.eq_ignore_ascii_case(scheme));
    if !http && !app {
        return Err("is neither http(s) nor of an app scheme that is allowed here");
    }
    let authority = rest.strip_prefix("//").map(|rest| {
        let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
        rest.split_at(end).0
    });
    if authority.is_some_and(|authority| authority.contains('@')) {
        return Err("holds credentials");
    }
    // The parser would also take `https:host` and `https:///host`; who reads the stored text would not.
    if http && authority.is_none_or(str::is_empty) {
        return Err("has no host");
    }
    Url::parse(text).map_err(|_| NOT_A_PAGE)?;
    Ok(text)
}

/// Whether this is `http(s)://` and a plain host name, which is nearly every page there is: a few comparisons
/// in place of a parser that allocates. Ports, punycode and addresses go the long way.
fn is_plain(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return false;
    };
    let rest = rest.as_bytes();
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(rest.len());
    let host = rest.get(..end).unwrap_or_default();
    let letters = |label: &[u8]| label.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-');
    let plain = |label: &[u8]| {
        !label.is_empty()
            && letters(label)
            && !label.get(..4).is_some_and(|x| x.eq_ignore_ascii_case(b"xn--"))
    };
    let dot = |byte: &u8| *byte == b'.';
    // A last label that begins with a digit makes the parser read an IPv4 address.
    let named = host.rsplit(dot).next().is_some_and(|last| last.first().is_some_and(u8::is_ascii_alphabetic));
    named && host.len() <= 253 && host.split(dot).all(plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn apps() -> Vec<String> {
        vec!["myapp".to_owned(), "android-app".to_owned(), "javascript".to_owned()]
    }

    #[test]
    fn a_page_is_kept_as_it_was_sent() {
        for url in [
            "https://example.com",
            "http://example.com/a?b=c#d",
            "HTTPS://Example.COM/Ä b",
            "https://exämple.com/",
            "https://xn--exmple-cua.com/",
            "https://localhost:8787/x",
            "https://192.0.2.1/",
            "https://[2001:db8::1]:80/",
            "https://a_b.example/",
            "https://example.com./",
            "https://example.com/@user",
            "myapp://screen/1",
            "MyApp:screen",
            "android-app://com.example/",
        ] {
            assert_eq!(parse(url, &apps()), Ok(url));
        }
        assert_eq!(parse("  https://example.com/ \n", &[]), Ok("https://example.com/"));
    }

    #[test]
    fn what_is_no_page_is_refused() {
        for (url, because) in [
            ("", "absolute"),
            ("/path", "absolute"),
            ("example.com/x", "absolute"),
            ("https:example.com", "no host"),
            ("https:/example.com", "no host"),
            ("https://", "no host"),
            ("https:///path", "no host"),
            ("https://?q", "no host"),
            ("https://\\path", "no host"),
            ("https://user@example.com/", "credentials"),
            ("https://user:pw@example.com/", "credentials"),
            ("myapp://user@screen", "credentials"),
            ("javascript:alert(1)", "neither"),
            ("JavaScript://%0aalert(1)", "neither"),
            ("data:text/html,x", "neither"),
            ("ftp://example.com/", "neither"),
            ("other://screen", "neither"),
            ("https://exa\u{0}mple.com", "control"),
            ("https://example.com/\r\nset-cookie: x", "control"),
            ("https://1.2.3.999/", "absolute"),
            ("https://exa mple.com/", "absolute"),
            ("https://example.com:99999/", "absolute"),
        ] {
            let reason = parse(url, &apps()).unwrap_err();
            assert!(reason.contains(because), "{url}: {reason}");
        }
        let long = format!("https://example.com/{}", "x".repeat(URL_MAX_BYTES));
        assert!(parse(&long, &[]).unwrap_err().contains("2048"));
    }

    proptest! {
        #[test]
        fn any_text_is_a_page_or_is_none(
            text in ".*",
            near in "(https?:)?/{0,3}[a-z0-9.@:\\\\\\[\\]-]{0,20}[/?#]?.*",
        ) {
            let _ = (parse(&text, &apps()), parse(&near, &apps()));
        }

        /// The short way lets nothing through that the long way would not.
        #[test]
        fn a_plain_page_is_one_for_the_parser_too(host in "[A-Za-z0-9.-]{0,30}", rest in "([/?#][^\\p{Cc}]{0,30})?") {
            let text = format!("https://{host}{rest}");
            if is_plain(&text) {
                let url = Url::parse(&text).unwrap();
                prop_assert_eq!(url.host_str().unwrap(), host.to_ascii_lowercase());
            }
        }
    }
}
