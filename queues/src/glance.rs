//! A glance at events on their way: what the live view shows of them, long before they are in the sums.

use std::collections::BTreeMap;

use analytics::{AgentCache, Kind, RawEvent, TrackedEvent, Verdict, wire};
use serde::{Deserialize, Serialize};

use crate::frame::{Frame, frames};

/// A glance tells this many events one by one, and counts the others. More do not fit on a screen, and nobody reads them
/// as fast as they come.
pub const SEEN_MAX: usize = 40;

/// What happened, in numbers that can be added, and the newest events themselves.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Glance {
    /// People's clicks.
    pub clicks: u64,
    /// Clicks of machines.
    pub bots: u64,
    /// Copies that were turned away.
    pub duplicates: u64,
    /// People's impressions and page views.
    pub views: u64,
    /// People's conversions.
    pub conversions: u64,
    /// People's clicks and those of machines, by minute of the epoch.
    pub minutes: BTreeMap<i64, (u64, u64)>,
    /// From when on the numbers are whole, epoch ms; a busy gate looks back less far.
    pub since: i64,
    /// People's events by country.
    pub countries: BTreeMap<String, u64>,
    /// The newest, newest first.
    pub events: Vec<Seen>,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// When the edge saw it, epoch ms.
    pub at: i64,
    /// To tell it from others.
    pub id: String,
    /// What happened.
    pub kind: String,
    /// Its name, or why it failed.
    pub name: String,
    /// human, suspect or bot.
    pub verdict: String,
    /// Why it is a bot.
    pub reasons: Vec<String>,
    /// Token of the link.
    pub link: String,
    /// Campaign.
    pub campaign_id: String,
    /// Country.
    pub country: String,
    /// City.
    pub city: String,
    /// Class of the device.
    pub device: String,
    /// Family of the browser.
    pub browser: String,
    /// Family of the system.
    pub os: String,
    /// How the visitor found the way.
    pub channel: String,
    /// The referrer's host.
    pub referrer: String,
    /// What it is worth, in millionths of the currency's unit.
    pub value_micros: Option<i64>,
    /// ISO 4217.
    pub currency: String,
}

impl Glance {
    /// A glance at the events of some frames, oldest first, from `since_ms` on. What cannot be read is passed over: the
    /// consumer buries it, and says so.
    pub fn at(bytes: &[u8], since_ms: i64, agents: &mut AgentCache) -> Self {
        let mut glance = Self { since: since_ms, ..Self::default() };
        for frame in frames(bytes) {
            match frame {
                Ok(Frame::Duplicates(copies)) if copies.at_ms >= since_ms => {
                    glance.duplicates += copies.times;
                }
                Ok(Frame::Event { id, body }) => {
                    let Ok(raw) = RawEvent::decode(id, body) else { continue };
                    if raw.received_at_ms >= since_ms {
                        glance.add(&analytics::enrich_with(agents, raw));
                    }
                }
                Ok(Frame::Duplicates(_) | Frame::Outcome(_)) | Err(_) => {}
            }
        }
        glance.bound();
        glance
    }

    fn add(&mut self, event: &TrackedEvent<'_>) {
        let person = event.bot.verdict != Verdict::Bot;
        match (event.raw.kind, person) {
            (Kind::Click, _) => {
                let (people, machines) = self.minutes.entry(event.raw.received_at_ms / 60_000).or_default();
                let (minute, all) =
                    if person { (people, &mut self.clicks) } else { (machines, &mut self.bots) };
                *minute += 1;
                *all += 1;
            }
            (Kind::Impression | Kind::Page, true) => self.views += 1,
            (Kind::Conversion, true) => self.conversions += 1,
            _ => {}
        }
        if person && !event.raw.country.is_empty() {
            *self.countries.entry(event.raw.country.to_string()).or_default() += 1;
        }
        self.events.push(Seen::of(event));
    }

    /// Adds another glance.
    pub fn merge(&mut self, other: Self) {
        self.clicks += other.clicks;
        self.bots += other.bots;
        self.duplicates += other.duplicates;
        self.views += other.views;
        self.conversions += other.conversions;
        self.since = self.since.max(other.since);
        for (minute, (people, machines)) in other.minutes {
            let sum = self.minutes.entry(minute).or_default();
            *sum = (sum.0 + people, sum.1 + machines);
        }
        for (country, times) in other.countries {
            *self.countries.entry(country).or_default() += times;
        }
        self.events.extend(other.events);
        self.bound();
    }

    /// As it crosses from gate to hub. Both are of one deploy: what cannot be read is shown to nobody, and counted all the
    /// same.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        wire::write(self, &mut bytes);
        bytes
    }

    /// What [`Glance::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        postcard::from_bytes(bytes).ok()
    }

    /// Newest first, and no more than can be shown.
    fn bound(&mut self) {
        self.events.sort_by_key(|seen| std::cmp::Reverse(seen.at));
        self.events.truncate(SEEN_MAX);
    }
}

impl Seen {
    fn of(event: &TrackedEvent<'_>) -> Self {
        let raw = &event.raw;
        Self {
            at: raw.received_at_ms,
            id: raw.id.to_string(),
            kind: raw.kind.name().to_owned(),
            name: raw.name.to_string(),
            verdict: event.bot.verdict.name().to_owned(),
            reasons: event.bot.reasons.iter().map(str::to_owned).collect(),
            link: raw.link.to_string(),
            campaign_id: raw.campaign_id.to_string(),
            country: raw.country.to_string(),
            city: raw.city.to_string(),
            device: event.agent.device.name().to_owned(),
            browser: event.agent.browser.to_owned(),
            os: event.agent.os.to_owned(),
            channel: event.channel.name().to_owned(),
            referrer: event.referrer_host.to_string(),
            value_micros: raw.value_micros,
            currency: raw.currency.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use analytics::{EventId, Source};

    use super::*;
    use crate::frame::Duplicates;

    const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36";

    fn event(id: u8, at_ms: i64, kind: Kind, user_agent: &'static str) -> RawEvent<'static> {
        RawEvent {
            link: "demo".into(),
            country: "DE".into(),
            user_agent: user_agent.into(),
            language: "de".into(),
            ..RawEvent::new(EventId::from_bytes([id; 16]), kind, Source::Redirect, at_ms)
        }
    }

    fn glance(events: &[RawEvent<'_>], since_ms: i64) -> Glance {
        let mut bytes = Vec::new();
        for event in events {
            Frame::write_event(event, &mut bytes);
        }
        Glance::at(&bytes, since_ms, &mut AgentCache::default())
    }

    #[test]
    fn a_glance_counts_people_and_machines_apart() {
        let glance = glance(
            &[
                event(1, 10, Kind::Click, CHROME),
                event(2, 20, Kind::Click, "curl/8.5.0"),
                event(3, 30, Kind::Conversion, CHROME),
                event(4, 5, Kind::Click, CHROME),
            ],
            10,
        );
        assert_eq!((glance.clicks, glance.bots, glance.conversions, glance.views), (1, 1, 1, 0));
        assert_eq!(glance.countries, BTreeMap::from([("DE".to_owned(), 2)]));
        let at: Vec<_> = glance.events.iter().map(|seen| seen.at).collect();
        assert_eq!(at, [30, 20, 10], "newest first, and nothing from before");
        assert_eq!((&*glance.events[2].browser, &*glance.events[1].verdict), ("Chrome", "bot"));
    }

    #[test]
    fn copies_are_counted_and_what_cannot_be_read_is_passed_over() {
        let mut bytes = vec![9, 1, 0, 0, 0, 7];
        let copies = Duplicates { link: "demo", campaign_id: "", kind: Kind::Click, times: 3, at_ms: 9 };
        Frame::Duplicates(copies).write(&mut bytes);
        Frame::Event { id: EventId::from_bytes([1; 16]), body: b"?" }.write(&mut bytes);
        let glance = Glance::at(&bytes, 0, &mut AgentCache::default());
        assert_eq!(glance, Glance { duplicates: 3, ..Glance::default() });
        let later = Glance::at(&bytes, 10, &mut AgentCache::default());
        assert_eq!(later, Glance { since: 10, ..Glance::default() });
    }

    #[test]
    fn glances_add_up_and_keep_the_newest() {
        let many: Vec<_> = (0..30).map(|at| event(at, i64::from(at), Kind::Click, CHROME)).collect();
        let later: Vec<_> = (100..130).map(|at| event(at, i64::from(at), Kind::Click, CHROME)).collect();
        let mut sum = glance(&many, 0);
        sum.merge(glance(&later, 50));
        assert_eq!((sum.since, sum.minutes[&0]), (50, (60, 0)));
        assert_eq!((sum.clicks, sum.countries["DE"], sum.events.len()), (60, 60, SEEN_MAX));
        assert_eq!((sum.events[0].at, sum.events[SEEN_MAX - 1].at), (129, 20));
        assert_eq!(Glance::decode(&sum.encode()), Some(sum), "as it crosses from gate to hub");
        assert_eq!(Glance::decode(b"?"), None);
    }
}
