//! Who is told of a conversion, and what.

use std::slice::from_ref;

use super::*;

/// What was told of conversions, one after the other.
fn calls(arrivals: &[&[Footprint<'static>]], terms: &Terms) -> Vec<Converted<'static>> {
    let (mut visitor, mut calls) = (Visitor::default(), Vec::new());
    for batch in arrivals {
        for footprint in *batch {
            visitor.add(footprint);
        }
        visitor.advance(terms, LATER, &mut |outcome| {
            let mut bytes = Vec::new();
            outcome.encode(&mut bytes);
            if let Outcome::Converted(converted) = Outcome::decode(bytes.leak()).unwrap() {
                calls.push(converted);
            }
        });
    }
    calls
}

fn statuses(calls: &[Converted<'_>]) -> Vec<(Status, i64)> {
    calls.iter().map(|call| (call.status, call.times)).collect()
}

#[test]
fn a_transaction_is_told_at_each_status_and_once() {
    use Status::{Lead, Rejected, Sale};
    let click = click(1, 0, "c");
    let lead = sale(2, HOUR, "x", Lead, 5);
    let sold = Footprint { payout_nanos: 7, ..sale(3, 2 * HOUR, "x", Sale, 9) };
    let again = sale(4, 3 * HOUR, "x", Sale, 9);
    let rejected = sale(5, 4 * HOUR, "x", Rejected, 0);
    let told =
        calls(&[&[click.clone(), lead.clone()], from_ref(&sold), &[again], &[rejected]], &Terms::default());
    assert_eq!(statuses(&told), [(Lead, 1), (Lead, -1), (Sale, 1), (Sale, -1), (Rejected, 1)]);
    let worth: Vec<_> = told.iter().map(|call| (call.value_micros, call.payout_nanos)).collect();
    assert_eq!(worth, [(0, 0), (0, 0), (9, 7), (9, 7), (0, 0)]);
    assert!(told.iter().all(|call| call.conversion == lead.id && call.touched_ms == Some(T) && call.clicked));
    // What comes together is told as it stands.
    assert_eq!(statuses(&calls(&[&[click, lead, sold]], &Terms::default())), [(Sale, 1)]);
}

#[test]
fn the_last_click_is_named_and_what_it_says() {
    let by = |n, at, publisher: &'static str| {
        let traits =
            [(Dimension::Link, "demo"), (Dimension::Publisher, publisher), (Dimension::Sub1, publisher)];
        Footprint { traits: traits.into_iter().collect(), ..click(n, at, "c") }
    };
    let story = [
        by(1, 0, "anna"),
        by(2, HOUR, "bob"),
        view(3, 2 * HOUR, "v"),
        sale(4, 3 * HOUR, "x", Status::Sale, 9),
    ];
    let told = calls(&[&story], &Terms::default());
    let [call] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((call.traits.get(Dimension::Publisher), call.touched_ms), ("bob", Some(T + HOUR)));
    let alone = calls(&[&story[2..]], &Terms::default());
    assert_eq!((alone[0].clicked, alone[0].touched_ms), (false, Some(T + 2 * HOUR)));
    let nothing = calls(&[&story[3..]], &Terms::default());
    assert_eq!((nothing[0].clicked, nothing[0].touched_ms), (false, None));
}

#[test]
fn nobody_is_called_again_because_an_earlier_event_came_late_or_another_value() {
    use Status::{Lead, Sale};
    let sold = sale(3, 2 * HOUR, "x", Sale, 9);
    let earlier = sale(2, HOUR, "x", Lead, 5);
    let told = calls(&[from_ref(&sold), &[earlier], &[click(1, 0, "c")]], &Terms::default());
    assert_eq!(statuses(&told), [(Sale, 1)], "the sale stays one, whatever it began with");
    let replace = Terms { repeats: [(String::new(), Repeats::Replace)].into(), ..Terms::default() };
    let told = calls(&[&[sold], &[sale(4, 3 * HOUR, "x", Sale, 11)]], &replace);
    assert_eq!(statuses(&told), [(Sale, 1)]);
}

#[test]
fn every_conversion_without_a_txid_is_told_by_itself() {
    let told =
        calls(&[&[sale(1, 0, "", Status::Sale, 5), sale(2, 1, "", Status::Sale, 5)]], &Terms::default());
    assert_eq!(statuses(&told), [(Status::Sale, 1); 2]);
    assert_ne!(told[0].identity(), told[1].identity());
}

/// The id of a transaction is its sender's within a click: two visitors may have one of the same.
#[test]
fn the_identity_is_of_the_click_that_is_named() {
    let named = |n, at, click_ms| Footprint { click_ms: Some(click_ms), ..sale(n, at, "1", Status::Sale, 5) };
    let of = |footprint: Footprint<'static>| calls(&[&[footprint]], &Terms::default())[0].identity();
    assert_eq!(of(named(1, HOUR, T)), of(named(2, 2 * HOUR, T)), "whichever event it began with");
    assert_ne!(of(named(1, HOUR, T)), of(named(1, HOUR, T + 1)));
    assert_ne!(of(sale(1, 0, "1", Status::Sale, 5)), of(sale(2, 0, "1", Status::Sale, 5)));
}
