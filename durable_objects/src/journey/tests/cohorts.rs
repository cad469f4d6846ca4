//! In which weeks somebody came back.

use super::*;

const WEEK: i64 = 7 * DAY;

/// What was told: by weeks since the first click, how many came, bought for the first time in the week, and in all.
fn cohorts(sum: &Sum) -> BTreeMap<(i64, u8), [i64; 3]> {
    let mut all: BTreeMap<(i64, u8), [i64; 3]> = BTreeMap::new();
    for (outcome, times) in sum.each() {
        if let Outcome::Cohort(cohort) = outcome {
            let sums = all.entry((cohort.week_ms, cohort.age)).or_default();
            let said = [cohort.came.into(), cohort.converted.into(), cohort.conversions as i64];
            sums.iter_mut().zip(said).for_each(|(sum, one): (&mut i64, i64)| *sum += one * times);
        }
    }
    all.retain(|_, sums| *sums != [0; 3]);
    all
}

fn begun() -> i64 {
    analytics::cohort::week_of(T)
}

#[test]
fn who_comes_back_counts_once_a_week_from_the_week_of_the_first_click() {
    let sum = told(
        &[
            page(1, -8 * DAY, "/"),
            click(2, 0, "c"),
            page(3, 1, "/"),
            sale(4, 2, "x", Status::Sale, 9),
            sale(5, HOUR, "y", Status::Sale, 9),
            page(6, WEEK, "/"),
            page(7, WEEK + DAY, "/"),
            click(8, 3 * WEEK, "d"),
            sale(9, 3 * WEEK + 1, "z", Status::Rejected, 9),
        ],
        &Terms { keep_ms: 60 * DAY, ..Terms::default() },
    );
    let begun = begun();
    assert_eq!(
        cohorts(&sum),
        [((begun, 0), [1, 1, 2]), ((begun, 1), [1, 0, 0]), ((begun, 3), [1, 0, 0])].into()
    );
    let by_another =
        |(outcome, _)| matches!(outcome, Outcome::Cohort(cohort) if cohort.campaign.as_str() != "c");
    assert!(!sum.each().any(by_another), "a cohort is of the first click's campaign");
}

#[test]
fn who_is_known_for_a_day_and_who_never_clicked_is_of_no_cohort() {
    let (mut visitor, mut sum) = (Visitor::default(), Sum::default());
    visitor.add(&click(1, 0, "c"));
    visitor.advance(&Terms::default(), LATER, &mut |outcome| sum.add(outcome));
    assert_eq!(cohorts(&sum), BTreeMap::new());
    let button = Footprint { traits: Traits::default(), ..click(2, 0, "") };
    assert_eq!(cohorts(&told(&[page(1, 0, "/"), button], &Terms::default())), BTreeMap::new());
}

/// Footprints go after thirty days; the cohort that somebody is of stays.
#[test]
fn who_keeps_coming_is_of_one_cohort_for_a_year_and_each_week_counts_once() {
    let terms = Terms::default();
    let (mut visitor, mut sum) = (guest(), Sum::default());
    for week in 0..60i64 {
        for (n, after_ms) in [(0, 0), (1, DAY), (2, 2 * DAY)] {
            let (n, after_ms) = (3 * week as u32 + n, week * WEEK + after_ms);
            let footprint = if n == 0 { click(n, after_ms, "c") } else { page(n, after_ms, "/") };
            assert!(visitor.add(&footprint));
            visitor.advance(&terms, footprint.at_ms, &mut |outcome| sum.add(outcome));
        }
        visitor.add(&sale(1_000 + week as u32, week * WEEK + 2 * DAY + 1, "", Status::Sale, 1));
        visitor.advance(&terms, T + week * WEEK + 4 * DAY, &mut |outcome| sum.add(outcome));
    }
    let mut bytes = Vec::new();
    visitor.encode(&mut bytes);
    assert!(bytes.len() < 4_000, "{}", bytes.len());
    let begun = begun();
    assert_eq!(cohorts(&sum), (0..=52).map(|age| ((begun, age), [1, 1, 1])).collect());
}

/// An import brings what is long past, a piece of a week at a time.
#[test]
fn of_what_is_long_past_each_week_counts_once_and_each_sale() {
    let (mut visitor, mut sum) = (guest(), Sum::default());
    let pieces = [
        click(1, 0, "c"),
        page(2, HOUR, "/"),
        sale(3, DAY, "", Status::Sale, 9),
        sale(4, DAY + HOUR, "", Status::Sale, 9),
        page(5, WEEK, "/"),
    ];
    for footprint in pieces {
        assert!(visitor.add(&footprint));
        visitor.advance(&Terms::default(), T + 80 * DAY, &mut |outcome| sum.add(outcome));
    }
    let begun = begun();
    assert_eq!(cohorts(&sum), [((begun, 0), [1, 1, 2]), ((begun, 1), [1, 0, 0])].into());
}
