//! One line: everything that is known of an event, flat. Its names are the columns of everybody's tables, so they are
//! only ever added to; what is absent, empty or zero is left out.

use std::fmt::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use crate::conversion::Status;
use crate::enrich::RULES_VERSION;
use crate::{EventId, Hints, Kind, RawEvent, Source, Text, TrackedEvent, Trigger};

/// Copies that a gate turned away, as their line holds them: reports count them as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copies {
    /// The gate's clock when it said so, epoch ms.
    pub at_ms: i64,
    /// Campaign, or empty.
    pub campaign_id: String,
    /// Token of the link, or empty.
    pub link: String,
    /// What they were copies of.
    pub kind: Kind,
    /// How many.
    pub times: u64,
}

/// A line that was read.
#[derive(Debug, Clone, PartialEq)]
pub enum Line<'a> {
    /// An event.
    Event {
        /// Its facts, in its campaign: as [`TrackedEvent::raw`].
        raw: Box<RawEvent<'a>>,
        /// What was billed for it.
        billed: Billed<'a>,
        /// By which rules the rest of the line was worked out. They are not read back: who wants them
        /// enriches again.
        rules_version: u32,
    },
    /// Copies.
    Copies(Copies),
    /// What followed from a journey: for [`crate::Outcome::decode`].
    Outcome(Vec<u8>),
}

/// What was billed for an event.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Billed<'a> {
    /// To the campaign.
    pub cost_nanos: i64,
    /// In this currency.
    pub cost_currency: Text<'a>,
    /// By the publisher.
    pub payout_nanos: i64,
    /// In this currency.
    pub payout_currency: Text<'a>,
}

type Get = for<'r, 'a> fn(&'r RawEvent<'a>) -> &'r Text<'a>;
type Set = for<'r, 'a> fn(&'r mut RawEvent<'a>) -> &'r mut Text<'a>;

/// How the member of an object begins whose value is a text: in one piece, so that it is copied in one.
macro_rules! start {
    ($name:literal) => {
        concat!(",\"", $name, "\":\"")
    };
}

macro_rules! texts {
    ($($name:literal => $field:ident $(.$part:ident)? $([$place:literal])?),* $(,)?) => {
        [$(($name, start!($name), |raw| &raw.$field$(.$part)?$([$place])?, |raw| &mut raw.$field$(.$part)?$([$place])?)),*]
    };
}

/// The texts of an event by their names in a line: one table for writing and reading.
pub(super) const TEXTS: [(&str, &str, Get, Set); 34] = texts![
    "link" => link,
    "campaign_id" => campaign_id,
    "name" => name,
    "page_url" => page_url,
    "query" => query,
    "referrer" => referrer,
    "publisher_id" => publisher_id,
    "medium" => medium,
    "ad_id" => ad_id,
    "element_id" => element_id,
    "user_id" => user_id,
    "session_id" => session_id,
    "anonymous_id" => anonymous_id,
    "sub1" => sub[0],
    "sub2" => sub[1],
    "sub3" => sub[2],
    "sub4" => sub[3],
    "sub5" => sub[4],
    "variant" => variant,
    "country" => country,
    "region" => region,
    "city" => city,
    "continent" => continent,
    "time_zone" => time_zone,
    "ip" => ip,
    "user_agent" => user_agent,
    "accept_language" => language,
    "ua_brands" => ua_brands,
    "ua_mobile" => ua_mobile,
    "ua_platform" => ua_platform,
    "currency" => currency,
    "txid" => postback.txid,
    "ua_model" => ua_model,
    "ua_platform_version" => ua_platform_version,
];

/// So many of them stand together; those that are younger stand at the end.
const TOGETHER: usize = 32;

/// Writes an event's line, with its end.
pub fn write_event(event: &TrackedEvent<'_>, out: &mut String) {
    let raw = &event.raw;
    out.push_str(r#"{"record":"event""#);
    out.push_str(r#","event_id":""#);
    raw.id.write(out);
    out.push('"');
    word(out, start!("kind"), raw.kind.name());
    word(out, start!("verdict"), event.bot.verdict.name());
    number(out, "effective_time_ms", event.effective_time_ms);
    word(out, start!("time_source"), event.time_source.name());
    number(out, "received_at_ms", raw.received_at_ms);
    number(out, "event_time_ms", raw.event_time_ms);
    if let Some(sent_at_ms) = raw.sent_at_ms {
        number(out, "sent_at_ms", sent_at_ms);
    }
    word(out, start!("source"), raw.source.name());
    word(out, start!("trigger"), raw.trigger.name());
    for (_, start, get, _) in TEXTS.iter().take(TOGETHER) {
        text(out, start, get(raw));
    }
    if let Some(value_micros) = raw.value_micros {
        number(out, "value_micros", value_micros);
    }
    if raw.kind == Kind::Conversion || raw.postback.status != Status::default() {
        word(out, start!("status"), raw.postback.status.name());
    }
    if let Some(click_ms) = raw.click_ms {
        number(out, "click_ms", click_ms);
    }
    if event.cost_nanos != 0 {
        number(out, "cost_nanos", event.cost_nanos);
    }
    text(out, start!("cost_currency"), &event.cost_currency);
    if event.payout_nanos != 0 {
        number(out, "payout_nanos", event.payout_nanos);
    }
    text(out, start!("payout_currency"), &event.payout_currency);
    if raw.asn != 0 {
        number(out, "asn", raw.asn.into());
    }
    if raw.hints != Hints::default() {
        number(out, "hints", raw.hints.bits().into());
    }
    if raw.visitor != 0 {
        // Not a number: JavaScript and half of the world's databases have 53 bits for those, or 63.
        out.push_str(r#","visitor":""#);
        let digit = |place: u32| char::from_digit((raw.visitor >> (4 * place)) as u32 & 15, 16);
        out.extend((0..16).rev().filter_map(digit));
        out.push('"');
    }
    if let Some(unique) = raw.unique {
        let _ = write!(out, r#","unique":"{unique:016x}""#);
    }
    if !raw.props.is_empty() {
        out.push_str(r#","props":"#);
        for (at, (key, value)) in raw.props.iter().enumerate() {
            out.push(if at == 0 { '{' } else { ',' });
            quoted(out, key);
            out.push(':');
            quoted(out, value);
        }
        out.push('}');
    }
    word(out, start!("device"), event.agent.device.name());
    word(out, start!("browser"), event.agent.browser);
    word(out, start!("browser_version"), event.agent.browser_version);
    word(out, start!("os"), event.agent.os);
    word(out, start!("os_version"), event.agent.os_version);
    word(out, start!("brand"), event.agent.brand);
    if event.agent.in_app {
        out.push_str(r#","in_app":true"#);
    }
    if !event.bot.reasons.is_empty() {
        out.push_str(r#","bot_reasons":"#);
        for (at, reason) in event.bot.reasons.iter().enumerate() {
            out.push(if at == 0 { '[' } else { ',' });
            quoted(out, reason);
        }
        out.push(']');
    }
    text(out, start!("utm_source"), &event.utm.source);
    text(out, start!("utm_medium"), &event.utm.medium);
    text(out, start!("utm_campaign"), &event.utm.campaign);
    text(out, start!("utm_term"), &event.utm.term);
    text(out, start!("utm_content"), &event.utm.content);
    word(out, start!("click_network"), event.click_network);
    text(out, start!("referrer_host"), &event.referrer_host);
    word(out, start!("channel"), event.channel.name());
    text(out, start!("language"), &event.language);
    number(out, "rules_version", RULES_VERSION.into());
    for (_, start, get, _) in TEXTS.iter().skip(TOGETHER) {
        text(out, start, get(raw));
    }
    text(out, start!("device_model"), event.model());
    if raw.took_ms != 0 {
        number(out, "took_ms", raw.took_ms.into());
    }
    out.push_str("}\n");
}

/// Writes the line of copies, with its end.
pub fn write_copies(copies: &Copies, out: &mut String) {
    out.push_str(r#"{"record":"copies""#);
    word(out, start!("kind"), copies.kind.name());
    number(out, "effective_time_ms", copies.at_ms);
    text(out, start!("link"), &copies.link);
    text(out, start!("campaign_id"), &copies.campaign_id);
    number(out, "times", copies.times as i64);
    out.push_str("}\n");
}

/// Writes the line of what followed from a journey, with its end.
pub fn write_outcome(at_ms: i64, body: &[u8], out: &mut String) {
    out.push_str(r#"{"record":"outcome""#);
    number(out, "effective_time_ms", at_ms);
    text(out, start!("body"), &STANDARD_NO_PAD.encode(body));
    out.push_str("}\n");
}

fn text(out: &mut String, start: &str, value: &str) {
    if !value.is_empty() {
        out.push_str(start);
        escaped(out, value);
        out.push('"');
    }
}

/// A text of our own, in which there is nothing to escape.
fn word(out: &mut String, start: &str, word: &str) {
    if !word.is_empty() {
        out.push_str(start);
        out.push_str(word);
        out.push('"');
    }
}

fn number(out: &mut String, name: &str, value: i64) {
    key(out, name);
    // The digits from the last on; the formatter's machinery is ten times as long.
    let (mut digits, mut at, mut rest) = ([b'0'; 20], 20, value.unsigned_abs());
    for (place, digit) in digits.iter_mut().enumerate().rev() {
        (*digit, at, rest) = (b'0' + (rest % 10) as u8, place, rest / 10);
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push('-');
    }
    out.push_str(digits.get(at..).and_then(|digits| str::from_utf8(digits).ok()).unwrap_or_default());
}

fn key(out: &mut String, name: &str) {
    out.push_str(",\"");
    out.push_str(name);
    out.push_str("\":");
}

/// A JSON string.
pub(super) fn quoted(out: &mut String, text: &str) {
    out.push('"');
    escaped(out, text);
    out.push('"');
}

/// What stands between its quotes. Pieces without anything to escape are copied whole.
fn escaped(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = to_escape(rest.as_bytes()) {
        let (plain, from) = rest.split_at(at);
        out.push_str(plain);
        let mut following = from.chars();
        match following.next() {
            Some(mark @ ('"' | '\\')) => out.extend(['\\', mark]),
            Some(control) => {
                let _ = write!(out, "\\u{:04x}", control as u32);
            }
            None => {}
        }
        rest = following.as_str();
    }
    out.push_str(rest);
}

/// Where the first byte stands that a string cannot hold as it is. Most have none, so that eight are looked at in one go.
fn to_escape(text: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const TOPS: u64 = u64::from_ne_bytes([0x80; 8]);
    // The top bit of a byte below `bound`; a byte above it may seem to be, behind one that is.
    let below = |word: u64, bound: u8| word.wrapping_sub(ONES * u64::from(bound)) & !word & TOPS;
    let is = |word: u64, byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    let (words, _) = text.as_chunks::<8>();
    let plain = |word: &[u8; 8]| {
        let word = u64::from_ne_bytes(*word);
        below(word, b' ') | is(word, b'"') | is(word, b'\\') == 0
    };
    let from = 8 * words.iter().take_while(|word| plain(word)).count();
    let behind = text.get(from..)?;
    let at = behind.iter().position(|&byte| byte < b' ' || byte == b'"' || byte == b'\\')?;
    Some(from + at)
}

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

#[cfg(test)]
mod tests;
