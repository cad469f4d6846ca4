//! The event with everything that was worked out from it.

use std::borrow::Cow;

use crate::{Agent, Bot, Channel, RawEvent, Text, TimeSource, Utm};

/// An event that is ready to be added up.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackedEvent<'a> {
    /// The facts it came with; publisher and medium may be its campaign's: see [`crate::campaign`].
    pub raw: RawEvent<'a>,
    /// The time that it counts under, epoch ms.
    pub effective_time_ms: i64,
    /// Whose clock that is.
    pub time_source: TimeSource,
    /// Device, browser and system.
    pub agent: Agent<'a>,
    /// Whether it was a person, and why not.
    pub bot: Bot,
    /// The UTM tags.
    pub utm: Utm<'a>,
    /// The ad network whose click id the URL carries (`google`), or empty.
    pub click_network: &'static str,
    /// The referrer's host in lower case and without `www.`, or an Android app's package; or empty.
    pub referrer_host: Cow<'a, str>,
    /// How the visitor found the way.
    pub channel: Channel,
    /// Primary language in lower case (`pt-br`), or empty.
    pub language: Cow<'a, str>,
    /// What the campaign pays for it, in thousand-millionths of its currency's unit. The event cannot know: it is
    /// 0 until somebody who knows the campaign fills it in.
    pub cost_nanos: i64,
    /// That currency.
    pub cost_currency: Text<'a>,
    /// What its publisher gets for it, likewise.
    pub payout_nanos: i64,
    /// The currency of that: the publisher's, or the event's own where the payout is a share.
    pub payout_currency: Text<'a>,
}

impl TrackedEvent<'_> {
    /// The model of the device (`SM-S911B`, `iPhone15,2`): the client hint's, else the user agent's; empty if neither tells.
    pub fn model(&self) -> &str {
        match self.raw.ua_model.trim_matches(['"', ' ']) {
            "" => self.agent.model.within(&self.raw.user_agent),
            hinted => hinted,
        }
    }
}
