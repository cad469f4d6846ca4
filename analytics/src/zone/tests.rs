use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;

/// What jiff's copy of the IANA database knows of a zone.
pub(crate) fn zone(name: &str, from_ms: i64, to_ms: i64) -> Option<Zone> {
    let tz = TimeZone::get(name).ok()?;
    let from = Timestamp::from_millisecond(from_ms).ok()?;
    let later = tz.following(from).map(|change| (change.timestamp().as_millisecond(), change.offset()));
    let table = [(from_ms, tz.to_offset(from))].into_iter().chain(later);
    let table = table.take_while(|(at, _)| *at <= to_ms).map(|(at, offset)| (at, offset.seconds()));
    Some(Zone::new(name, table))
}

/// Zones that have done what is rare: gaps at midnight, half hours, quarters, seconds, a day that was skipped.
const RARE: &[&str] = &[
    "Africa/Cairo",
    "Africa/Casablanca",
    "Africa/Monrovia",
    "America/Havana",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Kathmandu",
    "Asia/Tehran",
    "Atlantic/Azores",
    "Australia/Eucla",
    "Australia/Lord_Howe",
    "Europe/Dublin",
    "Pacific/Apia",
    "Pacific/Chatham",
];

/// The name of any zone.
pub(crate) fn names() -> impl Strategy<Value = String> {
    let names: Vec<_> = jiff::tz::db().available().map(|name| name.as_str().to_owned()).collect();
    prop_oneof![prop::sample::select(names), prop::sample::select(RARE).prop_map(str::to_owned)]
}

/// From 1970 to 2100.
pub(crate) fn times() -> impl Strategy<Value = i64> {
    0..4_102_444_800_000i64
}

/// A time within two days of a change of the zone's clocks, if it has any after the time given.
pub(crate) fn near_change(name: &str, at_ms: i64, away_ms: i64) -> i64 {
    let tz = TimeZone::get(name).unwrap();
    let change = tz.following(Timestamp::from_millisecond(at_ms).unwrap()).next();
    change.map_or(at_ms, |change| change.timestamp().as_millisecond()) + away_ms
}

const DAY_MS: i64 = 86_400_000;

#[test]
fn a_name_is_spelled_as_in_the_database() {
    for name in jiff::tz::db().available() {
        assert!(is_name(name.as_str()), "{name}");
    }
    for name in ["UTC", "utc", "asia/kolkata", "Etc/GMT+5", "America/Port-au-Prince", "Europe/Kyiv"] {
        assert!(is_name(name), "{name}");
    }
    for text in [
        "",
        "+01:00",
        "-05",
        "01",
        "/",
        "Europe/Oslo ",
        "Europe/Osló",
        "IST",
        "pst",
        "SystemV/AST4",
        "systemv/pst8",
        "a\nb",
        ":UTC",
        &"A".repeat(49),
    ] {
        assert!(!is_name(text), "{text}");
    }
}

#[test]
fn a_zone_of_which_nothing_is_known_is_utc() {
    let zone = Zone::utc();
    assert_eq!((zone.name(), zone.local(7), zone.at(7), zone.at_near(7, 0)), ("UTC", 7, 7, 7));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn clocks_show_what_jiff_says(name in names(), at in times(), away in -2 * DAY_MS..2 * DAY_MS) {
        let tz = TimeZone::get(&name).unwrap();
        for at in [at, near_change(&name, at, away)] {
            let ours = zone(&name, at - 3 * DAY_MS, at + 3 * DAY_MS).unwrap();
            let time = Timestamp::from_millisecond(at).unwrap();
            prop_assert_eq!(ours.offset_ms(at), i64::from(tz.to_offset(time).seconds()) * 1_000);
            // As if the time were what the clocks show: in an overlap, in a gap, or neither.
            let shown: DateTime = TimeZone::UTC.to_datetime(time);
            let expected = tz.to_zoned(shown).unwrap().timestamp().as_millisecond();
            prop_assert_eq!(ours.at(at), expected, "{} {}", &name, shown);
        }
    }

    #[test]
    fn weekday_and_minute_are_jiffs(name in names(), at in -4_102_444_800_000..4_102_444_800_000i64) {
        let theirs = Timestamp::from_millisecond(at).unwrap().to_zoned(TimeZone::get(&name).unwrap());
        let minute = i16::from(theirs.hour()) * 60 + i16::from(theirs.minute());
        let (weekday, ours) = zone(&name, at, at).unwrap().weekday_and_minute(at);
        prop_assert_eq!((weekday as i8, ours as i16), (theirs.weekday().to_monday_zero_offset(), minute));
    }

    #[test]
    fn a_time_is_found_again(name in names(), at in times(), away in -2 * DAY_MS..2 * DAY_MS) {
        for at in [at, near_change(&name, at, away)] {
            let ours = zone(&name, at - 3 * DAY_MS, at + 3 * DAY_MS).unwrap();
            prop_assert_eq!(ours.at_near(ours.local(at), at), at);
            prop_assert!(ours.at(ours.local(at)) <= at);
        }
    }

    #[test]
    fn any_table_gives_an_answer(table: Vec<(i32, i32)>, at in times()) {
        let zone = Zone::new("x", table.iter().map(|&(from, offset)| (i64::from(from), offset)));
        let _ = (zone.local(at), zone.at(at), zone.at_near(at, at));
        prop_assert!(!zone.name().is_empty());
    }

    #[test]
    fn any_text_is_a_name_or_not(text in ".{0,60}") {
        prop_assert!(!is_name(&text) || text.is_ascii());
    }
}
