//! Reading a line back.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::{Billed, Copies, Line, TEXTS};
use crate::conversion::Status;
use crate::{EventId, Hints, Kind, RawEvent, Source, Text, Trigger};

/// Reads a line. Names that are not known are passed over: a later version wrote them.
///
/// # Errors
/// No line, or one without what every line has.
pub fn read(line: &str) -> Result<Line<'_>, serde_json::Error> {
    serde_json::from_str(line)
}

impl<'de> Deserialize<'de> for Line<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Line<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a line of the archive")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Line<'de>, A::Error> {
        let mut raw = RawEvent::new(EventId::from_bytes([0; 16]), Kind::Click, Source::Redirect, 0);
        let (mut record, mut id, mut kind, mut times) = (Text::EMPTY, None, None, 0);
        let (mut effective_time_ms, mut billed, mut rules_version) = (0, Billed::default(), 0);
        let mut body = Text::EMPTY;
        while let Some(name) = map.next_key::<Text<'de>>()? {
            if let Some((.., set)) = TEXTS.iter().find(|(known, ..)| name == *known) {
                *set(&mut raw) = map.next_value()?;
                continue;
            }
            let unknown = |name| A::Error::custom(format_args!("{name} is of no kind that is known"));
            match &*name {
                "record" => record = map.next_value()?,
                "event_id" => {
                    let given: Text<'de> = map.next_value()?;
                    id = Some(EventId::parse(&given).map_err(|_| unknown("event_id"))?);
                }
                "kind" => kind = Kind::parse(&map.next_value::<Text<'de>>()?),
                "source" => {
                    let source: Text<'de> = map.next_value()?;
                    let known = Source::ALL.into_iter().find(|known| source == known.name());
                    raw.source = known.ok_or_else(|| unknown("source"))?;
                }
                "trigger" => {
                    let trigger: Text<'de> = map.next_value()?;
                    let known = Trigger::ALL.into_iter().find(|known| trigger == known.name());
                    raw.trigger = known.ok_or_else(|| unknown("trigger"))?;
                }
                "effective_time_ms" => effective_time_ms = map.next_value()?,
                "received_at_ms" => raw.received_at_ms = map.next_value()?,
                "event_time_ms" => raw.event_time_ms = map.next_value()?,
                "sent_at_ms" => raw.sent_at_ms = Some(map.next_value()?),
                "value_micros" => raw.value_micros = Some(map.next_value()?),
                "status" => {
                    let status: Text<'de> = map.next_value()?;
                    raw.postback.status = Status::parse(&status).ok_or_else(|| unknown("status"))?;
                }
                "click_ms" => raw.click_ms = Some(map.next_value()?),
                "cost_nanos" => billed.cost_nanos = map.next_value()?,
                "cost_currency" => billed.cost_currency = map.next_value()?,
                "payout_nanos" => billed.payout_nanos = map.next_value()?,
                "payout_currency" => billed.payout_currency = map.next_value()?,
                "body" => body = map.next_value()?,
                "asn" => raw.asn = map.next_value()?,
                "hints" => raw.hints = Hints::from_bits(map.next_value()?),
                "visitor" => {
                    let visitor: Text<'de> = map.next_value()?;
                    raw.visitor = u64::from_str_radix(&visitor, 16).map_err(A::Error::custom)?;
                }
                "unique" => {
                    let unique: Text<'de> = map.next_value()?;
                    raw.unique = Some(u64::from_str_radix(&unique, 16).map_err(A::Error::custom)?);
                }
                "props" => raw.props = map.next_value::<Props<'de>>()?.0,
                "took_ms" => raw.took_ms = map.next_value()?,
                "times" => times = map.next_value()?,
                "rules_version" => rules_version = map.next_value()?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if record == "outcome" {
            let bytes = STANDARD_NO_PAD.decode(&*body).map_err(A::Error::custom)?;
            return Ok(Line::Outcome(bytes));
        }
        raw.kind = kind.ok_or_else(|| A::Error::missing_field("kind"))?;
        match &*record {
            "event" => {
                raw.id = id.ok_or_else(|| A::Error::missing_field("event_id"))?;
                Ok(Line::Event { raw: Box::new(raw), billed, rules_version })
            }
            "copies" => Ok(Line::Copies(Copies {
                at_ms: effective_time_ms,
                campaign_id: raw.campaign_id.to_string(),
                link: raw.link.to_string(),
                kind: raw.kind,
                times,
            })),
            _ => Err(A::Error::missing_field("record")),
        }
    }
}

/// An object of texts, in its order.
struct Props<'a>(Vec<(Text<'a>, Text<'a>)>);

impl<'de> Deserialize<'de> for Props<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Props<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Props<'de>, A::Error> {
                let mut props = Vec::new();
                while let Some(member) = map.next_entry()? {
                    props.push(member);
                }
                Ok(Props(props))
            }
        }
        deserializer.deserialize_map(Members)
    }
}
