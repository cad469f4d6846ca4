use proptest::prelude::*;

use super::super::score::Score;
use super::*;
use crate::catalog::Sort;

const NOW: i64 = 1_790_000_000_000;

fn rule(body: &Value) -> Rule {
    let mut body = body.clone();
    body["name"] = "x".into();
    let item = Item::create(Sort::Alert, body.to_string().as_bytes(), "a".into(), NOW).unwrap();
    Rule::of(&item).unwrap()
}

fn above(threshold: f64) -> Rule {
    rule(&json!({"metric": "clicks", "threshold": threshold, "for_minutes": 2}))
}

fn reads(value: f64) -> Reading {
    Reading { value, events: value as u64, score: None }
}

/// The minutes at which somebody is told, and what.
fn told(rule: &Rule, values: impl IntoIterator<Item = f64>) -> Vec<(i64, bool)> {
    let (mut state, mut told) = (State::default(), Vec::new());
    for (minute, value) in (0..).zip(values) {
        let verdict = judge(rule, state, Some(&reads(value)), NOW + minute * MINUTE_MS);
        if verdict.tell {
            told.push((minute, verdict.state.firing));
        }
        state = verdict.state;
    }
    told
}

#[test]
fn an_alarm_is_told_once_and_its_end_once() {
    let high = std::iter::repeat_n(20.0, 10).chain(std::iter::repeat_n(1.0, 10));
    assert_eq!(told(&above(10.0), high), [(1, true), (12, false)]);
}

#[test]
fn what_hovers_about_the_threshold_is_one_alarm() {
    let hovering = (0..60).map(|minute| if minute % 2 == 0 { 101.0 } else { 102.0 });
    let falling = (0..60).map(|minute| if minute % 2 == 0 { 101.0 } else { 95.0 });
    assert_eq!(told(&above(100.0), hovering.chain(falling)), [(1, true)], "95 is not well below 100");
}

#[test]
fn one_bad_minute_is_no_alarm_and_one_good_one_not_its_end() {
    assert_eq!(told(&above(10.0), [1.0, 20.0, 1.0, 20.0, 1.0]), []);
    assert_eq!(told(&above(10.0), [20.0, 20.0, 1.0, 1.0, 20.0, 1.0, 1.0]), [(1, true)]);
}

#[test]
fn after_an_alarm_there_is_no_other_for_a_while() {
    let burst = [20.0, 20.0, 1.0, 1.0, 1.0];
    let twice = burst.into_iter().chain(std::iter::repeat_n(20.0, 90));
    assert_eq!(told(&above(10.0), twice), [(1, true), (4, false), (64, true)]);
    let hot = rule(&json!({"metric": "clicks", "threshold": 10, "for_minutes": 2, "cool_down_minutes": 0}));
    assert_eq!(told(&hot, burst.into_iter().chain(burst)).len(), 4);
}

#[test]
fn a_muted_alarm_goes_on_and_off_and_nobody_is_told() {
    let muted = rule(
        &json!({"metric": "clicks", "threshold": 10, "for_minutes": 2, "muted_until": NOW + 30 * MINUTE_MS}),
    );
    let long = std::iter::repeat_n(20.0, 40).chain(std::iter::repeat_n(1.0, 5));
    assert_eq!(told(&muted, long), [(42, false)]);
}

#[test]
fn silence_is_few_clicks_and_shares_of_little_are_no_alarm() {
    let silent = rule(&json!({"metric": "clicks", "condition": "below", "threshold": 1, "for_minutes": 2}));
    assert_eq!(told(&silent, [5.0, 0.0, 0.0, 0.0, 2.0, 2.0, 2.0]), [(2, true), (6, false)]);
    let bots = rule(&json!({"metric": "bot_percent", "threshold": 50, "for_minutes": 2}));
    let of = |events| {
        judge(
            &bots,
            State { streak: 1, ..State::default() },
            Some(&Reading { value: 90.0, events, score: None }),
            NOW,
        )
    };
    assert_eq!((of(29).tell, of(30).tell), (false, true));
}

#[test]
fn a_spike_is_told_with_what_was_usual() {
    let spike = rule(&json!({"metric": "clicks", "condition": "spike"}));
    let score = Some(Score { z: 6.123_4, expected: 20.0, weeks: 8 });
    let verdict = judge(&spike, State::default(), Some(&Reading { value: 70.0, events: 70, score }), NOW);
    assert!(verdict.tell);
    assert_eq!(
        verdict.state.to_json(),
        json!({"state": "firing", "since": "2026-09-21T14:13:20.000Z", "value": 70.0, "expected": 20.0, "score": 6.12})
    );
    let few = judge(&spike, State::default(), Some(&Reading { value: 9.0, events: 9, score }), NOW);
    assert_eq!(few.state, State::default(), "nine clicks are no spike");
    let unknown = judge(&spike, verdict.state, None, NOW);
    assert_eq!((unknown.state, unknown.tell), (verdict.state, false));
}

proptest! {
    #[test]
    fn states_are_read_back(firing: bool, streak in 0u32..9, since_ms in 0..NOW, value in 0u32..1_000_000, z in prop::option::of(-900i32..900)) {
        let z = z.map(|z| f64::from(z) / 4.0);
        let value = f64::from(value);
        let state = State { firing, streak, since_ms, quiet_until_ms: since_ms, value, expected: z, score: z };
        prop_assert_eq!(State::from_record(&state.to_record()), state);
    }

    #[test]
    fn on_and_off_take_turns_whatever_is_read(values in prop::collection::vec(0.0..30.0f64, 0..300)) {
        let turns = told(&above(10.0), values);
        prop_assert!(turns.iter().enumerate().all(|(place, (_, firing))| *firing == (place % 2 == 0)));
    }

    #[test]
    fn any_record_is_read(record: String) {
        let _ = State::from_record(&record);
    }
}
