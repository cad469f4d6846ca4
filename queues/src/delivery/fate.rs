//! What becomes of a delivery after a try.

use super::TRIED_FOR_MS;
use crate::backoff_ms;

/// The first wait, which doubles with each failure.
const FIRST_MS: i64 = 10_000;

/// The longest wait: with the doubling before it, some fifteen tries in a day.
const LONGEST_MS: i64 = 4 * 3_600_000;

/// A receiver may ask for a pause, but not for good.
const PAUSE_MAX_S: i64 = 4 * 3_600;

/// What a receiver said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A status, and for how many seconds it asks to be left alone.
    Status(u16, Option<i64>),
    /// Nothing, and why.
    None(String),
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is told.
    Delivered,
    /// It is tried again, at this time, epoch ms.
    Again(i64),
    /// It was tried for a day.
    Dead,
    /// The receiver is gone, and says so: nothing more is to be sent there.
    Gone,
}

/// Decides. `tries` there were, this one among them; it may be tried until `expires_ms`; `chance` is any number, so that
/// deliveries that failed together do not come back together.
pub fn fate(answer: &Answer, tries: u32, expires_ms: i64, now_ms: i64, chance: u32) -> Fate {
    let pause_ms = match answer {
        Answer::Status(200..=299, _) => return Fate::Delivered,
        Answer::Status(410, _) => return Fate::Gone,
        Answer::Status(429 | 503, Some(seconds)) => (*seconds).clamp(0, PAUSE_MAX_S) * 1_000,
        _ => 0,
    };
    let whole = backoff_ms(FIRST_MS, tries.saturating_sub(1), LONGEST_MS);
    // From a half to the whole.
    let wait = whole / 2 + (whole / 2) * i64::from(chance % 1_024) / 1_024;
    let next = now_ms + wait.max(pause_ms);
    if next > expires_ms { Fate::Dead } else { Fate::Again(next) }
}

/// When a delivery that is made now is given up.
pub fn expiry(now_ms: i64) -> i64 {
    now_ms + TRIED_FOR_MS
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: i64 = 1_790_000_000_000;

    /// The waits of a receiver that never answers, in seconds.
    fn waits(chance: u32) -> Vec<i64> {
        let (mut now_ms, mut waits) = (NOW, Vec::new());
        for tries in 1.. {
            match fate(&Answer::None("down".into()), tries, expiry(NOW), now_ms, chance) {
                Fate::Again(next) => waits.push((next - std::mem::replace(&mut now_ms, next)) / 1_000),
                fate => {
                    assert_eq!(fate, Fate::Dead);
                    break;
                }
            }
        }
        waits
    }

    #[test]
    fn a_day_of_tries_further_and_further_apart() {
        let latest = waits(1_023);
        assert_eq!(latest[..6], [9, 19, 39, 79, 159, 319]);
        assert_eq!(latest.len(), 15);
        let hours = latest.iter().sum::<i64>() as f64 / 3_600.0;
        assert!((20.0..24.0).contains(&hours), "{hours}");
        assert_eq!(waits(0)[..3], [5, 10, 20]);
    }

    #[test]
    fn what_is_understood_is_not_sent_again_and_a_redirect_is_not_followed() {
        let of = |status, pause| fate(&Answer::Status(status, pause), 1, expiry(NOW), NOW, 0);
        assert_eq!(
            (of(200, None), of(204, None), of(410, None)),
            (Fate::Delivered, Fate::Delivered, Fate::Gone)
        );
        for status in [301, 302, 307, 400, 404, 500] {
            assert_eq!(of(status, None), Fate::Again(NOW + 5_000), "{status}");
        }
        assert_eq!(of(429, Some(60)), Fate::Again(NOW + 60_000));
        assert_eq!(of(503, Some(i64::MAX)), Fate::Again(NOW + LONGEST_MS));
        assert_eq!(of(500, Some(60)), Fate::Again(NOW + 5_000));
    }

    proptest! {
        #[test]
        fn nothing_is_tried_before_now_or_after_its_day(status in 100u16..600, pause: Option<i64>, tries: u32, chance: u32) {
            if let Fate::Again(next) = fate(&Answer::Status(status, pause), tries, expiry(NOW), NOW, chance) {
                prop_assert!((NOW..=expiry(NOW)).contains(&next));
            }
        }
    }
}
