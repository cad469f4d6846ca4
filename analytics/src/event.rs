//! The event as it leaves the edge: facts, and nothing worked out from them yet.

use serde::{Deserialize, Serialize};

use crate::{EventId, Text};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Somebody followed a link.
    Click,
    /// Something was shown: a pixel was fetched.
    Impression,
    /// A page was viewed.
    Page,
    /// Something worth money was done.
    Conversion,
    /// The client says that the session is over.
    SessionEnd,
}

impl Kind {
    /// Every kind, in the order of its code.
    pub const ALL: [Self; 5] =
        [Self::Click, Self::Impression, Self::Page, Self::Conversion, Self::SessionEnd];

    /// The name in paths, queries and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Click => "click",
            Self::Impression => "impression",
            Self::Page => "page",
            Self::Conversion => "conversion",
            Self::SessionEnd => "session_end",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// By which door the hit came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Source {
    /// `GET /r/{token}`
    Redirect,
    /// `GET /1x1.gif`
    Pixel,
    /// `POST /events/{kind}`
    Beacon,
    /// `POST /events`
    Batch,
}

impl Source {
    /// The name in queries and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Redirect => "redirect",
            Self::Pixel => "pixel",
            Self::Beacon => "beacon",
            Self::Batch => "batch",
        }
    }
}

/// Facts of the request that a person's click does not have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Hints(u8);

impl Hints {
    /// The method was HEAD.
    pub const HEAD: Self = Self(1);
    /// The browser said that it only looks ahead (`Sec-Purpose`, `Purpose`, `X-Moz`: prefetch, preview).
    pub const PREFETCH: Self = Self(2);

    /// These hints and those.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
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
    /// Truncated address (v4 /24, v6 /48), or absent.
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
}

fn nil() -> EventId {
    EventId::from_bytes([0; 16])
}

/// Version of an event's bytes. A reader knows every version that may still lie in a gate's log or a queue.
pub const EVENT_VERSION: u8 = 1;

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
        }
    }

    /// Appends the event's body: a version byte and the fields in postcard's wire format. The id is not part
    /// of it.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(EVENT_VERSION);
        // `to_extend` into a Vec has no failing path for these types: no maps, no unsized sequences.
        if let Ok(written) = postcard::to_extend(self, std::mem::take(out)) {
            *out = written;
        }
    }

    /// Reads an event's body; texts are borrowed from it.
    ///
    /// # Errors
    /// [`Malformed`]; never a panic, whatever the bytes.
    pub fn decode(id: EventId, body: &'a [u8]) -> Result<Self, Malformed> {
        let (&version, fields) = body.split_first().ok_or(Malformed::Bytes)?;
        if version != EVENT_VERSION {
            return Err(Malformed::Version(version));
        }
        let event: Self = postcard::from_bytes(fields).map_err(|_| Malformed::Bytes)?;
        Ok(Self { id, ..event })
    }

    /// The link, campaign and kind of an encoded event: all that the gate needs to count a duplicate.
    ///
    /// # Errors
    /// As [`RawEvent::decode`].
    pub fn peek(body: &'a [u8]) -> Result<(&'a str, &'a str, Kind), Malformed> {
        let (&version, fields) = body.split_first().ok_or(Malformed::Bytes)?;
        if version != EVENT_VERSION {
            return Err(Malformed::Version(version));
        }
        let (head, _rest) = postcard::take_from_bytes(fields).map_err(|_| Malformed::Bytes)?;
        Ok(head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> RawEvent<'static> {
        let mut event = RawEvent::new(nil(), Kind::Page, Source::Batch, 1_790_000_000_000);
        event.link = "demo".into();
        event.campaign_id = "spring".into();
        event.hints = Hints::PREFETCH;
        event.event_time_ms -= 1;
        event.sent_at_ms = Some(-1);
        event.name = "n".into();
        event.page_url = "https://a.example/".into();
        event.query = "utm_source=x".into();
        event.referrer = "r".into();
        event.publisher_id = "pub".into();
        event.medium = "med".into();
        event.ad_id = "ad".into();
        event.element_id = "el".into();
        event.user_id = "uid".into();
        event.session_id = "sid".into();
        event.anonymous_id = "aid".into();
        event.visitor = 300;
        event.sub = ["1", "2", "", "4", "5"].map(Text::from);
        event.value_micros = Some(19_990_000);
        event.currency = "EUR".into();
        event.props = vec![("k".into(), "v".into())];
        event.country = "DE".into();
        event.region = "BE".into();
        event.city = "Köln".into();
        event.continent = "EU".into();
        event.asn = 64_496;
        event.user_agent = "ua".into();
        event.language = "de".into();
        event.ip = "192.0.2.0".into();
        event.ua_brands = "b".into();
        event.ua_mobile = "?1".into();
        event.ua_platform = "p".into();
        event
    }

    /// Events lie in gates' logs, in queues and in the archive while a new version is deployed. If this fails,
    /// events that were acknowledged can no longer be read, or are read as others: raise [`EVENT_VERSION`], keep
    /// the reader of this version, and pin the new bytes beside these.
    #[test]
    fn the_bytes_of_an_event_are_pinned() {
        let mut body = Vec::new();
        sample().encode(&mut body);
        let pinned = [
            r"\x01\x04demo\x06spring\x02\x03\x02\xfe\xaf\x83\xc5\x98h\x80\xb0\x83\xc5\x98h\x01",
            r"\x01\x01n\x12https://a.example/\x0cutm_source=x\x01r\x03pub\x03med\x02ad\x02el",
            r"\x03uid\x03sid\x03aid\xac\x02\x011\x012\x00\x014\x015",
            r"\x01\xe0\x97\x88\x13\x03EUR\x01\x01k\x01v\x02DE\x02BE\x05K\xc3\xb6ln\x02EU",
            r"\xf0\xf7\x03\x02ua\x02de\t192.0.2.0\x01b\x02?1\x01p",
        ]
        .concat();
        assert_eq!(body.escape_ascii().to_string(), pinned);
        assert_eq!(RawEvent::decode(nil(), &body), Ok(sample()));
        assert_eq!(RawEvent::peek(&body), Ok(("demo", "spring", Kind::Page)));
    }

    #[test]
    fn an_event_is_appended_to_what_is_there() {
        let mut bytes = b"before".to_vec();
        sample().encode(&mut bytes);
        assert_eq!(RawEvent::decode(nil(), &bytes[6..]), Ok(sample()));
    }

    #[test]
    fn bytes_of_another_version_or_cut_short_are_no_event() {
        let mut body = Vec::new();
        sample().encode(&mut body);
        for end in 0..body.len() {
            assert_eq!(RawEvent::decode(nil(), &body[..end]), Err(Malformed::Bytes));
        }
        body[0] = EVENT_VERSION + 1;
        assert_eq!(RawEvent::decode(nil(), &body), Err(Malformed::Version(EVENT_VERSION + 1)));
        assert_eq!(RawEvent::peek(&body), Err(Malformed::Version(EVENT_VERSION + 1)));
    }
}
