//! A small world for the tests of sums and reports: two campaigns, three links, people, a crawler, and copies.

use proptest::prelude::*;

use crate::counters::Hit;
use crate::rollup::Rollup;
use crate::{EventId, Kind, RawEvent, Source, StatsAggregate, Trigger, enrich};

/// 2026-09-21T14:13:20Z, a Monday.
pub(crate) const NOW: i64 = 1_790_000_000_000;
pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const HOUR: i64 = 60 * MINUTE;

pub(crate) const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1";
pub(crate) const DESKTOP: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
pub(crate) const CRAWLER: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

/// Something that happened on a link of a campaign.
pub(crate) fn event(kind: Kind, at_ms: i64, campaign: &str, link: &str) -> RawEvent<'static> {
    RawEvent {
        campaign_id: campaign.to_owned().into(),
        link: link.to_owned().into(),
        language: "en".into(),
        ..RawEvent::new(EventId::from_bytes([1; 16]), kind, Source::Redirect, at_ms)
    }
}

/// What a gate turned away.
#[derive(Debug, Clone)]
pub(crate) struct Copies {
    pub(crate) at_ms: i64,
    pub(crate) campaign: &'static str,
    pub(crate) link: &'static str,
    pub(crate) kind: Kind,
    pub(crate) times: u64,
}

/// What a batch is made of.
#[derive(Debug, Clone)]
pub(crate) enum Happening {
    Event(Box<RawEvent<'static>>),
    Copies(Copies),
}

/// The two functions that the whole system is.
pub(crate) fn sums(happenings: &[Happening]) -> StatsAggregate {
    let mut rollup = Rollup::default();
    for happening in happenings {
        match happening {
            Happening::Event(raw) => rollup.add(&enrich((**raw).clone())),
            Happening::Copies(c) => rollup.add_duplicates(c.at_ms, c.campaign, c.link, c.kind, c.times),
        }
    }
    rollup.finish()
}

/// The same happenings, counted one by one and by nothing that is under test.
pub(crate) fn count(
    happenings: &[Happening],
    wanted: impl Fn(&Happening) -> bool,
    kind: Kind,
    hit: Hit,
) -> u64 {
    let times = |happening: &Happening| match happening {
        Happening::Event(raw) => {
            let bot = enrich((**raw).clone()).bot.verdict == crate::Verdict::Bot;
            u64::from(raw.kind == kind && (hit == Hit::Bot) == bot && hit != Hit::Duplicate)
        }
        Happening::Copies(copies) => {
            if hit == Hit::Duplicate && copies.kind == kind {
                copies.times
            } else {
                0
            }
        }
    };
    happenings.iter().filter(|happening| wanted(happening)).map(times).sum()
}

const CAMPAIGNS: [&str; 3] = ["", "spring", "autumn"];
const LINKS: [&str; 4] = ["", "a", "b", "-c,d"];

/// Anything that can happen within three days before [`NOW`], with the edges of minutes, hours and days likely.
pub(crate) fn happening() -> impl Strategy<Value = Happening> {
    let at = prop_oneof![
        (0..3 * 24 * HOUR).prop_map(|back| NOW - back),
        (0..72i64, -1..=1i64).prop_map(|(hours, ms)| NOW - NOW % HOUR - hours * HOUR + ms),
        (0..180i64).prop_map(|seconds| NOW - seconds * 1_000),
    ];
    let of = |values: &'static [&'static str]| prop::sample::select(values);
    let kind = prop::sample::select(&Kind::ALL[..]);
    let who =
        (of(&["", "US", "IN", "DE"]), of(&[PHONE, DESKTOP, CRAWLER, ""]), 0..20u64, of(&["", "u1", "u2"]));
    let how = (
        of(&["", "https://www.google.com/", "https://blog.example/x"]),
        of(&["", "utm_source=News&utm_medium=email"]),
        of(&["", "p1", "p2"]),
        (of(&["", "A", "B"]), prop::sample::select(&Trigger::ALL[..])),
    );
    let worth = (of(&["", "EUR", "USD"]), prop::option::of(0..5_000_000i64));
    (0..10u8, at, kind, of(&CAMPAIGNS), of(&LINKS), who, how, worth).prop_map(
        |(
            copies,
            at_ms,
            kind,
            campaign,
            link,
            (country, agent, visitor, user),
            (referrer, query, publisher, (variant, trigger)),
            (currency, value),
        )| {
            if copies == 0 {
                return Happening::Copies(Copies { at_ms, campaign, link, kind, times: 1 + visitor });
            }
            let mut raw = event(kind, at_ms, campaign, link);
            (raw.country, raw.user_agent, raw.user_id) = (country.into(), agent.into(), user.into());
            (raw.referrer, raw.query, raw.publisher_id) = (referrer.into(), query.into(), publisher.into());
            (raw.visitor, raw.currency, raw.value_micros) = (visitor, currency.into(), value);
            (raw.variant, raw.trigger) = (variant.into(), trigger);
            Happening::Event(Box::new(raw))
        },
    )
}

/// A batch of them.
pub(crate) fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    prop::collection::vec(happening(), 0..60)
}
