//! What the edge knows of a request without asking the client.

use super::cut;
use crate::{Hints, RawEvent, Text};

// A header is the client's to fill, and an event has to be small: about a hundred of them share one message.
const USER_AGENT_MAX_BYTES: usize = 512;
const REFERRER_MAX_BYTES: usize = crate::page_url::URL_MAX_BYTES;
const HEADER_MAX_BYTES: usize = 256;
const PLACE_MAX_BYTES: usize = 128;

/// Facts of one request.
#[derive(Debug, Clone, Copy, Default)]
pub struct Facts<'a> {
    /// The edge's clock, epoch ms.
    pub received_at_ms: i64,
    /// What a person's request would not show.
    pub hints: Hints,
    /// Keyed daily hash of the visitor (see [`crate::visitor`]).
    pub visitor: u64,
    /// What is stored of the address: as a rule already truncated, or empty.
    pub ip: &'a str,
    /// `User-Agent`.
    pub user_agent: &'a str,
    /// `Referer`.
    pub referrer: &'a str,
    /// `Accept-Language`.
    pub language: &'a str,
    /// ISO 3166-1 alpha-2.
    pub country: &'a str,
    /// ISO 3166-2 subdivision, without the country.
    pub region: &'a str,
    /// City name in English.
    pub city: &'a str,
    /// Two letters.
    pub continent: &'a str,
    /// IANA time zone of the place.
    pub time_zone: &'a str,
    /// Autonomous system of the client's network; 0 if unknown.
    pub asn: u32,
    /// `Sec-CH-UA`.
    pub ua_brands: &'a str,
    /// `Sec-CH-UA-Mobile`.
    pub ua_mobile: &'a str,
    /// `Sec-CH-UA-Platform`.
    pub ua_platform: &'a str,
    /// `Sec-CH-UA-Model`.
    pub ua_model: &'a str,
    /// `Sec-CH-UA-Platform-Version`.
    pub ua_platform_version: &'a str,
    /// How long a redirect took to know its answer, ms.
    pub took_ms: u32,
}

impl<'a> Facts<'a> {
    /// Writes these facts into the event, each cut to its bound.
    pub fn fill(&self, event: &mut RawEvent<'a>) {
        let header = |text| Text::from(cut(text, HEADER_MAX_BYTES));
        let place = |text| Text::from(cut(text, PLACE_MAX_BYTES));
        event.received_at_ms = self.received_at_ms;
        event.hints = self.hints;
        event.visitor = self.visitor;
        event.asn = self.asn;
        event.user_agent = Text::from(cut(self.user_agent, USER_AGENT_MAX_BYTES));
        event.referrer = Text::from(cut(self.referrer, REFERRER_MAX_BYTES));
        event.language = header(self.language);
        event.ua_brands = header(self.ua_brands);
        event.ua_mobile = header(self.ua_mobile);
        event.ua_platform = header(self.ua_platform);
        event.ua_model = header(self.ua_model);
        event.ua_platform_version = header(self.ua_platform_version);
        event.took_ms = self.took_ms;
        event.ip = place(self.ip);
        event.country = place(self.country);
        event.region = place(self.region);
        event.city = place(self.city);
        event.continent = place(self.continent);
        event.time_zone = place(self.time_zone);
    }
}
