//! Gates whose number changes. That no schedule of crashes and old edges lets a copy through is in the simulation.

use super::*;
use crate::gate::handover::Handed;
use crate::{Layout, Maps};

fn at(shard: u16) -> GateName {
    GateName { region: Region::World, shard }
}

fn gate(shard: u16) -> Gate {
    Gate::rebuild(at(shard), settings(), [], T)
}

/// Maps of one set for the world.
fn numbers(before: &[u16], now: u16) -> Maps {
    Maps::new(before.iter().map(|shards| Layout::world(*shards)), Layout::world(now))
}

fn owner(maps: &Maps, n: u32) -> u16 {
    maps.gate(Region::Weur, id(n)).shard
}

/// An id that moves from gate 0 of one to gate 1 of two, and one that stays.
fn moving() -> (u32, u32) {
    let owned = |by: u16| (0..100).find(|n| owner(&numbers(&[1], 2), *n) == by).unwrap();
    (owned(1), owned(0))
}

fn follow(gate: &mut Gate, maps: &Maps) {
    while let Some(next) = gate.next_map(maps) {
        assert!(gate.owed().is_empty());
        gate.follow(next);
    }
}

/// The rows that statements of [`Gate::handed_statements`] write.
fn rows(maps: &Maps, from: GateName, ids: &[u8], at: i64) -> Vec<Handed> {
    let statements = gate(0).handed_statements(maps, from, ids, at);
    let row = |statement: Statement| match statement.params.as_slice() {
        [Param::Integer(version), Param::Integer(shard), _, Param::Integer(at_ms), Param::Blob(ids)] => {
            Handed { version: *version, shard: *shard, at_ms: *at_ms, ids: ids.clone() }
        }
        other => panic!("{other:?}"),
    };
    statements.into_iter().map(row).collect()
}

#[test]
fn the_new_gate_admits_nothing_that_the_old_one_has_not_handed_over() {
    let (moves, stays) = moving();
    let maps = numbers(&[1], 2);
    let (mut old, mut new) = (gate(0), gate(1));
    assert_eq!(admit(&mut old, moves, T), Admission::New);
    commit(&mut old, T);

    follow(&mut new, &maps);
    assert_eq!(new.owed(), [at(0)]);
    assert!(new.awaits(id(moves), &body()) && !new.awaits(id(stays), &body()));
    assert_eq!(admit(&mut new, moves, T + 10), Admission::Full);

    follow(&mut old, &maps);
    let ids = old.hand_over(&maps, at(1), T + 1_000).unwrap();
    new.take_over(at(0), &ids, T + 50_000);
    // By the new gate's clock, which is another: the id was a second old when it was handed over.
    assert_eq!(admit(&mut new, moves, T + 49_000 + WINDOW - 1), Admission::Duplicate);
    assert_eq!(admit(&mut new, moves, T + 49_000 + WINDOW), Admission::New);
}

#[test]
fn the_old_gate_knows_its_copies_and_admits_nothing_more_of_what_moved() {
    let (moves, stays) = moving();
    let mut old = gate(0);
    admit(&mut old, moves, T);
    commit(&mut old, T);
    follow(&mut old, &numbers(&[1], 2));
    assert_eq!(admit(&mut old, moves, T + 1), Admission::Duplicate);
    assert_eq!(admit(&mut old, moves, T + WINDOW), Admission::Full);
    assert_eq!(admit(&mut old, stays, T + 1), Admission::New);
}

#[test]
fn a_gate_that_does_not_follow_hands_nothing_over() {
    assert_eq!(gate(0).hand_over(&numbers(&[1], 2), at(1), T), None);
}

#[test]
fn a_gate_that_lost_its_memory_has_what_it_was_handed() {
    let (moves, _) = moving();
    let maps = numbers(&[1], 2);
    let mut old = gate(0);
    admit(&mut old, moves, T);
    commit(&mut old, T);
    follow(&mut old, &maps);
    let ids = old.hand_over(&maps, at(1), T + 5).unwrap();
    let written = rows(&maps, at(0), &ids, T + 5);
    let mut new = gate(1);
    new.recall(maps.clone(), &written);
    assert_eq!(new.owed(), []);
    assert_eq!(admit(&mut new, moves, T + 10), Admission::Duplicate);
    // Nothing to hand over is written down as well: who has handed over is not asked again.
    let mut again = gate(1);
    again.recall(maps.clone(), &rows(&maps, at(0), &[], T + 5));
    assert_eq!(again.owed(), []);
    assert_eq!(admit(&mut again, moves, T + 10), Admission::New);
}

/// An id that goes from gate 0 of one to gate 1 of two, and on to gate 2 of three.
fn wandering() -> (u32, Maps, Maps) {
    let (two, three) = (numbers(&[1], 2), numbers(&[1, 2], 3));
    ((0..100).find(|n| owner(&two, *n) == 1 && owner(&three, *n) == 2).unwrap(), two, three)
}

#[test]
fn what_was_handed_over_is_handed_on_by_a_gate_that_woke_up_with_a_clock_set_back() {
    let (wanders, two, three) = wandering();
    let mut first = gate(0);
    admit(&mut first, wanders, T);
    commit(&mut first, T);
    follow(&mut first, &two);
    let ids = first.hand_over(&two, at(1), T + 1_000).unwrap();
    let written = rows(&two, at(0), &ids, T + 1_000);

    let mut second = Gate::rebuild(at(1), settings(), [], T - 9_000);
    second.recall(two.clone(), &written);
    follow(&mut second, &three);
    let ids = second.hand_over(&three, at(2), T - 9_000).unwrap();

    let mut third = gate(2);
    follow(&mut third, &two);
    third.take_over(at(0), &[], T + 2_000);
    follow(&mut third, &three);
    third.take_over(at(0), &[], T + 2_000);
    third.take_over(at(1), &ids, T + 2_000);
    assert_eq!(admit(&mut third, wanders, T + 3_000), Admission::Duplicate);
}

#[test]
fn what_is_handed_over_while_the_clock_is_set_back_is_no_older_for_it() {
    let (moves, stays) = moving();
    let maps = numbers(&[1], 2);
    let (mut old, mut new) = (gate(0), gate(1));
    admit(&mut old, moves, T);
    commit(&mut old, T);
    follow(&mut old, &maps);
    let ids = old.hand_over(&maps, at(1), T + 1_000).unwrap();

    // Its clock was a window ahead, and is set right.
    admit(&mut new, stays, T + WINDOW);
    follow(&mut new, &maps);
    let [Param::Integer(at_ms), _] = &new.handed_statements(&maps, at(0), &ids, T + 1_000)[0].params[3..]
    else {
        panic!("a time and ids");
    };
    assert_eq!(*at_ms, T + WINDOW);
    new.take_over(at(0), &ids, T + 1_000);
    assert_eq!(admit(&mut new, moves, T + 2_000), Admission::Duplicate);
}

#[test]
fn a_commit_that_failed_forgets_nothing_that_was_handed_over() {
    let (moves, stays) = moving();
    let maps = numbers(&[1], 2);
    let (mut old, mut new) = (gate(0), gate(1));
    admit(&mut old, moves, T);
    commit(&mut old, T);
    follow(&mut old, &maps);
    let later = T + WINDOW + 10_000;
    let ids = old.hand_over(&maps, at(1), later).unwrap();
    admit(&mut new, stays, later);
    commit(&mut new, later);
    follow(&mut new, &maps);
    new.take_over(at(0), &ids, later);

    // After its window it may count again; but the row is not written.
    assert_eq!(admit(&mut new, moves, later), Admission::New);
    let failed = new.commit(later).unwrap();
    new.aborted(failed);
    // A copy from within the window, which comes by the queue.
    let late = new.admit(id(moves), &body(), Some(T + WINDOW - 20_000), later + 1_000);
    assert_eq!(late, Admission::Duplicate);
}

#[test]
fn ids_that_nobody_asks_for_any_more_are_emptied_once() {
    let (moves, _) = moving();
    let maps = numbers(&[1], 2);
    let mut old = gate(0);
    admit(&mut old, moves, T);
    follow(&mut old, &maps);
    let ids = old.hand_over(&maps, at(1), T).unwrap();
    let mut new = gate(1);
    follow(&mut new, &maps);
    new.take_over(at(0), &ids, T);
    let late = T + WINDOW + LATE_MAX_MS;
    assert!(new.prune_handed(late).is_none());
    assert!(new.prune_handed(late + 1).is_some() && new.prune_handed(late + 1).is_none());
}

#[test]
fn a_million_ids_are_rows_that_fit() {
    let rows = rows(&numbers(&[1], 2), at(0), &vec![7; 2_000_020], T);
    assert_eq!(rows.iter().map(|row| row.ids.len()).collect::<Vec<_>>(), [1_000_000, 1_000_000, 20]);
}

/// A hit of a visitor in western North America.
fn western() -> Vec<u8> {
    let mut event = RawEvent::new(id(0), Kind::Click, Source::Redirect, T);
    (event.continent, event.country, event.region) = ("NA".into(), "US".into(), "CA".into());
    let mut body = Vec::new();
    event.encode(&mut body);
    body
}

#[test]
fn visitors_who_get_gates_of_their_own_take_along_what_was_seen_of_them_and_nothing_else() {
    let layout =
        Layout::of([Region::Enam, Region::Wnam, Region::Weur, Region::Apac].map(|region| (region, 1)));
    let maps = Maps::new([Layout::Continents(1)], layout);
    let [east, west] = [Region::Enam, Region::Wnam].map(|region| GateName { region, shard: 0 });
    let (mut old, mut new) = (Gate::rebuild(east, settings(), [], T), Gate::rebuild(west, settings(), [], T));
    assert_eq!(old.admit(id(1), &western(), None, T), Admission::New);
    assert_eq!(old.admit(id(2), &body(), None, T), Admission::New);
    let rows = commit(&mut old, T);
    // What it rebuilds from its log knows whose each id is.
    old = Gate::rebuild(east, settings(), rows, T);

    follow(&mut new, &maps);
    assert!(new.owed() == [east] && new.awaits(id(1), &western()));
    follow(&mut old, &maps);
    assert_eq!(old.admit(id(1), &western(), None, T + 1), Admission::Duplicate);
    assert_eq!(old.admit(id(3), &western(), None, T + 1), Admission::Full, "it has given them away");
    assert_eq!(old.owed(), [GateName { region: Region::Sam, shard: 0 }]);
    old.take_over(GateName { region: Region::Sam, shard: 0 }, &[], T + 1);
    assert_eq!(old.admit(id(4), &body(), None, T + 1), Admission::New);

    let ids = old.hand_over(&maps, west, T + 5).unwrap();
    assert_eq!(ids.len(), 20, "that of the west");
    let written = new.handed_statements(&maps, east, &ids, T + 5);
    assert_eq!(written[0].params[1], Param::Integer(2 << 16));
    let handed = Handed { version: 1, shard: 2 << 16, at_ms: T + 5, ids };
    let mut new = Gate::rebuild(west, settings(), [], T + 6);
    new.recall(maps, &[handed]);
    assert_eq!(new.owed(), []);
    assert_eq!(new.admit(id(1), &western(), None, T + 10), Admission::Duplicate);
    assert_eq!(new.admit(id(2), &western(), None, T + 10), Admission::New);
}
