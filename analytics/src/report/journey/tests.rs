use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::tests::{Store, live};
use super::super::{conversions, funnel, sessions};
use super::*;
use crate::conversion::Status;
use crate::funnel::{Funnel, Matcher};
use crate::outcome::{Correction, Credit, Model, Outcome, Session, Step};
use crate::page::pages;
use crate::rollup::Rollup;
use crate::world::{self, HOUR, NOW};
use crate::zone::tests::zone;
use crate::{Text, Traits};

const SPAN: &str = "from=2026-09-18&to=2026-09-22";

fn traits(values: &[(Dimension, &'static str)]) -> Traits<'static> {
    values.iter().copied().collect()
}

fn of_country(country: &'static str) -> Traits<'static> {
    traits(&[(Dimension::Campaign, "spring"), (Dimension::Link, "a"), (Dimension::Country, country)])
}

fn session(start_ms: i64, seconds: i64, events: u64, traits: Traits<'static>) -> Outcome<'static> {
    Outcome::Session(Session {
        times: 1,
        start_ms,
        duration_ms: seconds * 1_000,
        events,
        pages: events,
        conversions: u64::from(events > 2),
        value_micros: if events > 2 { 5_000_000 } else { 0 },
        currency: if events > 2 { "EUR".into() } else { Text::EMPTY },
        entry_page: Text::EMPTY,
        exit_page: Text::EMPTY,
        session_id: Text::EMPTY,
        traits,
    })
}

fn step(step: u8, seconds: i64, traits: Traits<'static>) -> Outcome<'static> {
    let elapsed_ms = seconds * 1_000;
    Outcome::Step(Step { times: 1, funnel: "f/1".into(), step, entered_ms: NOW, elapsed_ms, traits })
}

fn credit(model: Model, share: i64, lag_ms: Option<i64>, traits: Traits<'static>) -> Outcome<'static> {
    Outcome::Credit(Credit {
        times: 1,
        model,
        at_ms: NOW,
        status: Status::Sale,
        share_micros: share,
        value_micros: share * 9,
        currency: "EUR".into(),
        lag_ms,
        traits,
    })
}

fn added(outcomes: &[Outcome<'_>]) -> StatsAggregate {
    let mut rollup = Rollup::default();
    for outcome in outcomes {
        rollup.add_outcome(outcome);
    }
    rollup.finish()
}

/// The same outcomes, taken back.
fn taken_back(outcomes: &[Outcome<'static>]) -> Vec<Outcome<'static>> {
    let mut back = outcomes.to_vec();
    for outcome in &mut back {
        match outcome {
            Outcome::Session(session) => session.times = -session.times,
            Outcome::Step(step) => step.times = -step.times,
            Outcome::Credit(credit) => credit.times = -credit.times,
            Outcome::Correction(correction) => {
                correction.conversions = -correction.conversions;
                correction.value_micros = -correction.value_micros;
                correction.cost_nanos = -correction.cost_nanos;
                correction.payout_nanos = -correction.payout_nanos;
            }
            Outcome::Moved(_) | Outcome::Converted(_) => {}
        }
    }
    back
}

fn a_funnel() -> Funnel {
    let named = |name: &str| Matcher { name: name.into(), ..Matcher::default() };
    Funnel {
        id: "f/1".into(),
        steps: vec![named("land"), named("cart"), named("buy")],
        window_seconds: 3_600,
        complete_from_ms: NOW,
        ..Funnel::default()
    }
}

#[derive(Debug, Clone, Copy)]
enum Report {
    Sessions,
    Conversions,
    Funnel,
}

fn ask(store: &Store, report: Report, text: &str) -> Value {
    let text = format!("{SPAN}&{text}");
    let funnel = a_funnel();
    let question = match report {
        Report::Sessions => sessions::query(&text, NOW, zone).unwrap(),
        Report::Conversions => conversions::query(&text, NOW, zone).unwrap(),
        Report::Funnel => {
            let (id, query) = funnel::query(&format!("{text}&funnel_id=f/1"), NOW, zone).unwrap();
            assert_eq!(id, funnel.id);
            funnel::question(query, &funnel)
        }
    };
    let (rows, segments) = store.found(&question);
    match report {
        Report::Sessions => sessions::answer(&question, &rows, &segments, NOW).unwrap(),
        Report::Conversions => conversions::answer(&question, &rows, &segments, NOW).unwrap(),
        Report::Funnel => funnel::answer(&question, (&funnel, "F"), &rows, &segments, NOW).unwrap(),
    }
}

#[test]
fn golden_sessions() {
    let store = Store::default().add(&added(&[
        session(NOW, 0, 1, of_country("DE")),
        session(NOW, 60, 2, of_country("DE")),
        session(NOW - HOUR, 120, 3, of_country("US")),
        session(NOW - 24 * HOUR, 600, 4, traits(&[(Dimension::Country, "US")])),
    ]));
    let answer = ask(&store, Report::Sessions, "group_by=country");
    assert_eq!(
        answer["totals"],
        json!({
            "count": 4, "bounces": 1, "bounce_rate": 0.25, "median_duration_seconds": 90.0,
            "average_duration_seconds": 195.0, "events": 10, "pages": 10, "pages_per_session": 2.5,
            "conversions": 2, "converted": 2, "conversion_rate": 0.5, "revenue": 10.0, "currency": "EUR",
        })
    );
    let counts: Vec<_> = answer["series"].as_array().unwrap().iter().map(|point| &point["count"]).collect();
    assert_eq!(counts, [0, 0, 1, 3]);
    assert_eq!((&answer["groups"][0]["country"], &answer["groups"][0]["count"]), (&json!("DE"), &json!(2)));
    let german = ask(&store, Report::Sessions, "country=DE")["totals"].clone();
    assert_eq!((&german["count"], &german["revenue"]), (&json!(2), &json!(0.0)));
    let spring = ask(&store, Report::Sessions, "campaign_id=spring&group_by=link")["totals"].clone();
    assert_eq!((&spring["count"], &spring["median_duration_seconds"]), (&json!(3), &json!(60.0)));
    assert_eq!(ask(&store, Report::Sessions, "link=a&country=US")["totals"]["count"], 1);
    let nobody = ask(&store, Report::Sessions, "campaign_id=autumn")["totals"].clone();
    assert_eq!((&nobody["count"], &nobody["bounce_rate"]), (&json!(0), &Value::Null));
}

#[test]
fn golden_funnel() {
    let german = || of_country("DE");
    let store = Store::default().add(&added(&[
        step(0, 0, german()),
        step(0, 0, german()),
        step(0, 0, german()),
        step(0, 0, of_country("US")),
        step(1, 60, german()),
        step(1, 120, german()),
        step(2, 30, german()),
    ]));
    let answer = ask(&store, Report::Funnel, "group_by=country");
    assert_eq!(
        (&answer["entered"], &answer["completed"], &answer["name"]),
        (&json!(4), &json!(1), &json!("F"))
    );
    assert_eq!(answer["order"], "ordered");
    assert_eq!(
        answer["steps"],
        json!([
            {"name": "land", "entered": 4, "converted": 2, "rate": 0.5, "drop_off": 2, "drop_off_rate": 0.5,
             "overall_rate": 1.0, "median_seconds": null, "average_seconds": null, "median_seconds_to_next": 90.0},
            {"name": "cart", "entered": 2, "converted": 1, "rate": 0.5, "drop_off": 1, "drop_off_rate": 0.5,
             "overall_rate": 0.5, "median_seconds": 90.0, "average_seconds": 90.0, "median_seconds_to_next": 30.0},
            {"name": "buy", "entered": 1, "converted": 1, "rate": 1.0, "drop_off": 0, "drop_off_rate": 0.0,
             "overall_rate": 0.25, "median_seconds": 30.0, "average_seconds": 30.0, "median_seconds_to_next": null},
        ])
    );
    let entered = |group: &Value| {
        let steps = group["steps"].as_array().unwrap().iter().map(|step| step["entered"].as_u64().unwrap());
        (group["country"].clone(), steps.collect::<Vec<_>>())
    };
    assert_eq!(entered(&answer["groups"][0]), (json!("DE"), vec![3, 2, 1]));
    assert_eq!(entered(&answer["groups"][1]), (json!("US"), vec![1, 0, 0]));
    assert_eq!(ask(&store, Report::Funnel, "campaign_id=spring")["entered"], 4);
    assert_eq!(ask(&store, Report::Funnel, "country=US")["entered"], 1);
}

#[test]
fn golden_conversions() {
    let autumn = || traits(&[(Dimension::Campaign, "autumn")]);
    let thirds = [333_334, 333_333, 333_333];
    let mut outcomes = vec![credit(Model::Last, 1_000_000, Some(3_600_000), autumn())];
    outcomes.extend(thirds.map(|share| credit(Model::Linear, share, Some(7_200_000), of_country("DE"))));
    outcomes.push(credit(Model::Linear, 1_000_000, None, traits(&[])));
    let store = Store::default().add(&added(&outcomes));
    let linear = ask(&store, Report::Conversions, "model=linear&group_by=campaign_id");
    assert_eq!(
        linear["totals"],
        json!({
            "conversions": 2.0, "leads": 0.0, "sales": 2.0, "rebills": 0.0, "rejected": 0.0, "unattributed": 1.0,
            "touches": 3, "median_lag_seconds": 7200.0, "average_lag_seconds": 7200.0,
            "revenue": 18.0, "currency": "EUR",
        })
    );
    assert_eq!(linear["group_count"], 2);
    let last = ask(&store, Report::Conversions, "");
    assert_eq!((&last["model"], &last["totals"]["conversions"]), (&json!("last"), &json!(1.0)));
    let all = ask(&store, Report::Conversions, "models=all&group_by=campaign_id");
    assert_eq!(all["models"].as_object().unwrap().len(), 5);
    assert_eq!(all["models"]["last"]["groups"][0]["campaign_id"], "autumn");
    assert_eq!(all["models"]["linear"]["totals"], linear["totals"]);
    assert_eq!(ask(&store, Report::Conversions, "model=linear&link=a")["totals"]["sales"], 1.0);
    for text in ["campaign_id=spring", "campaign_id=spring&link=a", "link=a&campaign_id=spring"] {
        let totals = ask(&store, Report::Conversions, &format!("model=linear&{text}"))["totals"].clone();
        assert_eq!(totals["sales"], 1.0, "{text}");
    }
}

#[test]
fn what_no_sum_is_kept_for_is_refused_by_name() {
    let pointer =
        |rejects: Result<Question, Vec<Reject>>| rejects.unwrap_err().remove(0).pointer.into_owned();
    for (text, at) in [
        ("country=US&device=desktop", "/country"),
        ("country=US&group_by=device", "/country"),
        ("campaign_id=a&link=b&country=US&group_by=os", "/campaign_id"),
        ("group_by=kind", "/group_by"),
        ("group_by=bot_reason", "/group_by"),
        ("trigger=qr", "/trigger"),
        ("include_bots=true", "/include_bots"),
        ("lapse=1", "/lapse"),
        ("model=last", "/model"),
    ] {
        assert_eq!(pointer(sessions::query(text, NOW, zone)), at, "{text}");
    }
    for (text, at) in [
        ("model=best", "/model"),
        ("model=last&model=first", "/model"),
        ("model=last&models=all", "/models"),
        ("models=last", "/models"),
        ("link=a&country=US", "/country"),
    ] {
        assert_eq!(pointer(conversions::query(text, NOW, zone)), at, "{text}");
    }
    for (text, at) in [
        ("", "/funnel_id"),
        ("funnel_id=", "/funnel_id"),
        ("funnel_id=x&campaign_id=a&group_by=os", "/campaign_id"),
    ] {
        let refused = funnel::query(text, NOW, zone).unwrap_err().remove(0);
        assert_eq!(refused.pointer, at, "{text}");
    }
}

fn outcome() -> impl Strategy<Value = Outcome<'static>> {
    let of = |values: &'static [&'static str]| prop::sample::select(values);
    let who = (of(&["", "spring", "autumn"]), of(&["", "a", "b"]), of(&["", "US", "DE"]), of(&["", "p"]));
    let who = who.prop_map(|(campaign, link, country, publisher)| {
        traits(&[
            (Dimension::Link, link),
            (Dimension::Campaign, campaign),
            (Dimension::Publisher, publisher),
            (Dimension::Country, country),
        ])
    });
    let times = prop::sample::select(&[1i64, 1, 1, -1][..]);
    let numbers = (0i64..5_000_000, 0i64..200_000_000, of(&["", "EUR", "USD"]));
    (0u8..4, who, times, 0..72 * HOUR, numbers).prop_map(
        |(sort, traits, times, back, (small, large, currency))| {
            let (at_ms, currency) = (NOW - back, Text::from(currency));
            match sort {
                0 => {
                    let mut outcome = session(at_ms, large / 1_000, (small % 5) as u64, traits);
                    if let Outcome::Session(session) = &mut outcome {
                        (session.times, session.value_micros, session.currency) = (times, small, currency);
                    }
                    outcome
                }
                1 => {
                    let mut outcome = step((small % 3) as u8, large / 1_000, traits);
                    if let Outcome::Step(step) = &mut outcome {
                        (step.times, step.entered_ms) = (times, at_ms);
                    }
                    outcome
                }
                2 => {
                    let mut outcome = credit(Model::ALL[(small % 5) as usize], small, Some(large), traits);
                    if let Outcome::Credit(credit) = &mut outcome {
                        (credit.times, credit.at_ms, credit.currency) = (times, at_ms, currency);
                        credit.status = Status::ALL[(large % 4) as usize];
                        credit.lag_ms = credit.lag_ms.filter(|lag| lag % 3 > 0);
                    }
                    outcome
                }
                _ => Outcome::Correction(Correction {
                    at_ms,
                    conversions: times,
                    value_micros: times * small,
                    currency: currency.clone(),
                    cost_nanos: times * large,
                    cost_currency: "EUR".into(),
                    payout_nanos: times * large,
                    payout_currency: currency,
                    traits,
                }),
            }
        },
    )
}

fn outcomes() -> impl Strategy<Value = Vec<Outcome<'static>>> {
    prop::collection::vec(outcome(), 0..25)
}

const ASKED: [(Report, &str); 9] = [
    (Report::Sessions, ""),
    (Report::Sessions, "interval=hour&tz=Asia/Kolkata&group_by=country"),
    (Report::Sessions, "campaign_id=spring&group_by=link"),
    (Report::Sessions, "country=-US"),
    (Report::Conversions, "models=all&group_by=campaign_id"),
    (Report::Conversions, "model=linear&campaign_id=spring&group_by=currency"),
    (Report::Conversions, "country=US,"),
    (Report::Funnel, "group_by=country"),
    (Report::Funnel, "campaign_id=spring"),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn adding_up_outcomes_is_a_homomorphism(a in outcomes(), b in outcomes()) {
        let both = [a.clone(), b.clone()].concat();
        let (mut ab, mut ba) = (added(&a), added(&b));
        ab.merge(&added(&b));
        ba.merge(&added(&a));
        prop_assert_eq!(&ab, &ba);
        prop_assert_eq!(&ab, &added(&both));
    }

    #[test]
    fn an_answer_is_the_same_wherever_the_sums_lie(a in outcomes(), b in outcomes()) {
        let whole = Store::default().add(&added(&[a.clone(), b.clone()].concat()));
        let half = Store::default().fold(&added(&a)).add(&added(&b));
        for (report, text) in ASKED {
            prop_assert_eq!(ask(&whole, report, text), ask(&half, report, text), "{:?} {}", report, text);
        }
    }

    #[test]
    fn what_is_taken_back_leaves_nothing(told in outcomes(), clicks in world::happenings()) {
        let (there, back) = (added(&told), added(&taken_back(&told)));
        let never = live(&clicks);
        for store in [live(&clicks).add(&there).add(&back), live(&clicks).fold(&back).add(&there)] {
            for (report, text) in ASKED {
                let (left, empty) = (ask(&store, report, text), ask(&Store::default(), report, text));
                prop_assert_eq!(left, empty, "{:?} {}", report, text);
            }
            for text in ["", "&group_by=country", "&campaign_id=spring&group_by=link", "&country=US&device=desktop"] {
                let text = format!("{SPAN}{text}");
                prop_assert_eq!(store.answer(&text), never.answer(&text), "{}", text);
            }
        }
        let mut nothing = there;
        nothing.merge(&back);
        for (key, page) in pages(&nothing) {
            for row in PageRow::of(&key, &page) {
                let mut kept = Page::new();
                row.add_to(&mut kept).unwrap();
                prop_assert!(kept.values().all(|sheet| sheet.detail.is_empty()), "no cell is kept for nothing");
            }
        }
    }

    #[test]
    fn parts_of_journeys_add_up(told in outcomes()) {
        let told: Vec<_> = told.into_iter().filter(|outcome| match outcome {
            Outcome::Session(session) => session.times > 0,
            _ => false,
        }).collect();
        let store = Store::default().add(&added(&told));
        for text in ["group_by=country", "campaign_id=spring&group_by=country", "interval=hour&group_by=link"] {
            let answer = ask(&store, Report::Sessions, text);
            for field in ["count", "bounces", "events", "pages", "conversions", "converted"] {
                let sum = |lines: &Value| -> u64 {
                    lines.as_array().unwrap().iter().map(|line| line[field].as_u64().unwrap()).sum()
                };
                prop_assert_eq!(Some(sum(&answer["series"])), answer["totals"][field].as_u64());
                prop_assert_eq!(Some(sum(&answer["groups"])), answer["totals"][field].as_u64());
            }
        }
    }
}
