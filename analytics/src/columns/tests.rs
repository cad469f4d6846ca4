use proptest::prelude::*;

use super::*;
use crate::enrich;
use crate::world::{CRAWLER, Happening, NOW, PHONE, event, happenings};

fn tracked(change: impl FnOnce(&mut RawEvent<'static>)) -> TrackedEvent<'static> {
    let mut raw = event(Kind::Click, NOW, "spring", "a");
    raw.user_agent = PHONE.into();
    change(&mut raw);
    enrich(raw)
}

/// Points of the last three months lie under these numbers.
#[test]
fn the_columns_are_pinned() {
    let names: Vec<_> = COLUMNS.iter().map(|(_, name)| *name).collect();
    assert_eq!(
        names.join(" "),
        "kind verdict campaign_id link publisher_id country region device browser os language referrer channel \
         utm_source utm_medium utm_campaign source ad_id name currency"
    );
    for (at, (column, name)) in COLUMNS.iter().enumerate() {
        assert_eq!((place(*column), column.name(), Column::parse(name)), (at, *name, Some(*column)));
    }
    assert_eq!(Column::parse("blob1"), None);
}

#[test]
fn golden_what_is_written_is_selected() {
    let sale = |raw: &mut RawEvent<'static>| {
        (raw.kind, raw.value_micros, raw.currency) = (Kind::Conversion, Some(1_500_000), "EUR".into());
    };
    let points = points(&[tracked(|_| ()), tracked(sale), tracked(|_| ())]);
    let shown: Vec<_> =
        points.iter().map(|p| format!("{} {} {:?}", p.index, p.blobs.join("|"), p.doubles)).collect();
    assert_eq!(
        shown,
        [
            "spring click|human|spring|a||||smartphone|Safari|iOS|en||direct||||redirect||| [2.0, 0.0]",
            "spring conversion|human|spring|a||||smartphone|Safari|iOS|en||direct||||redirect|||EUR [1.0, 1.5]",
        ]
    );
    assert_eq!(
        select(&[Column::Campaign, Column::Currency]),
        "blob3 AS campaign_id, blob20 AS currency, SUM(_sample_interval * double1) AS events, \
         SUM(_sample_interval * double2) AS value"
    );
}

#[test]
fn the_limits_hold_for_the_longest_texts() {
    let long = "é".repeat(2_000);
    let points = points(&[tracked(|raw| {
        for text in [
            &mut raw.campaign_id,
            &mut raw.link,
            &mut raw.publisher_id,
            &mut raw.country,
            &mut raw.region,
            &mut raw.ad_id,
            &mut raw.name,
            &mut raw.currency,
        ] {
            *text = long.clone().into();
        }
    })]);
    let [point] = &points[..] else { panic!("{}", points.len()) };
    assert_eq!(point.index, "é".repeat(48));
    assert!(point.blobs.iter().map(String::len).sum::<usize>() <= BLOBS_MAX_BYTES);
    assert_eq!(points_of_link_only(), "a");
}

fn points_of_link_only() -> String {
    points(&[tracked(|raw| raw.campaign_id = "".into())]).remove(0).index
}

#[test]
fn a_flood_of_different_events_keeps_its_counts() {
    let events: Vec<_> = (0..3_000)
        .map(|n| {
            tracked(|raw| {
                raw.name = format!("n{n}").into();
                raw.link = format!("l{}", n % 500).into();
                if n % 3 == 0 {
                    raw.user_agent = CRAWLER.into();
                }
            })
        })
        .collect();
    let points = points(&events);
    assert!(points.len() <= POINTS_MAX);
    let of = |verdict: &str| -> f64 {
        points.iter().filter(|p| p.blobs[1] == verdict).map(|p| p.doubles[0]).sum()
    };
    assert_eq!((of("human"), of("bot")), (2_000.0, 1_000.0));
}

proptest! {
    #[test]
    fn no_event_is_lost(happenings in happenings(), copies in 1..8usize) {
        let mut events = Vec::new();
        for (n, happening) in (0..copies).flat_map(|n| happenings.iter().map(move |happening| (n, happening))) {
            if let Happening::Event(raw) = happening {
                events.push(enrich(RawEvent { name: format!("{n}").into(), ..(**raw).clone() }));
            }
        }
        let points = points(&events);
        prop_assert!(points.len() <= POINTS_MAX);
        prop_assert_eq!(points.iter().map(|point| point.doubles[0] as usize).sum::<usize>(), events.len());
        prop_assert!(points.iter().all(|point| point.index.len() <= INDEX_MAX_BYTES && point.blobs.len() == 20));
    }
}
