//! The event as it leaves the edge: facts, and nothing worked out from them yet.

mod fields;

use serde::{Deserialize, Serialize};

use crate::conversion::Postback;
use crate::privacy::Asked;
use crate::{EventId, Kind, Source, Text, Trigger};
use fields::Fields;

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
#[derive(Debug, Clone, PartialEq)]
pub struct RawEvent<'a> {
    /// Token of the link that was followed.
    pub link: Text<'a>,
    /// The campaign it counts for.
    pub campaign_id: Text<'a>,
    /// Identity. Travels in the frame's head, not in the body.
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
    pub name: Text<'a>,
    /// The page it happened on: absolute URL.
    pub page_url: Text<'a>,
    /// Raw query string of a redirect or pixel, without the question mark: it carries the UTM tags.
    pub query: Text<'a>,
    /// Where the visitor came from: `Referer` or the client's field.
    pub referrer: Text<'a>,
    /// Who gets paid for it.
    pub publisher_id: Text<'a>,
    /// Medium as the caller names it.
    pub medium: Text<'a>,
    /// The creative.
    pub ad_id: Text<'a>,
    /// The element that was clicked.
    pub element_id: Text<'a>,
    /// Known person.
    pub user_id: Text<'a>,
    /// The client's session.
    pub session_id: Text<'a>,
    /// The client's device id.
    pub anonymous_id: Text<'a>,
    /// Keyed daily hash of the visitor (see [`crate::visitor`]).
    pub visitor: u64,
    /// The caller's own tags `sub1..sub5`.
    pub sub: [Text<'a>; 5],
    /// What it was worth, in millionths of the currency's unit.
    pub value_micros: Option<i64>,
    /// ISO 4217 code of `value_micros`.
    pub currency: Text<'a>,
    /// Free tags, at most 16.
    pub props: Vec<(Text<'a>, Text<'a>)>,
    /// ISO 3166-1 alpha-2.
    pub country: Text<'a>,
    /// ISO 3166-2 subdivision, without the country.
    pub region: Text<'a>,
    /// City name in English.
    pub city: Text<'a>,
    /// Two letters.
    pub continent: Text<'a>,
    /// Autonomous system of the client's network; 0 if unknown.
    pub asn: u32,
    /// `User-Agent`.
    pub user_agent: Text<'a>,
    /// `Accept-Language`.
    pub language: Text<'a>,
    /// What is stored of the address: the network (v4 /24, v6 /48) unless set otherwise, or absent.
    pub ip: Text<'a>,
    /// `Sec-CH-UA`.
    pub ua_brands: Text<'a>,
    /// `Sec-CH-UA-Mobile`: `?1` or `?0`.
    pub ua_mobile: Text<'a>,
    /// `Sec-CH-UA-Platform`, quoted as sent.
    pub ua_platform: Text<'a>,
    /// Name of the link's variant that was chosen for the visitor. Travels behind the others since version 2.
    pub variant: Text<'a>,
    /// What made the visitor come. Likewise.
    pub trigger: Trigger,
    /// IANA time zone of the visitor's place. Likewise.
    pub time_zone: Text<'a>,
    /// When the click that it follows from happened, if its click id says so, epoch ms. Since version 3.
    pub click_ms: Option<i64>,
    /// What a conversion says of itself. Likewise.
    pub postback: Postback<'a>,
    /// `Sec-CH-UA-Model`, quoted as sent. Since version 4.
    pub ua_model: Text<'a>,
    /// `Sec-CH-UA-Platform-Version`, likewise.
    pub ua_platform_version: Text<'a>,
    /// How long a redirect took to know its answer, ms; 0 for one that nothing was asked for. Likewise.
    pub took_ms: u32,
    /// What its sender says of consent. Heeded at the edge; it travels no further.
    pub asked: Asked,
    /// Of a visitor who was erased: what the sums know of the hash ([`crate::uniques::coarse`]), in place of all names.
    /// Only lines of the archive have it.
    pub unique: Option<u64>,
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
        fields::write(self, out);
        fields::write_tail(self, out);
    }

    /// Reads an event's body; texts are borrowed from it.
    ///
    /// # Errors
    /// [`Malformed`]; never a panic, whatever the bytes.
    pub fn decode(id: EventId, body: &'a [u8]) -> Result<Self, Malformed> {
        let (version, bytes) = versioned(body)?;
        let mut event = Self::new(id, Kind::Click, Source::Redirect, 0);
        let mut fields = Fields::new(bytes);
        let read = fields.read(&mut event).and_then(|()| fields.read_tail(&mut event, version));
        if read.is_some() && fields.is_empty() { Ok(event) } else { Err(Malformed::Bytes) }
    }

    /// The link, campaign and kind of an encoded event: all that the gate needs to count a duplicate.
    ///
    /// # Errors
    /// As [`RawEvent::decode`].
    pub fn peek(body: &'a [u8]) -> Result<(&'a str, &'a str, Kind), Malformed> {
        let (_, bytes) = versioned(body)?;
        Fields::new(bytes).peek().ok_or(Malformed::Bytes)
    }

    /// Where the visitor is.
    pub fn whereabouts(&self) -> Whereabouts<'_> {
        Whereabouts {
            continent: &self.continent,
            country: &self.country,
            region: &self.region,
            time_zone: &self.time_zone,
        }
    }

    /// The same of an encoded event.
    ///
    /// # Errors
    /// As [`RawEvent::decode`].
    pub fn peek_whereabouts(body: &'a [u8]) -> Result<Whereabouts<'a>, Malformed> {
        let (version, bytes) = versioned(body)?;
        Fields::new(bytes).whereabouts(version).ok_or(Malformed::Bytes)
    }
}

/// Where a visitor is, as far as the platform says; what it does not say is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Whereabouts<'a> {
    /// Two letters.
    pub continent: &'a str,
    /// ISO 3166-1 alpha-2.
    pub country: &'a str,
    /// ISO 3166-2 subdivision, without the country.
    pub region: &'a str,
    /// IANA time zone.
    pub time_zone: &'a str,
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
