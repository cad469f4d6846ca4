//! What an event tells, facet by facet.

use super::Rollup;
use super::facets::{Facet, Sort};
use crate::{Dimension, RawEvent, Source, TimeSource, TrackedEvent, latency, skew};

impl Rollup {
    /// With what the visitor came.
    pub(super) fn visitor(&mut self, slot: usize, event: &TrackedEvent<'_>) -> Facet {
        let facet = self.facets.of(Sort::Visitor, slot);
        facet
            .with_place(Dimension::Device, event.agent.device as u8)
            .with_place(Dimension::Verdict, event.bot.verdict as u8)
            .with(Dimension::Browser, event.agent.browser)
            .with(Dimension::Os, event.agent.os)
            .with(Dimension::Brand, event.agent.brand)
            .with(Dimension::Model, event.model())
            .with(Dimension::Language, &event.language);
        if !event.bot.reasons.is_empty() {
            for reason in event.bot.reasons.iter() {
                facet.with(Dimension::BotReason, reason);
            }
        }
        facet.number(&mut self.names)
    }

    /// From where.
    pub(super) fn place(&mut self, slot: usize, raw: &RawEvent<'_>) -> Facet {
        let facet = self.facets.of(Sort::Place, slot);
        facet
            .with(Dimension::Country, &raw.country)
            .with(Dimension::Region, &raw.region)
            .with(Dimension::City, &raw.city)
            .with(Dimension::Continent, &raw.continent)
            .with(Dimension::TimeZone, &raw.time_zone);
        facet.number(&mut self.names)
    }

    /// By what.
    pub(super) fn way(&mut self, slot: usize, event: &TrackedEvent<'_>) -> Facet {
        let facet = self.facets.of(Sort::Way, slot);
        facet
            .with_place(Dimension::Channel, event.channel as u8)
            .with(Dimension::Referrer, &event.referrer_host)
            .with(Dimension::Medium, &event.raw.medium)
            .with(Dimension::UtmSource, &event.utm.source)
            .with(Dimension::UtmMedium, &event.utm.medium)
            .with(Dimension::UtmCampaign, &event.utm.campaign)
            .with(Dimension::UtmTerm, &event.utm.term)
            .with(Dimension::UtmContent, &event.utm.content)
            .with(Dimension::ClickNetwork, event.click_network);
        facet.number(&mut self.names)
    }

    /// What the hit says beside that.
    pub(super) fn hit(&mut self, slot: usize, event: &TrackedEvent<'_>) -> Facet {
        let raw = &event.raw;
        let facet = self.facets.of(Sort::Hit, slot);
        facet
            .with_place(Dimension::Source, raw.source as u8)
            .with(Dimension::Publisher, &raw.publisher_id)
            .with(Dimension::Ad, &raw.ad_id)
            .with(Dimension::Name, &raw.name)
            .with(Dimension::Currency, &raw.currency)
            .with(Dimension::Element, &raw.element_id)
            .with(Dimension::Variant, &raw.variant)
            .with(Dimension::Latency, latency::bucket(raw.took_ms));
        let subs = [Dimension::Sub1, Dimension::Sub2, Dimension::Sub3, Dimension::Sub4, Dimension::Sub5];
        for (dimension, value) in subs.into_iter().zip(&raw.sub) {
            facet.with(dimension, value);
        }
        if raw.source == Source::Redirect {
            facet.with_place(Dimension::Trigger, raw.trigger as u8);
        }
        if event.time_source != TimeSource::Received {
            facet.with_place(Dimension::TimeSource, event.time_source as u8);
        }
        if let Some(skew_ms) = skew::skew_ms(raw.sent_at_ms, raw.received_at_ms) {
            facet.with(Dimension::Skew, skew::bucket(skew_ms));
        }
        facet.number(&mut self.names)
    }
}
