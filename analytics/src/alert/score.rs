//! How unusual a count is: a robust z-score against the same hour of past weeks.
//!
//! Counts are compared by their square roots. The root of a Poisson count scatters by 1/2 whatever its mean, so that one
//! threshold holds for ten clicks and for ten thousand; their own scatter would call the ordinary luck of a quiet link an
//! alarm. The middle is the median and the scatter the median absolute deviation: one past spike, or a week in which the
//! service was down, moves neither.

/// Past weeks that are looked at.
pub const WEEKS: i64 = 8;

/// With fewer weeks nothing is said.
const WEEKS_MIN: usize = 3;

/// Weeks differ by a tenth for no reason that anybody would get up for: half of that, of a root.
const ROOT_SHARE: f64 = 0.05;

/// The least scatter of a root, which is a Poisson count's.
const ROOT_SCATTER: f64 = 0.5;

/// From the median absolute deviation to the standard deviation of a normal distribution.
const TO_SIGMA: f64 = 1.482_6;

/// How unusual a count is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Standard deviations above (or, negative, below) what is usual.
    pub z: f64,
    /// What is usual.
    pub expected: f64,
    /// From how many weeks that is known.
    pub weeks: usize,
}

/// The score of a count, with what was counted in as long a time of past weeks. `None`: too few of them are known.
pub fn score(observed: f64, past: &[f64]) -> Option<Score> {
    if past.len() < WEEKS_MIN {
        return None;
    }
    let mut roots: Vec<f64> = past.iter().map(|&count| root(count)).collect();
    let usual = median(&mut roots);
    let mut distances: Vec<f64> = roots.iter().map(|root| (root - usual).abs()).collect();
    let least = (ROOT_SCATTER * ROOT_SCATTER + (ROOT_SHARE * usual).powi(2)).sqrt();
    let scatter = (median(&mut distances) * TO_SIGMA).max(least);
    let expected = (usual * usual - 0.375).max(0.0);
    Some(Score { z: (root(observed) - usual) / scatter, expected, weeks: past.len() })
}

/// Anscombe's: 3/8 more, so that small counts scatter like large ones.
fn root(count: f64) -> f64 {
    (count.max(0.0) + 0.375).sqrt()
}

fn median(values: &mut [f64]) -> f64 {
    // By insertion: there are at most WEEKS of them, and a general sort is code that nothing else needs for floats.
    for end in 1..values.len() {
        for place in (1..=end).rev() {
            if values.get(place) < values.get(place - 1) {
                values.swap(place, place - 1);
            }
        }
    }
    let middle = values.len() / 2;
    let at = |place: usize| values.get(place).copied().unwrap_or(0.0);
    if values.len() % 2 == 1 { at(middle) } else { f64::midpoint(at(middle.saturating_sub(1)), at(middle)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_usual_is_no_news_and_thrice_of_it_is() {
        let z = |observed, level: f64| score(observed, &[level; 8]).unwrap().z;
        assert!(z(20.0, 20.0).abs() < 0.01);
        assert!(z(60.0, 20.0) > 5.0);
        assert!(z(0.0, 40.0) < -5.0);
        assert!(z(30.0, 20.0) < 3.0, "what luck does to twenty");
        assert!(z(3_000.0, 1_000.0) > 10.0);
        assert!(z(1_100.0, 1_000.0) < 2.0, "a tenth is within what weeks differ by");
    }

    #[test]
    fn one_odd_week_moves_nothing_and_few_weeks_say_nothing() {
        let plain = score(100.0, &[100.0; 8]).unwrap();
        let odd = score(100.0, &[100.0, 100.0, 100.0, 100.0, 100.0, 100.0, 100.0, 5_000.0]).unwrap();
        assert_eq!((plain.z, plain.expected.round()), (odd.z, 100.0));
        assert_eq!(score(9.0, &[1.0, 1.0]), None);
        assert_eq!(score(9.0, &[1.0, 1.0, 1.0]).unwrap().weeks, 3);
    }

    proptest! {
        #[test]
        fn a_score_is_a_number_and_more_is_more(
            past in prop::collection::vec(0.0..1e9f64, 3..12), observed in 0.0..1e9f64, more in 0.0..1e9f64,
        ) {
            let low = score(observed, &past).unwrap();
            let high = score(observed + more, &past).unwrap();
            prop_assert!(low.z.is_finite() && high.z >= low.z);
            prop_assert!(low.expected >= 0.0);
        }
    }
}
