//! How fast one core decodes, enriches and adds up. Prints `{"events_per_second", "ns_per_event", ...}`.
//!
//! `cargo bench -p analytics --bench pipeline` takes a few seconds. `... -- --passes 1` goes once through the events,
//! for callgrind, whose instruction count does not vary.

use analytics::archive::Lines;
use analytics::rollup::Rollup;
use analytics::{AgentCache, EventId, Kind, RawEvent, Source, enrich_with};

/// What a busy consumer takes at once: a hundred messages of a hundred events.
const EVENTS: usize = 10_000;
const CAMPAIGNS: usize = 20;
const LINKS: usize = 200;
const SECONDS: f64 = 3.0;
/// 2026-09-21T14:13:20Z
const NOW_MS: i64 = 1_790_000_000_000;

const SYSTEMS: [&str; 8] = [
    "Windows NT 10.0; Win64; x64",
    "Macintosh; Intel Mac OS X 10_15_7",
    "X11; Linux x86_64",
    "Linux; Android 10; K",
    "Linux; Android 14; SM-S921B",
    "Linux; Android 13; Pixel 7",
    "X11; CrOS x86_64 14541.0.0",
    "Windows NT 6.1; WOW64",
];
const OTHER_AGENTS: [&str; 8] = [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (iPad; CPU OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 380.0.0.28.109 (iPhone14,5)",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "curl/8.5.0",
];
const REFERRERS: [&str; 8] = [
    "",
    "",
    "https://www.google.com/",
    "https://t.co/",
    "https://m.facebook.com/",
    "https://mail.google.com/",
    "https://news.ycombinator.com/item?id=1",
    "https://blog.example/post/7?page=2",
];
const QUERIES: [&str; 5] = [
    "",
    "",
    "utm_source=newsletter&utm_medium=email&utm_campaign=spring&utm_content=top",
    "utm_source=google&utm_medium=cpc&gclid=Cj0KCQ",
    "utm_source=x&utm_medium=social",
];
const PLACES: [[&str; 4]; 6] = [
    ["US", "NA", "TX", "Austin"],
    ["US", "NA", "CA", "San Jose"],
    ["DE", "EU", "BE", "Berlin"],
    ["GB", "EU", "ENG", "London"],
    ["IN", "AS", "KA", "Bengaluru"],
    ["BR", "SA", "SP", "São Paulo"],
];

/// xorshift64*: the same events every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.roll() >> 33) as usize % bound
    }

    /// Zipf's law with exponent 1, by the inverse of its integral.
    fn zipf(&mut self, bound: usize) -> usize {
        let share = (self.roll() >> 11) as f64 / (1u64 << 53) as f64;
        ((bound as f64).powf(share) as usize).clamp(1, bound) - 1
    }

    fn one<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> Option<&'a T> {
        list.get(self.below(list.len())).copied()
    }
}

/// Encoded events, as they lie in messages: 70 % clicks on links, 20 % pixels, 10 % pages, over a minute.
fn events() -> Vec<(EventId, Vec<u8>)> {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let chrome = |os: &str, version: usize| {
        let mobile = if os.contains("Android") { "Mobile " } else { "" };
        format!(
            "Mozilla/5.0 ({os}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 {mobile}Safari/537.36"
        )
    };
    let mut agents: Vec<String> =
        SYSTEMS.iter().flat_map(|os| (138..=143).map(move |version| chrome(os, version))).collect();
    agents.extend(OTHER_AGENTS.map(str::to_owned));
    let agents: Vec<&str> = agents.iter().map(String::as_str).collect();
    (0..EVENTS)
        .map(|place| {
            let link = dice.zipf(LINKS);
            let (token, campaign) = (format!("bench{link}"), format!("campaign-{}", link % CAMPAIGNS));
            let page = format!("https://shop.example/p/{}", dice.below(50));
            let (kind, source) = match dice.below(10) {
                0..7 => (Kind::Click, Source::Redirect),
                7..9 => (Kind::Impression, Source::Pixel),
                _ => (Kind::Page, Source::Beacon),
            };
            let id = EventId::from_bytes((place as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
            let mut event = RawEvent::new(id, kind, source, NOW_MS + (place as i64 * 60_000) / EVENTS as i64);
            event.link = token.as_str().into();
            event.campaign_id = campaign.as_str().into();
            event.user_agent = dice.one(&agents).unwrap_or_default().into();
            event.referrer = dice.one(&REFERRERS).unwrap_or_default().into();
            event.query = dice.one(&QUERIES).unwrap_or_default().into();
            event.language = "en-US,en;q=0.9".into();
            event.visitor = dice.roll();
            event.asn = 64_496;
            event.ip = "192.0.2.0".into();
            if kind != Kind::Click {
                event.page_url = page.as_str().into();
            }
            if let Some([country, continent, region, city]) = PLACES.get(dice.below(PLACES.len())).copied() {
                event.country = country.into();
                event.continent = continent.into();
                event.region = region.into();
                event.city = city.into();
            }
            let mut body = Vec::new();
            event.encode(&mut body);
            (id, body)
        })
        .collect()
}

/// What a consumer does with a batch. Returns how many events could be read, and how many sums came of them.
fn pass(events: &[(EventId, Vec<u8>)]) -> (usize, usize) {
    let (mut rollup, mut agents) = (Rollup::default(), AgentCache::default());
    let mut read = 0;
    for (id, body) in events {
        if let Ok(raw) = RawEvent::decode(*id, body) {
            rollup.add(&enrich_with(&mut agents, raw));
            read += 1;
        }
    }
    (read, rollup.finish().sheets.len())
}

/// What their lines for the archive cost on top: ns an event, and bytes.
#[expect(clippy::disallowed_methods, reason = "a stopwatch")]
fn lines(events: &[(EventId, Vec<u8>)]) -> (f64, usize) {
    let mut agents = AgentCache::default();
    let tracked: Vec<_> = events
        .iter()
        .filter_map(|(id, body)| Some(enrich_with(&mut agents, RawEvent::decode(*id, body).ok()?)))
        .collect();
    let (mut fastest, mut bytes) = (f64::MAX, 0);
    for _ in 0..30 {
        let start = std::time::Instant::now();
        let mut lines = Lines::default();
        for event in &tracked {
            lines.add(event);
        }
        let chunks = std::hint::black_box(lines.into_chunks());
        fastest = fastest.min(start.elapsed().as_secs_f64());
        bytes = chunks.iter().map(|chunk| chunk.text.len()).sum();
    }
    (fastest * 1e9 / EVENTS as f64, bytes / EVENTS)
}

#[expect(clippy::disallowed_methods, reason = "a stopwatch")]
fn main() {
    let events = events();
    let mut arguments = std::env::args().skip_while(|argument| argument != "--passes").skip(1);
    if let Some(passes) = arguments.next().and_then(|passes| passes.parse::<usize>().ok()) {
        for _ in 0..passes {
            std::hint::black_box(pass(std::hint::black_box(&events)));
        }
        return;
    }
    let bytes: usize = events.iter().map(|(_, body)| body.len()).sum();
    let (_, sheets) = pass(&events);
    // The fastest pass: whatever else runs on the machine only ever adds.
    let (began, mut fastest, mut passes) = (std::time::Instant::now(), f64::MAX, 0);
    while began.elapsed().as_secs_f64() < SECONDS {
        let start = std::time::Instant::now();
        std::hint::black_box(pass(std::hint::black_box(&events)));
        fastest = fastest.min(start.elapsed().as_secs_f64());
        passes += 1;
    }
    let (per_second, ns) = (EVENTS as f64 / fastest, fastest * 1e9 / EVENTS as f64);
    let (line_ns, line_bytes) = lines(&events);
    println!(
        r#"{{"events_per_second":{per_second:.0},"ns_per_event":{ns:.1},"events":{EVENTS},"bytes_per_event":{},"sheets":{sheets},"passes":{passes},"line_ns":{line_ns:.1},"line_bytes":{line_bytes}}}"#,
        bytes / EVENTS
    );
}
