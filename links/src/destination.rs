//! A URL that a link may lead to, checked and normalised once, when it is written.

use std::borrow::Cow;

use analytics::Reject;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::host::is_private;

/// The longest destination, in bytes, as it is stored.
pub const DESTINATION_MAX_BYTES: usize = 2_048;

/// Schemes that run or show what the link's author wrote, in the visitor's browser. No allow-list opens them.
const NEVER: [&str; 7] = ["about", "blob", "data", "file", "filesystem", "javascript", "vbscript"];

/// Paths of the service that lead somewhere else.
const LINK_PATHS: [&str; 3] = ["/r/", "/t/click", "/log-and-redirect"];

/// What a deployment allows beyond http and https.
#[derive(Debug, Clone, Copy)]
pub struct Allowed<'a> {
    /// Schemes of apps, as in `CONFIG.app_schemes`.
    pub app_schemes: &'a [String],
    /// Hosts that may have links of their own, as in `CONFIG.domains`.
    pub domains: &'a [String],
    /// The host that the service itself answers on; a link to one of its links would lead in circles.
    pub own_host: &'a str,
    /// Whether a time zone of that name is known.
    pub is_zone: fn(&str) -> bool,
}

impl Default for Allowed<'_> {
    fn default() -> Self {
        Self { app_schemes: &[], domains: &[], own_host: "", is_zone: |_| true }
    }
}

impl Allowed<'_> {
    fn is_own(&self, host: &str) -> bool {
        !host.is_empty() && host == self.own_host || self.domains.iter().any(|domain| domain == host)
    }
}

/// An absolute URL as `url` serialises it: printable ASCII, its host in canonical form, without credentials.
///
/// The redirect relies on that form and never parses: the first `#` begins the fragment, the first `?` before
/// it the query, and the text can stand in a `Location` header as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Destination(String);

impl Destination {
    /// The destination in the client's field `pointer`.
    ///
    /// # Errors
    /// Not absolute, too long, of a scheme that is not allowed, with control characters or credentials, or on
    /// a host of somebody's own network.
    pub fn parse(
        pointer: impl Into<Cow<'static, str>>,
        text: &str,
        allowed: &Allowed<'_>,
    ) -> Result<Self, Reject> {
        Self::check(text, allowed).map(Self).map_err(|detail| Reject::new(pointer, detail))
    }

    fn check(text: &str, allowed: &Allowed<'_>) -> Result<String, &'static str> {
        let too_long = |text: &str| text.len() > DESTINATION_MAX_BYTES;
        if too_long(text) {
            return Err("is longer than 2048 bytes");
        }
        // `url` drops tabs and newlines silently; what the customer sees would not be where the link leads.
        if text.chars().any(char::is_control) {
            return Err("holds a control character");
        }
        let url = Url::parse(text).map_err(|_| "is not an absolute URL such as https://example.com/")?;
        match url.scheme() {
            "http" | "https" => {
                if url.host().is_none_or(|host| is_private(&host)) {
                    return Err("leads to a private or local host");
                }
                let own = url.host_str().is_some_and(|host| allowed.is_own(host));
                if own && LINK_PATHS.iter().any(|path| url.path().starts_with(path)) {
                    return Err("leads back to a short link of this service");
                }
            }
            scheme if NEVER.contains(&scheme) => return Err("has a scheme that no link may have"),
            scheme if allowed.app_schemes.iter().any(|app| app.eq_ignore_ascii_case(scheme)) => {}
            _ => return Err("must begin with http:// or https://, or with a scheme listed in app_schemes"),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("holds a user name or password");
        }
        let stored = String::from(url);
        if too_long(&stored) {
            return Err("is longer than 2048 bytes when it is percent-encoded");
        }
        if !stored.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("holds a character that must be percent-encoded"); // a space in `app:some path`
        }
        Ok(stored)
    }

    /// Whether it opens an app rather than a page.
    pub fn is_app(&self) -> bool {
        !self.0.starts_with("http://") && !self.0.starts_with("https://")
    }

    /// Of a link that is being created and has no destination yet.
    pub(crate) fn nowhere() -> Self {
        Self(String::new())
    }

    pub(crate) fn is_nowhere(&self) -> bool {
        self.0.is_empty()
    }

    /// The URL as it goes into a `Location` header.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<String, String> {
        let apps = ["myapp".to_owned(), "javascript".to_owned()];
        let parsed = Destination::parse("/url", text, &Allowed { app_schemes: &apps, ..Allowed::default() });
        parsed.map(|url| url.as_str().to_owned()).map_err(|reject| reject.detail.into_owned())
    }

    #[test]
    fn a_destination_is_stored_as_browsers_read_it() {
        for (text, stored) in [
            ("https://example.com", "https://example.com/"),
            ("  HTTPS://EXAMPLE.com:443/ä b?q=ü#f g ", "https://example.com/%C3%A4%20b?q=%C3%BC#f%20g"),
            ("https:\\\\example.com\\a\\..\\b", "https://example.com/b"),
            ("https://bücher.example/", "https://xn--bcher-kva.example/"),
            ("https://@example.com/", "https://example.com/"),
            ("http://1.1:8080/x?a=1&a=2", "http://1.0.0.1:8080/x?a=1&a=2"),
            ("myapp://open/item?id=1", "myapp://open/item?id=1"),
            ("MyApp:open", "myapp:open"),
        ] {
            assert_eq!(parse(text).unwrap(), stored);
        }
    }

    #[test]
    fn what_no_link_may_lead_to_is_refused_with_its_reason() {
        for (text, reason) in [
            ("", "absolute"),
            ("example.com", "absolute"),
            ("/path", "absolute"),
            ("//example.com/", "absolute"),
            ("https://", "absolute"),
            ("javascript:alert(1)", "no link may have"),
            ("JavaScript:alert(1)", "no link may have"),
            ("java\nscript:alert(1)", "control"),
            ("data:text/html,x", "no link may have"),
            ("file:///etc/passwd", "no link may have"),
            ("ftp://example.com/", "app_schemes"),
            ("other://open", "app_schemes"),
            ("example.com:8080/", "app_schemes"),
            ("https://user@example.com/", "user name"),
            ("https://user:secret@example.com/", "user name"),
            ("https://:secret@example.com/", "user name"),
            ("myapp://user@open", "user name"),
            ("https://example.com/\r\nset-cookie: a", "control"),
            ("https://example.com/\u{85}", "control"),
            ("http://127.1/", "private"),
            ("http://localhost:8787/r/demo", "private"),
            ("http://[::1]/", "private"),
            ("myapp:some path", "percent-encoded"),
        ] {
            let detail = parse(text).unwrap_err();
            assert!(detail.contains(reason), "{text:?}: {detail}");
        }
        parse(&format!("https://example.com/{}", "a".repeat(2_028))).unwrap();
        assert!(parse(&format!("https://example.com/{}", "a".repeat(2_029))).unwrap_err().contains("2048"));
        assert!(parse(&format!("https://example.com/{}", "ä".repeat(500))).unwrap_err().contains("2048"));
    }

    #[test]
    fn a_link_may_not_lead_to_a_link() {
        let domains = ["go.example".to_owned()];
        let allowed = Allowed { domains: &domains, own_host: "click.example", ..Allowed::default() };
        for circular in
            ["https://click.example/r/x", "http://GO.example:8080/r/x?a", "https://go.example/t/click?cl=x"]
        {
            let detail = Destination::parse("/url", circular, &allowed).unwrap_err().detail;
            assert!(detail.contains("back"), "{circular}: {detail}");
        }
        Destination::parse("/url", "https://click.example/landing", &allowed).unwrap();
        Destination::parse("/url", "https://other.example/r/x", &allowed).unwrap();
    }

    proptest! {
        #[test]
        fn a_stored_destination_fits_into_a_header_and_is_a_fixed_point(
            text in prop_oneof![any::<String>(), "(https?|myapp):/{0,3}\\PC{0,40}"],
        ) {
            if let Ok(stored) = parse(&text) {
                prop_assert!(stored.bytes().all(|byte| byte.is_ascii_graphic()));
                prop_assert_eq!(parse(&stored), Ok(stored));
            }
        }
    }
}
