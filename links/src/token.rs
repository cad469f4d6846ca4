//! The name of a link: what stands after `/r/`.

use std::borrow::{Borrow, Cow};
use std::fmt;

use analytics::Reject;
use percent_encoding::{CONTROLS, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};

/// The longest token, in characters. In UTF-8 that is 256 bytes at most; a KV key may have 512.
pub const TOKEN_MAX_CHARS: usize = 64;

/// Characters of a generated token: no `0O1lI`, which are misread on paper; no vowels, no `y`, and no `3` and
/// `4`, which are read as vowels, so that no rude word comes out.
const ALPHABET: &[u8; 45] = b"256789bcdfghjkmnpqrstvwxzBCDFGHJKLMNPQRSTVWXZ";

/// Length of a generated token: 45^7 are 3.7e11 names; with a million links in use, one draw in 370,000 is
/// taken.
const GENERATED_CHARS: usize = 7;

/// Words that may not name a link, whatever their case: paths that the service has or may have, segments that
/// stand beside a token in `/api/links`, and what a broken template prints.
const RESERVED: [&str; 34] = [
    "1x1",
    "admin",
    "api",
    "app",
    "assets",
    "bulk",
    "campaigns",
    "dashboard",
    "docs",
    "events",
    "export",
    "favicon",
    "funnels",
    "healthz",
    "import",
    "keys",
    "links",
    "live",
    "log-and-redirect",
    "login",
    "logout",
    "metrics",
    "null",
    "openapi",
    "postback",
    "qr",
    "r",
    "robots",
    "search",
    "static",
    "stats",
    "t",
    "undefined",
    "webhooks",
];

/// A link's token. Case-sensitive, and not normalised: two spellings are two tokens.
///
/// Reading a stored record does not check the token again: a word that becomes reserved later, or a stricter
/// rule, must not break links that are already printed somewhere.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(String);

impl Token {
    /// The token that a customer chose.
    ///
    /// # Errors
    /// Empty, too long, with anything but letters, digits, `-` and `_`, or a reserved word.
    pub fn parse(text: &str) -> Result<Self, Reject> {
        let reject = |detail: &'static str| Err(Reject::new("/token", detail));
        if text.is_empty() {
            return reject("is empty; leave it out to have one generated");
        }
        if text.chars().count() > TOKEN_MAX_CHARS {
            return reject("is longer than 64 characters");
        }
        if !text.chars().all(is_token_char) {
            return reject("may hold letters, digits, '-' and '_' only");
        }
        if RESERVED.iter().any(|word| word.eq_ignore_ascii_case(text)) {
            return reject("is a reserved word");
        }
        Ok(Self(text.to_owned()))
    }

    /// A token from random bits. The bias of the remainder is below one in 10^7, and the name is no secret.
    pub fn generate(random: u64) -> Self {
        let mut left = random;
        let base = ALPHABET.len() as u64;
        let draw = |_| {
            let at = (left % base) as usize;
            left /= base;
            ALPHABET.get(at).copied().map(char::from)
        };
        Self((0..GENERATED_CHARS).filter_map(draw).collect())
    }

    /// The token of a path's segment as it came in, percent-encoded. `None` if no link can have that name, so
    /// that a scanner's paths cost no look-up.
    pub fn from_segment(segment: &str) -> Option<Self> {
        let text: Cow<'_, str> = if segment.contains('%') {
            percent_decode_str(segment).decode_utf8().ok()?
        } else {
            Cow::Borrowed(segment)
        };
        let named = !text.is_empty() && text.len() <= TOKEN_MAX_CHARS * 4;
        let named = named && text.chars().all(is_token_char) && text.chars().count() <= TOKEN_MAX_CHARS;
        named.then(|| Self(text.into_owned()))
    }

    /// The token as it is written in a URL's path.
    pub fn to_segment(&self) -> Cow<'_, str> {
        utf8_percent_encode(&self.0, CONTROLS).into()
    }

    /// The token as a slice.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Letters and digits of every script. None of them means anything in a path, a key or a cursor.
fn is_token_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_')
}

/// A map by token can be asked with a slice.
impl Borrow<str> for Token {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn letters_of_every_script_make_a_token() {
        for good in ["demo", "Demo", "a", "spring_sale-26", "страница", "東京", "४२"] {
            assert_eq!(Token::parse(good).unwrap().as_str(), good);
        }
        Token::parse(&"é".repeat(64)).unwrap();
    }

    #[test]
    fn what_means_something_in_a_url_is_refused() {
        for bad in ["", " ", "a b", "a/b", "a?b", "a#b", "a%", "a\u{0}", "a\n", "..", "a.b", "a+", "a:b"] {
            assert_eq!(Token::parse(bad).unwrap_err().pointer, "/token", "{bad:?}");
            assert_eq!(Token::from_segment(bad), None, "{bad:?}");
        }
        Token::parse(&"é".repeat(65)).unwrap_err();
        assert_eq!(Token::from_segment(&"é".repeat(65)), None);
    }

    #[test]
    fn reserved_words_are_refused_in_any_case_but_found_where_they_exist() {
        for word in ["api", "API", "Dashboard", "r", "stats"] {
            assert_eq!(Token::parse(word).unwrap_err().detail, "is a reserved word");
        }
        assert!(Token::from_segment("stats").is_some());
    }

    #[test]
    fn a_segment_is_decoded_before_it_is_looked_up() {
        assert_eq!(Token::from_segment("%64emo").unwrap().as_str(), "demo");
        assert_eq!(Token::from_segment("%E6%9D%B1").unwrap().as_str(), "東");
        for bad in ["%ff", "%zz", "a%2Fb", "a%00", "%E6%9D"] {
            assert_eq!(Token::from_segment(bad), None, "{bad}");
        }
    }

    #[test]
    fn no_reserved_word_can_be_generated() {
        let drawable = |word: &&str| {
            word.len() == GENERATED_CHARS && word.bytes().all(|b| ALPHABET.contains(&b.to_ascii_lowercase()))
        };
        assert_eq!(RESERVED.iter().find(|word| drawable(word)), None);
    }

    proptest! {
        #[test]
        fn generated_tokens_are_tokens(random: u64) {
            let token = Token::generate(random);
            prop_assert_eq!(token.as_str().len(), GENERATED_CHARS);
            prop_assert_eq!(Token::parse(token.as_str()).unwrap(), token);
        }

        #[test]
        fn a_segment_is_read_back(text in "\\PC{0,70}") {
            if let Ok(token) = Token::parse(&text) {
                prop_assert_eq!(Token::from_segment(&token.to_segment()), Some(token.clone()));
                prop_assert!(token.to_segment().is_ascii());
            }
        }

        #[test]
        fn any_segment_is_answered(segment in any::<String>()) {
            let _ = Token::from_segment(&segment);
        }
    }
}
