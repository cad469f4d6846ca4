//! What reports know about links.

use super::*;
use crate::counters::Hit;
use crate::{Source as Door, Trigger};

#[test]
fn variants_and_scans_are_told_apart() {
    let tried = |variant: &'static str, trigger, country: &'static str| {
        let mut raw = world::event(Kind::Click, NOW, "spring", "a");
        (raw.variant, raw.trigger, raw.country) = (variant.into(), trigger, country.into());
        raw.user_agent = PHONE.into();
        Happening::Event(Box::new(raw))
    };
    let mut pixel = world::event(Kind::Click, NOW, "spring", "a");
    (pixel.source, pixel.user_agent) = (Door::Pixel, PHONE.into());
    let store = live(&[
        tried("A", Trigger::Link, "US"),
        tried("B", Trigger::Qr, "US"),
        tried("B", Trigger::Link, "DE"),
        Happening::Event(Box::new(pixel)),
    ]);
    let groups = |text: &str| brief(&store.answer(text)["groups"], &["value", "clicks"]);
    assert_eq!(groups("group_by=variant"), "B 2;  1; A 1");
    assert_eq!(groups("group_by=variant&country=US"), "A 1; B 1");
    assert_eq!(groups("group_by=country&variant=-"), "US 2; DE 1");
    assert_eq!(groups("group_by=device&variant=&link=a"), "smartphone 1");
    assert_eq!(groups("group_by=trigger"), "link 2;  1; qr 1");
    assert_eq!(store.answer("link=a&trigger=qr")["totals"]["clicks"], 1);
}

/// A day whose clicks were counted before and after variants came.
#[test]
fn a_cube_without_variants_lacks_them() {
    let clicks = Counters::hits(Kind::Click, Hit::Human, 1);
    let mut sheet = Sheet::default();
    for key in ["spring||US||||", "spring||US|||||B"] {
        sheet.detail.add(Dimension::Cube, &key.replace('|', "\u{1f}"), &clicks);
    }
    let mut sums = StatsAggregate::default();
    sums.sheets.insert((NOW - NOW % MINUTE, Scope::All), sheet);
    let store = Store::default().fold(&sums);
    let count = |text: &str| store.answer(text)["totals"]["clicks"].as_u64().unwrap();
    assert_eq!(
        ["variant=", "variant=-", "variant=B", "variant=-B"].map(|of| count(&format!("country=US&{of}"))),
        [1, 1, 1, 1]
    );
    assert_eq!(
        brief(&store.answer("country=US&group_by=variant")["groups"], &["value", "clicks"]),
        " 1; B 1"
    );
}

#[test]
fn redirects_that_lead_nowhere_are_no_clicks() {
    let failed = |agent: &'static str, name: &'static str| {
        let mut raw = world::event(Kind::Failed, NOW, "", "a");
        (raw.user_agent, raw.name) = (agent.into(), name.into());
        Happening::Event(Box::new(raw))
    };
    let store = live(&[
        failed(PHONE, "expired"),
        failed(DESKTOP, "archived"),
        failed(PHONE, "archived"),
        failed(CRAWLER, "expired"),
    ]);
    let totals = store.answer("link=a")["totals"].clone();
    assert_eq!([&totals["failed"], &totals["clicks"], &totals["raw"]], [3, 0, 0]);
    assert_eq!(store.answer("include_bots=true")["totals"]["failed"], 4);
    let groups = store.answer("group_by=name")["groups"].clone();
    assert_eq!(brief(&groups, &["name", "failed"]), "archived 2; expired 1");
}

/// A thousand impressions at 1.234567 cost what was agreed on, and each of them its share.
#[test]
fn people_cost_what_was_agreed_on_to_the_last_digit() {
    let mut rollup = crate::rollup::Rollup::default();
    for (country, agent, times) in [("US", PHONE, 600), ("DE", DESKTOP, 400), ("DE", CRAWLER, 50)] {
        let mut raw = world::event(Kind::Impression, NOW, "spring", "a");
        (raw.country, raw.user_agent) = (country.into(), agent.into());
        let seen = crate::TrackedEvent { cost_nanos: 1_234_567, ..crate::enrich(raw) };
        (0..times).for_each(|_| rollup.add(&seen));
    }
    rollup.add_duplicates(NOW, "spring", "a", Kind::Impression, 9);
    let sums = rollup.finish();
    for store in [Store::default().add(&sums), Store::default().fold(&sums)] {
        let cost = |text: &str| store.answer(text)["totals"]["cost"].clone();
        assert_eq!(cost("campaign_id=spring"), json!(1.234_567));
        assert_eq!(cost("campaign_id=spring&include_bots=true"), json!(1.234_567));
        assert_eq!(cost("country=US&device=smartphone"), json!(0.740_740_2));
        let by_country = store.answer("link=a&group_by=country&include_bots=true");
        let shown = brief(&by_country["groups"], &["value", "cost"]);
        assert_eq!(shown, "US 0.7407402; DE 0.4938268;  0.0");
        assert_eq!(
            brief(&store.answer("interval=day&from=2026-09-21&to=2026-09-22")["series"], &["cost"]),
            "1.234567"
        );
    }
}
