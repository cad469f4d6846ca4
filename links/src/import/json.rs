//! JSON documents and lines of JSON. A value is looked at as text until its turn comes, so that a body of
//! 8 MiB never becomes the 100 MB that `[0,0,0...]` is as a tree.

use std::fmt;

use analytics::Reject;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{LINE_MAX_BYTES, LINES_MAX, Next};

const MEMBERS_MAX: usize = 128;

const DOCUMENT: &str = "JSON, or not of at most 10,000 links";
const OBJECT: &str = "a JSON object";

/// The members under which answers of APIs hold their links: Sink, Bitly, Short.io and YOURLS; Kutt, and Shlink
/// inside `shortUrls`; the `list` action of YOURLS' plugins.
const ENVELOPES: [&str; 5] = ["links", "shortUrls", "data", "result", "items"];

/// The lines of a text that hold something, and their numbers from 1.
#[derive(Debug, Clone)]
pub(super) struct Texts<'a> {
    rest: Option<&'a [u8]>,
    line: usize,
}

impl<'a> Texts<'a> {
    pub(super) fn new(body: &'a [u8]) -> Self {
        Self { rest: Some(body), line: 0 }
    }
}

impl<'a> Iterator for Texts<'a> {
    type Item = (usize, Result<&'a str, Reject>);
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut parts = self.rest?.splitn(2, |byte| *byte == b'\n');
            let text = parts.next()?.trim_ascii();
            self.rest = parts.next();
            self.line += 1;
            if !text.is_empty() {
                let text = std::str::from_utf8(text).map_err(|_| Reject::new("", "is not UTF-8"));
                return Some((self.line, text));
            }
        }
    }
}

/// The objects of a document, and their places from 1.
#[derive(Debug)]
pub(super) struct Objects<'a> {
    texts: std::vec::IntoIter<&'a RawValue>,
    place: usize,
}

impl<'a> Objects<'a> {
    /// The document is a list of links, an object that holds such a list, or one link.
    pub(super) fn read(body: &'a [u8]) -> Result<Self, Reject> {
        let text = std::str::from_utf8(body).map_err(|_| Reject::new("", "is not UTF-8"))?;
        let mut node: Node<'a> = parse(text, DOCUMENT)?;
        // Shlink's list is two levels down.
        for _ in 0..2 {
            let Node::Object(members) = &node else { break };
            let inner = ENVELOPES.iter().find_map(|name| {
                members
                    .iter()
                    .find(|(given, value)| given == name && !is_scalar(value))
                    .map(|(_, value)| *value)
            });
            let Some(inner) = inner else { break };
            node = parse(inner.get(), DOCUMENT)?;
        }
        let texts = match node {
            Node::List(texts) => texts,
            // YOURLS counts its links: `{"link_1":{...},"link_2":{...}}`.
            Node::Object(members) if members.iter().all(|(name, _)| name.starts_with("link_")) => {
                members.into_iter().map(|(_, value)| value).collect()
            }
            Node::Object(_) => vec![parse(text, DOCUMENT)?],
        };
        Ok(Self { texts: texts.into_iter(), place: 0 })
    }

    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    /// The members of the first link that can be read.
    pub(super) fn first(&self) -> Option<Vec<(String, Value)>> {
        self.texts.as_slice().iter().find_map(|text| members(text.get()).ok())
    }

    pub(super) fn next(&mut self) -> Option<Next> {
        let text = self.texts.next()?;
        self.place += 1;
        Some((self.place, members(text.get())))
    }
}

fn is_scalar(value: &RawValue) -> bool {
    !value.get().starts_with(['{', '['])
}

/// The members of the object that is one line.
pub(super) fn members(text: &str) -> Result<Vec<(String, Value)>, Reject> {
    if text.len() > LINE_MAX_BYTES {
        return Err(Reject::new("", "is longer than 128 KiB"));
    }
    match parse(text, OBJECT)? {
        Node::Object(members) if members.len() <= MEMBERS_MAX => {
            members.into_iter().map(|(name, value)| Ok((name, parse(value.get(), OBJECT)?))).collect()
        }
        Node::Object(_) => Err(Reject::new("", "has more than 128 members")),
        Node::List(_) => Err(Reject::new("", "is a list, not a JSON object")),
    }
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str, what: &'static str) -> Result<T, Reject> {
    serde_json::from_str(text).map_err(|error| {
        // The parser's own message may repeat the body; the place says enough.
        let (line, column) = (error.line(), error.column());
        Reject::new("", format!("is not {what} (line {line}, column {column} of it)"))
    })
}

/// One level of a document.
enum Node<'a> {
    List(Vec<&'a RawValue>),
    Object(Vec<(String, &'a RawValue)>),
}

impl<'de> Deserialize<'de> for Node<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Level;
        impl<'de> Visitor<'de> for Level {
            type Value = Node<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object or a list")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node<'de>, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = list.next_element()? {
                    room(texts.len())?;
                    texts.push(text);
                }
                Ok(Node::List(texts))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    room(members.len())?;
                    members.push(member);
                }
                Ok(Node::Object(members))
            }
        }
        deserializer.deserialize_any(Level)
    }
}

fn room<E: Error>(taken: usize) -> Result<(), E> {
    if taken < LINES_MAX { Ok(()) } else { Err(E::custom("too many")) }
}
