use super::*;

/// How far `events` come, each a page and a minute: the number of visitors at each step.
fn counts(funnel: Funnel, events: &[(&str, i64)]) -> Vec<i64> {
    let terms = Terms { funnels: vec![funnel], ..Terms::default() };
    let footprints: Vec<_> =
        (1..).zip(events).map(|(n, (name, minute))| page(n, minute * MINUTE, &format!("/{name}"))).collect();
    told(&footprints, &terms).steps("f").into_iter().map(|(count, _)| count).collect()
}

#[test]
fn the_oracle_cases_of_others() {
    // Mixpanel: a second first step does not reset the window.
    let late = [("A", 0), ("A", 30), ("B", 45), ("C", 75)];
    assert_eq!(counts(funnel("ABC", Order::Ordered), &late), [1, 1]);
    let whole = [("A", 0), ("B", 1), ("D", 2), ("C", 3), ("D", 4), ("E", 5)];
    assert_eq!(counts(funnel("ABCDE", Order::Ordered), &whole), [1, 1, 1, 1, 1]);
    let gap = [("A", 0), ("B", 1), ("C", 2), ("E", 3)];
    assert_eq!(counts(funnel("ABCDE", Order::Ordered), &gap), [1, 1, 1]);
    // ClickHouse, strict_order: another step of the funnel between is the end.
    let stray = [("A", 0), ("B", 1), ("D", 2), ("C", 3)];
    assert_eq!(counts(funnel("ABCD", Order::Strict), &stray), [1, 1]);
    let other = [("A", 0), ("A", 1), ("x", 2), ("B", 3), ("C", 4)];
    assert_eq!(counts(funnel("ABC", Order::Strict), &other), [1, 1, 1]);
    // PostHog: the same event as two steps has to occur twice.
    assert_eq!(counts(funnel("AA", Order::Ordered), &[("A", 0)]), [1]);
    assert_eq!(counts(funnel("AA", Order::Ordered), &[("A", 0), ("A", 0)]), [1, 1]);
    assert_eq!(counts(funnel("AAB", Order::Any), &[("B", 0), ("A", 1)]), [1, 1]);
    assert_eq!(counts(funnel("AAB", Order::Any), &[("A", 0), ("B", 1), ("A", 2)]), [1, 1, 1]);
}

#[test]
fn what_is_of_one_millisecond_connects_whatever_the_ids() {
    for events in [["A", "B", "C"], ["C", "B", "A"], ["B", "A", "C"], ["C", "A", "B"]] {
        let events = events.map(|name| (name, 7));
        for order in [Order::Ordered, Order::Strict, Order::Any] {
            assert_eq!(counts(funnel("ABC", order), &events), [1, 1, 1], "{order:?} {events:?}");
        }
    }
}

#[test]
fn what_is_excluded_ends_the_attempt_and_only_between() {
    let excluding = |order| Funnel { exclude: vec![named("x")], ..funnel("ABC", order) };
    for order in [Order::Ordered, Order::Strict, Order::Any] {
        assert_eq!(counts(excluding(order), &[("x", 0), ("A", 1), ("B", 2), ("C", 3), ("x", 4)]), [1, 1, 1]);
        assert_eq!(counts(excluding(order), &[("A", 1), ("B", 2), ("x", 3), ("C", 4)]), [1, 1]);
        // Once in a window: who was excluded is so until it is over.
        assert_eq!(counts(excluding(order), &[("A", 1), ("x", 2), ("A", 3), ("B", 4)]), [1]);
    }
}

#[test]
fn a_visitor_is_counted_once_in_a_window() {
    let twice = [("A", 0), ("B", 1), ("A", 2), ("B", 3), ("A", 61), ("B", 62)];
    assert_eq!(counts(funnel("AB", Order::Ordered), &twice), [2, 2]);
    // The window's last millisecond is in it.
    assert_eq!(counts(funnel("AB", Order::Ordered), &[("A", 0), ("B", 60)]), [1, 1]);
}

#[test]
fn times_run_from_the_step_before_and_traits_are_the_first_steps() {
    let terms = Terms {
        funnels: vec![Funnel {
            steps: vec![Matcher { link: Some("demo".into()), ..Matcher::default() }, named("A"), named("B")],
            ..funnel("", Order::Ordered)
        }],
        ..Terms::default()
    };
    let sum = told(&[click(1, 0, "c"), page(2, MINUTE, "/A"), page(3, 3 * MINUTE, "/B")], &terms);
    assert_eq!(sum.steps("f"), [(1, 0), (1, MINUTE), (1, 2 * MINUTE)]);
    for (outcome, _) in sum.each() {
        if let Outcome::Step(step) = outcome {
            assert_eq!((step.entered_ms, step.traits.get(Dimension::Campaign)), (T, "c"));
        }
    }
}

#[test]
fn a_funnel_of_sessions_does_not_reach_across_them() {
    let of = |basis| Funnel { basis, ..funnel("AB", Order::Ordered) };
    let events = [("A", 0), ("B", 40)];
    assert_eq!(counts(of(Basis::Visitor), &events), [1, 1]);
    assert_eq!(counts(of(Basis::Session), &events), [1]);
}
