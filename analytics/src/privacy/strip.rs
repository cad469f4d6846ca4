//! What every stored URL loses, whatever anybody consents to: addresses, and what opens somebody's account.

use super::reveal::reveals;
use super::url::{Cut, Fate};
use crate::{RawEvent, Text};

/// Parts of names: a parameter whose name holds one of them goes.
const WITHIN: [&str; 7] = ["token", "passw", "secret", "email", "apikey", "sessionid", "sessid"];

/// Whole names. OAuth 2.0 and `OpenID` Connect (RFC 6749, 6750, 7591), signed URLs of AWS and Google, sessions of PHP,
/// Java, ASP and `ColdFusion`, what Sentry and Google Analytics tell their users to keep out of URLs (credentials, people's
/// addresses, telephone, card and insurance numbers), and the common abbreviations of these.
const NAMES: [&str; 47] = [
    "auth",
    "authcode",
    "authkey",
    "authorization",
    "bearer",
    "cardnumber",
    "cfid",
    "clientassertion",
    "codeverifier",
    "credential",
    "credentials",
    "creditcard",
    "cvc",
    "cvv",
    "emailaddress",
    "hmac",
    "iban",
    "idtokenhint",
    "jwt",
    "loginhint",
    "magiclink",
    "mail",
    "mobile",
    "nonce",
    "otp",
    "phone",
    "phonenumber",
    "pin",
    "privatekey",
    "pwd",
    "resetcode",
    "samlrequest",
    "samlresponse",
    "sig",
    "signature",
    "ssn",
    "tel",
    "telephone",
    "ticket",
    "totp",
    "verificationcode",
    "xamzcredential",
    "xamzsecuritytoken",
    "xamzsignature",
    "xgoogcredential",
    "xgoogsignature",
    "xsrf",
];

/// No more of a name is looked at.
const NAME_MAX_BYTES: usize = 64;

/// The rules in force.
#[derive(Debug, Clone)]
pub struct Strip {
    /// Whether anything is.
    pub on: bool,
    /// Names besides those that are built in, in small letters and digits.
    more: Vec<String>,
    /// Names that stay, likewise.
    keep: Vec<String>,
}

impl Default for Strip {
    fn default() -> Self {
        Self::new(true, &[], &[])
    }
}

impl Strip {
    /// The built-in names and `more`, but for those to `keep`.
    pub fn new(on: bool, more: &[String], keep: &[String]) -> Self {
        let plain = |names: &[String]| {
            names.iter().map(|name| plain(name, &mut [0; NAME_MAX_BYTES]).to_owned()).collect()
        };
        Self { on, more: plain(more), keep: plain(keep) }
    }

    /// Whether a parameter of that name goes.
    pub fn names(&self, name: &str) -> bool {
        let mut buffer = [0; NAME_MAX_BYTES];
        let name = plain(name, &mut buffer);
        let listed = |names: &[String]| names.iter().any(|listed| listed == name);
        let known = || is_secret(name) || holds_secret(name);
        !name.is_empty() && (known() || listed(&self.more)) && !listed(&self.keep)
    }

    /// Takes what may not be stored out of an event's URLs: the page, the referrer, the query, and those among the free
    /// tags.
    pub(super) fn clean(&self, event: &mut RawEvent<'_>) {
        if self.on {
            let is_secret = |name: &str| self.names(name);
            cut(
                event,
                &Cut {
                    fate: &|name, value| {
                        let goes = is_secret(name) || reveals(value, &is_secret);
                        if goes { Fate::Drop } else { Fate::Keep }
                    },
                    hides: &|part| reveals(part, &|_| false),
                },
            );
        }
    }

    /// A URL as it may be stored.
    #[cfg(test)]
    pub(super) fn url(&self, url: &str) -> String {
        let id = crate::EventId::from_bytes([0; 16]);
        let mut event = RawEvent::new(id, crate::Kind::Page, crate::Source::Beacon, 0);
        event.page_url = Text::from(url);
        self.clean(&mut event);
        event.page_url.to_string()
    }
}

/// Whether one of [`WITHIN`] is in a name. To set up a search for each takes longer than to look at a name's few letters.
fn holds_secret(name: &str) -> bool {
    let name = name.as_bytes();
    let may = |two: &[u8]| matches!(two, b"to" | b"pa" | b"se" | b"em" | b"ap");
    let starts = |at: usize| {
        let rest = name.get(at..).unwrap_or_default();
        WITHIN.iter().any(|part| rest.starts_with(part.as_bytes()))
    };
    name.windows(2).enumerate().any(|(at, two)| may(two) && starts(at))
}

/// Whether it is one of [`NAMES`]. None of them begins as the tags of campaigns and ad networks do.
fn is_secret(name: &str) -> bool {
    !name.starts_with(['u', 'g', 'f']) && NAMES.binary_search(&name).is_ok()
}

/// Cuts all URLs of an event.
pub(super) fn cut(event: &mut RawEvent<'_>, cut: &Cut<'_>) {
    let RawEvent { page_url, referrer, query, props, .. } = event;
    let tags = props.iter_mut().map(|(_, value)| value).filter(|value| value.contains("://"));
    for url in [page_url, referrer].into_iter().chain(tags) {
        if let Some(less) = cut.url(url) {
            *url = Text::from(less);
        }
    }
    if let Some(less) = cut.query(query) {
        *query = Text::from(less);
    }
}

/// A name in small letters and digits: `Access-Token`, `access_token` and `accessToken` are one.
/// Written into a buffer, because every parameter of every hit comes by here.
fn plain<'b>(name: &str, buffer: &'b mut [u8; NAME_MAX_BYTES]) -> &'b str {
    let mut length = 0;
    for (slot, byte) in buffer.iter_mut().zip(name.bytes().filter(u8::is_ascii_alphanumeric)) {
        *slot = byte.to_ascii_lowercase();
        length += 1;
    }
    buffer.get(..length).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_sorted_and_plain() {
        assert!(NAMES.is_sorted());
        for part in WITHIN {
            assert!(holds_secret(part) && holds_secret(&format!("my{part}2")), "{part}");
        }
        assert!(!holds_secret("utmsourcetoke"));
        assert!(NAMES.iter().all(|name| is_secret(name)));
        assert!(NAMES.iter().all(|name| plain(name, &mut [0; NAME_MAX_BYTES]) == *name));
    }

    #[test]
    fn what_opens_an_account_is_taken_out_and_the_rest_is_as_it_was() {
        let strip = Strip::default();
        for (url, stored) in [
            (
                "https://a.example/p?utm_source=x&access_token=s&b=%20",
                "https://a.example/p?utm_source=x&b=%20",
            ),
            ("https://a.example/p?Access-Token=s", "https://a.example/p"),
            ("https://a.example/p?user%5Bemail%5D=x&a", "https://a.example/p?a"),
            ("https://a.example/?q=jane%40example.com&page=2", "https://a.example/?page=2"),
            ("https://a.example/?jane@example.com", "https://a.example/"),
            ("https://a.example/u/jane@example.com/edit?x=1#top", "https://a.example/u/(mail)/edit?x=1#top"),
            ("https://a.example/u/jane%40example.com", "https://a.example/u/(mail)"),
            ("https://a.example/#access_token=s&state=1", "https://a.example/#state=1"),
            ("https://a.example/#/reset?token=s", "https://a.example/#/reset"),
            ("https://a.example/cart;jsessionid=1F?x=1", "https://a.example/cart?x=1"),
            ("https://jane:word@a.example:8080/p", "https://a.example:8080/p"),
            ("https://a.example/?next=https%3A%2F%2Fb.example%2F%3Ftoken%3Dx&y=1", "https://a.example/?y=1"),
        ] {
            assert_eq!(strip.url(url), stored);
        }
        for url in [
            "https://a.example/@jane/post?utm_campaign=spring&gclid=x&code=SUMMER&state=open#part-2",
            "https://a.example/?",
            "https://a.example/#",
            "https://a.example/?&&=&a==",
            "https://a.example/50%?q=100%",
            "myapp://open/item;v=2",
            "not a url at all",
            "",
        ] {
            assert_eq!(strip.url(url), url);
        }
    }

    #[test]
    fn the_list_can_be_added_to_and_taken_from() {
        let strip = Strip::new(true, &["member_no".to_owned()], &["Newsletter-Token".to_owned()]);
        let url = "https://a.example/?memberNo=7&newsletter_token=spring&token=x";
        assert_eq!(strip.url(url), "https://a.example/?newsletter_token=spring");
        assert_eq!(Strip::new(false, &[], &[]).url(url), url);
    }
}
