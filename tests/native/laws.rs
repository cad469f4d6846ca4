//! Laws: what holds for any events, in any order, cut in any way.

use std::collections::{BTreeMap, HashSet};

use analytics::campaign::Campaigns;
use analytics::page::{Level, Page, PageKey, PageRow, pages};
use analytics::rollup::{Rollup, rollup};
use analytics::segment::{add_segment, segments};
use analytics::{Conduct, EventId, Kind, RawEvent, Scope, Source, StatsAggregate, TrackedEvent, enrich};
use durable_objects::{Gate, GateName, Region, Settings, log};
use proptest::prelude::*;
use queues::plan::Plan;
use queues::{Bonds, Frame, Head, Message};

const T: i64 = 1_790_000_000_000;

/// D1 takes no larger value.
const VALUE_MAX_BYTES: usize = 2_000_000;

fn raw(number: u64) -> RawEvent<'static> {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&number.to_le_bytes());
    RawEvent::new(EventId::from_bytes(id), Kind::Click, Source::Redirect, T)
}

prop_compose! {
    fn any_event()(
        kind in prop::sample::select(Kind::ALL.to_vec()),
        campaign in prop::sample::select(vec!["", "c0", "c1"]),
        link in prop::sample::select(vec!["", "l0", "l1", "l2"]),
        country in prop::sample::select(vec!["", "US", "DE", "BR"]),
        agent in prop::sample::select(vec!["", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "curl/8.5"]),
        sub in prop::sample::select(vec!["", "a", "b"]),
        hours in 0i64..60,
        minutes in 0i64..60,
        visitor in 0u64..50,
        value in prop::option::of(-1_000_000_000i64..1_000_000_000),
    ) -> RawEvent<'static> {
        let at = T - hours * 3_600_000 - minutes * 60_000;
        let mut event = raw(visitor);
        (event.kind, event.visitor, event.value_micros) = (kind, visitor, value);
        (event.event_time_ms, event.received_at_ms) = (at, at);
        (event.link, event.campaign_id, event.country) = (link.into(), campaign.into(), country.into());
        (event.user_agent, event.sub[1]) = (agent.into(), sub.into());
        event
    }
}

fn events(most: usize) -> impl Strategy<Value = Vec<TrackedEvent<'static>>> {
    prop::collection::vec(any_event().prop_map(enrich), 0..most)
}

fn merged(parts: &[&StatsAggregate]) -> StatsAggregate {
    let mut sum = StatsAggregate::default();
    for part in parts {
        sum.merge(part);
    }
    sum
}

fn read_back(rows: &[(u8, String)]) -> StatsAggregate {
    let mut sum = StatsAggregate::default();
    for (_, body) in rows {
        add_segment(&mut sum, body, |_, _| true).unwrap();
    }
    sum
}

/// The pages of two sets of pages.
fn merged_pages(a: &BTreeMap<PageKey, Page>, b: &BTreeMap<PageKey, Page>) -> BTreeMap<PageKey, Page> {
    let mut sum = a.clone();
    for (key, page) in b {
        let mine = sum.entry(key.clone()).or_default();
        for (&at, sheet) in page {
            mine.entry(at).or_default().merge(sheet);
        }
    }
    sum
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn the_sums_of_all_are_the_sums_of_the_parts(a in events(12), b in events(12), c in events(6)) {
        let whole = rollup(&[a.clone(), b.clone(), c.clone()].concat());
        let [a, b, c] = [a, b, c].map(|part| rollup(&part));
        prop_assert_eq!(&whole, &merged(&[&a, &b, &c]));
        prop_assert_eq!(&whole, &merged(&[&c, &b, &a]), "in any order");
        prop_assert_eq!(&whole, &merged(&[&a, &merged(&[&b, &c])]), "in any grouping");
        prop_assert_eq!(&whole, &merged(&[&whole, &StatsAggregate::default()]), "nothing adds nothing");
    }

    #[test]
    fn the_order_of_events_does_not_matter(mut events in events(20), turn in 0usize..20) {
        let whole = rollup(&events);
        events.reverse();
        let turn = turn % events.len().max(1);
        events.rotate_left(turn);
        prop_assert_eq!(whole, rollup(&events));
    }

    #[test]
    fn every_event_is_counted_in_each_of_its_scopes(events in events(20)) {
        let sums = rollup(&events);
        let count = |scope: Scope| -> u64 {
            sums.sheets.iter().filter(|((_, of), _)| *of == scope).map(|(_, sheet)| sheet.totals.events()).sum()
        };
        prop_assert_eq!(count(Scope::All), events.len() as u64);
        for link in ["l0", "l1", "l2"] {
            let of_link = events.iter().filter(|event| event.raw.link.as_str() == link).count();
            prop_assert_eq!(count(Scope::Link(link.into())), of_link as u64);
        }
    }

    #[test]
    fn segments_read_back_are_the_sums(events in events(30), copies in 0u64..5) {
        let mut rollup = Rollup::default();
        for event in &events {
            rollup.add(event);
        }
        rollup.add_duplicates(T, "c0", "l0", Kind::Click, copies);
        let sums = rollup.finish();
        prop_assert_eq!(read_back(&segments(&sums)), sums);
    }

    #[test]
    fn the_pages_of_all_are_the_pages_of_the_parts(a in events(12), b in events(12)) {
        let (a, b) = (rollup(&a), rollup(&b));
        prop_assert_eq!(pages(&merged(&[&a, &b])), merged_pages(&pages(&a), &pages(&b)));
    }

    #[test]
    fn a_page_reads_back_from_its_rows(events in events(20)) {
        for (key, page) in pages(&rollup(&events)) {
            let mut read = Page::new();
            for row in &PageRow::of(&key, &page) {
                row.add_to(&mut read).unwrap();
            }
            prop_assert_eq!(read, page);
        }
    }

    /// The queue delivers at least once; within a batch that is once.
    #[test]
    fn a_batch_with_every_message_twice_is_the_batch(events in prop::collection::vec(any_event(), 0..12), cut in 1usize..4) {
        let mut messages = Vec::new();
        for (number, part) in (0i64..).zip(events.chunks(cut)) {
            let mut frames = Vec::new();
            for event in part {
                Frame::write_event(event, &mut frames);
            }
            messages.push(Message::encode(Head::Admitted { gate: "gate/weur/0", number }, &frames));
        }
        let batch = |times: usize| messages.iter().cycle().take(times * messages.len()).map(|bytes| ("id", bytes.as_slice()));
        let (once, twice) = (plan(batch(1)), plan(batch(2)));
        prop_assert_eq!(&once.aggregate, &twice.aggregate);
        prop_assert_eq!(&once.entries, &twice.entries);
        let tracked: Vec<_> = events.into_iter().map(enrich).collect();
        prop_assert_eq!(once.aggregate, rollup(&tracked), "however they are cut into messages");
    }

    #[test]
    fn stored_sums_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), text in ".{0,60}") {
        use base64::Engine;
        let mut packed = vec![analytics::segment::SUMS_VERSION];
        packed.extend(&bytes);
        let packed = base64::engine::general_purpose::STANDARD_NO_PAD.encode(packed);
        for text in [&packed, &text] {
            let _ = add_segment(&mut StatsAggregate::default(), text, |_, _| true);
            let key = PageKey { level: Level::Day, scope: Scope::All, start_ms: 0 };
            let column = |at: usize| [String::new(), text.clone()][usize::from(at == 0)].clone();
            for at in 0..3 {
                let [totals, detail, visitors] = [0, 1, 2].map(|place| column((at + place) % 3));
                let _ = PageRow { key: key.clone(), chunk: 0, totals, detail, visitors }.add_to(&mut Page::new());
            }
        }
    }

    #[test]
    fn whatever_lies_in_the_queue_has_a_fate(
        garbage in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..5),
        frames in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut batch = garbage;
        batch.push(Message::encode(Head::Admitted { gate: "gate/weur/0", number: 1 }, &frames));
        let plan = plan(batch.iter().map(|bytes| ("id", bytes.as_slice())));
        prop_assert_eq!(plan.fates.len(), batch.len());
        // Whatever of it cannot be counted is kept.
        let dead: u64 = plan.entries.iter().map(|entry| entry.dead).sum();
        prop_assert!(plan.dead.len() as u64 >= dead);
    }

    #[test]
    fn a_gate_rises_from_any_log(bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..90), 0..6)) {
        let rows = (T..).zip(bodies).map(|(seq, body)| log::Row { seq, message: seq, at_ms: seq, admitted: 0, duplicates: 0, body });
        let name = GateName { region: Region::World, shard: 0 };
        let mut gate = Gate::rebuild(name, Settings::default(), rows, T);
        gate.confirm([], T + 1);
        gate.prune(T + 10_000_000);
    }
}

fn plan<'a>(batch: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Plan {
    let none = Campaigns::default();
    Plan::of(batch, &HashSet::new(), &none, (0, &Bonds::default()), &Conduct::default(), |_| ())
}

/// As many different values as a batch can bring: more than one row may hold.
#[test]
fn large_sums_are_cut_into_rows_and_read_back_whole() {
    let texts: Vec<[String; 5]> =
        (0..1_500).map(|n| [0, 1, 2, 3, 4].map(|sub| format!("{sub}-{n}-{}", "x".repeat(240)))).collect();
    let events: Vec<_> = (0..)
        .zip(&texts)
        .map(|(n, subs)| {
            let mut event = raw(n);
            event.visitor = n;
            event.link = "demo".into();
            event.sub = std::array::from_fn(|sub| subs[sub].as_str().into());
            enrich(event)
        })
        .collect();
    let sums = rollup(&events);
    let rows = segments(&sums);
    let mut parts: Vec<_> = rows.iter().map(|(part, _)| part).collect();
    parts.dedup();
    assert!(parts.len() < rows.len(), "some partition has several rows");
    for (_, body) in &rows {
        assert!(body.len() < VALUE_MAX_BYTES, "{} bytes", body.len());
    }
    assert_eq!(read_back(&rows), sums);
    for (key, page) in pages(&sums) {
        let (mut read, mut totals) = (Page::new(), 0);
        for row in PageRow::of(&key, &page) {
            assert!(row.totals.len() + row.detail.len() + row.visitors.len() < VALUE_MAX_BYTES);
            totals += usize::from(row.chunk == 0);
            row.add_to(&mut read).unwrap();
        }
        assert_eq!(totals, 1, "reports of totals read the first part alone");
        let counts = |page: &Page| page.values().map(|sheet| sheet.totals.events()).sum::<u64>();
        assert_eq!(counts(&read), counts(&page));
    }
}
