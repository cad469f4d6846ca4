//! One line: everything that is known of an event, flat. Its names are the columns of everybody's tables, so they are
//! only ever added to; what is absent, empty or zero is left out.

mod escape;
mod read;
#[cfg(test)]
mod tests;
mod write;

use crate::{Kind, RawEvent, Text};
pub(super) use escape::quoted;
pub use read::read;
pub use write::{write_copies, write_event, write_outcome};

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

pub(super) use start;

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
