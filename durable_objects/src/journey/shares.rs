//! Shares: how a whole is divided among touches, in integers that add up.
//!
//! No floats: what was told is worked out again to be taken back, years and compilers later, and has to be the same.

use analytics::outcome::Model;

/// A touch counts half as much for each of these, ms.
const HALF_LIFE_MS: u64 = 7 * 86_400_000;
/// What a touch at the moment of the conversion weighs.
const ONE: u64 = 1 << 40;

/// 2^(-1/2), 2^(-1/4), 2^(-1/8) ... in 2^-40: each bit of a fraction of a half-life is a factor.
const ROOTS: [u64; 24] = [
    777_472_127_994,
    924_575_386_327,
    1_008_256_608_221,
    1_052_895_941_925,
    1_075_951_360_882,
    1_087_667_703_029,
    1_093_573_631_100,
    1_096_538_610_001,
    1_098_024_112_669,
    1_098_767_618_497,
    1_099_139_560_184,
    1_099_325_578_239,
    1_099_418_599_072,
    1_099_465_112_440,
    1_099_488_369_862,
    1_099_499_998_758,
    1_099_505_813_251,
    1_099_508_720_510,
    1_099_510_174_142,
    1_099_510_900_959,
    1_099_511_264_367,
    1_099_511_446_072,
    1_099_511_536_924,
    1_099_511_582_350,
];

/// What each touch weighs, given how long before the conversion each was, oldest first, and which is the one that
/// takes all under a model that knows but one.
pub(crate) fn weights(model: Model, lags_ms: &[i64], first: usize, last: usize) -> Vec<u64> {
    let count = lags_ms.len();
    let only = |chosen: usize| (0..count).map(|place| u64::from(place == chosen)).collect();
    match model {
        Model::Last => only(last),
        Model::First => only(first),
        Model::Linear => vec![1; count],
        // Of two, each has half: there is nobody between to have the rest.
        Model::Position if count <= 2 => vec![1; count],
        Model::Position => {
            let between = count as u64 - 2;
            (0..count).map(|place| if place == 0 || place + 1 == count { 2 * between } else { 1 }).collect()
        }
        Model::TimeDecay => lags_ms.iter().map(|lag_ms| decayed(lag_ms.unsigned_abs())).collect(),
    }
}

/// `2^40 * 2^(-lag / half-life)`, at least 1.
fn decayed(lag_ms: u64) -> u64 {
    let (whole, rest) = (lag_ms / HALF_LIFE_MS, lag_ms % HALF_LIFE_MS);
    if whole >= 40 {
        return 1;
    }
    // The fraction in 2^-24, which is 36 ms of a half-life.
    let fraction = (rest << 24) / HALF_LIFE_MS;
    let mut weight = ONE;
    for (bit, root) in ROOTS.iter().enumerate() {
        if fraction >> (23 - bit) & 1 == 1 {
            weight = ((u128::from(weight) * u128::from(*root)) >> 40) as u64;
        }
    }
    (weight >> whole).max(1)
}

/// Divides a whole by weights, so that the parts add up to it: what is left of rounding down goes, one each, to those
/// that lost most by it, and to the earlier of equals. A debt is divided as a credit is.
pub(crate) fn divide(whole: i64, weights: &[u64]) -> Vec<i64> {
    let sum: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let amount = u128::from(whole.unsigned_abs());
    let exact = || weights.iter().map(|weight| amount * u128::from(*weight));
    let mut parts: Vec<u64> = exact().map(|share| (share / sum) as u64).collect();
    let left = amount - parts.iter().map(|part| u128::from(*part)).sum::<u128>();
    let mut losers: Vec<(u128, usize)> = exact().map(|share| share % sum).zip(0..).collect();
    losers.sort_unstable_by_key(|(lost, place)| (u128::MAX - lost, *place));
    for (_, place) in losers.into_iter().take(left as usize) {
        if let Some(part) = parts.get_mut(place) {
            *part += 1;
        }
    }
    let sign = whole.signum();
    // Wrapping: the one amount whose size has no positive counterpart is i64::MIN.
    parts.into_iter().map(|part| sign.wrapping_mul(part as i64)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_half_life_halves() {
        let days = |days: u64| decayed(days * 86_400_000);
        assert_eq!((days(0), days(7), days(14), days(7 * 40)), (ONE, ONE / 2, ONE / 4, 1));
        for lag_ms in (0..120 * 86_400_000_u64).step_by(7_654_321) {
            let exact = (2.0_f64).powf(40.0 - lag_ms as f64 / HALF_LIFE_MS as f64);
            assert!((decayed(lag_ms) as f64 / exact - 1.0).abs() < 1e-7 + 2.0 / exact, "{lag_ms}");
        }
    }

    /// What was told has to be taken back to the last digit, by whatever build.
    #[test]
    fn shares_are_pinned() {
        let weights = weights(Model::TimeDecay, &[1_000_000_000, 600_000_000, 12_345, 0], 0, 0);
        assert_eq!(weights, [349_514_389_287, 552_788_458_128, 1_099_496_092_161, 1_099_511_627_776]);
        assert_eq!(divide(-1_000_000, &weights), [-112_699, -178_244, -354_526, -354_531]);
    }

    proptest! {
        #[test]
        fn parts_add_up_to_the_whole(
            whole in any::<i64>(),
            lags in prop::collection::vec(0i64..90 * 86_400_000, 1..20),
            chosen in any::<(prop::sample::Index, prop::sample::Index)>(),
        ) {
            for model in Model::ALL {
                let weights = weights(model, &lags, chosen.0.index(lags.len()), chosen.1.index(lags.len()));
                let parts = divide(whole, &weights);
                prop_assert_eq!(parts.iter().map(|part| i128::from(*part)).sum::<i128>(), i128::from(whole));
                let debts = divide(whole.saturating_neg(), &weights);
                prop_assert!(whole == i64::MIN || parts.iter().zip(&debts).all(|(part, debt)| part + debt == 0));
                // Nobody gets more than one too much or too little.
                let sum: f64 = weights.iter().map(|weight| *weight as f64).sum();
                for (part, weight) in divide(1_000_000, &weights).into_iter().zip(&weights) {
                    prop_assert!((part as f64 - 1e6 * *weight as f64 / sum).abs() < 1.001);
                }
            }
        }
    }
}
