mod links;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::Kind;
use crate::page::pages;
use crate::segment::segments;
use crate::world::{self, CRAWLER, Copies, DESKTOP, HOUR, Happening, MINUTE, NOW, PHONE, sums};
use crate::zone::tests::zone;

/// What lies in D1: sums that are folded, and sums that are not yet.
#[derive(Default)]
pub(super) struct Store {
    pages: BTreeMap<crate::page::PageKey, Page>,
    segments: Vec<(u8, String)>,
}

impl Store {
    pub(super) fn fold(mut self, aggregate: &StatsAggregate) -> Self {
        for (key, page) in pages(aggregate) {
            let kept = self.pages.entry(key).or_default();
            for (at, sheet) in page {
                kept.entry(at).or_default().merge(&sheet);
            }
        }
        self
    }

    pub(super) fn add(mut self, aggregate: &StatsAggregate) -> Self {
        self.segments.extend(segments(aggregate));
        self
    }

    /// What the statements of a question about journeys find.
    pub(super) fn found(&self, question: &journey::Question) -> (Vec<Vec<PageRow>>, Vec<String>) {
        let span = &question.query.span;
        let pages = |scope: &Scope| {
            let of = self.pages.iter().filter(|(key, _)| {
                key.level == question.query.level
                    && key.scope == *scope
                    && key.start_ms > span.from_ms - key.level.page_ms()
                    && key.start_ms < span.to_ms
            });
            of.flat_map(|(key, page)| PageRow::of(key, page)).collect()
        };
        let parts: Vec<u8> = question.scopes.iter().map(partition).collect();
        let segments = self.segments.iter().filter(|(part, _)| parts.contains(part));
        (question.scopes.iter().map(pages).collect(), segments.map(|(_, body)| body.clone()).collect())
    }

    /// What the statements of [`reads`] find, and the answer made of it.
    pub(super) fn answer(&self, text: &str) -> Value {
        let query = Query::parse(text, NOW, zone).unwrap_or_else(|rejects| panic!("{text}: {rejects:?}"));
        let [pages, _] = reads(&query);
        let crate::Param::Integer(first) = pages.params[2] else { panic!("{pages:?}") };
        let read = |key: &crate::page::PageKey| {
            key.level == query.level
                && key.scope == query.scope
                && key.start_ms >= first
                && key.start_ms < query.span.to_ms
        };
        let mut rows: Vec<_> = self
            .pages
            .iter()
            .filter(|(key, _)| read(key))
            .flat_map(|(key, page)| PageRow::of(key, page))
            .collect();
        if pages.sql.contains("'' AS detail") {
            rows.retain(|row| row.chunk == 0);
            for row in &mut rows {
                row.detail.clear();
            }
        }
        let part = partition(&query.scope);
        let bodies: Vec<_> =
            self.segments.iter().filter(|(of, _)| *of == part).map(|(_, body)| body.clone()).collect();
        answer(&query, &rows, &bodies, NOW).unwrap()
    }
}

pub(super) fn live(happenings: &[Happening]) -> Store {
    Store::default().add(&sums(happenings))
}

fn click(at_ms: i64, campaign: &str, link: &str, country: &'static str, agent: &'static str) -> Happening {
    let mut raw = world::event(Kind::Click, at_ms, campaign, link);
    (raw.country, raw.user_agent, raw.visitor) = (country.into(), agent.into(), at_ms as u64);
    Happening::Event(Box::new(raw))
}

fn sale(at_ms: i64, campaign: &str, micros: i64, currency: &'static str) -> Happening {
    let mut raw = world::event(Kind::Conversion, at_ms, campaign, "a");
    (raw.value_micros, raw.currency, raw.user_agent) = (Some(micros), currency.into(), DESKTOP.into());
    Happening::Event(Box::new(raw))
}

fn small_world() -> Vec<Happening> {
    vec![
        click(NOW - 3 * HOUR, "spring", "a", "US", PHONE),
        click(NOW - 2 * HOUR, "spring", "a", "US", PHONE),
        click(NOW - 2 * HOUR, "spring", "b", "DE", DESKTOP),
        click(NOW - HOUR, "autumn", "c", "", DESKTOP),
        click(NOW - MINUTE, "", "d", "US", CRAWLER),
        Happening::Copies(Copies { at_ms: NOW, campaign: "spring", link: "a", kind: Kind::Click, times: 4 }),
        Happening::Event(Box::new(world::event(Kind::Impression, NOW, "spring", "a"))),
    ]
}

/// Some fields of each group, as one line.
fn brief(groups: &Value, fields: &[&str]) -> String {
    let lines = groups.as_array().unwrap().iter().map(|group| {
        let fields = fields.iter().map(|field| match &group[*field] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        fields.collect::<Vec<_>>().join(" ")
    });
    lines.collect::<Vec<_>>().join("; ")
}

#[test]
fn golden_an_answer() {
    let answer = live(&small_world())
        .answer("campaign_id=spring&from=2026-09-21&to=2026-09-22&interval=day&group_by=link");
    let numbers = json!({
        "clicks": 3, "raw": 7, "bots": 0, "duplicates": 4, "uniques": 2, "impressions": 0, "pages": 0,
        "conversions": 0, "failed": 0, "ctr": null, "cost": 0.0, "revenue": 0.0, "currency": null,
        "payout": 0.0, "profit": 0.0, "cost_micros": 0, "revenue_micros": 0, "payout_micros": 0, "profit_micros": 0,
        "roi": null, "ecpc": 0.0, "ecpm": null, "epc": 0.0,
    });
    let with = |more: Value, but: Value| {
        let mut all = numbers.as_object().unwrap().clone();
        all.extend(more.as_object().unwrap().clone());
        all.extend(but.as_object().unwrap().clone());
        Value::Object(all)
    };
    let none = json!({"events": 0, "humans": 0, "bots": 0, "duplicates": 0});
    let kinds = json!({
        "click": {"events": 3, "humans": 3, "bots": 0, "duplicates": 4},
        "impression": {"events": 1, "humans": 0, "bots": 1, "duplicates": 0},
        "page": none, "conversion": none, "session_end": none, "failed": none,
    });
    assert_eq!(
        answer,
        json!({
            "from": "2026-09-21T00:00:00+00:00",
            "to": "2026-09-22T00:00:00+00:00",
            "interval": "day",
            "tz": "UTC",
            "as_of": "2026-09-21T14:13:20.000Z",
            "include_bots": false,
            "totals": with(json!({"kinds": kinds}), json!({})),
            "series": [with(json!({"time": "2026-09-21T00:00:00+00:00"}), json!({}))],
            "group_by": "link",
            "group_count": 2,
            "groups": [
                with(json!({"value": "a", "link": "a"}), json!({"clicks": 2, "raw": 6, "uniques": null})),
                with(json!({"value": "b", "link": "b"}), json!({"clicks": 1, "raw": 1, "duplicates": 0, "uniques": null})),
            ],
        })
    );
}

#[test]
fn a_click_counts_in_the_interval_it_lies_in_and_not_in_its_neighbour() {
    let midnight = NOW - NOW % (24 * HOUR);
    let edge = [midnight - 1, midnight, midnight + 1].map(|at| click(at, "", "a", "US", PHONE));
    for (interval, from, to) in [("minute", MINUTE, MINUTE), ("hour", HOUR, HOUR), ("day", HOUR, HOUR)] {
        let answer =
            live(&edge).answer(&format!("interval={interval}&from={}&to={}", midnight - from, midnight + to));
        assert_eq!(brief(&answer["series"], &["clicks"]), "1; 2", "{interval}");
    }
    let kolkata = live(&edge).answer("interval=day&from=2026-09-21&to=2026-09-22&tz=Asia/Kolkata");
    assert_eq!(brief(&kolkata["series"], &["time", "clicks"]), "2026-09-21T00:00:00+05:30 3");
    let edge = [18 * HOUR + 30 * MINUTE - 1, 18 * HOUR + 30 * MINUTE]
        .map(|at| click(midnight - 24 * HOUR + at, "", "a", "US", PHONE));
    let kolkata = live(&edge).answer("interval=day&from=2026-09-20&to=2026-09-22&tz=Asia/Kolkata");
    assert_eq!(
        brief(&kolkata["series"], &["time", "clicks"]),
        "2026-09-20T00:00:00+05:30 1; 2026-09-21T00:00:00+05:30 1"
    );
}

#[test]
fn what_lacks_a_dimension_is_in_the_group_of_the_empty_value() {
    let store = live(&small_world());
    let fields = ["value", "clicks", "bots", "duplicates"];
    let grouped = |text: &str| brief(&store.answer(text)["groups"], &fields);
    assert_eq!(grouped("group_by=country"), "US 2 1 0;  1 0 4; DE 1 0 0");
    assert_eq!(grouped("group_by=campaign_id"), "spring 3 0 4; autumn 1 0 0;  0 1 0");
    assert_eq!(grouped("group_by=link&campaign_id=spring"), "a 2 0 4; b 1 0 0");
    assert_eq!(grouped("group_by=campaign_id&campaign_id=spring"), "spring 3 0 4");
    assert_eq!(grouped("group_by=campaign_id&link=a"), "spring 2 0 4");
    assert_eq!(grouped("group_by=verdict&include_bots=true").len(), "human 4 0 0; bot 1 1 0;  0 0 4".len());
    let capped = store.answer("group_by=country&limit=1");
    assert_eq!(
        (brief(&capped["groups"], &["country"]), &capped["group_count"]),
        ("US".to_owned(), &json!(3))
    );
    assert_eq!(
        store.answer("group_by=kind")["groups"][0],
        json!({"value": "click", "kind": "click", "events": 5, "humans": 4, "bots": 1, "duplicates": 4})
    );
}

#[test]
fn filters_include_exclude_and_combine() {
    let store = live(&small_world());
    let clicks = |text: &str| store.answer(text)["totals"]["clicks"].as_u64().unwrap();
    for (text, is) in [
        ("", 4),
        ("include_bots=true", 5),
        ("country=us", 2),
        ("country=US,DE", 3),
        ("country=US&country=DE", 3),
        ("country=-US", 2),
        ("country=-", 3),
        ("country=", 1),
        ("country=,DE", 2),
        ("country=FR", 0),
        ("device=smartphone", 2),
        ("referrer=-", 0),
        ("campaign_id=spring&country=US", 2),
        ("campaign_id=-spring", 1),
        ("campaign_id=spring,autumn", 4),
        ("campaign_id=", 0),
        ("country=US&device=smartphone", 2),
        ("country=-US&device=-smartphone", 2),
        ("country=-&campaign_id=spring,autumn", 3),
        ("campaign_id=spring&country=US&link=-b", 2),
        ("link=a&country=US&os=iOS", 2),
        ("link=b&country=US&os=iOS", 0),
    ] {
        assert_eq!(clicks(text), is, "{text}");
    }
}

#[test]
fn money_of_several_currencies_is_not_added_up() {
    let sales =
        [sale(NOW, "x", 1_500_000, "EUR"), sale(NOW, "x", 500_000, "EUR"), sale(NOW, "y", 9_000_000, "USD")];
    let store = live(&sales);
    let revenue = |text: &str| {
        let totals = &store.answer(text)["totals"];
        (totals["revenue"].clone(), totals["currency"].clone(), totals["revenue_by_currency"].clone())
    };
    assert_eq!(revenue(""), (Value::Null, Value::Null, json!({"EUR": 2.0, "USD": 9.0})));
    assert_eq!(revenue("campaign_id=x"), (json!(2.0), json!("EUR"), Value::Null));
    assert_eq!(revenue("currency=USD"), (json!(9.0), json!("USD"), Value::Null));
    assert_eq!(revenue("currency=-USD"), (json!(2.0), json!("EUR"), Value::Null));
    assert_eq!(revenue("device=desktop"), (Value::Null, Value::Null, Value::Null));
    let groups = store.answer("group_by=currency")["groups"].clone();
    assert_eq!(brief(&groups, &["currency", "revenue"]), "EUR 2.0; USD 9.0");
}

#[test]
fn values_beyond_the_cap_are_told() {
    let many: Vec<_> = (0..2_100)
        .map(|n| {
            let mut raw = world::event(Kind::Click, NOW, "", "");
            (raw.publisher_id, raw.user_agent) = (format!("p{n}").into(), PHONE.into());
            Happening::Event(Box::new(raw))
        })
        .collect();
    let store = Store::default().fold(&sums(&many));
    let of_one = store.answer("publisher_id=p1");
    assert_eq!((&of_one["approximate"], &of_one["totals"]["clicks"]), (&json!(true), &json!(1)));
    let groups = store.answer("group_by=publisher_id&limit=1");
    assert_eq!(
        (brief(&groups["groups"], &["value", "clicks"]), &groups["group_count"]),
        ("(other) 100".to_owned(), &json!(2_001))
    );
    assert_eq!(groups["totals"]["clicks"], 2_100);
}

#[test]
fn damaged_sums_are_an_error_and_no_panic() {
    let query = Query::parse("", NOW, zone).unwrap();
    for body in ["", "!", "AQ", "Aw", "BA", &"A".repeat(100)] {
        assert!(answer(&query, &[], &[body.to_owned()], NOW).is_err(), "{body}");
    }
    let later = answer(&query, &[], &["BA".to_owned()], NOW);
    assert_eq!(later, Err(Unreadable::Version(4)));
}
