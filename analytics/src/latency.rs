//! How long redirects took: a histogram, as a dimension like any other.
//!
//! A clock at the edge stands still but for I/O, so a link that the isolate knows takes 0 ms. Those are most, and they
//! have no bucket of their own: they are what the buckets lack of all redirects, and cost nothing to keep.

/// Each bucket reaches up to this many ms, that one left out; the last for ever.
pub(crate) const LATENCIES: [(u32, &str); 15] = [
    (2, "under_2ms"),
    (5, "under_5ms"),
    (10, "under_10ms"),
    (20, "under_20ms"),
    (30, "under_30ms"),
    (50, "under_50ms"),
    (75, "under_75ms"),
    (100, "under_100ms"),
    (150, "under_150ms"),
    (200, "under_200ms"),
    (300, "under_300ms"),
    (500, "under_500ms"),
    (1_000, "under_1s"),
    (5_000, "under_5s"),
    (u32::MAX, "over_5s"),
];

/// The bucket of a latency; empty for none at all.
pub(crate) fn bucket(took_ms: u32) -> &'static str {
    match took_ms {
        0 => "",
        _ => LATENCIES.iter().find(|(end, _)| took_ms < *end).map_or("over_5s", |(_, name)| name),
    }
}

/// The latency that this part of all redirects did not exceed, ms: where in its bucket it would lie if they were spread
/// evenly. `slow` has the redirects of each bucket; what they lack of `all` took no time. `None`: there were none.
pub(crate) fn quantile(part: f64, all: u64, slow: &[u64; LATENCIES.len()]) -> Option<f64> {
    let all = all.max(slow.iter().sum());
    if all == 0 {
        return None;
    }
    let wanted = part * all as f64;
    let mut below = (all - slow.iter().sum::<u64>()) as f64;
    let mut start = 1;
    for ((end, _), count) in LATENCIES.into_iter().zip(slow) {
        if wanted <= below {
            break;
        }
        let count = *count as f64;
        if wanted <= below + count {
            // The last has no end to spread to.
            let width = if end == u32::MAX { 0 } else { end - start };
            return Some(f64::from(start) + f64::from(width) * (wanted - below) / count);
        }
        below += count;
        start = end;
    }
    Some(0.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counted(latencies: &[u32]) -> [u64; LATENCIES.len()] {
        LATENCIES.map(|(_, name)| latencies.iter().filter(|ms| bucket(**ms) == name).count() as u64)
    }

    #[test]
    fn a_latency_is_under_the_end_of_its_bucket() {
        for (ms, name) in
            [(0, ""), (1, "under_2ms"), (2, "under_5ms"), (99, "under_100ms"), (5_000, "over_5s")]
        {
            assert_eq!(bucket(ms), name, "{ms}");
        }
        assert_eq!(bucket(u32::MAX), "over_5s");
    }

    #[test]
    fn the_middle_and_the_slowest_hundredth_are_told() {
        let slow = counted(&[120, 40]);
        assert_eq!(quantile(0.5, 100, &slow), Some(0.0), "98 of 100 took no time");
        assert_eq!(quantile(0.99, 100, &slow), Some(50.0));
        assert_eq!(quantile(1.0, 100, &slow), Some(150.0));
        assert_eq!(quantile(0.5, 0, &counted(&[])), None);
        assert_eq!(quantile(0.5, 1, &counted(&[9_000])), Some(5_000.0));
    }

    proptest! {
        #[test]
        fn a_quantile_lies_in_the_bucket_of_the_one_that_it_is(
            mut latencies in prop::collection::vec(0u32..6_000, 1..60),
            part in 0.01f64..1.0,
        ) {
            latencies.sort_unstable();
            let slow = counted(&latencies);
            let near = quantile(part, latencies.len() as u64, &slow).unwrap();
            let exact = latencies[((part * latencies.len() as f64).ceil() as usize).max(1) - 1];
            let end = LATENCIES.iter().find(|(end, _)| exact < *end).unwrap().0;
            let start = LATENCIES.iter().rev().find(|(end, _)| exact >= *end).map_or(exact.min(1), |(end, _)| *end);
            prop_assert!(near >= f64::from(start) && near <= f64::from(end), "{near} for {exact}");
        }
    }
}
