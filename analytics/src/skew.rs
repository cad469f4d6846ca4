//! When did it happen? The client's clock, corrected by what it betrays of itself.

/// Below this, the difference between two clocks is the network's latency, and correcting it would add noise.
pub const SKEW_MIN_MS: i64 = 5_000;

/// So far may a time lie ahead of its arrival and still be the client's: jitter of a clock that is in order.
pub const AHEAD_MAX_MS: i64 = 60_000;

/// The oldest time an event may claim; as long as the sums that it would go into are kept.
pub const LATE_MAX_MS: i64 = 90 * 86_400_000;

/// Whose word the effective time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TimeSource {
    /// The client's clock, believed.
    Client,
    /// The client's clock, less its skew.
    Corrected,
    /// The client's clock was out of all bounds; the nearest time possible.
    Clamped,
    /// The server's clock: the client gave no time.
    Received,
}

impl TimeSource {
    /// Every source, in the order of its code.
    pub const ALL: [Self; 4] = [Self::Client, Self::Corrected, Self::Clamped, Self::Received];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Corrected => "corrected",
            Self::Clamped => "clamped",
            Self::Received => "received",
        }
    }
}

/// How far the client's clock is ahead of the server's, if it said when it sent the event.
pub fn skew_ms(sent_at_ms: Option<i64>, received_at_ms: i64) -> Option<i64> {
    sent_at_ms.map(|sent| sent.saturating_sub(received_at_ms))
}

/// Buckets of a histogram of skews: each reaches up to this many ms, the last for ever.
pub(crate) const SKEWS: [(i64, &str); 9] = [
    (-86_400_000, "behind_1d"),
    (-3_600_000, "behind_1h"),
    (-60_000, "behind_1m"),
    (-SKEW_MIN_MS, "behind_5s"),
    (SKEW_MIN_MS, "within_5s"),
    (60_000, "ahead_5s"),
    (3_600_000, "ahead_1m"),
    (86_400_000, "ahead_1h"),
    (i64::MAX, "ahead_1d"),
];

/// The bucket of a skew.
pub fn bucket(skew_ms: i64) -> &'static str {
    SKEWS.iter().find(|(most, _)| skew_ms <= *most).map_or("", |(_, name)| name)
}

/// The time to count an event under.
///
/// Nothing happens after it was seen: whatever lies ahead of `received_at` becomes `received_at`, silently
/// within [`AHEAD_MAX_MS`] and as [`TimeSource::Clamped`] beyond. Both bounds cut the line of times and neither
/// folds it, so two events of one batch never change their order.
pub fn effective_time(event_time_ms: i64, sent_at_ms: Option<i64>, received_at_ms: i64) -> (i64, TimeSource) {
    let (time, source) = match skew_ms(sent_at_ms, received_at_ms) {
        Some(skew) if skew.unsigned_abs() > SKEW_MIN_MS as u64 => {
            (event_time_ms.saturating_sub(skew), TimeSource::Corrected)
        }
        _ => (event_time_ms, TimeSource::Client),
    };
    let oldest = received_at_ms.saturating_sub(LATE_MAX_MS);
    if time > received_at_ms.saturating_add(AHEAD_MAX_MS) {
        (received_at_ms, TimeSource::Clamped)
    } else if time < oldest {
        (oldest, TimeSource::Clamped)
    } else {
        (time.min(received_at_ms), source)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_763_800_000_000;

    #[test]
    fn golden() {
        use TimeSource::{Clamped, Client, Corrected};
        for (event, sent, effective, source) in [
            (-2_000, None, -2_000, Client),
            (-2_000, Some(-1_000), -2_000, Client),
            (-2_000, Some(5_000), -2_000, Client),
            (58_000, Some(60_000), -2_000, Corrected),
            (-3_602_000, Some(-3_600_000), -2_000, Corrected),
            (30_000, None, 0, Client),
            (60_001, None, 0, Clamped),
            (70_000, Some(0), 0, Clamped),
            (-LATE_MAX_MS, None, -LATE_MAX_MS, Client),
            (-LATE_MAX_MS - 1, None, -LATE_MAX_MS, Clamped),
        ] {
            let got = effective_time(NOW + event, sent.map(|sent: i64| NOW + sent), NOW);
            assert_eq!(got, (NOW + effective, source), "event {event}, sent {sent:?}");
        }
    }

    prop_compose! {
        fn near()(ms in -200 * 86_400_000i64..200 * 86_400_000, pick in 0..3u8) -> i64 {
            NOW + match pick { 0 => ms, 1 => ms % 120_000, _ => ms % 10_000 }
        }
    }

    #[test]
    fn a_skew_is_in_the_bucket_of_its_size() {
        for (skew_ms, name) in [
            (i64::MIN, "behind_1d"),
            (-3_600_001, "behind_1h"),
            (-90_000, "behind_1m"),
            (-5_001, "behind_5s"),
            (-4_999, "within_5s"),
            (0, "within_5s"),
            (5_000, "within_5s"),
            (5_001, "ahead_5s"),
            (3_600_000, "ahead_1m"),
            (3_600_001, "ahead_1h"),
            (i64::MAX, "ahead_1d"),
        ] {
            assert_eq!(bucket(skew_ms), name, "{skew_ms}");
        }
    }

    proptest! {
        #[test]
        fn any_three_clocks_give_a_time(event: i64, sent: Option<i64>, received: i64) {
            let (time, _) = effective_time(event, sent, received);
            prop_assert!(time <= received);
            prop_assert!(time >= received.saturating_sub(LATE_MAX_MS));
        }

        #[test]
        fn order_within_a_batch_is_kept(a in near(), b in near(), sent in proptest::option::of(near())) {
            let time = |event| effective_time(event, sent, NOW).0;
            prop_assert!(time(a.min(b)) <= time(a.max(b)));
        }

        #[test]
        fn an_effective_time_is_its_own(event in near(), sent in proptest::option::of(near())) {
            let (time, _) = effective_time(event, sent, NOW);
            prop_assert_eq!(effective_time(time, None, NOW).0, time);
            prop_assert_eq!(effective_time(time, Some(NOW), NOW).0, time);
        }

        /// Setting the client's clock changes nothing, but for what is too small to be told from latency.
        #[test]
        fn a_wrong_clock_does_not_matter(event in near(), sent in near(), wrong in -86_400_000i64..86_400_000) {
            let right = effective_time(event, Some(sent), NOW).0;
            let shifted = effective_time(event + wrong, Some(sent + wrong), NOW).0;
            let latency = [sent, sent + wrong].iter().any(|sent| (sent - NOW).abs() <= SKEW_MIN_MS);
            let allowed = if latency { SKEW_MIN_MS } else { 0 };
            prop_assert!((right - shifted).abs() <= allowed);
        }
    }
}
