use super::*;

const NOW: i64 = 1_790_000_000_000; // 2026-09-21T14:13:20Z

fn ms(text: &str) -> i64 {
    crate::time::parse_time(text).unwrap()
}

/// The starts and the end of a span, as the zone's clocks show them.
fn cut(from: &str, to: &str, interval: Interval, tz: &str) -> String {
    let tz = TimeZone::get(tz).unwrap();
    let span = Span::new(Some(ms(from)), Some(ms(to)), Some(interval), tz, NOW).unwrap();
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
        let span = Span::new(from, to, interval, TimeZone::UTC, NOW).unwrap();
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
        let tz = TimeZone::get(tz).unwrap();
        Span::new(Some(from), Some(to), Some(interval), tz, NOW).map_err(|reject| reject.pointer)
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
        let tz = TimeZone::get(tz).unwrap();
        Span::new(Some(NOW - 2 * DAY_MS), Some(NOW), Some(interval), tz, NOW).unwrap().level()
    };
    assert_eq!(level(Interval::Day, "UTC"), Level::Day);
    assert_eq!(level(Interval::Day, "Africa/Abidjan"), Level::Day);
    assert_eq!(level(Interval::Day, "Asia/Kolkata"), Level::Hour);
    assert_eq!(level(Interval::Hour, "UTC"), Level::Hour);
    assert_eq!(level(Interval::Minute, "Asia/Kolkata"), Level::Minute);
}
