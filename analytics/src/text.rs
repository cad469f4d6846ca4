//! The text of an event: borrowed from the bytes it came in where that is possible.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

/// A string of an event. Empty means absent: no event tells the two apart.
///
/// Decoding a message borrows every text from it, so that the consumer copies nothing; capture owns what it
/// had to unescape.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text<'a>(Cow<'a, str>);

impl<'a> Text<'a> {
    /// The absent text.
    pub const EMPTY: Self = Self(Cow::Borrowed(""));

    /// The text as a slice.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, or `None` if it is absent.
    pub fn present(&self) -> Option<&str> {
        (!self.0.is_empty()).then_some(&*self.0)
    }

    /// This text, or `other` if this one is absent.
    #[must_use]
    pub fn or(self, other: Text<'a>) -> Text<'a> {
        if self.0.is_empty() { other } else { self }
    }

    /// What is read from the text, borrowed as the text is; `read` gives back a part of it, or what it made of one.
    pub(crate) fn read<T>(&self, read: impl Fn(&str) -> T, lent: impl Fn(&'a str) -> T) -> T {
        match &self.0 {
            Cow::Borrowed(text) => lent(text),
            Cow::Owned(text) => read(text),
        }
    }

    /// The same text, owning its bytes.
    pub fn into_owned(self) -> Text<'static> {
        Text(Cow::Owned(self.0.into_owned()))
    }
}

/// The text with its ASCII letters in lower case; copied only if one was not.
pub(crate) fn lowered(text: &str) -> Cow<'_, str> {
    if has_capitals(text.as_bytes()) { Cow::Owned(text.to_ascii_lowercase()) } else { Cow::Borrowed(text) }
}

/// One in each byte, and its highest bit.
const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHEST: u64 = ONES << 7;

/// Where a byte is first met. Eight at a time: most texts here are that short a few times over, and to set up the search of
/// the library costs more than such a one.
pub(crate) fn find(text: &[u8], byte: u8) -> Option<usize> {
    let (eights, rest) = text.as_chunks();
    for (place, eight) in eights.iter().enumerate() {
        let differ = u64::from_le_bytes(*eight) ^ (ONES * u64::from(byte));
        // The lowest byte of which the highest bit is set is the first that does not differ.
        let same = differ.wrapping_sub(ONES) & !differ & HIGHEST;
        if same != 0 {
            return Some(8 * place + same.trailing_zeros() as usize / 8);
        }
    }
    let at = rest.iter().position(|other| *other == byte)?;
    Some(8 * eights.len() + at)
}

/// What stands before the first of this byte, which is ASCII, and what behind.
pub(crate) fn cut(text: &str, at: u8) -> (&str, &str) {
    match find(text.as_bytes(), at) {
        Some(end) => (text.get(..end).unwrap_or_default(), text.get(end + 1..).unwrap_or_default()),
        None => (text, ""),
    }
}

/// Where what JSON may have in a text as it is ends: at a quote, a backslash or a control character. Most texts have none.
pub(crate) fn end_of_plain(text: &[u8]) -> Option<usize> {
    let (eights, rest) = text.as_chunks();
    for (place, eight) in eights.iter().enumerate() {
        let word = u64::from_le_bytes(*eight);
        let zeros = |differ: u64| differ.wrapping_sub(ONES) & !differ;
        let quote = zeros(word ^ (ONES * u64::from(b'"')));
        let backslash = zeros(word ^ (ONES * u64::from(b'\\')));
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let ends = (quote | backslash | control) & HIGHEST;
        if ends != 0 {
            return Some(8 * place + ends.trailing_zeros() as usize / 8);
        }
    }
    let at = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..0x20))?;
    Some(8 * eights.len() + at)
}

/// Whether a control character is among the text's.
pub(crate) fn has_control(text: &str) -> bool {
    let (eights, rest) = text.as_bytes().as_chunks();
    let odd = |eight: &[u8; 8]| {
        let word = u64::from_le_bytes(*eight);
        let del_or_more = word | ((word & !HIGHEST) + ONES);
        (del_or_more | word.wrapping_sub(ONES * 0x20)) & HIGHEST != 0
    };
    let odd = eights.iter().any(odd) || rest.iter().any(|byte| !matches!(byte, 0x20..0x7f));
    // There are some beyond ASCII.
    odd && text.chars().any(char::is_control)
}

fn has_capitals(text: &[u8]) -> bool {
    let (eights, rest) = text.as_chunks();
    let capital = |eight: &[u8; 8]| {
        let word = u64::from_le_bytes(*eight);
        let ascii = word & !HIGHEST;
        // Seven bits and what is missing to the eighth: from A on it is set, and behind Z as well.
        let (from_a, behind_z) = (ascii + ONES * (0x80 - 0x41), ascii + ONES * (0x80 - 0x5b));
        from_a & !behind_z & !word & HIGHEST != 0
    };
    eights.iter().any(capital) || rest.iter().any(u8::is_ascii_uppercase)
}

impl Deref for Text<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl<'a> From<Cow<'a, str>> for Text<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self(text)
    }
}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrowing;
        impl<'de> Visitor<'de> for Borrowing {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text::from(text))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text::from(text.to_owned()))
            }
            fn visit_string<E: Error>(self, text: String) -> Result<Text<'de>, E> {
                Ok(Text::from(text))
            }
        }
        deserializer.deserialize_str(Borrowing)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_byte_is_found_where_it_is_first(text in prop::collection::vec(prop::sample::select(vec![0, 1, b'&', b'=', 0x80, 0xff]), 0..40), byte: u8) {
            for byte in [byte, b'&', 0, 0xff] {
                prop_assert_eq!(find(&text, byte), text.iter().position(|other| *other == byte));
            }
        }

        #[test]
        fn a_plain_text_ends_where_json_would_have_escaped(text in "([ -~]{8}|[é\u{80}\u{7f}\u{1f}\u{0}\"\\\\]|[a-z]){0,9}") {
            let ends = text.bytes().position(|byte| matches!(byte, b'"' | b'\\' | ..0x20));
            prop_assert_eq!(end_of_plain(text.as_bytes()), ends);
            prop_assert_eq!(has_control(&text), text.chars().any(char::is_control));
        }

        #[test]
        fn a_text_is_lowered_as_the_library_does_it(text in "([@AZ\\[`az{é\u{80}]|.){0,30}") {
            prop_assert_eq!(&*lowered(&text), text.to_ascii_lowercase());
            prop_assert_eq!(matches!(lowered(&text), Cow::Owned(_)), text.bytes().any(|byte| byte.is_ascii_uppercase()));
        }
    }
}
