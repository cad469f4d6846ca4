//! Cohorts: those who first clicked in the same week, and what they did in each week since.

use serde::{Deserialize, Serialize};

use crate::Text;

/// Length of a week.
pub const WEEK_MS: i64 = 7 * 86_400_000;

/// Who comes back after more than a year is nobody's return of a campaign.
pub const WEEKS_MAX: u8 = 52;

/// Where the week of a time begins, epoch ms: Monday's midnight in UTC. 1970 began on a Thursday.
pub fn week_of(at_ms: i64) -> i64 {
    at_ms.saturating_sub(at_ms.saturating_add(3 * 86_400_000).rem_euclid(WEEK_MS))
}

/// The key of the cell of a week of a cohort: in order as texts are.
pub(crate) fn age_cell(age: u8) -> String {
    [age / 10, age % 10].map(|digit| char::from(b'0' + digit)).into_iter().collect()
}

/// What somebody did in a week since the first click.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cohort<'a> {
    /// 1, or -1 to take it back.
    pub times: i64,
    /// Where the week of the first click begins, epoch ms.
    pub week_ms: i64,
    /// So many weeks later.
    pub age: u8,
    /// Whether it says that somebody was there: once for a visitor and week.
    pub came: bool,
    /// Whether it is the week's first conversion.
    pub converted: bool,
    /// How many conversions.
    pub conversions: u64,
    /// What they were worth, in millionths.
    pub value_micros: i64,
    /// ISO 4217 code.
    #[serde(borrow)]
    pub currency: Text<'a>,
    /// The first click's.
    #[serde(borrow)]
    pub campaign: Text<'a>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outcome;

    #[test]
    fn a_week_begins_on_monday() {
        let at = |day: &str| crate::time::parse_time(day).unwrap();
        for day in ["2026-11-16", "2026-11-18", "2026-11-22"] {
            assert_eq!(week_of(at(day)), at("2026-11-16"), "{day}");
        }
        assert_eq!(week_of(at("2026-11-23")), at("2026-11-23"));
        assert_eq!(week_of(at("2026-11-23") - 1), at("2026-11-16"));
        assert_eq!(week_of(-1), -3 * 86_400_000);
    }

    /// Outcomes lie in queues and in the archive.
    #[test]
    fn the_bytes_of_a_cohort_are_pinned() {
        let cohort = Outcome::Cohort(Cohort {
            times: -1,
            week_ms: 64,
            age: 3,
            came: true,
            converted: false,
            conversions: 2,
            value_micros: 5,
            currency: "EUR".into(),
            campaign: "c".into(),
        });
        let mut bytes = Vec::new();
        cohort.encode(&mut bytes);
        assert_eq!(bytes, [1, 6, 1, 0x80, 1, 3, 1, 0, 2, 10, 3, b'E', b'U', b'R', 1, b'c']);
        assert_eq!(Outcome::decode(&bytes), Some(cohort));
    }
}
