//! The walk beside an oracle that tries every choice of events: O(n^k), and with no cleverness to be wrong.

use proptest::prelude::*;

use super::*;

const WINDOW: i64 = 6;

/// The earliest time at which each number of steps can have been made, over every sequence of distinct events.
fn tried(window: &[Mark], count: usize, strict: bool) -> Vec<i64> {
    fn go_on(window: &[Mark], count: usize, strict: bool, chosen: &mut Vec<usize>, best: &mut Vec<i64>) {
        let begin_ms = window[chosen[0]].at_ms;
        let last = window[*chosen.last().unwrap()];
        // Nothing in the way that is not itself a step, from the first millisecond on to before the last one.
        let in_the_way = (0..window.len()).filter(|other| !chosen.contains(other)).any(|other| {
            let mark = window[other];
            let step = chosen.iter().rposition(|place| window[*place].at_ms <= mark.at_ms).unwrap_or(0);
            let between = begin_ms < mark.at_ms && mark.at_ms < last.at_ms;
            between && (mark.excluded || strict && mark.steps != 0 && mark.steps >> step & 1 == 0)
        });
        if in_the_way {
            return;
        }
        let level = chosen.len() - 1;
        if best.len() == level {
            best.push(last.at_ms);
        }
        best[level] = best[level].min(last.at_ms);
        if chosen.len() == count {
            return;
        }
        for next in 0..window.len() {
            let mark = window[next];
            if mark.at_ms >= last.at_ms && mark.steps >> chosen.len() & 1 == 1 && !chosen.contains(&next) {
                chosen.push(next);
                go_on(window, count, strict, chosen, best);
                chosen.pop();
            }
        }
    }
    let mut best = Vec::new();
    for first in 0..window.len() {
        if window[first].at_ms == window[0].at_ms && window[first].steps & 1 == 1 {
            go_on(window, count, strict, &mut vec![first], &mut best);
        }
    }
    best
}

/// How many steps can be told apart in these events, trying every choice.
fn most(events: &[Mark], free: u32) -> usize {
    let Some((first, rest)) = events.split_first() else { return 0 };
    let can = first.steps & free;
    let with = (0..32).filter(|step| can >> step & 1 == 1).map(|step| 1 + most(rest, free & !(1 << step)));
    with.max().unwrap_or(0).max(most(rest, free))
}

fn tried_in_any_order(window: &[Mark], count: usize) -> Vec<i64> {
    let begin_ms = window[0].at_ms;
    let end = window.iter().position(|mark| mark.excluded && mark.at_ms > begin_ms);
    let end_ms = end.map_or(i64::MAX, |end| window[end].at_ms);
    let mut best = Vec::new();
    for until in window.iter().filter(|mark| mark.at_ms <= end_ms).map(|mark| mark.at_ms) {
        let events: Vec<Mark> = window.iter().filter(|mark| mark.at_ms <= until).copied().collect();
        best.resize(most(&events, (1 << count) - 1).max(best.len()), until);
    }
    best
}

fn oracle(marks: &[Mark], count: usize, order: Order) -> Vec<Vec<i64>> {
    let (mut attempts, mut after_ms) = (Vec::new(), i64::MIN);
    loop {
        let opens = |mark: &&Mark| {
            mark.at_ms > after_ms && mark.steps & if order == Order::Any { u32::MAX } else { 1 } != 0
        };
        let Some(first) = marks.iter().find(opens) else { return attempts };
        after_ms = first.at_ms + WINDOW;
        let in_window = |mark: &&Mark| (first.at_ms..=after_ms).contains(&mark.at_ms);
        let window: Vec<Mark> = marks.iter().filter(in_window).copied().collect();
        attempts.push(match order {
            Order::Any => tried_in_any_order(&window, count),
            _ => tried(&window, count, order == Order::Strict),
        });
    }
}

fn marks(apart: bool) -> impl Strategy<Value = Vec<Mark>> {
    let one = prop_oneof![4 => (0u32..4).prop_map(|step| 1 << step), 1 => Just(0)];
    let steps = prop_oneof![one, 0u32..16];
    prop::collection::vec((0i64..if apart { 40 } else { 12 }, steps), 0..9).prop_map(move |mut all| {
        all.sort_by_key(|(at_ms, _)| *at_ms);
        if apart {
            all.dedup_by_key(|(at_ms, _)| *at_ms);
        }
        let mark = |(place, (at_ms, steps))| Mark { at_ms, place, steps, excluded: steps == 0 };
        (0..).zip(all).map(mark).collect()
    })
}

fn walked(marks: &[Mark], count: usize, order: Order) -> Vec<Vec<i64>> {
    let times =
        |reached: Vec<Place>| reached.into_iter().map(|place| marks[usize::from(place)].at_ms).collect();
    let marks = masked(marks, count);
    walk(&marks, count, order, WINDOW).into_iter().map(times).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn the_walk_finds_what_trying_everything_finds(marks in marks(false), count in 2usize..=4) {
        prop_assert_eq!(walked(&marks, count, Order::Ordered), oracle(&masked(&marks, count), count, Order::Ordered));
        prop_assert_eq!(walked(&marks, count, Order::Any), oracle(&masked(&marks, count), count, Order::Any));
    }

    /// Of a strict funnel the events are a millisecond apart here: within one, what could be a step is one as early as it
    /// can, and whether something else had been left in the way is not tried.
    #[test]
    fn the_strict_walk_does_too(marks in marks(true), count in 2usize..=4) {
        prop_assert_eq!(walked(&marks, count, Order::Strict), oracle(&masked(&marks, count), count, Order::Strict));
    }
}

/// The second event could be the second step, or the first once more; after it comes the first once more.
#[test]
fn what_could_be_the_next_step_may_be_the_last_one_again() {
    let mark = |(at_ms, place, steps)| Mark { at_ms, place, steps, excluded: false };
    let marks = [(32, 0, 0b101), (33, 1, 0b011), (34, 2, 0b001), (37, 3, 0b010), (38, 4, 0b100)].map(mark);
    assert_eq!(walk(&marks, 3, Order::Strict, WINDOW), [[0, 1, 4]]);
}

/// Of the first steps only: what is another is nothing to the funnel.
fn masked(marks: &[Mark], count: usize) -> Vec<Mark> {
    marks.iter().map(|mark| Mark { steps: mark.steps & ((1 << count) - 1), ..*mark }).collect()
}
