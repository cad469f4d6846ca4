//! Times as clients write them, in milliseconds since the epoch.

use crate::calendar;

/// How far a client's clock may run ahead. Two days: a device set to the wrong day is still counted, and the
/// skew rule corrects it.
pub const EVENT_AHEAD_MAX_MS: i64 = 48 * 60 * 60 * 1_000;

/// How old an event may be when it arrives: a phone that was offline for a season. It is also how long the
/// sums keep the detail that a late event has to be added to.
pub const EVENT_BACK_MAX_MS: i64 = 90 * 24 * 60 * 60 * 1_000;

const NOT_A_TIME: &str = "is not a time; send epoch milliseconds or RFC 3339 with an offset";

/// Longer texts are no time; the bound is for the parser's sake.
const TEXT_MAX_BYTES: usize = 64;

/// The years 1 to 9999, which is what RFC 3339 can write; the last day is cut by the largest UTC offset.
pub(crate) const REPRESENTABLE_MS: std::ops::RangeInclusive<i64> = -62_135_596_800_000..=253_402_207_200_000;

/// Reads epoch milliseconds as digits, or RFC 3339.
///
/// # Errors
/// The end of a sentence that begins with the field's name.
pub fn parse_instant(text: &str) -> Result<i64, &'static str> {
    let text = text.trim();
    if text.len() > TEXT_MAX_BYTES {
        return Err(NOT_A_TIME);
    }
    let ms = match text.parse::<i64>() {
        Ok(ms) => ms,
        Err(_) => calendar::parse_instant(text).ok_or(NOT_A_TIME)?,
    };
    representable(ms)
}

/// As [`parse_instant`], and also `YYYY-MM-DD` for that day's midnight in UTC: the times of a query.
///
/// # Errors
/// As [`parse_instant`].
pub fn parse_time(text: &str) -> Result<i64, &'static str> {
    parse_instant(text).or_else(|reason| {
        // Parsed as a date, so that `2026-05-01T10:00` is not taken for the midnight before it.
        let plain = text.trim().len() == "YYYY-MM-DD".len();
        representable(calendar::parse_date(text.trim()).filter(|_| plain).ok_or(reason)?)
    })
}

/// Reads a JSON number, given as its text: a browser's `performance` clock writes fractions of a millisecond.
///
/// # Errors
/// As [`parse_instant`].
pub fn from_number(number: &str) -> Result<i64, &'static str> {
    if let Ok(ms) = number.parse::<i64>() {
        return representable(ms);
    }
    // A cast saturates, so that what is out of range stays out of range.
    let ms: f64 = serde_json::from_str(number).map_err(|_| NOT_A_TIME)?;
    representable(ms.floor() as i64)
}

/// Whether an event of that time may be counted by a server whose clock shows `received_at_ms`.
///
/// # Errors
/// As [`parse_instant`].
pub fn within_reach(event_time_ms: i64, received_at_ms: i64) -> Result<i64, &'static str> {
    let reach =
        received_at_ms.saturating_sub(EVENT_BACK_MAX_MS)..=received_at_ms.saturating_add(EVENT_AHEAD_MAX_MS);
    if reach.contains(&event_time_ms) {
        Ok(event_time_ms)
    } else if event_time_ms > *reach.end() {
        Err("is more than 48 hours ahead of the server's clock")
    } else if reach.contains(&event_time_ms.saturating_mul(1_000)) {
        Err("is in seconds; send milliseconds")
    } else {
        Err("is more than 90 days ago")
    }
}

/// The time as RFC 3339 in UTC with milliseconds; what lies outside the calendar is shown as its edge.
pub fn rfc3339(ms: i64) -> String {
    calendar::utc(ms.clamp(*REPRESENTABLE_MS.start(), *REPRESENTABLE_MS.end()))
}

fn representable(ms: i64) -> Result<i64, &'static str> {
    if REPRESENTABLE_MS.contains(&ms) { Ok(ms) } else { Err("is outside the years 1 to 9999") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_790_000_000_000;

    #[test]
    fn an_instant_is_milliseconds_or_rfc_3339() {
        for (text, ms) in [
            ("1790000000000", NOW),
            (" 1790000000000 ", NOW),
            ("0", 0),
            ("-1", -1),
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01t00:00:00z", 0),
            ("2026-09-21T14:13:20Z", NOW),
            ("2026-09-21T14:13:20.250Z", NOW + 250),
            ("2026-09-21T14:13:20.2509999Z", NOW + 250),
            ("2026-09-21T16:13:20+02:00", NOW),
            ("2026-09-21T08:43:20-05:30", NOW),
            ("2026-09-21T14:13:60Z", NOW + 39_000),
        ] {
            assert_eq!(parse_instant(text), Ok(ms), "{text}");
        }
    }

    #[test]
    fn a_time_without_offset_or_sense_is_refused() {
        for text in [
            "",
            "now",
            "2026-09-21",
            "2026-09-21T14:13:20",
            "2026-02-30T00:00:00Z",
            "2026-09-21T25:00:00Z",
            "1790000000000.5",
            "9999999999999999",
            "99999999999999999999999",
            "2026-09-21T14:13:2é",
            &"1".repeat(65),
        ] {
            assert!(parse_instant(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_query_may_give_a_day() {
        assert_eq!(parse_time("1970-01-02"), Ok(86_400_000));
        assert_eq!(parse_time("2026-09-21"), Ok(1_789_948_800_000));
        assert_eq!(parse_time("1790000000000"), Ok(NOW));
        for text in ["2026-09-31", "2026-9-1", "2026-09-21T10:00", "2026-W38-1", "20260921x", "é026-09-2"] {
            assert!(parse_time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_number_may_have_a_fraction_or_an_exponent() {
        assert_eq!(from_number("1790000000000"), Ok(NOW));
        assert_eq!(from_number("1790000000000.75"), Ok(NOW));
        assert_eq!(from_number("1.79e12"), Ok(NOW));
        for number in ["1e30", "-1e30", "9007199254740993", "1e999", "18446744073709551616"] {
            assert!(from_number(number).is_err(), "{number}");
        }
    }

    #[test]
    fn an_event_is_at_most_two_days_ahead_and_ninety_back() {
        assert_eq!(within_reach(NOW + EVENT_AHEAD_MAX_MS, NOW), Ok(NOW + EVENT_AHEAD_MAX_MS));
        assert_eq!(within_reach(NOW - EVENT_BACK_MAX_MS, NOW), Ok(NOW - EVENT_BACK_MAX_MS));
        assert!(within_reach(NOW + EVENT_AHEAD_MAX_MS + 1, NOW).unwrap_err().contains("ahead"));
        assert!(within_reach(NOW - EVENT_BACK_MAX_MS - 1, NOW).unwrap_err().contains("ago"));
        assert!(within_reach(NOW / 1_000, NOW).unwrap_err().contains("seconds"));
    }

    #[test]
    fn a_time_is_written_with_milliseconds() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(NOW + 7), "2026-09-21T14:13:20.007Z");
        assert_eq!(rfc3339(i64::MAX), "9999-12-30T22:00:00.000Z");
        assert_eq!(rfc3339(i64::MIN), "0001-01-01T00:00:00.000Z");
    }

    proptest! {
        #[test]
        fn every_parser_is_total(text in ".*", digits in "[-+0-9.eETZ:]{0,40}", at: i64, now: i64) {
            for text in [&text, &digits] {
                let _ = (parse_instant(text), parse_time(text), from_number(text));
            }
            let _ = within_reach(at, now);
        }

        #[test]
        fn what_is_written_is_read_back(ms in REPRESENTABLE_MS) {
            prop_assert_eq!(parse_instant(&rfc3339(ms)), Ok(ms));
        }
    }
}
