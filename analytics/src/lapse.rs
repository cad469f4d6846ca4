//! Lengths of time, counted so that they have a median, and so that they can be taken back.
//!
//! Twice: in thirteen buckets that every cell has room for, and, for a scope as a whole, in some hundred as cells of their
//! own ([`crate::Dimension::Lapse`]). Each cell keeps the sum of what is in it, so that equal lengths are told exactly and
//! others within a sixteenth; a group's median is exact where all of it is in one bucket, and else lies within its bucket.

use crate::counters::Counters;
use crate::measure::{LASTED, TIMES};

/// Where all buckets but the first begin, ms: from a second to ten days.
const STARTS: [i64; BUCKETS - 1] = [
    1_000,
    5_000,
    15_000,
    60_000,
    180_000,
    600_000,
    1_800_000,
    3_600_000,
    14_400_000,
    86_400_000,
    259_200_000,
    864_000_000,
];
/// The longest that anything lasts: journeys are kept for 30 days, and looked back on for 90.
const END_MS: i64 = 90 * 86_400_000;

/// How many buckets every cell has room for.
pub(crate) const BUCKETS: usize = 13;

/// The bucket of a length.
pub(crate) fn bucket(ms: i64) -> usize {
    STARTS.partition_point(|start| *start <= ms)
}

/// The key of the cell of a length: sixteen to each power of two of tenths of a second, in order as texts are.
pub(crate) fn cell(ms: i64) -> String {
    let tenths = (ms.max(0) / 100) as u64;
    let place = if tenths < 32 {
        tenths
    } else {
        let power = u64::from(tenths.ilog2()) - 4;
        16 * power + (tenths >> power)
    };
    format!("{place:03}")
}

/// The middle one of the lengths, ms: half of the weight is shorter. `None`: there is none.
///
/// Of cells in the order of their lengths, each as its mean. Between two it is their mean, as of any even number.
pub(crate) fn median_of_cells<'c>(cells: impl Iterator<Item = &'c Counters>) -> Option<f64> {
    let means = cells.map(|cell| (cell.at(TIMES), cell.at(LASTED))).filter(|(weight, _)| *weight > 0);
    let means: Vec<(i64, f64)> =
        means.map(|(weight, lasted)| (weight, lasted.max(0) as f64 / weight as f64)).collect();
    let all: i64 = means.iter().map(|(weight, _)| weight).sum();
    let mut before = 0;
    for (place, (weight, mean)) in means.iter().enumerate() {
        before += weight;
        if before * 2 == all {
            let next = means.get(place + 1).map_or(*mean, |(_, next)| *next);
            return Some(f64::midpoint(*mean, next));
        }
        if before * 2 > all {
            return Some(*mean);
        }
    }
    None
}

/// Likewise, of what the buckets of some counters say.
pub(crate) fn median_of_buckets(counters: &Counters) -> Option<f64> {
    let weights = counters.histogram().map(|weight| weight.max(0));
    let all: i64 = weights.iter().sum();
    if all == 0 {
        return None;
    }
    let mean = counters.at(LASTED).max(0) as f64 / all as f64;
    let mut before = 0;
    for (bucket, weight) in weights.into_iter().enumerate() {
        if weight == all {
            return Some(mean);
        }
        if weight > 0 && (before + weight) * 2 >= all {
            let start = bucket.checked_sub(1).and_then(|place| STARTS.get(place)).copied().unwrap_or(0);
            let end = STARTS.get(bucket).copied().unwrap_or(END_MS);
            let part = (all as f64 / 2.0 - before as f64) / weight as f64;
            return Some(start as f64 + part * (end - start) as f64);
        }
        before += weight;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn middle(lengths: &[i64]) -> f64 {
        let mut sorted = lengths.to_vec();
        sorted.sort_unstable();
        let at = |place: usize| sorted[place] as f64;
        let half = sorted.len() / 2;
        if sorted.len() % 2 == 1 { at(half) } else { f64::midpoint(at(half - 1), at(half)) }
    }

    fn cells(lengths: &[i64]) -> Option<f64> {
        let mut cells: std::collections::BTreeMap<String, Counters> = std::collections::BTreeMap::new();
        for ms in lengths {
            *cells.entry(cell(*ms)).or_default() += &Counters::default().with(TIMES, 1).with(LASTED, *ms);
        }
        median_of_cells(cells.values())
    }

    fn buckets(lengths: &[i64]) -> Option<f64> {
        let mut sum = Counters::default();
        for ms in lengths {
            sum += &Counters::default().lasting(*ms, 1);
        }
        median_of_buckets(&sum)
    }

    #[test]
    fn few_lengths_are_told_exactly() {
        assert_eq!((cells(&[]), buckets(&[])), (None, None));
        assert_eq!((cells(&[60_000]), buckets(&[60_000])), (Some(60_000.0), Some(60_000.0)));
        assert_eq!(cells(&[60_000, 120_000]), Some(90_000.0));
        assert_eq!(cells(&[1, 60_123, 5_000_000]), Some(60_123.0));
        assert_eq!(buckets(&[70_000, 80_000]), Some(75_000.0));
    }

    proptest! {
        #[test]
        fn a_median_is_near(lengths in prop::collection::vec(0i64..3_000_000_000, 1..40)) {
            let exact = middle(&lengths);
            let near = cells(&lengths).unwrap();
            prop_assert!((near - exact).abs() <= exact / 16.0 + 100.0, "{near} of {exact}");
            let rough = buckets(&lengths).unwrap();
            prop_assert!((0.0..=END_MS as f64).contains(&rough));
            if lengths.len() % 2 == 1 {
                let same = bucket(rough as i64).abs_diff(bucket(exact as i64));
                prop_assert!(same <= 1 || lengths.len() == 1, "{rough} of {exact}");
            }
        }

        #[test]
        fn cells_are_in_the_order_of_lengths(a in 0i64..8_000_000_000, b in 0i64..8_000_000_000) {
            prop_assert!(a > b || cell(a) <= cell(b));
            prop_assert_eq!(cell(a).len(), 3);
        }
    }
}
