//! `enrich: RawEvent -> TrackedEvent`: everything that the facts of one event say.

use crate::agent::{self, AgentCache, Headers};
use crate::bots::{Bot, Witness};
use crate::referrer::{channel_of, channel_of_medium, host_of, leads_to};
use crate::utm::{ClickId, query_of, scan};
use crate::{Agent, Channel, Device, RawEvent, Source, Text, TimeSource, TrackedEvent, Utm, skew};

/// Version of the rules: of the lists in `data/` and of the code that reads them. It stands in every line of the archive, so
/// that what was worked out by older rules can be found and worked out again. A test tells when it has to be raised.
pub const RULES_VERSION: u32 = 5;

/// Works out what an event means. Total: every event has a meaning, if only that nothing is known.
pub fn enrich(raw: RawEvent<'_>) -> TrackedEvent<'_> {
    let agent = Agent::read(raw.headers());
    let witness = Witness::of(&raw.headers(), &agent);
    with_agent(raw, agent, witness)
}

/// [`enrich`] for one event of many: agents that were read before are not read again.
pub fn enrich_with<'a>(agents: &mut AgentCache, raw: RawEvent<'a>) -> TrackedEvent<'a> {
    let (agent, witness) = agents.hear(raw.headers());
    with_agent(raw, agent, witness)
}

impl RawEvent<'_> {
    /// What tells of the agent.
    pub(crate) fn headers(&self) -> Headers<'_> {
        Headers {
            user_agent: &self.user_agent,
            brands: &self.ua_brands,
            mobile: &self.ua_mobile,
            platform: &self.ua_platform,
            model: &self.ua_model,
            platform_version: &self.ua_platform_version,
        }
    }
}

fn with_agent<'a>(raw: RawEvent<'a>, mut agent: Agent<'static>, witness: Witness) -> TrackedEvent<'a> {
    let (effective_time_ms, time_source) = time_of(&raw);
    let bot = Bot::judge_by(&raw, || witness);
    if bot.is_program() {
        agent.device = Device::Bot;
    }
    let (utm, click_id) = tags_of(&raw);
    let referrer_host = raw.referrer.read(|url| host_of(url).into_owned().into(), host_of);
    let channel = channel(&raw, &utm, click_id, &referrer_host);
    TrackedEvent {
        effective_time_ms,
        time_source,
        agent,
        bot,
        utm,
        click_network: click_id.map_or("", |id| id.network),
        referrer_host,
        channel,
        language: raw.language.read(|accept| agent::language(accept).into_owned().into(), agent::language),
        cost_nanos: 0,
        cost_currency: Text::EMPTY,
        payout_nanos: 0,
        payout_currency: Text::EMPTY,
        raw,
    }
}

/// A redirect or a pixel that names no time of its own happened when it was seen.
fn time_of(raw: &RawEvent<'_>) -> (i64, TimeSource) {
    let timeless = matches!(raw.source, Source::Redirect | Source::Pixel)
        && raw.sent_at_ms.is_none()
        && raw.event_time_ms == raw.received_at_ms;
    if timeless {
        return (raw.received_at_ms, TimeSource::Received);
    }
    skew::effective_time(raw.event_time_ms, raw.sent_at_ms, raw.received_at_ms)
}

/// The page's tags, else those of the hit's own query: one set or the other, never a source of one with the
/// campaign of the other.
fn tags_of<'a>(raw: &RawEvent<'a>) -> (Utm<'a>, Option<ClickId>) {
    let (page, page_click) = tags_in(&raw.page_url, |url| scan(query_of(url)));
    if !page.is_empty() && page_click.is_some() {
        return (page, page_click);
    }
    let (own, own_click) = tags_in(&raw.query, scan);
    (if page.is_empty() { own } else { page }, page_click.or(own_click))
}

fn tags_in<'a>(
    text: &Text<'a>,
    scan: impl Fn(&str) -> (Utm<'_>, Option<ClickId>),
) -> (Utm<'a>, Option<ClickId>) {
    let owned = |text: &str| {
        let (utm, click_id) = scan(text);
        (utm.into_owned(), click_id)
    };
    text.read(owned, &scan)
}

/// What somebody wrote into the link outweighs where the browser came from: first the proof that it was paid
/// for, then the medium, then a network's mark, then the source; the referrer is what remains.
///
/// AI assistants tag their links with nothing but `utm_source=chatgpt.com`.
fn channel(raw: &RawEvent<'_>, utm: &Utm<'_>, click_id: Option<ClickId>, referrer_host: &str) -> Channel {
    let marked = click_id.map(|id| id.channel);
    let medium = if utm.medium.is_empty() { raw.medium.as_str() } else { &utm.medium };
    marked
        .filter(|channel| *channel == Channel::Ad)
        .or_else(|| channel_of_medium(medium))
        .or(marked)
        .or_else(|| channel_of(&utm.source))
        .unwrap_or_else(|| {
            if referrer_host.is_empty() {
                Channel::Direct
            } else if leads_to(referrer_host, &raw.page_url) {
                Channel::Internal
            } else {
                channel_of(referrer_host).unwrap_or(Channel::Referral)
            }
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{EventId, Hints, Kind, Verdict};

    const NOW: i64 = 1_763_800_000_000;

    fn page() -> RawEvent<'static> {
        RawEvent::new(EventId::from_bytes([1; 16]), Kind::Page, Source::Beacon, NOW)
    }

    #[test]
    fn golden_a_click_in_an_instagram_ad() {
        let click = RawEvent {
            query: "utm_source=IG&utm_medium=paid_social&utm_campaign=Fr%C3%BChling&fbclid=x".into(),
            referrer: "https://l.instagram.com/".into(),
            language: "de-DE,de;q=0.9".into(),
            user_agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 330.0.3 (iPhone15,2; iOS 17_4)".into(),
            ..RawEvent::new(EventId::from_bytes([1; 16]), Kind::Click, Source::Redirect, NOW)
        };
        let tracked = enrich(click.clone());
        assert_eq!((tracked.effective_time_ms, tracked.time_source), (NOW, TimeSource::Received));
        assert_eq!(
            (tracked.agent.device, tracked.agent.browser, tracked.agent.os),
            (Device::Smartphone, "Instagram", "iOS")
        );
        assert_eq!((&*tracked.utm.source, &*tracked.utm.campaign), ("ig", "Frühling"));
        assert_eq!((tracked.click_network, tracked.channel), ("meta", Channel::Ad));
        assert_eq!((&*tracked.referrer_host, &*tracked.language), ("l.instagram.com", "de-de"));
        assert_eq!((tracked.bot.verdict, tracked.bot.reasons.is_empty()), (Verdict::Human, true));
        assert_eq!(tracked.raw, click);
    }

    #[test]
    fn golden_a_crawler_is_a_bot_device_and_a_head_from_a_phone_is_a_phone() {
        let phone = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36";
        let head = enrich(RawEvent { user_agent: phone.into(), hints: Hints::HEAD, ..page() });
        assert_eq!((head.bot.verdict, head.agent.device), (Verdict::Bot, Device::Smartphone));
        let robot = format!("{phone} (compatible; Googlebot/2.1; +http://www.google.com/bot.html)");
        let crawled = enrich(RawEvent { user_agent: robot.into(), ..page() });
        assert_eq!((crawled.bot.verdict, crawled.agent.device), (Verdict::Bot, Device::Bot));
    }

    #[test]
    fn golden_a_click_on_a_windows_11_and_one_on_a_phone_that_said_its_model() {
        let desktop = RawEvent {
            user_agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36".into(),
            ua_brands: r#""Chromium";v="142", "Google Chrome";v="142", "Not_A Brand";v="99""#.into(),
            ua_mobile: "?0".into(),
            ua_platform: "\"Windows\"".into(),
            ua_model: "\"\"".into(),
            ua_platform_version: "\"15.0.0\"".into(),
            ..RawEvent::new(EventId::from_bytes([1; 16]), Kind::Click, Source::Redirect, NOW)
        };
        let phone = RawEvent {
            user_agent: "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36".into(),
            ua_mobile: "?1".into(),
            ua_platform: "\"Android\"".into(),
            ua_model: "\"Pixel 9\"".into(),
            ua_platform_version: "\"16.0.0\"".into(),
            ..desktop.clone()
        };
        let told = |raw: RawEvent<'static>| {
            let tracked = enrich(raw);
            let agent = tracked.agent;
            assert_eq!((tracked.bot.verdict, agent.browser), (Verdict::Human, "Chrome"));
            format!(
                "{} {} {} {} {}",
                agent.device.name(),
                agent.os,
                agent.os_version,
                agent.brand,
                tracked.model()
            )
        };
        assert_eq!(told(desktop), "desktop Windows 11  ");
        assert_eq!(told(phone), "smartphone Android 16 Google Pixel 9");
    }

    #[test]
    fn golden_a_beacon_from_a_clock_an_hour_ahead() {
        let event = RawEvent { event_time_ms: NOW + 3_598_000, sent_at_ms: Some(NOW + 3_600_000), ..page() };
        let tracked = enrich(event);
        assert_eq!((tracked.effective_time_ms, tracked.time_source), (NOW - 2_000, TimeSource::Corrected));
    }

    #[test]
    fn the_channel_follows_the_strongest_sign() {
        for (channel, referrer, page_url) in [
            (Channel::Direct, "", "https://shop.example/"),
            (Channel::Internal, "https://www.shop.example/a", "https://shop.example/b"),
            (Channel::Referral, "https://blog.example/", "https://shop.example/"),
            (Channel::Search, "https://www.google.de/", "https://shop.example/"),
            (Channel::Ad, "https://www.google.de/", "https://shop.example/?gclid=x"),
            (Channel::Ad, "https://www.facebook.com/", "https://shop.example/?fbclid=x&utm_medium=cpc"),
            (Channel::Social, "", "https://shop.example/?fbclid=x"),
            (Channel::Email, "https://www.google.de/", "https://shop.example/?utm_medium=email"),
            (Channel::Ai, "", "https://shop.example/?utm_source=chatgpt.com"),
            (Channel::Email, "android-app://com.google.android.gm/", "https://shop.example/"),
            (Channel::Referral, "https://partner.example/", "https://shop.example/?utm_source=partner"),
        ] {
            let event = RawEvent { referrer: referrer.into(), page_url: page_url.into(), ..page() };
            assert_eq!(enrich(event).channel, channel, "{referrer} -> {page_url}");
        }
    }

    #[test]
    fn tags_of_the_page_and_of_the_query_are_not_mixed() {
        let event = RawEvent {
            page_url: "https://shop.example/?utm_source=a".into(),
            query: "utm_source=b&utm_campaign=c&gclid=d".into(),
            ..page()
        };
        let tracked = enrich(event);
        assert_eq!((&*tracked.utm.source, &*tracked.utm.campaign), ("a", ""));
        assert_eq!(tracked.click_network, "google");
    }

    proptest! {
        #[test]
        fn every_event_has_a_meaning(
            texts in proptest::array::uniform10(".{0,60}"),
            hints in any::<u8>(),
            times in (any::<i64>(), any::<i64>(), any::<Option<i64>>()),
            medium in ".{0,12}",
        ) {
            let [page_url, query, referrer, user_agent, language, ua_brands, ua_mobile, ua_platform, ua_model, ua_platform_version] =
                texts.map(Into::into);
            let event = RawEvent {
                page_url, query, referrer, user_agent, language, ua_brands, ua_mobile, ua_platform,
                ua_model, ua_platform_version, hints: Hints::from_bits(hints), took_ms: hints.into(),
                medium: medium.into(),
                event_time_ms: times.0,
                received_at_ms: times.1,
                sent_at_ms: times.2,
                ..page()
            };
            let tracked = enrich(event.clone());
            prop_assert_eq!(&tracked.raw, &event);
            let mut agents = AgentCache::default();
            prop_assert_eq!(&enrich_with(&mut agents, event.clone()), &tracked);
            prop_assert_eq!(&enrich_with(&mut agents, event), &tracked, "from the cache");
        }
    }
}
