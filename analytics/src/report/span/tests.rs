use jiff::tz::TimeZone;
use jiff::{RoundMode, Timestamp, ToSpan, Unit, Zoned, ZonedRound};
use proptest::prelude::*;

use super::*;
use crate::zone::tests as zones;

const NOW: i64 = 1_790_000_000_000; // 2026-09-21T14:13:20Z

fn ms(text: &str) -> i64 {
    crate::time::parse_time(text).unwrap()
}

/// A zone, known for as long as a span of these times asks for.
fn zone(name: &str, from: Option<i64>, to: Option<i64>, now: i64) -> Zone {
    let (from, to) = Span::reach(from.map(Moment::At), to.map(Moment::At), now);
    zones::zone(name, from, to).unwrap()
}

/// The starts and the end of a span, as the zone's clocks show them.
fn cut(from: &str, to: &str, interval: Interval, tz: &str) -> String {
    let (from, to) = (Some(ms(from)), Some(ms(to)));
    let span = Span::new(from, to, Some(interval), zone(tz, from, to, NOW), NOW).unwrap();
    let times: Vec<_> = span.starts.iter().chain([&span.to_ms]).map(|at| span.format(*at)).collect();
    times.join(" ")
}

#[test]
fn a_span_is_widened_to_whole_intervals_and_its_end_is_exclusive() {
    let (a, b) = ("2026-05-01T10:00:01Z", "2026-05-01T12:00:00Z");
    assert_eq!(
        cut(a, b, Interval::Hour, "UTC"),
        "2026-05-01T10:00:00+00:00 2026-05-01T11:00:00+00:00 2026-05-01T12:00:00+00:00"
    );
    assert_eq!(cut(a, b, Interval::Day, "UTC"), "2026-05-01T00:00:00+00:00 2026-05-02T00:00:00+00:00");
    assert_eq!(cut(a, "2026-05-01T11:00:00.001Z", Interval::Hour, "UTC"), cut(a, b, Interval::Hour, "UTC"));
}

#[test]
fn hours_begin_when_the_zones_clock_strikes() {
    assert_eq!(
        cut("2026-05-01T10:00:00Z", "2026-05-01T10:40:00Z", Interval::Hour, "Asia/Kolkata"),
        "2026-05-01T15:00:00+05:30 2026-05-01T16:00:00+05:30 2026-05-01T17:00:00+05:30"
    );
    assert_eq!(
        cut("2026-11-01T04:30:00Z", "2026-11-01T07:00:00Z", Interval::Hour, "America/New_York"),
        "2026-11-01T00:00:00-04:00 2026-11-01T01:00:00-04:00 2026-11-01T01:00:00-05:00 \
         2026-11-01T02:00:00-05:00"
    );
    assert_eq!(
        cut("2026-04-04T13:30:00Z", "2026-04-04T16:00:00Z", Interval::Hour, "Australia/Lord_Howe"),
        "2026-04-05T00:00:00+11:00 2026-04-05T01:00:00+11:00 2026-04-05T02:00:00+10:30 \
         2026-04-05T03:00:00+10:30"
    );
    assert_eq!(
        cut("2026-10-03T14:30:00Z", "2026-10-03T17:00:00Z", Interval::Hour, "Australia/Lord_Howe"),
        "2026-10-04T01:00:00+10:30 2026-10-04T02:30:00+11:00 2026-10-04T03:00:00+11:00 \
         2026-10-04T04:00:00+11:00"
    );
}

#[test]
fn days_are_as_long_as_the_zone_makes_them() {
    assert_eq!(
        cut("2026-03-07T12:00:00Z", "2026-03-09T12:00:00Z", Interval::Day, "America/New_York"),
        "2026-03-07T00:00:00-05:00 2026-03-08T00:00:00-05:00 2026-03-09T00:00:00-04:00 \
         2026-03-10T00:00:00-04:00"
    );
    assert_eq!(
        cut("2011-12-29T12:00:00Z", "2011-12-31T12:00:00Z", Interval::Day, "Pacific/Apia"),
        "2011-12-29T00:00:00-10:00 2011-12-31T00:00:00+14:00 2012-01-01T00:00:00+14:00 \
         2012-01-02T00:00:00+14:00"
    );
    // Cairo skips the midnight of the last Friday of April.
    assert_eq!(
        cut("2026-04-23T12:00:00Z", "2026-04-25T12:00:00Z", Interval::Day, "Africa/Cairo"),
        "2026-04-23T00:00:00+02:00 2026-04-24T01:00:00+03:00 2026-04-25T00:00:00+03:00 \
         2026-04-26T00:00:00+03:00"
    );
}

#[test]
fn what_is_not_said_is_a_usual_span_up_to_now() {
    let usual = |from, to, interval| {
        let span = Span::new(from, to, interval, Zone::utc(), NOW).unwrap();
        (span.interval, span.starts.len(), span.format(span.from_ms), span.format(span.to_ms))
    };
    let of = |interval, points, from: &str, to: &str| (interval, points, from.to_owned(), to.to_owned());
    let month = of(Interval::Day, 30, "2026-08-23T00:00:00+00:00", "2026-09-22T00:00:00+00:00");
    assert_eq!(usual(None, None, None), month);
    let day = of(Interval::Hour, 24, "2026-09-20T15:00:00+00:00", "2026-09-21T15:00:00+00:00");
    assert_eq!(usual(None, None, Some(Interval::Hour)), day);
    let hour = of(Interval::Minute, 60, "2026-09-21T13:14:00+00:00", "2026-09-21T14:14:00+00:00");
    assert_eq!(usual(None, None, Some(Interval::Minute)), hour);
    assert_eq!(usual(Some(NOW - HOUR_MS), None, None).0, Interval::Minute);
    assert_eq!(usual(Some(NOW - 50 * HOUR_MS), Some(NOW - 49 * HOUR_MS), None).0, Interval::Hour);
    assert_eq!(usual(Some(NOW - 4 * DAY_MS), None, None).0, Interval::Day);
    let future = of(Interval::Minute, 1, "2026-09-21T15:13:00+00:00", "2026-09-21T15:14:00+00:00");
    assert_eq!(usual(Some(NOW + HOUR_MS), None, None), future);
}

#[test]
fn what_would_be_too_much_is_refused_with_what_to_ask_instead() {
    let new = |from, to, interval, tz: &str| {
        let (from, to) = (Some(from), Some(to));
        Span::new(from, to, Some(interval), zone(tz, from, to, NOW), NOW).map_err(|reject| reject.pointer)
    };
    assert_eq!(new(NOW, NOW, Interval::Day, "UTC").unwrap_err(), "/to");
    assert_eq!(new(NOW - 60 * HOUR_MS, NOW, Interval::Minute, "UTC").unwrap_err(), "/interval");
    assert_eq!(new(NOW - 365 * DAY_MS, NOW, Interval::Hour, "UTC").unwrap_err(), "/interval");
    assert_eq!(new(NOW - 730 * DAY_MS, NOW, Interval::Day, "Asia/Kolkata").unwrap_err(), "/from");
    assert!(new(NOW - 48 * HOUR_MS, NOW, Interval::Minute, "UTC").is_ok());
    assert!(new(NOW - 365 * DAY_MS, NOW, Interval::Day, "Asia/Kolkata").is_ok());
    assert!(new(NOW - 730 * DAY_MS, NOW, Interval::Day, "UTC").is_ok());
}

#[test]
fn only_days_of_utc_are_read_by_day() {
    let level = |interval, tz: &str| {
        let (from, to) = (Some(NOW - 2 * DAY_MS), Some(NOW));
        Span::new(from, to, Some(interval), zone(tz, from, to, NOW), NOW).unwrap().level()
    };
    assert_eq!(level(Interval::Day, "UTC"), Level::Day);
    assert_eq!(level(Interval::Day, "Africa/Abidjan"), Level::Day);
    assert_eq!(level(Interval::Day, "Asia/Kolkata"), Level::Hour);
    assert_eq!(level(Interval::Hour, "UTC"), Level::Hour);
    assert_eq!(level(Interval::Minute, "Asia/Kolkata"), Level::Minute);
}

/// The same by jiff, with all that it knows of the zone: where each interval begins, and where the last one ends.
mod by_jiff {
    use super::*;

    fn truncated(at: &Zoned, unit: Unit) -> Zoned {
        // Where the clocks skip the beginning of an hour, rounding down goes up.
        let mut within = at.clone();
        loop {
            let start = within.round(ZonedRound::new().smallest(unit).mode(RoundMode::Trunc)).unwrap();
            if start <= *at {
                return start;
            }
            within = within.checked_sub(15.minutes()).unwrap();
        }
    }

    fn step(unit: Unit, units: i64) -> jiff::Span {
        match unit {
            Unit::Minute => units.minutes(),
            Unit::Hour => units.hours(),
            _ => units.days(),
        }
    }

    fn next(at: &Zoned, unit: Unit) -> Zoned {
        let mut later = at.checked_add(step(unit, 1)).unwrap();
        loop {
            let start = truncated(&later, unit);
            if start > *at {
                return start;
            }
            later = later.checked_add(30.minutes()).unwrap();
        }
    }

    pub(super) fn cut(from: Option<i64>, to: i64, interval: Interval, name: &str) -> Vec<(i64, String)> {
        let (unit, usual) = match interval {
            Interval::Minute => (Unit::Minute, 59),
            Interval::Hour => (Unit::Hour, 23),
            Interval::Day => (Unit::Day, 29),
        };
        let tz = TimeZone::get(name).unwrap();
        let zoned = |at: i64| Timestamp::from_millisecond(at).unwrap().to_zoned(tz.clone());
        let mut end = truncated(&zoned(to), unit);
        while end < zoned(to) {
            end = next(&end, unit);
        }
        let from = from.map_or_else(
            || end.checked_sub(1.nanosecond()).unwrap().checked_sub(step(unit, usual)).unwrap(),
            zoned,
        );
        let mut starts = vec![truncated(&from, unit)];
        while *starts.last().unwrap() < end {
            starts.push(next(starts.last().unwrap(), unit));
        }
        let shown = |at: &Zoned| at.timestamp().display_with_offset(at.offset()).to_string();
        starts.iter().map(|at| (at.timestamp().as_millisecond(), shown(at))).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_span_is_cut_as_by_jiff(
        name in zones::names(),
        at in zones::times(),
        away in -2 * DAY_MS..2 * DAY_MS,
        length in 1..5 * DAY_MS,
        whole: bool,
        interval in prop::sample::select(vec![Interval::Minute, Interval::Hour, Interval::Day]),
    ) {
        let length = if interval == Interval::Minute { 1 + length / 48 } else { length };
        for at in [at, zones::near_change(&name, at, away)] {
            // A time of every quarter hour, or any.
            let from = if whole { at - at.rem_euclid(15 * MINUTE_MS) } else { at };
            let to = from + length;
            for given in [Some(from), None] {
                let facts = zone(&name, given, Some(to), to);
                let span = Span::new(given, Some(to), Some(interval), facts, to).unwrap();
                let ours: Vec<_> =
                    span.starts.iter().chain([&span.to_ms]).map(|at| (*at, span.format(*at))).collect();
                prop_assert_eq!(&ours, &by_jiff::cut(given, to, interval, &name), "{} {:?} {}", &name, given, to);
                prop_assert!(span.from_ms <= given.unwrap_or(to) && span.to_ms >= to);
            }
        }
    }

    #[test]
    fn a_span_reaches_its_end_where_hours_repeat_past_a_quarter(minute in 0..240_i64) {
        // 2026-04-04T14:45Z: the clocks of Chatham go back from 03:45 to 02:45.
        let to = 1_775_313_900_000 + (minute - 120) * MINUTE_MS + 1;
        let facts = zone("Pacific/Chatham", None, Some(to), to);
        let span = Span::new(Some(to - 1), Some(to), Some(Interval::Hour), facts, to).unwrap();
        prop_assert!(span.from_ms < to && span.to_ms >= to, "{:?}", span);
    }

    #[test]
    fn a_span_holds_its_times_where_an_hour_lacks_its_beginning(minute in 0..240_i64) {
        // 1990-04-01T03:31Z: the clocks of St. John's go from 00:01 to 01:01.
        let at = 638_940_660_000 + (minute - 120) * MINUTE_MS;
        let facts = zone("America/St_Johns", Some(at), Some(at + 1), at);
        let span = Span::new(Some(at), Some(at + 1), Some(Interval::Hour), facts, at).unwrap();
        prop_assert!(span.from_ms <= at && span.to_ms > at, "{:?}", span);
    }

    #[test]
    fn a_day_begins_where_jiff_says(name in zones::names(), at in zones::times(), near: bool) {
        let at = if near { zones::near_change(&name, at, 0) } else { at };
        let day = Moment::Day(at - at.rem_euclid(DAY_MS));
        let (from, to) = Span::reach(Some(day), None, 0);
        let tz = TimeZone::get(&name).unwrap();
        let theirs = TimeZone::UTC.to_datetime(Timestamp::from_millisecond(at).unwrap()).date();
        let theirs = theirs.to_zoned(tz).unwrap().timestamp().as_millisecond();
        prop_assert_eq!(day.at(&zones::zone(&name, from, to).unwrap()), theirs);
    }

    #[test]
    fn a_long_span_is_cut_as_by_jiff(name in zones::names(), at in zones::times(), days in 1..330i64) {
        let (from, to) = (Some(at), Some(at + days * DAY_MS));
        let span = Span::new(from, to, Some(Interval::Day), zone(&name, from, to, at), at).unwrap();
        let ours: Vec<_> = span.starts.iter().chain([&span.to_ms]).map(|at| (*at, span.format(*at))).collect();
        prop_assert_eq!(ours, by_jiff::cut(from, at + days * DAY_MS, Interval::Day, &name));
    }
}
