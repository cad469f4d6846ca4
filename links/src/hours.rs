//! Hours of the week in a time zone: `Mon-Fri, 09:00 to 17:00, Europe/Berlin`.

use serde::{Deserialize, Serialize};

const MINUTES_OF_DAY: u16 = 24 * 60;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A span of each of some days. One that ends before it begins goes on after midnight, and belongs to the day
/// on which it began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// First minute of the day, 0 to 1439.
    pub from: u16,
    /// The minute at which it is over, 1 to 1440.
    pub to: u16,
    /// Bit 0 is Monday.
    pub days: u8,
    /// IANA name of the zone.
    pub tz: String,
}

impl Hours {
    /// Whether the minute lies within.
    pub fn has(&self, weekday: u8, minute: u16) -> bool {
        let on = |day: u8| self.days >> (day % 7) & 1 == 1;
        if self.from < self.to {
            on(weekday) && (self.from..self.to).contains(&minute)
        } else {
            on(weekday) && minute >= self.from || on(weekday + 6) && minute < self.to
        }
    }

    /// Every day.
    pub const ALL_DAYS: u8 = 0x7f;

    /// The bit of a day's name.
    pub(crate) fn day(name: &str) -> Option<u8> {
        DAYS.iter().position(|day| day.eq_ignore_ascii_case(name)).map(|place| 1 << place)
    }

    /// The names of the days that are set.
    pub(crate) fn day_names(&self) -> impl Iterator<Item = &'static str> {
        DAYS.iter().enumerate().filter(|(place, _)| self.days >> place & 1 == 1).map(|(_, name)| *name)
    }
}

/// Reads `HH:MM`; 24:00 is the end of the day.
pub(crate) fn minute_of(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |part: &str| (part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit())).then_some(());
    two(hours).and(two(minutes))?;
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    let minute = hours * 60 + minutes;
    (minutes < 60 && minute <= MINUTES_OF_DAY).then_some(minute)
}

/// `HH:MM`
pub(crate) fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(from: &str, to: &str, days: &[&str]) -> Hours {
        let days = days.iter().filter_map(|day| Hours::day(day)).fold(0, |all, day| all | day);
        Hours { from: minute_of(from).unwrap(), to: minute_of(to).unwrap(), days, tz: "UTC".into() }
    }

    #[test]
    fn office_hours_are_of_their_days() {
        let office = hours("09:00", "17:00", &["mon", "Fri"]);
        assert!(office.has(0, 540) && office.has(4, 1019));
        assert!(!office.has(0, 539) && !office.has(0, 1020) && !office.has(1, 600));
        assert_eq!(office.day_names().collect::<Vec<_>>(), ["mon", "fri"]);
    }

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_began() {
        let night = hours("22:00", "06:00", &["sat"]);
        assert!(night.has(5, 1320) && night.has(6, 359));
        assert!(!night.has(6, 360) && !night.has(6, 1320) && !night.has(5, 100));
        let sunday = hours("22:00", "06:00", &["sun"]);
        assert!(sunday.has(0, 0));
    }

    #[test]
    fn a_clock_is_read_and_written() {
        for text in ["00:00", "09:05", "24:00"] {
            assert_eq!(clock(minute_of(text).unwrap()), text);
        }
        for bad in ["", "9:00", "24:01", "12:60", "-1:00", "+9:00", "12", "12:0a", "99:99"] {
            assert_eq!(minute_of(bad), None, "{bad}");
        }
    }
}
