//! The outline of a batch: where each event's text begins and ends.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::batch::{BATCH_MAX_EVENTS, Refused};
use super::json;
use crate::Text;

/// The elements of an array as texts, so that each is read, and fails, by itself. Reading ends at the limit:
/// eight megabytes of `0,` would be four million of them.
#[derive(Default)]
pub(super) struct List<'a> {
    pub(super) texts: Vec<&'a str>,
    over: bool,
}

impl<'a> List<'a> {
    /// A list of one.
    pub(super) fn of(text: &'a str) -> Self {
        Self { texts: vec![text], over: false }
    }

    /// Why the batch is refused, given how reading the body ended.
    pub(super) fn refused(&self, read: serde_json::Result<()>) -> Result<(), Refused> {
        if self.over {
            return Err(Refused::too_many());
        }
        read.map_err(|error| Refused::Malformed(json::malformed(&error)))
    }
}

impl<'de> DeserializeSeed<'de> for &mut List<'de> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for &mut List<'de> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of events")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(element) = seq.next_element::<&'de RawValue>()? {
            if self.texts.len() == BATCH_MAX_EVENTS {
                self.over = true;
                return Err(A::Error::custom("too many events"));
            }
            self.texts.push(element.get());
        }
        Ok(())
    }
}

/// What is around the events.
#[derive(Default)]
pub(super) struct Envelope<'a> {
    pub(super) events: Option<List<'a>>,
    /// JSON of `sent_at`.
    pub(super) sent_at: Option<&'a str>,
}

impl<'de> Visitor<'de> for &mut Envelope<'de> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Text<'de>>()? {
            match key.as_str() {
                "events" if self.events.is_some() => return Err(A::Error::custom("`events` is given twice")),
                "sent_at" if self.sent_at.is_some() => {
                    return Err(A::Error::custom("`sent_at` is given twice"));
                }
                "events" => map.next_value_seed(self.events.insert(List::default()))?,
                "sent_at" => self.sent_at = Some(map.next_value::<&'de RawValue>()?.get()),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}
