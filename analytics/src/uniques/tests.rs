use super::*;
use proptest::prelude::*;

/// `SplitMix64`: a well-mixed 64-bit hash of a counter.
fn mixed(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn of(visitors: impl Iterator<Item = u64>) -> Uniques {
    let mut uniques = Uniques::default();
    visitors.for_each(|visitor| uniques.insert(mixed(visitor)));
    uniques
}

#[test]
fn the_root_mean_square_error_stays_below_two_percent() {
    for (visitors, runs) in [(1_000u64, 100), (100_000, 30), (1_000_000, 12)] {
        let square: f64 = (0..runs)
            .map(|run| {
                let start = run * 10_000_000;
                let estimate = of(start..start + visitors).estimate() as f64;
                (estimate / visitors as f64 - 1.0).powi(2)
            })
            .sum();
        let error = (square / runs as f64).sqrt();
        assert!(error <= 0.02, "{visitors} visitors: {error}");
    }
}

#[test]
fn a_handful_is_counted_exactly() {
    for visitors in 0..=20 {
        assert_eq!(of(0..visitors).estimate(), visitors);
    }
}

/// Kept sums hold these bytes: another layout would misread every visitor count of the past.
#[test]
fn the_bytes_are_pinned() {
    let mut uniques = Uniques::default();
    uniques.insert(0x0010_0000_0000_0000);
    uniques.insert(0xfff8_0000_0000_0001);
    assert_eq!(uniques.to_bytes(), [0, 1, 53, 0x0f, 0xff, 1]);
    assert_eq!(of(0..5_000).to_bytes().len(), REGISTERS);
}

proptest! {
    #[test]
    fn merging_is_adding(a in prop::collection::vec(any::<u64>(), 0..1500), b in prop::collection::vec(any::<u64>(), 0..1500)) {
        let mut merged = of(a.iter().copied());
        merged.merge(&of(b.iter().copied()));
        prop_assert_eq!(&merged, &of(a.iter().chain(&b).copied()));
        let mut again = merged.clone();
        again.merge(&merged);
        prop_assert_eq!(&again, &merged);
        prop_assert_eq!(Uniques::from_bytes(&merged.to_bytes()), Some(merged));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..5000)) {
        if let Some(uniques) = Uniques::from_bytes(&bytes) {
            uniques.estimate();
        }
    }
}
