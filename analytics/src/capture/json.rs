//! JSON bodies, read without building a tree: strings are borrowed, and what no field wants is skipped.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use super::draft::Draft;
use super::field::Field;
use super::plain::{self, Members};
use super::scalar::Scalar;
use super::{Rules, cut};
use crate::{Reject, Text};

/// How deep a value may be nested. No field needs more than two; deeper ones are an attack on somebody's parser.
const DEPTH_MAX: usize = 64;

/// The body as text.
pub(super) fn text(body: &[u8]) -> Result<&str, Reject> {
    let text = std::str::from_utf8(body)
        .map_err(|error| Reject::new("", format!("is not UTF-8 at byte {}", error.valid_up_to())))?;
    if text.starts_with('\u{feff}') {
        return Err(Reject::new("", "begins with a byte order mark; send UTF-8 without one"));
    }
    if text.trim().is_empty() {
        return Err(Reject::new("", "is empty"));
    }
    Ok(text)
}

/// Reads the fields of one event; those nobody knows are ignored.
pub(super) fn read_event<'a>(text: &'a str, draft: &mut Draft<'a>, rules: &Rules) -> Result<(), Reject> {
    if !text.trim_start().starts_with('{') {
        return Err(Reject::new("", "is not a JSON object"));
    }
    read_object(text, |key, value| take(&key, value, draft, rules))
}

/// Takes the fields of one event that were found without the parser.
pub(super) fn take_members<'a>(members: &Members<'a>, draft: &mut Draft<'a>, rules: &Rules) {
    for (key, json) in members {
        take(key, Some(Scalar::of_plain(json)), draft, rules);
    }
}

fn take<'a>(key: &str, value: Option<Scalar<'a>>, draft: &mut Draft<'a>, rules: &Rules) {
    match (Field::of_json(key), value) {
        (_, None) => draft.reject(pointer(key), format!("is nested deeper than {DEPTH_MAX} levels")),
        (Some((field, pointer)), Some(value)) => draft.take(field, pointer, value, rules),
        (None, Some(_)) => {}
    }
}

/// Reads the free tags.
pub(super) fn read_props<'a>(value: &Scalar<'a>, draft: &mut Draft<'a>) -> Result<(), Cow<'static, str>> {
    let Scalar::Object(text) = value else {
        return Err(format!("{}; send an object", value.is_what()).into());
    };
    let take = |key, value: Option<Scalar<'a>>| draft.take_prop(key, value.unwrap_or(Scalar::Array));
    read_object(text, take).map_err(|reject| reject.detail)
}

/// Reads one object and nothing after it, handing each key with its value to `each`; none if that is nested too deep.
fn read_object<'a>(text: &'a str, mut each: impl FnMut(Text<'a>, Option<Scalar<'a>>)) -> Result<(), Reject> {
    if let Some(members) = plain::members(text) {
        for (key, json) in members {
            each(Text::from(key), Some(Scalar::of_plain(json)));
        }
        return Ok(());
    }
    parse_object(text, |key, json| each(key, (!too_deep(json)).then(|| Scalar::of_json(json))))
}

/// The same by the parser, handing on the text of each value.
fn parse_object<'a>(text: &'a str, each: impl FnMut(Text<'a>, &'a str)) -> Result<(), Reject> {
    struct Each<F>(F);
    impl<'de, F: FnMut(Text<'de>, &'de str)> Visitor<'de> for Each<F> {
        type Value = ();
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
            while let Some(key) = map.next_key::<Text<'de>>()? {
                (self.0)(key, map.next_value::<&'de RawValue>()?.get());
            }
            Ok(())
        }
    }
    let mut json = serde_json::Deserializer::from_str(text);
    json.deserialize_map(Each(each)).and_then(|()| json.end()).map_err(|error| malformed(&error))
}

/// The rejection of a text that is no JSON. It tells where; the parser's words are bounded, because some quote
/// the text.
pub(super) fn malformed(error: &serde_json::Error) -> Reject {
    Reject::new("", format!("is not valid JSON: {}", cut(&error.to_string(), 200)))
}

/// The JSON pointer to a key, which is cut so that an answer does not repeat a body.
pub(super) fn pointer(key: &str) -> String {
    format!("/{}", cut(key, 128).replace('~', "~0").replace('/', "~1"))
}

/// Whether arrays and objects are nested deeper than [`DEPTH_MAX`]; the text is well formed.
fn too_deep(json: &str) -> bool {
    if !json.starts_with(['[', '{']) {
        return false;
    }
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_counted_outside_strings() {
        let nested = |n| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(!too_deep(&nested(DEPTH_MAX)));
        assert!(too_deep(&nested(DEPTH_MAX + 1)));
        assert!(!too_deep(&format!("[\"\\\"{}\"]", "[".repeat(1_000))));
    }

    #[test]
    fn a_pointer_escapes_what_rfc_6901_asks_for() {
        assert_eq!(pointer("a/b~c"), "/a~1b~0c");
        assert_eq!(pointer(&"é".repeat(100)).len(), 129);
    }
}
