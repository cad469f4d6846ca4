//! A quarter of a year of made-up traffic with its days, nights and week-ends: no alarm without a cause, and none missed.

use serde_json::json;

use super::judge::{Rule, State, judge};
use super::read::{Board, Service};
use crate::catalog::{Item, Sort};
use crate::counters::{Counters, Hit};
use crate::page::{Level, PageKey, PageRow};
use crate::sheet::Sheet;
use crate::{Kind, Scope};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// A Monday.
const START: i64 = 1_790_553_600_000;

/// Numbers that look random and are the same each time.
struct Chance(u64);

impl Chance {
    fn unit(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    fn poisson(&mut self, mean: f64) -> u64 {
        if mean > 50.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0) as u64;
        }
        let (limit, mut product, mut count) = ((-mean).exp(), self.unit(), 0);
        while product > limit {
            product *= self.unit();
            count += 1;
        }
        count
    }
}

/// What a minute brings on the average: nights have a tenth of the day, week-ends half, and each day its own luck.
fn mean(level: f64, at: i64, luck: &[f64]) -> f64 {
    let hour = (at - START).rem_euclid(DAY) as f64 / (60 * MINUTE) as f64;
    let daily = 0.1 + 0.9 * (0.5 - 0.5 * (hour / 24.0 * std::f64::consts::TAU).cos());
    let day = (at - START).div_euclid(DAY);
    let weekly = if day.rem_euclid(7) >= 5 { 0.5 } else { 1.0 };
    level * daily * weekly * luck[day as usize % luck.len()]
}

fn rule(condition: &str) -> Rule {
    let body = json!({"name": "x", "metric": "clicks", "condition": condition});
    Rule::of(&Item::create(Sort::Alert, body.to_string().as_bytes(), "a".into(), START).unwrap()).unwrap()
}

fn put(board: &mut Board, level: Level, at: i64, clicks: u64) {
    let key = PageKey { level, scope: Scope::All, start_ms: at - at.rem_euclid(level.page_ms()) };
    let totals = Counters::hits(Kind::Click, Hit::Human, clicks);
    let page = [(at - at.rem_euclid(level.bucket_ms()), Sheet { totals, ..Sheet::default() })];
    for row in PageRow::of(&key, &page.into()) {
        board.add(&row).unwrap();
    }
}

/// The minutes, from the start, at which either rule goes off, in traffic that `swollen` makes more of.
fn alarms(level: f64, days: i64, seed: u64, swollen: impl Fn(i64) -> f64) -> Vec<i64> {
    let mut chance = Chance(seed);
    let luck: Vec<f64> = (0..days).map(|_| 1.0 + 0.08 * chance.normal()).collect();
    let mut board = Board::default();
    let rules = [rule("spike"), rule("drop")];
    let mut states = [State::default(); 2];
    let (mut alarms, mut quarter) = (Vec::new(), 0);
    for minute in 0..days * 24 * 60 {
        let at = START + minute * MINUTE;
        let clicks = chance.poisson(mean(level, at, &luck) * swollen(minute));
        put(&mut board, Level::Minute, at, clicks);
        quarter += clicks;
        if minute % 15 == 14 {
            put(&mut board, Level::Hour, at, std::mem::take(&mut quarter));
        }
        for (rule, state) in rules.iter().zip(&mut states) {
            let now = at + MINUTE + 1;
            let reading = board.read(rule, Service::default(), None, now);
            let verdict = judge(rule, *state, reading.as_ref(), now);
            if verdict.tell && verdict.state.firing {
                alarms.push(minute);
            }
            *state = verdict.state;
        }
    }
    alarms
}

#[test]
fn ninety_days_of_ordinary_traffic_raise_no_alarm() {
    for (level, seed) in [(0.3, 1), (4.0, 2), (40.0, 3), (2_000.0, 4)] {
        assert_eq!(alarms(level, 90, seed, |_| 1.0), [] as [i64; 0], "{level} clicks a minute");
    }
}

#[test]
fn three_times_the_traffic_is_found_within_five_minutes() {
    let day = 24 * 60;
    // By day, in the evening, on a Sunday, and at night where there is enough to tell.
    for (level, hour, weekday) in [(10.0, 12, 0), (10.0, 16, 2), (40.0, 9, 6), (40.0, 3, 3), (2_000.0, 0, 1)]
    {
        let from = (7 * 7 + weekday) * day + hour * 60;
        let found = alarms(level, 7 * 7 + weekday + 1, 7, |minute| {
            if (from..from + 30).contains(&minute) { 3.0 } else { 1.0 }
        });
        assert_eq!(found.len(), 1, "{level} a minute on day {weekday} at {hour}: {found:?}");
        // The first swollen minute is over a minute after `from`.
        assert!((from..from + 5).contains(&found[0]), "{} minutes", found[0] - from + 1);
    }
}

#[test]
fn a_service_that_falls_silent_is_found() {
    let day = 24 * 60;
    let from = 50 * day + 12 * 60;
    let found = alarms(40.0, 51, 11, |minute| if minute >= from { 0.0 } else { 1.0 });
    assert_eq!(found.len(), 1);
    assert!((from..from + 7).contains(&found[0]), "{} minutes", found[0] - from + 1);
}
