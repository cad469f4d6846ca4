//! Texts that say who somebody is, or let whoever reads them act as somebody.

use std::borrow::Cow;

use crate::text::find;

/// How often a text is decoded to see what it hides: an address in a URL in a parameter is encoded twice.
const DECODED_MOST: usize = 3;

/// Whether a text, or what it is the encoding of, holds an e-mail address, a signed token, or a parameter by a secret's
/// name.
pub(super) fn reveals(text: &str, is_secret: &dyn Fn(&str) -> bool) -> bool {
    // Most values are a word or a number, and have nothing in them by which any of these would be known.
    let telling = |byte| matches!(byte, b'@' | b'%' | b'=');
    if !text.bytes().any(telling) && !text.starts_with("eyJ") {
        return false;
    }
    let mut text = Cow::Borrowed(text);
    for _ in 0..=DECODED_MOST {
        if has_email(&text) || is_token(&text) || names_secret(&text, is_secret) {
            return true;
        }
        if !text.contains('%') {
            return false;
        }
        text = Cow::Owned(decoded(&text).into_owned());
    }
    false
}

/// A text without its percent signs. What is not UTF-8 becomes U+FFFD.
pub(super) fn decoded(text: &str) -> Cow<'_, str> {
    if find(text.as_bytes(), b'%').is_none() {
        return Cow::Borrowed(text);
    }
    percent_encoding::percent_decode_str(text).decode_utf8_lossy()
}

/// `jane@example.com` and the like, anywhere in a text. A name with a domain that ends in letters: not `/@jane` of a
/// social network, `pkg@1.2.3` of a package, `@52.37,4.89` of a map or `icon@2x.png`.
fn has_email(text: &str) -> bool {
    text.match_indices('@').any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        let after = text.get(at + 1..).unwrap_or_default();
        let named = before.chars().next_back().is_some_and(|c| c.is_alphanumeric() || "_-+.'".contains(c));
        let end = after.find(|c: char| !(c.is_alphanumeric() || c == '-' || c == '.'));
        let domain = after.get(..end.unwrap_or(after.len())).unwrap_or_default().trim_end_matches('.');
        named
            && domain.rsplit_once('.').is_some_and(|(host, top)| {
                let letters = top.chars().all(char::is_alphabetic) || top.starts_with("xn--");
                !host.trim_matches('.').is_empty()
                    && !matches!(host, "2x" | "3x")
                    && letters
                    && top.chars().nth(1).is_some()
            })
    })
}

/// A JSON Web Token (RFC 7519): three parts in base64url, the first of which is the beginning of a JSON object.
fn is_token(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    text.starts_with("eyJ")
        && text.len() > 30
        && text.split('.').count() == 3
        && text.split('.').take(2).all(part)
}

fn names_secret(text: &str, is_secret: &dyn Fn(&str) -> bool) -> bool {
    text.contains('=')
        && text.split(['?', '&', '#', ';']).any(|pair| {
            pair.split_once('=').is_some_and(|(name, value)| !value.is_empty() && is_secret(name))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_from_what_looks_like_one() {
        for text in [
            "jane@example.com",
            "to:jane.doe+news@mail.example.co.uk.",
            "jané@exämple.de",
            "o'neill@example.ie",
            "x@xn--bcher-kva.xn--p1ai",
        ] {
            assert!(has_email(text), "{text}");
        }
        for text in [
            "@jane",
            "/@jane.doe",
            "pkg@1.2.3",
            "@52.37,4.89,15z",
            "icon@2x.png",
            "a@b",
            "a@b.c",
            "jane@",
            "@",
            "a@.de",
        ] {
            assert!(!has_email(text), "{text}");
        }
    }

    #[test]
    fn what_is_hidden_in_a_parameter_is_found() {
        let secret = |name: &str| name == "token";
        let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P";
        for text in [
            "jane%40example.com",
            "https%3A%2F%2Fshop.example%2F%3Fmail%3Djane%2540example.com",
            "/next?a=1&token=x",
            "%2Fnext%3Ftoken%3Dx",
            jwt,
        ] {
            assert!(reveals(text, &secret), "{text}");
        }
        for text in [
            "",
            "50%",
            "%",
            "%25252525",
            "/next?token=",
            "eyes-of-the-most-beautiful-blue.shop.example",
            "a=b",
        ] {
            assert!(!reveals(text, &secret), "{text}");
        }
    }
}
