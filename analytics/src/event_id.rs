//! The identity of an event: what makes two hits the same click.

use std::fmt;

use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128, SipHasher24};
use std::hash::Hasher;
use uuid::{Builder, Uuid};

use crate::Reject;
use crate::text::has_control;

/// The longest `event_id` a client may choose, in characters; a UUID has 36.
pub const EVENT_ID_MAX_CHARS: usize = 128;

/// The width of the bucket in which a second hit of the same visitor on the same link is the same click.
pub const DOUBLE_TAP_MS: i64 = 2_000;

/// The 128 bits that the gate remembers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EventId([u8; 16]);

/// The bytes of a UUID in the spelling that nearly everybody uses.
fn hyphenated(text: &[u8]) -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    let mut rest = <&[u8; 36]>::try_from(text).ok()?.as_slice();
    for (place, byte) in bytes.iter_mut().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            rest = rest.strip_prefix(b"-")?;
        }
        let [high, low, behind @ ..] = rest else { return None };
        *byte = hex(*high)? << 4 | hex(*low)?;
        rest = behind;
    }
    Some(bytes)
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

impl EventId {
    /// Reads a client's `event_id`: a UUID in any of its spellings (case, braces, `urn:uuid:`, no hyphens) is
    /// the same id; any other string of up to [`EVENT_ID_MAX_CHARS`] characters is hashed to one.
    ///
    /// # Errors
    /// Empty, longer than the limit, or with a control character.
    pub fn parse(text: &str) -> Result<Self, Reject> {
        let text = text.trim();
        if let Some(bytes) = hyphenated(text.as_bytes()) {
            return Ok(Self(bytes));
        }
        if let Ok(uuid) = Uuid::try_parse(text) {
            return Ok(Self(uuid.into_bytes()));
        }
        if text.is_empty() {
            return Err(Reject::new("/event_id", "is empty; send a UUID"));
        }
        if text.chars().count() > EVENT_ID_MAX_CHARS {
            return Err(Reject::new("/event_id", "is longer than 128 characters"));
        }
        if has_control(text) {
            return Err(Reject::new("/event_id", "holds a control character"));
        }
        Ok(Self::hashed(&[b"client", text.as_bytes()]))
    }

    /// The id of a hit that names none: the same `subject` (a link, a pixel's campaign and page) by the same
    /// visitor within one bucket of [`DOUBLE_TAP_MS`] is one event, so a double tap is one click.
    pub fn of_hit(subject: &[&str], visitor: u64, at_ms: i64) -> Self {
        let bucket = at_ms.div_euclid(DOUBLE_TAP_MS).to_be_bytes();
        let visitor = visitor.to_be_bytes();
        let mut parts: Vec<&[u8]> = vec![b"hit", &visitor, &bucket];
        parts.extend(subject.iter().map(|part| part.as_bytes()));
        Self::hashed(&parts)
    }

    /// The id of something that is told, by what it is about and whom: telling it again is telling the same.
    pub fn of_notice(about: &[&str]) -> Self {
        let mut parts: Vec<&[u8]> = vec![b"notice"];
        parts.extend(about.iter().map(|part| part.as_bytes()));
        Self::hashed(&parts)
    }

    /// The id as its 16 bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes of the id.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Appends the id as it is shown.
    pub(crate) fn write(&self, out: &mut String) {
        out.push_str(Uuid::from_bytes(self.0).hyphenated().encode_lower(&mut [0; 36]));
    }

    /// SipHash-2-4-128 over length-prefixed parts, marked as a custom UUID (RFC 9562, version 8).
    fn hashed(parts: &[&[u8]]) -> Self {
        let mut hasher = SipHasher24::new_with_key(b"clicktrail event");
        for part in parts {
            hasher.write(&(part.len() as u64).to_le_bytes());
            hasher.write(part);
        }
        Self(Builder::from_custom_bytes(hasher.finish128().as_bytes()).into_uuid().into_bytes())
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Uuid::from_bytes(self.0).hyphenated().fmt(f)
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_uuid_is_the_same_id() {
        let plain = EventId::parse("67e55044-10b1-426f-9247-bb680e5fe0c8").unwrap();
        for spelling in [
            "67E55044-10B1-426F-9247-BB680E5FE0C8",
            "67e5504410b1426f9247bb680e5fe0c8",
            "{67e55044-10b1-426f-9247-bb680e5fe0c8}",
            "urn:uuid:67e55044-10b1-426f-9247-bb680e5fe0c8",
            "  67e55044-10b1-426f-9247-bb680e5fe0c8\n",
        ] {
            assert_eq!(EventId::parse(spelling).unwrap(), plain, "{spelling}");
        }
        assert_eq!(plain.to_string(), "67e55044-10b1-426f-9247-bb680e5fe0c8");
    }

    /// A change of the hash would let a retry that straddles the deploy count twice.
    #[test]
    fn hashed_ids_are_pinned() {
        assert_eq!(EventId::parse("order-1").unwrap().to_string(), "270a5703-fcc5-8c25-909d-e4124cc4c1f5");
        assert_eq!(EventId::of_hit(&["demo"], 7, 3_999).to_string(), "afea0bad-e58a-8779-b80a-0c1fe26f7baa");
    }

    #[test]
    fn a_double_tap_is_one_event_and_a_later_click_another() {
        let id = |visitor, at| EventId::of_hit(&["demo"], visitor, at);
        assert_eq!(id(7, 2_000), id(7, 3_999));
        assert_ne!(id(7, 2_000), id(7, 4_000));
        assert_ne!(id(7, 2_000), id(8, 2_000));
        assert_ne!(EventId::of_hit(&["a", "b"], 7, 0), EventId::of_hit(&["ab", ""], 7, 0));
    }

    #[test]
    fn what_is_no_id_is_refused_by_name() {
        for bad in ["", "   ", "a\u{0}b", &"x".repeat(129)] {
            assert_eq!(EventId::parse(bad).unwrap_err().pointer, "/event_id");
        }
        EventId::parse(&"é".repeat(128)).unwrap();
    }
}
