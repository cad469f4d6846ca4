use super::*;

/// Start, duration, events, pages, session id of each.
fn shape(footprints: &[Footprint<'static>]) -> Vec<(i64, i64, u64, u64, String)> {
    shape_by(footprints, &Terms::default())
}

fn shape_by(footprints: &[Footprint<'static>], terms: &Terms) -> Vec<(i64, i64, u64, u64, String)> {
    let sum = told(footprints, terms);
    let shape = |session: Session<'_>| {
        assert_eq!(session.times, 1);
        (
            session.start_ms - T,
            session.duration_ms,
            session.events,
            session.pages,
            session.session_id.to_string(),
        )
    };
    sum.sessions().into_iter().map(shape).collect()
}

#[test]
fn half_an_hour_without_anything_is_the_end() {
    let footprints = [page(1, 0, "/a"), page(2, 30 * MINUTE - 1, "/b"), page(3, 60 * MINUTE - 1, "/c")];
    assert_eq!(
        shape(&footprints),
        [(0, 30 * MINUTE - 1, 2, 2, String::new()), (60 * MINUTE - 1, 0, 1, 1, String::new())]
    );
}

#[test]
fn the_click_is_of_the_session_that_it_leads_to() {
    let footprints = [
        click(1, 0, "c"),
        in_session("s", page(2, 900, "/land")),
        in_session("s", page(3, 45 * MINUTE, "/on")),
        click(4, 46 * MINUTE, "c"),
    ];
    let sum = told(&footprints, &Terms::default());
    let [session] = &sum.sessions()[..] else { panic!("{:?}", sum.sessions()) };
    assert_eq!((session.events, session.pages, session.duration_ms), (4, 2, 46 * MINUTE));
    assert_eq!(
        (&*session.entry_page, &*session.exit_page),
        ("https://a.example/land", "https://a.example/on")
    );
    assert_eq!((&*session.session_id, session.traits.get(Dimension::Campaign)), ("s", "c"));
}

#[test]
fn sessions_of_two_devices_run_side_by_side() {
    let footprints = [
        in_session("s", page(1, 0, "/a")),
        in_session("t", page(2, 1_000, "/a")),
        in_session("s", page(3, 2_000, "/b")),
        in_session("t", page(4, 5_000, "/b")),
    ];
    assert_eq!(shape(&footprints), [(0, 2_000, 2, 2, "s".into()), (1_000, 4_000, 2, 2, "t".into())]);
}

#[test]
fn another_campaign_begins_a_session_if_so_set() {
    let footprints = [
        in_session("s", page(1, 0, "/a")),
        click(2, 1_000, "c"),
        in_session("s", page(3, 2_000, "/b")),
        click(4, 10_000, "d"),
        in_session("s", page(5, 11_000, "/c")),
        // What is shown takes nobody anywhere.
        in_session("s", view(6, 12_000, "e")),
    ];
    assert_eq!(shape(&footprints), [(0, 2_000, 3, 2, "s".into()), (10_000, 2_000, 3, 1, "s".into())]);
    let sum = told(&footprints, &Terms::default());
    let campaigns =
        sum.sessions().iter().map(|it| it.traits.get(Dimension::Campaign).to_owned()).collect::<Vec<_>>();
    // The first came by none: what brought the visitor after all is a later event's.
    assert_eq!(campaigns, ["c", "d"]);
    let terms = Terms { session_on_campaign_change: false, ..Terms::default() };
    assert_eq!(shape_by(&footprints, &terms), [(0, 12_000, 6, 3, "s".into())]);
}

#[test]
fn an_end_that_is_told_is_one_and_no_event() {
    let footprints = [
        in_session("s", page(1, 0, "/a")),
        // In the same millisecond as the page that it ends: clients send both at once.
        in_session("s", page(2, 5_000, "/b")),
        in_session("s", step(3, Kind::SessionEnd, 5_000)),
        in_session("s", page(4, 9_000, "/c")),
        in_session("s", step(5, Kind::SessionEnd, 15_000)),
        in_session("x", step(6, Kind::SessionEnd, 15_000)),
    ];
    assert_eq!(shape(&footprints), [(0, 5_000, 2, 2, "s".into()), (9_000, 6_000, 1, 1, "s".into())]);
    let mut visitor = Visitor::default();
    for footprint in &footprints[..3] {
        assert!(visitor.add(footprint));
    }
    let mut sum = Sum::default();
    visitor.advance(&Terms::default(), T + 5_000, &mut |outcome| sum.add(outcome));
    assert_eq!((sum.sessions().len(), visitor.due_ms()), (1, None));
}

#[test]
fn an_opened_mail_is_no_visit() {
    assert_eq!(shape(&[view(1, 0, "c")]), []);
    assert_eq!(shape(&[Footprint { page: Text::from("https://a.example/"), ..view(1, 0, "c") }]).len(), 1);
}

#[test]
fn no_session_is_longer_than_a_day() {
    let daily: Vec<_> =
        (0..49).map(|hour| in_session("s", page(hour, i64::from(hour) * HOUR, "/"))).collect();
    let events: Vec<_> = shape(&daily).into_iter().map(|(_, _, events, ..)| events).collect();
    assert_eq!(events, [24, 24, 1]);
}

#[test]
fn a_session_is_told_when_it_is_over_and_anew_when_something_comes_late() {
    let terms = Terms::default();
    let (mut visitor, mut sum) = (Visitor::default(), Sum::default());
    visitor.add(&page(1, 0, "/a"));
    visitor.advance(&terms, T + 10, &mut |outcome| sum.add(outcome));
    assert_eq!((sum.sessions().len(), visitor.due_ms()), (0, Some(T + 31 * MINUTE)));
    visitor.advance(&terms, T + 31 * MINUTE, &mut |outcome| sum.add(outcome));
    assert_eq!((sum.sessions().len(), visitor.due_ms()), (1, None));
    assert!(visitor.add(&page(2, 20 * MINUTE, "/b")));
    assert!(!visitor.add(&page(2, 20 * MINUTE, "/b")));
    let mut outcomes = 0;
    visitor.advance(&terms, T + 32 * MINUTE, &mut |outcome| {
        outcomes += 1;
        sum.add(outcome);
    });
    assert_eq!((outcomes, sum.sessions().len(), visitor.due_ms()), (1, 0, Some(T + 51 * MINUTE)));
    visitor.advance(&terms, T + 51 * MINUTE, &mut |outcome| sum.add(outcome));
    assert_eq!(sum, told(&[page(1, 0, "/a"), page(2, 20 * MINUTE, "/b")], &terms));
}

#[test]
fn a_postback_makes_no_session_and_counts_in_its_clicks() {
    let postback = Footprint {
        click_ms: Some(T),
        traits: click(0, 0, "c").traits,
        ..sale(3, 3 * HOUR, "x", Status::Sale, 5_000_000)
    };
    let sum = told(&[click(1, 0, "c"), page(2, 1_000, "/a"), postback.clone()], &Terms::default());
    let [session] = &sum.sessions()[..] else { panic!() };
    assert_eq!((session.events, session.conversions, session.value_micros), (2, 1, 5_000_000));
    // Its click's visitor is not this one: the visit under way had nothing to do with it.
    let sum = told(&[page(2, 3 * HOUR, "/a"), postback], &Terms::default());
    assert_eq!(sum.sessions()[0].conversions, 0);
}
