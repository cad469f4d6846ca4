//! The event as it leaves the edge: facts, and nothing worked out from them yet.

use serde::{Deserialize, Serialize};

use crate::conversion::Postback;
use crate::privacy::Asked;
use crate::{EventId, Kind, Source, Text, Trigger, wire};

/// Facts of the request that a person's click does not have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Hints(u8);

impl Hints {
    /// The method was HEAD.
    pub const HEAD: Self = Self(1);
    /// The browser said that it only looks ahead (`Sec-Purpose`, `Purpose`, `X-Moz`: prefetch, preview).
    pub const PREFETCH: Self = Self(2);
    /// The platform knows the crawler by its address.
    pub const VERIFIED_BOT: Self = Self(4);
    /// The link is a trap: nobody sees it who looks at a page or a mail.
    pub const TRAP: Self = Self(16);
    /// The visitor went into a trap before ([`crate::Conduct`]).
    pub const TRAPPED: Self = Self(32);
    /// The visitor follows more links at once than a person can ([`crate::Conduct`]).
    pub const BURST: Self = Self(64);
    /// Nothing of the event leads to its visitor: it counts, but not as somebody (see [`crate::privacy`]).
    pub const ANONYMOUS: Self = Self(8);

    /// These hints and those.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The set as a number.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// The set of a number that [`Hints::bits`] gave.
    pub fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// Whether all of `other` are among these.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// A hit with an identity, as the edge saw it.
///
/// `link`, `campaign_id` and `kind` come first because the gate reads just these three of a duplicate
/// ([`RawEvent::peek`]). Fields are only ever appended, together with a new [`EVENT_VERSION`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RawEvent<'a> {
    /// Token of the link that was followed.
    #[serde(borrow)]
    pub link: Text<'a>,
    /// The campaign it counts for.
    #[serde(borrow)]
    pub campaign_id: Text<'a>,
    /// Identity. Travels in the frame's head, not in the body.
    #[serde(skip, default = "nil")]
    pub id: EventId,
    /// What happened.
    pub kind: Kind,
    /// By which door it came in.
    pub source: Source,
    /// What a person's request would not show.
    pub hints: Hints,
    /// The client's clock at the event, epoch ms; the server's where the client has none.
    pub event_time_ms: i64,
    /// The edge's clock at the hit, epoch ms.
    pub received_at_ms: i64,
    /// The client's clock when it sent the event, epoch ms.
    pub sent_at_ms: Option<i64>,
    /// The event's own name (`signup`), beside its kind.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// The page it happened on: absolute URL.
    #[serde(borrow)]
    pub page_url: Text<'a>,
    /// Raw query string of a redirect or pixel, without the question mark: it carries the UTM tags.
    #[serde(borrow)]
    pub query: Text<'a>,
    /// Where the visitor came from: `Referer` or the client's field.
    #[serde(borrow)]
    pub referrer: Text<'a>,
    /// Who gets paid for it.
    #[serde(borrow)]
    pub publisher_id: Text<'a>,
    /// Medium as the caller names it.
    #[serde(borrow)]
    pub medium: Text<'a>,
    /// The creative.
    #[serde(borrow)]
    pub ad_id: Text<'a>,
    /// The element that was clicked.
    #[serde(borrow)]
    pub element_id: Text<'a>,
    /// Known person.
    #[serde(borrow)]
    pub user_id: Text<'a>,
    /// The client's session.
    #[serde(borrow)]
    pub session_id: Text<'a>,
    /// The client's device id.
    #[serde(borrow)]
    pub anonymous_id: Text<'a>,
    /// Keyed daily hash of the visitor (see [`crate::visitor`]).
    pub visitor: u64,
    /// The caller's own tags `sub1..sub5`.
    #[serde(borrow)]
    pub sub: [Text<'a>; 5],
    /// What it was worth, in millionths of the currency's unit.
    pub value_micros: Option<i64>,
    /// ISO 4217 code of `value_micros`.
    #[serde(borrow)]
    pub currency: Text<'a>,
    /// Free tags, at most 16.
    #[serde(borrow)]
    pub props: Vec<(Text<'a>, Text<'a>)>,
    /// ISO 3166-1 alpha-2.
    #[serde(borrow)]
    pub country: Text<'a>,
    /// ISO 3166-2 subdivision, without the country.
    #[serde(borrow)]
    pub region: Text<'a>,
    /// City name in English.
    #[serde(borrow)]
    pub city: Text<'a>,
    /// Two letters.
    #[serde(borrow)]
    pub continent: Text<'a>,
    /// Autonomous system of the client's network; 0 if unknown.
    pub asn: u32,
    /// `User-Agent`.
    #[serde(borrow)]
    pub user_agent: Text<'a>,
    /// `Accept-Language`.
    #[serde(borrow)]
    pub language: Text<'a>,
    /// What is stored of the address: the network (v4 /24, v6 /48) unless set otherwise, or absent.
    #[serde(borrow)]
    pub ip: Text<'a>,
    /// `Sec-CH-UA`.
    #[serde(borrow)]
    pub ua_brands: Text<'a>,
    /// `Sec-CH-UA-Mobile`: `?1` or `?0`.
    #[serde(borrow)]
    pub ua_mobile: Text<'a>,
    /// `Sec-CH-UA-Platform`, quoted as sent.
    #[serde(borrow)]
    pub ua_platform: Text<'a>,
    /// Name of the link's variant that was chosen for the visitor. Travels behind the others since version 2.
    #[serde(skip)]
    pub variant: Text<'a>,
    /// What made the visitor come. Likewise.
    #[serde(skip)]
    pub trigger: Trigger,
    /// IANA time zone of the visitor's place. Likewise.
    #[serde(skip)]
    pub time_zone: Text<'a>,
    /// When the click that it follows from happened, if its click id says so, epoch ms. Since version 3.
    #[serde(skip)]
    pub click_ms: Option<i64>,
    /// What a conversion says of itself. Likewise.
    #[serde(skip)]
    pub postback: Postback<'a>,
    /// `Sec-CH-UA-Model`, quoted as sent. Since version 4.
    #[serde(skip)]
    pub ua_model: Text<'a>,
    /// `Sec-CH-UA-Platform-Version`, likewise.
    #[serde(skip)]
    pub ua_platform_version: Text<'a>,
    /// How long a redirect took to know its answer, ms; 0 for one that nothing was asked for. Likewise.
    #[serde(skip)]
    pub took_ms: u32,
    /// What its sender says of consent. Heeded at the edge; it travels no further.
    #[serde(skip)]
    pub asked: Asked,
    /// Of a visitor who was erased: what the sums know of the hash ([`crate::uniques::coarse`]), in place of all names.
    /// Only lines of the archive have it.
    #[serde(skip)]
    pub unique: Option<u64>,
}

/// What version 2 appends: `variant`, `trigger` and `time_zone`. Postcard's bytes do not say how many fields they hold, so that
/// each version's are read by themselves.
type Tail<'a> = (Text<'a>, Trigger, Text<'a>);

/// What version 3 appends behind that: `click_ms` and `postback`.
type Tail3<'a> = (Option<i64>, Postback<'a>);

/// What version 4 appends behind that: `ua_model`, `ua_platform_version` and `took_ms`.
type Tail4<'a> = (Text<'a>, Text<'a>, u32);

fn nil() -> EventId {
    EventId::from_bytes([0; 16])
}

/// Version of an event's bytes. A reader knows every version that may still lie in a gate's log or a queue.
pub const EVENT_VERSION: u8 = 4;

/// Why bytes are no event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Malformed {
    /// Written by a later version of this code.
    Version(u8),
    /// Cut short, or not an event at all.
    Bytes,
}

impl<'a> RawEvent<'a> {
    /// An event of which only the given facts are known.
    pub fn new(id: EventId, kind: Kind, source: Source, received_at_ms: i64) -> Self {
        Self {
            link: Text::EMPTY,
            campaign_id: Text::EMPTY,
            id,
            kind,
            source,
            hints: Hints::default(),
            event_time_ms: received_at_ms,
            received_at_ms,
            sent_at_ms: None,
            name: Text::EMPTY,
            page_url: Text::EMPTY,
            query: Text::EMPTY,
            referrer: Text::EMPTY,
            publisher_id: Text::EMPTY,
            medium: Text::EMPTY,
            ad_id: Text::EMPTY,
            element_id: Text::EMPTY,
            user_id: Text::EMPTY,
            session_id: Text::EMPTY,
            anonymous_id: Text::EMPTY,
            visitor: 0,
            sub: Default::default(),
            value_micros: None,
            currency: Text::EMPTY,
            props: Vec::new(),
            country: Text::EMPTY,
            region: Text::EMPTY,
            city: Text::EMPTY,
            continent: Text::EMPTY,
            asn: 0,
            user_agent: Text::EMPTY,
            language: Text::EMPTY,
            ip: Text::EMPTY,
            ua_brands: Text::EMPTY,
            ua_mobile: Text::EMPTY,
            ua_platform: Text::EMPTY,
            variant: Text::EMPTY,
            trigger: Trigger::default(),
            time_zone: Text::EMPTY,
            click_ms: None,
            unique: None,
            postback: Postback::default(),
            ua_model: Text::EMPTY,
            ua_platform_version: Text::EMPTY,
            took_ms: 0,
            asked: Asked::default(),
        }
    }

    /// Appends the event's body: a version byte and the fields in postcard's wire format. The id is not part
    /// of it.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(EVENT_VERSION);
        wire::write(self, out);
        let tail = (&self.variant, self.trigger, &self.time_zone, self.click_ms, &self.postback);
        wire::write(&(tail, &self.ua_model, &self.ua_platform_version, self.took_ms), out);
    }

    /// Reads an event's body; texts are borrowed from it.
    ///
    /// # Errors
    /// [`Malformed`]; never a panic, whatever the bytes.
    pub fn decode(id: EventId, body: &'a [u8]) -> Result<Self, Malformed> {
        let (version, fields) = versioned(body)?;
        let (mut event, mut rest): (Self, _) =
            postcard::take_from_bytes(fields).map_err(|_| Malformed::Bytes)?;
        event.id = id;
        if version >= 2 {
            let tail: (Tail<'a>, _) = postcard::take_from_bytes(rest).map_err(|_| Malformed::Bytes)?;
            ((event.variant, event.trigger, event.time_zone), rest) = tail;
        }
        if version >= 3 {
            let tail: (Tail3<'a>, _) = postcard::take_from_bytes(rest).map_err(|_| Malformed::Bytes)?;
            ((event.click_ms, event.postback), rest) = tail;
        }
        if version >= 4 {
            let tail: (Tail4<'a>, _) = postcard::take_from_bytes(rest).map_err(|_| Malformed::Bytes)?;
            ((event.ua_model, event.ua_platform_version, event.took_ms), rest) = tail;
        }
        if rest.is_empty() { Ok(event) } else { Err(Malformed::Bytes) }
    }

    /// The link, campaign and kind of an encoded event: all that the gate needs to count a duplicate.
    ///
    /// # Errors
    /// As [`RawEvent::decode`].
    pub fn peek(body: &'a [u8]) -> Result<(&'a str, &'a str, Kind), Malformed> {
        let (_, fields) = versioned(body)?;
        let (head, _rest) = postcard::take_from_bytes(fields).map_err(|_| Malformed::Bytes)?;
        Ok(head)
    }
}

/// The version of an event's body, if it is one that this code reads, and the bytes of its fields.
fn versioned(body: &[u8]) -> Result<(u8, &[u8]), Malformed> {
    match body.split_first() {
        Some((&version @ 1..=EVENT_VERSION, fields)) => Ok((version, fields)),
        Some((&version, _)) => Err(Malformed::Version(version)),
        None => Err(Malformed::Bytes),
    }
}

#[cfg(test)]
mod tests;
