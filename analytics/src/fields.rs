//! A request's body as the members of one JSON object, in order, so that nothing a customer wrote is lost.

use std::fmt;

use crate::Reject;
use crate::text::has_control;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;

/// More members than a link has fields. It bounds the answer too: there is one rejection for each member.
const MEMBERS_MAX: usize = 64;

/// The members of a JSON object. Nothing in them is judged yet.
#[derive(Debug)]
pub struct Fields(Vec<(String, Value)>);

impl Fields {
    /// Reads the body. `serde_json::Value` would keep the last of two members of one name; here it is an error.
    ///
    /// # Errors
    /// No JSON object, or a member that is given twice.
    pub fn read(body: &[u8]) -> Result<Self, Vec<Reject>> {
        // The parser's own message may repeat the body; the place says enough.
        let fields: Self = serde_json::from_slice(body).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let detail = format!("is not a JSON object of at most 64 members (line {line}, column {column})");
            vec![Reject::new("", detail)]
        })?;
        let twice = fields
            .iter()
            .enumerate()
            .filter(|(at, (name, _))| fields.iter().take(*at).any(|(earlier, _)| earlier == *name));
        let rejects: Vec<_> =
            twice.map(|(_, (name, _))| Reject::new(pointer(name), "is given twice")).collect();
        if rejects.is_empty() { Ok(fields) } else { Err(rejects) }
    }

    /// The members in the order in which they were written.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

/// A member that has to be a string.
///
/// # Errors
/// It is something else.
pub fn string(value: &Value) -> Result<&str, &'static str> {
    value.as_str().ok_or("is not a string")
}

/// A member that holds one line of text of at most `most` characters, trimmed; absent is empty.
///
/// # Errors
/// No string, a longer one, or one with a control character.
pub fn text(given: Option<&Value>, (most, too_long): (usize, &'static str)) -> Result<String, &'static str> {
    let text = given.map_or(Ok(""), string)?.trim();
    if has_control(text) {
        return Err("holds a control character");
    }
    if text.chars().count() > most {
        return Err(too_long);
    }
    Ok(text.to_owned())
}

/// The JSON pointer (RFC 6901) to a member.
pub fn pointer(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Fields;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    if members.len() == MEMBERS_MAX {
                        return Err(A::Error::custom("more than 64 members"));
                    }
                    members.push(member);
                }
                Ok(Fields(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejected(body: &[u8]) -> (String, String) {
        let first = Fields::read(body).unwrap_err().remove(0);
        (first.pointer.into_owned(), first.detail.into_owned())
    }

    #[test]
    fn a_body_that_is_no_object_is_refused_as_a_whole() {
        let nested = "[".repeat(100_000);
        let deep = format!(r#"{{"url":{}}}"#, "[".repeat(1_000));
        let bodies: [&[u8]; 9] = [
            b"",
            b"null",
            b"[]",
            b"7",
            b"{",
            b"{}x",
            b"{\"url\":\"\xff\"}",
            nested.as_bytes(),
            deep.as_bytes(),
        ];
        for body in bodies {
            assert_eq!(rejected(body).0, "");
        }
    }

    #[test]
    fn a_member_that_is_given_twice_is_named() {
        assert_eq!(rejected(br#"{"a/b":1,"c":2,"a/b":1}"#), ("/a~1b".into(), "is given twice".into()));
    }

    #[test]
    fn an_object_of_very_many_members_is_refused() {
        let members: Vec<_> = (0..65).map(|n| format!(r#""{n}":1"#)).collect();
        assert!(rejected(format!("{{{}}}", members.join(",")).as_bytes()).1.contains("64 members"));
    }
}
