//! What an event tells, facet by facet: of each sort, in its order.

use super::Rollup;
use super::facets::{Facet, Places, Sort, Told};
use crate::{RawEvent, Source, TimeSource, TrackedEvent, latency, skew};

impl Rollup {
    /// With what the visitor came.
    pub(super) fn visitor(&mut self, slot: usize, event: &TrackedEvent<'_>) -> Facet {
        let agent = &event.agent;
        let places = Places::default().with(0, agent.device as u8).with(1, event.bot.verdict as u8);
        let places = places.because(event.bot.reasons.bits());
        let texts = [agent.browser, agent.os, agent.brand, event.model(), &event.language];
        self.facets.number(Told { sort: Sort::Visitor, slot, places, texts: &texts }, &mut self.names)
    }

    /// From where.
    pub(super) fn place(&mut self, slot: usize, raw: &RawEvent<'_>) -> Facet {
        let texts = [&*raw.country, &raw.region, &raw.city, &raw.continent, &raw.time_zone];
        let told = Told { sort: Sort::Place, slot, places: Places::default(), texts: &texts };
        self.facets.number(told, &mut self.names)
    }

    /// By what.
    pub(super) fn way(&mut self, slot: usize, event: &TrackedEvent<'_>) -> Facet {
        let utm = &event.utm;
        let texts = [
            &*event.referrer_host,
            &event.raw.medium,
            &utm.source,
            &utm.medium,
            &utm.campaign,
            &utm.term,
            &utm.content,
            event.click_network,
        ];
        let places = Places::default().with(0, event.channel as u8);
        self.facets.number(Told { sort: Sort::Way, slot, places, texts: &texts }, &mut self.names)
    }

    /// What the hit says beside that.
    pub(super) fn hit(&mut self, slot: usize, event: &TrackedEvent<'_>) -> Facet {
        let raw = &event.raw;
        let mut places = Places::default().with(0, raw.source as u8);
        if raw.source == Source::Redirect {
            places = places.with(1, raw.trigger as u8);
        }
        if event.time_source != TimeSource::Received {
            places = places.with(2, event.time_source as u8);
        }
        let [sub1, sub2, sub3, sub4, sub5] = raw.sub.each_ref().map(|sub| &**sub);
        let texts = [
            &*raw.publisher_id,
            &raw.ad_id,
            &raw.name,
            &raw.currency,
            &raw.element_id,
            &raw.variant,
            latency::bucket(raw.took_ms),
            skew::skew_ms(raw.sent_at_ms, raw.received_at_ms).map_or("", skew::bucket),
            sub1,
            sub2,
            sub3,
            sub4,
            sub5,
        ];
        self.facets.number(Told { sort: Sort::Hit, slot, places, texts: &texts }, &mut self.names)
    }
}
