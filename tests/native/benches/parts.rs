//! What each part of an event's way takes, natively: `--part rollup --events 1000 --campaigns 10`.
//!
//! With `--passes 2` less `--passes 1` callgrind counts the instructions of one pass, which do not vary from run to run:
//! `make bench-check` holds them against `bench/instructions.json`. Without `--passes` it prints nanoseconds an event.

use std::collections::HashSet;
use std::ops::Range;

use analytics::archive::Lines;
use analytics::campaign::Campaigns;
use analytics::capture::{Facts, LinkFacts, Rules, batch, redirect};
use analytics::privacy::{Asked, Policy, Signals};
use analytics::rollup::Rollup;
use analytics::uniques::Uniques;
use analytics::{
    AgentCache, Conduct, EventId, Kind, Param, RawEvent, Statement, Text, TrackedEvent, enrich_with,
};
use durable_objects::journal::{Database, Failed, Journal};
use durable_objects::{Gate, GateName, JournalName, Region, Settings};
use queues::plan::Plan;
use queues::{Bonds, Handed, Handover, Head, Message, frames};

/// 2026-09-21T14:13:20Z
const NOW_MS: i64 = 1_790_000_000_000;
/// Events of one commit of a busy gate.
const GROUP: usize = 12;
/// Events of a message.
const MESSAGE: usize = 200;
/// Footprints of a call of a journal, and events of a client's batch.
const CALL: usize = 100;
/// How often who comes back does.
const VISITS: usize = 10;
/// How many pages a long session has.
const PAGES: usize = 50;

const AGENTS: [&str; 4] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
];
const PLACES: [[&str; 3]; 4] =
    [["US", "NA", "Austin"], ["DE", "EU", "Berlin"], ["IN", "AS", "Bengaluru"], ["BR", "SA", "Salvador"]];
const QUERY: &str = "utm_source=newsletter&utm_medium=email&utm_campaign=spring&sid=s1";

/// Knuth's multiplier: places that follow one another become hashes that do not.
fn hash(place: usize) -> u64 {
    (place as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23).wrapping_mul(0xd6e8_feb8_6659_fd93)
}

fn pick<T: Copy, const N: usize>(list: [T; N], at: u64) -> Option<T> {
    list.get((at >> 40) as usize % N).copied()
}

fn names(campaigns: usize) -> Vec<(String, String)> {
    (0..campaigns.max(1)).map(|of| (format!("link{of}"), format!("campaign-{of}"))).collect()
}

/// The click at a place of the stream.
fn capture(place: usize, names: &[(String, String)]) -> RawEvent<'_> {
    let dice = hash(place);
    let (token, campaign_id) =
        names.get(dice as usize % names.len()).map_or(("", ""), |(token, campaign)| (token, campaign));
    let [country, continent, city] = pick(PLACES, dice).unwrap_or_default();
    let facts = Facts {
        received_at_ms: NOW_MS + place as i64 / 10,
        visitor: hash(place / 2),
        ip: "192.0.2.0",
        user_agent: pick(AGENTS, dice.rotate_left(7)).unwrap_or_default(),
        referrer: "https://news.example/item?id=1",
        language: "en-US,en;q=0.9",
        country,
        continent,
        city,
        asn: 64_496,
        ..Facts::default()
    };
    let mut event = redirect(&LinkFacts { token, campaign_id, ..LinkFacts::default() }, QUERY, &facts);
    event.id = EventId::from_bytes((u128::from(dice) << 64 | place as u128).to_be_bytes());
    event
}

/// What a client posts of the clicks at these places.
fn body(places: Range<usize>, names: &[(String, String)]) -> String {
    let event = |place: usize| {
        let click = capture(place, names);
        format!(
            r#"{{"event_id":"{}","event_time":{},"page_url":"https://shop.example/p/{}?{QUERY}","referrer":"{}","campaign_id":"{}","link":"{}","session_id":"s{}"}}"#,
            click.id,
            click.event_time_ms,
            place % 50,
            &*click.referrer,
            &*click.campaign_id,
            &*click.link,
            place % 10_000
        )
    };
    format!("[{}]", places.map(event).collect::<Vec<_>>().join(","))
}

/// How long the frames are that an edge makes of batches.
fn take(bodies: &[String]) -> usize {
    let facts = Facts {
        received_at_ms: NOW_MS,
        user_agent: AGENTS[0],
        language: "en-US,en;q=0.9",
        country: "DE",
        asn: 64_496,
        ..Facts::default()
    };
    let (rules, policy) = (Rules::default(), Policy::default());
    let mut frames = Vec::new();
    for body in bodies {
        let mut batch = batch(body.as_bytes(), &facts, &rules);
        for event in batch.iter_mut().flat_map(|batch| &mut batch.events).flatten() {
            policy.heed(event, Signals::default(), Asked::default());
            queues::Frame::write_event(event, &mut frames);
        }
    }
    frames.len()
}

fn encoded(event: &RawEvent<'_>) -> Vec<u8> {
    let mut body = Vec::new();
    event.encode(&mut body);
    body
}

/// One pass of a part over what it wants; a number that depends on all of it.
type Pass<'a> = Box<dyn Fn() -> usize + 'a>;

fn part<'a>(name: &str, events: &'a [RawEvent<'a>], names: &'a [(String, String)]) -> Option<Pass<'a>> {
    let bodies = || events.iter().map(|event| (event.id, encoded(event))).collect::<Vec<_>>();
    Some(match name {
        "capture" => Box::new(|| (0..events.len()).map(|place| capture(place, names).query.len()).sum()),
        "batch" => {
            let ends = (0..events.len()).step_by(CALL).map(|begin| begin..events.len().min(begin + CALL));
            let bodies: Vec<_> = ends.map(|places| body(places, names)).collect();
            Box::new(move || take(&bodies))
        }
        "encode" => Box::new(|| events.iter().map(|event| encoded(event).len()).sum()),
        "decode" => {
            let bodies = bodies();
            Box::new(move || bodies.iter().filter(|(id, body)| RawEvent::decode(*id, body).is_ok()).count())
        }
        "admit" => {
            let bodies = bodies();
            Box::new(move || admit(&bodies))
        }
        "message" => {
            let bodies = bodies();
            let packed = messages(&bodies);
            Box::new(move || packed.iter().map(|bytes| unpack(bytes)).sum())
        }
        "enrich" => {
            let bodies = bodies();
            Box::new(move || {
                let mut agents = AgentCache::default();
                let read = bodies.iter().filter_map(|(id, body)| RawEvent::decode(*id, body).ok());
                read.map(|raw| usize::from(enrich_with(&mut agents, raw).raw.asn > 0)).sum()
            })
        }
        "rollup" => {
            let tracked = tracked(events);
            Box::new(move || {
                let mut rollup = Rollup::default();
                for event in &tracked {
                    rollup.add(event);
                }
                rollup.finish().sheets.len()
            })
        }
        "footprint" => {
            let tracked = tracked(events);
            Box::new(move || calls_of(&tracked).iter().map(Vec::len).sum())
        }
        "journey_new" => {
            let calls = calls_of(&tracked(&visiting(events, |place| place)));
            Box::new(move || hand(&calls))
        }
        "journey_returning" => {
            let visitors = (events.len() / VISITS).max(1);
            let calls = calls_of(&tracked(&visiting(events, |place| place % visitors)));
            Box::new(move || hand(&calls))
        }
        "journey_session" => {
            let visitors = (events.len() / PAGES).max(1);
            let tracked = tracked(&turning(events, visitors));
            // Nobody twice in a call.
            let calls: Vec<_> = tracked.chunks(visitors).flat_map(calls_of).collect();
            Box::new(move || hand(&calls))
        }
        "archive" => {
            let tracked = tracked(events);
            Box::new(move || {
                let mut lines = Lines::default();
                for event in &tracked {
                    lines.add(event);
                }
                lines.into_chunks().iter().map(|chunk| chunk.text.len()).sum()
            })
        }
        "consume" => {
            let packed = messages(&bodies());
            Box::new(move || consume(&packed))
        }
        "uniques" => Box::new(move || {
            let mut uniques = Uniques::default();
            for event in events {
                uniques.insert(event.visitor);
            }
            uniques.estimate() as usize
        }),
        _ => return None,
    })
}

fn tracked<'a>(events: &[RawEvent<'a>]) -> Vec<TrackedEvent<'a>> {
    let mut agents = AgentCache::default();
    events.iter().map(|event| enrich_with(&mut agents, event.clone())).collect()
}

/// The events, of the visitors whose places these are, who are known by nothing else.
fn visiting<'a>(events: &[RawEvent<'a>], whose: impl Fn(usize) -> usize) -> Vec<RawEvent<'a>> {
    let by = |(place, event): (usize, &RawEvent<'a>)| RawEvent {
        visitor: hash(whose(place)),
        session_id: Text::EMPTY,
        ..event.clone()
    };
    events.iter().enumerate().map(by).collect()
}

/// The events as pages that so many visitors turn; of two, the first comes last.
fn turning<'a>(events: &[RawEvent<'a>], visitors: usize) -> Vec<RawEvent<'a>> {
    let mut pages = visiting(events, |place| place % visitors);
    for (place, page) in pages.iter_mut().enumerate() {
        page.kind = Kind::Page;
        page.page_url = format!("https://shop.example/p/{}", hash(place) % 50).into();
        page.received_at_ms = NOW_MS + ((place / visitors) ^ 1) as i64 * 1_000;
    }
    pages
}

/// What one journal is called with.
fn calls_of(events: &[TrackedEvent<'_>]) -> Vec<Vec<u8>> {
    let call = |events: &[TrackedEvent<'_>]| {
        let mut handover = Handover::new(1);
        for event in events {
            handover.add_event(event, &Bonds::default());
        }
        handover.finish().0.into_iter().map(|(_, call)| call)
    };
    events.chunks(CALL).flat_map(call).collect()
}

/// A database that takes everything. Nothing is read back: visitors of so few calls are all held in memory.
struct Nowhere;

impl Database for Nowhere {
    fn run(&self, statement: Statement) -> Result<Vec<Vec<Param>>, Failed> {
        std::hint::black_box(statement.params.len());
        Ok(Vec::new())
    }
}

/// A journal that is called with them, a second apart.
fn hand(calls: &[Vec<u8>]) -> usize {
    let Ok(mut journal) = Journal::open(&Nowhere, JournalName { shard: 0 }, Settings::default(), NOW_MS)
    else {
        return 0;
    };
    for (now_ms, call) in (NOW_MS..).step_by(1_000).zip(calls) {
        let handed = Handed::read(call).unwrap_or_default();
        let _ = journal.hand(&Nowhere, &handed, now_ms);
        for message in journal.ship(now_ms) {
            journal.confirm([message.number], now_ms);
        }
    }
    journal.report().open
}

/// What a consumer makes of a batch.
fn consume(messages: &[Vec<u8>]) -> usize {
    let (campaigns, bonds) = (Campaigns::default(), Bonds::default());
    let mut lines = Lines::default();
    let batch = messages.iter().map(|bytes| ("", bytes.as_slice()));
    let known = Conduct::default();
    let plan = Plan::of(batch, &HashSet::new(), &campaigns, (8, &bonds), &known, |counted| {
        if let queues::plan::Counted::Event(event) = counted {
            lines.add(event);
        }
    });
    plan.statements(NOW_MS).len() + lines.into_chunks().len() + plan.handover.finish().0.len()
}

/// A gate that is as busy as it may be, with its commits and messages.
fn admit(bodies: &[(EventId, Vec<u8>)]) -> usize {
    let settings = Settings { max_ids: bodies.len() + 1, ..Settings::default() };
    let mut gate = Gate::rebuild(GateName { region: Region::Weur, shard: 0 }, settings, [], NOW_MS);
    let mut bytes = 0;
    for (group, events) in bodies.chunks(GROUP).enumerate() {
        let now_ms = NOW_MS + group as i64 * 25;
        for (id, body) in events {
            gate.admit(*id, body, None, now_ms);
        }
        if let Some(commit) = gate.commit(now_ms) {
            bytes += commit.statements().count();
            gate.committed(commit);
        }
        if group % 40 == 39 {
            for message in gate.ship(now_ms) {
                bytes += message.bytes.len();
                gate.confirm([message.number], now_ms);
            }
        }
    }
    bytes
}

fn pack((number, events): (i64, &[(EventId, Vec<u8>)])) -> Vec<u8> {
    let mut packed = Vec::new();
    for (id, body) in events {
        queues::Frame::Event { id: *id, body }.write(&mut packed);
    }
    Message::encode(Head::Admitted { gate: "gate/weur/0", number }, &packed)
}

/// Messages of one gate, each with its own number: one that comes again would not be counted.
fn messages(events: &[(EventId, Vec<u8>)]) -> Vec<Vec<u8>> {
    (NOW_MS..).zip(events.chunks(MESSAGE)).map(pack).collect()
}

fn unpack(bytes: &[u8]) -> usize {
    Message::decode(bytes).map_or(0, |message| frames(message.frames).flatten().count())
}

#[expect(clippy::disallowed_methods, reason = "a stopwatch")]
fn main() {
    let given = |name: &str| std::env::args().skip_while(|argument| argument != name).nth(1);
    let number = |name: &str, or: usize| given(name).and_then(|text| text.parse().ok()).unwrap_or(or);
    let (count, campaigns) = (number("--events", 1_000), number("--campaigns", 10));
    let names = names(campaigns);
    let events: Vec<_> = (0..count).map(|place| capture(place, &names)).collect();
    // `cargo bench` and `cargo test --benches` call it without arguments of ours.
    let name = given("--part").unwrap_or_else(|| "rollup".to_owned());
    let Some(pass) = part(&name, &events, &names) else {
        eprintln!("no part is called {name}");
        std::process::exit(2);
    };
    if given("--passes").is_some() {
        for _ in 0..number("--passes", 1) {
            std::hint::black_box(pass());
        }
        return;
    }
    let (began, mut fastest) = (std::time::Instant::now(), f64::MAX);
    while began.elapsed().as_secs_f64() < 0.5 {
        let start = std::time::Instant::now();
        std::hint::black_box(pass());
        fastest = fastest.min(start.elapsed().as_secs_f64());
    }
    println!("{:.1}", fastest * 1e9 / count as f64);
}
