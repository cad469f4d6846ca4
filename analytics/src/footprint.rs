//! The footprint: what a journey keeps of an event.
//!
//! A journey never sees the event itself. The consumer has worked out what it means; what sessions, funnels and
//! attribution need of that is a third of its bytes.

use std::hash::Hasher;

use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128, SipHasher13};

use crate::conversion::Postback;
use crate::{EventId, Hints, Kind, Text, TrackedEvent, Traits, Verdict, wire};

/// Version of a footprint's bytes, which lie in journeys and their outcomes for as long as journeys are kept.
pub const FOOTPRINT_VERSION: u8 = 1;

/// Whose journey: a hash of the best name that an event has for its visitor. Its first two bits are the name's rank, so
/// that whoever holds two keys can tell the stronger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct VisitorKey([u8; 16]);

/// What a visitor may be known by, weakest first: the place is part of the key, so that a user and a device of the same
/// name are two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    Daily = 0,
    Session = 1,
    Anonymous = 2,
    User = 3,
}

impl VisitorKey {
    fn of(sort: Name, name: &[u8]) -> Self {
        let mut hasher = SipHasher13::new_with_key(b"clicktrail guest");
        hasher.write_u8(sort as u8);
        hasher.write(name);
        let hash = u128::from_be_bytes(hasher.finish128().as_bytes()) >> 2;
        Self((hash | (sort as u128) << 126).to_be_bytes())
    }

    /// How strong the name is: a journey only ever moves on to a higher rank, so that no chain of bonds goes round.
    pub fn rank(&self) -> u8 {
        let [first, ..] = self.0;
        first >> 6
    }

    /// Whether it is a name that somebody still has tomorrow: a session is no longer than a day, and the hash is of one.
    pub fn outlasts_the_day(&self) -> bool {
        self.rank() >= Name::Anonymous as u8
    }

    /// The names of an event's visitor, the strongest first: user, else device, else session, else the daily hash. The
    /// first is whose journey the event belongs to; the others are bonds: who was known by them is the same visitor.
    /// There is at least one.
    ///
    /// A server that tells what its users did has an address of its own, which is nobody's: with a better name, and
    /// without a browser or a click that the hash is of, it is left out.
    pub fn all_of(event: &TrackedEvent<'_>) -> Vec<Self> {
        let raw = &event.raw;
        let own_address = raw.click_ms.is_some() || !event.agent.browser.is_empty();
        Self::all_of_names([&raw.user_id, &raw.anonymous_id, &raw.session_id], raw.visitor, own_address)
    }

    /// The same of user, device, session and daily hash, and whether the hash is the visitor's own.
    pub(crate) fn all_of_names(names: [&str; 3], visitor: u64, own_address: bool) -> Vec<Self> {
        let sorts = [Name::User, Name::Anonymous, Name::Session];
        let mut keys = Vec::with_capacity(4);
        keys.extend(
            sorts
                .into_iter()
                .zip(names)
                .filter(|(_, name)| !name.is_empty())
                .map(|(sort, name)| Self::of(sort, name.as_bytes())),
        );
        if keys.is_empty() || own_address {
            keys.push(Self::of(Name::Daily, &visitor.to_be_bytes()));
        }
        keys
    }

    /// The key of a user.
    pub fn of_user(id: &str) -> Self {
        Self::of(Name::User, id.as_bytes())
    }

    /// The key of a device, by its `anonymous_id`.
    pub fn of_device(id: &str) -> Self {
        Self::of(Name::Anonymous, id.as_bytes())
    }

    /// The key of a client's session.
    pub fn of_session(id: &str) -> Self {
        Self::of(Name::Session, id.as_bytes())
    }

    /// The key of these bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Which of so many shards keeps the journey.
    pub fn shard(&self, shards: u16) -> u16 {
        // The rest of the whole number, four bytes at a time: nothing divides 128 bits in one go.
        let shards = u64::from(shards.max(1));
        let (parts, _) = self.0.as_chunks();
        parts.iter().fold(0, |rest, part| (rest << 32 | u64::from(u32::from_be_bytes(*part))) % shards) as u16
    }
}

/// What a journey keeps of an event. Only people's events leave one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Footprint<'a> {
    /// The event's identity: a footprint that comes again changes nothing.
    pub id: EventId,
    /// The time that the event counts under, epoch ms.
    pub at_ms: i64,
    /// What happened.
    pub kind: Kind,
    /// The event's own name.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// The page without query and fragment.
    #[serde(borrow)]
    pub page: Text<'a>,
    /// The element that was clicked.
    #[serde(borrow)]
    pub element_id: Text<'a>,
    /// The client's session.
    #[serde(borrow)]
    pub session_id: Text<'a>,
    /// What it was worth, in millionths of the currency's unit.
    pub value_micros: i64,
    /// ISO 4217 code.
    #[serde(borrow)]
    pub currency: Text<'a>,
    /// What the sums were told that it costs: taken back where it turns out not to be billable.
    pub cost_nanos: i64,
    /// In this currency.
    #[serde(borrow)]
    pub cost_currency: Text<'a>,
    /// Likewise, what its publisher gets for it.
    pub payout_nanos: i64,
    /// In this currency.
    #[serde(borrow)]
    pub payout_currency: Text<'a>,
    /// When the click that it follows from happened, if its click id says so, epoch ms.
    pub click_ms: Option<i64>,
    /// What a conversion says of itself.
    #[serde(borrow)]
    pub postback: Option<Postback<'a>>,
    /// What it is grouped and filtered by.
    #[serde(borrow)]
    pub traits: Traits<'a>,
}

impl<'a> Footprint<'a> {
    /// The footprint of an event; `None` if a machine made it, or if it is none of a visitor's doings.
    ///
    /// Of somebody anonymous only orders leave one, each in a journey to itself: their money is counted and corrected
    /// like everybody's, and there is no visit of one page for each page.
    pub fn of<'e: 'a>(event: &'a TrackedEvent<'e>) -> Option<Self> {
        Some(Self { traits: Traits::of(event), ..Self::bare(event)? })
    }

    /// The same without traits: [`Traits::each`] tells them.
    pub fn bare<'e: 'a>(event: &'a TrackedEvent<'e>) -> Option<Self> {
        let raw = &event.raw;
        let nobody = raw.hints.has(Hints::ANONYMOUS) && raw.kind != Kind::Conversion;
        if event.bot.verdict == Verdict::Bot || raw.kind == Kind::Failed || nobody {
            return None;
        }
        let page = raw.page_url.as_str();
        let page = page
            .bytes()
            .position(|byte| matches!(byte, b'?' | b'#'))
            .and_then(|end| page.get(..end))
            .unwrap_or(page);
        Some(Self {
            id: raw.id,
            at_ms: event.effective_time_ms,
            kind: raw.kind,
            name: Text::from(raw.name.as_str()),
            page: Text::from(page),
            element_id: Text::from(raw.element_id.as_str()),
            session_id: Text::from(raw.session_id.as_str()),
            value_micros: raw.value_micros.unwrap_or(0),
            currency: Text::from(raw.currency.as_str()),
            cost_nanos: event.cost_nanos,
            cost_currency: Text::from(event.cost_currency.as_str()),
            payout_nanos: event.payout_nanos,
            payout_currency: Text::from(event.payout_currency.as_str()),
            click_ms: raw.click_ms,
            postback: (raw.kind == Kind::Conversion).then(|| Postback {
                txid: Text::from(raw.postback.txid.as_str()),
                status: raw.postback.status,
            }),
            traits: Traits::default(),
        })
    }

    /// Appends the footprint: a version byte and postcard's wire format.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(FOOTPRINT_VERSION);
        wire::write(self, out);
    }

    /// Reads a footprint; texts are borrowed from the bytes. `None`: it is none, or of a later version.
    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        match bytes.split_first() {
            Some((&FOOTPRINT_VERSION, fields)) => postcard::from_bytes(fields).ok(),
            _ => None,
        }
    }

    /// The path of the page, from its first slash; empty if the event has no page.
    pub fn path(&self) -> &str {
        let rest = self.page.split_once("://").map_or("", |(_, rest)| rest);
        match rest.find('/') {
            Some(slash) => rest.get(slash..).unwrap_or("/"),
            None if rest.is_empty() => "",
            None => "/",
        }
    }
}

#[cfg(test)]
mod tests;
