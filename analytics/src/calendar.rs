//! Dates and clock times as RFC 3339 writes them. Of ISO 8601 it reads what programs print besides: a space for the
//! `T`, a comma for the point, no colons, `+05` for an offset, no seconds.

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Days from 1970 to a date, in the Gregorian calendar of all times. A year begins in March here, so that the leap
/// day is its last; then the months before one have 30.6 days on average, rounded.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

/// The year, month and day that begin so many days after 1970 did.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    // Without the leap days before it, every year has 365.
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, next) = (day - (153 * month + 2) / 5 + 1, i64::from(month >= 10));
    (400 * era + year + next, month + 3 - 12 * next, day)
}

/// Epoch ms of a date and time with an offset; what is finer than a millisecond is cut off.
pub(crate) fn parse_instant(text: &str) -> Option<i64> {
    let mut rest = Rest(text.as_bytes());
    let day = rest.date()?;
    rest.one_of(b"Tt ")?;
    let ms = day + rest.time()? - rest.offset()?;
    rest.0.is_empty().then_some(ms)
}

/// Epoch ms of a date's midnight in UTC.
pub(crate) fn parse_date(text: &str) -> Option<i64> {
    let mut rest = Rest(text.as_bytes());
    let midnight = rest.date()?;
    rest.0.is_empty().then_some(midnight)
}

/// In UTC, to the millisecond.
pub(crate) fn utc(at_ms: i64) -> String {
    format!("{}.{:03}Z", seconds(at_ms), at_ms.rem_euclid(SECOND_MS))
}

/// By clocks that are ahead of UTC, to the second. RFC 3339 has no offsets finer than a minute: the few that were,
/// until 1972, are rounded.
pub(crate) fn with_offset(at_ms: i64, offset_ms: i64) -> String {
    let minutes = (offset_ms.abs() + MINUTE_MS / 2) / MINUTE_MS;
    let sign = if offset_ms < 0 { '-' } else { '+' };
    format!("{}{sign}{:02}:{:02}", seconds(at_ms + offset_ms), minutes / 60, minutes % 60)
}

fn seconds(ms: i64) -> String {
    let (year, month, day) = date(ms.div_euclid(DAY_MS));
    let ms = ms.rem_euclid(DAY_MS);
    let (hour, minute, second) = (ms / HOUR_MS, ms / MINUTE_MS % 60, ms / SECOND_MS % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

/// What is left of a text.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn one_of(&mut self, bytes: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        if !bytes.contains(first) {
            return None;
        }
        self.0 = rest;
        Some(*first)
    }

    /// A number of exactly so many digits, up to `max`.
    fn number(&mut self, digits: usize, max: i64) -> Option<i64> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        let number = number.iter().try_fold(0, |number, byte| {
            byte.is_ascii_digit().then(|| 10 * number + i64::from(byte - b'0'))
        })?;
        self.0 = rest;
        (number <= max).then_some(number)
    }

    /// Whether two more digits follow: behind a separator if the first two had one.
    fn more(&mut self, separated: bool) -> bool {
        if separated {
            self.one_of(b":").is_some()
        } else {
            self.0.get(..2).is_some_and(|next| next.iter().all(u8::is_ascii_digit))
        }
    }

    /// The date's midnight, epoch ms.
    fn date(&mut self) -> Option<i64> {
        let year = self.number(4, 9_999)?;
        let separated = self.one_of(b"-").is_some();
        let month = self.number(2, 12)?;
        if separated {
            self.one_of(b"-")?;
        }
        let day = self.number(2, 31)?;
        let days = days(year, month, day);
        // The 31st of February is some other day.
        (date(days) == (year, month, day)).then_some(days * DAY_MS)
    }

    /// The time of the day in ms. A leap second is the one before it.
    fn time(&mut self) -> Option<i64> {
        let mut ms = self.number(2, 23)? * HOUR_MS;
        let separated = self.0.first() == Some(&b':');
        if self.more(separated) {
            ms += self.number(2, 59)? * MINUTE_MS;
            if self.more(separated) {
                ms += self.number(2, 60)?.min(59) * SECOND_MS;
                if self.one_of(b".,").is_some() {
                    ms += self.fraction()?;
                }
            }
        }
        Some(ms)
    }

    /// One to nine digits behind the point of a second, in ms.
    fn fraction(&mut self) -> Option<i64> {
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = self.number(digits, 999_999_999)?;
        match digits {
            1..=9 => Some(number * SECOND_MS / 10_i64.pow(digits as u32)),
            _ => None,
        }
    }

    /// The offset in ms.
    fn offset(&mut self) -> Option<i64> {
        let sign = match self.one_of(b"Zz+-")? {
            b'+' => 1,
            b'-' => -1,
            _ => return Some(0),
        };
        let mut ms = self.number(2, 23)? * HOUR_MS;
        let separated = self.0.first() == Some(&b':');
        if self.more(separated) {
            ms += self.number(2, 59)? * MINUTE_MS;
        }
        Some(sign * ms)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::civil::Date;
    use jiff::tz::{Offset, TimeZone};
    use proptest::prelude::*;

    use super::*;

    fn by_jiff(text: &str) -> Option<i64> {
        let time = text.parse::<Timestamp>().ok()?;
        Some(i64::try_from(time.as_nanosecond().div_euclid(1_000_000)).unwrap())
    }

    #[test]
    fn what_programs_print_is_read() {
        let ms = Some(1_790_000_000_000);
        for text in [
            "2026-09-21T14:13:20Z",
            "2026-09-21 14:13:20.000000+00",
            "2026-09-21T14:13:20,0-00:00",
            "20260921T161320+0200",
            "2026-09-21T14:13:20.000999999Z",
        ] {
            assert_eq!((parse_instant(text), by_jiff(text)), (ms, ms), "{text}");
        }
        // Of these jiff makes something.
        for text in ["2026-09-21T14:13:20Z[UTC]", "+002026-09-21T14:13:20Z", "2026-09-21T14:13:20+00:00:00"] {
            assert_eq!((parse_instant(text), by_jiff(text)), (None, ms), "{text}");
        }
        for text in ["2026-09-21T14:1320Z", "2026-0921T14:13:20Z", "2026-09-21T14:13:20.Z", "2026-02-29T00Z"]
        {
            assert_eq!((parse_instant(text), by_jiff(text)), (None, None), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn a_day_is_the_date_that_jiff_says(days in -719_528..2_932_896i64) {
            let (year, month, day) = date(days);
            let theirs = Timestamp::from_millisecond(days * DAY_MS).unwrap();
            let theirs = TimeZone::UTC.to_datetime(theirs).date();
            prop_assert_eq!(theirs, Date::new(year as i16, month as i8, day as i8).unwrap());
            prop_assert_eq!(super::days(year, month, day), days);
        }

        #[test]
        fn what_looks_like_a_time_is_read_as_by_jiff(
            date in "[0-9]{4}-[01][0-9]-[0-3][0-9]|(19|20)[0-9]{2}-?(0[1-9]|1[0-2])-?([0-2][0-9]|3[01])",
            between in "[Tt ]",
            time in "[0-2][0-9](:[0-6][0-9](:[0-6][0-9]([.,][0-9]{1,9})?)?)?|[0-2][0-9]([0-6][0-9]([0-6][0-9]([.,][0-9]{1,9})?)?)?",
            offset in "[Zz]|[+-][0-2][0-3](:?[0-5][0-9])?",
            noise in "[-+0-9:.,TZ]?",
            place: prop::sample::Index,
        ) {
            let text = format!("{date}{between}{time}{offset}");
            prop_assert_eq!(parse_instant(&text), by_jiff(&text), "{}", &text);
            let place = place.index(text.len());
            for other in [
                format!("{}{noise}{}", &text[..place], &text[place..]),
                format!("{}{}", &text[..place], &text[place + 1..]),
            ] {
                // What only jiff reads: offsets of a day and more, or with seconds, and years of six digits.
                if let Some(ms) = parse_instant(&other) {
                    prop_assert_eq!(Some(ms), by_jiff(&other), "{}", &other);
                }
            }
            prop_assert_eq!(parse_date(&date), date.parse::<Date>().ok().map(|date| {
                date.to_zoned(TimeZone::UTC).unwrap().timestamp().as_millisecond()
            }));
        }

        #[test]
        fn a_time_is_written_as_by_jiff(ms in -62_135_596_800_000..253_402_207_200_000i64, offset in -57_600..57_600i32) {
            let time = Timestamp::from_millisecond(ms).unwrap();
            prop_assert_eq!(utc(ms), format!("{time:.3}"));
            let second = Timestamp::from_second(ms.div_euclid(1_000)).unwrap();
            let theirs = second.display_with_offset(Offset::from_seconds(offset).unwrap()).to_string();
            prop_assert_eq!(with_offset(ms, i64::from(offset) * 1_000), theirs);
        }

        #[test]
        fn any_text_is_a_time_or_not(text in ".{0,40}", digits in "[-+0-9:.,TZ ]{0,40}") {
            let _ = [&text, &digits].map(|text| (parse_instant(text), parse_date(text)));
        }
    }
}
