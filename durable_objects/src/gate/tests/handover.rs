//! Gates whose number changes. That no schedule of crashes and old edges lets a copy through is in the simulation.

use super::*;
use crate::Maps;
use crate::gate::handover::Handed;

fn gate(shard: u16) -> Gate {
    Gate::rebuild(GateName { region: Region::Weur, shard }, settings(), [], T)
}

/// An id that moves from gate 0 of one to gate 1 of two, and one that stays.
fn moving() -> (u32, u32) {
    let owner = |n: &u32| Maps::new(&[1], 2).owner(id(*n));
    ((0..100).find(|n| owner(n) == 1).unwrap(), (0..100).find(|n| owner(n) == 0).unwrap())
}

fn follow(gate: &mut Gate, maps: &Maps) {
    while let Some(next) = gate.next_map(maps) {
        assert!(gate.owed().is_empty());
        gate.follow(next);
    }
}

/// The rows that statements of [`Gate::handed_statements`] write.
fn rows(maps: &Maps, from: u16, ids: &[u8], at: i64) -> Vec<Handed> {
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
    let maps = Maps::new(&[1], 2);
    let (mut old, mut new) = (gate(0), gate(1));
    assert_eq!(admit(&mut old, moves, T), Admission::New);
    commit(&mut old, T);

    follow(&mut new, &maps);
    assert_eq!(new.owed(), [0]);
    assert!(new.awaits(id(moves)) && !new.awaits(id(stays)));
    assert_eq!(admit(&mut new, moves, T + 10), Admission::Full);

    follow(&mut old, &maps);
    let ids = old.hand_over(&maps, 1, T + 1_000).unwrap();
    new.take_over(0, &ids, T + 50_000);
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
    follow(&mut old, &Maps::new(&[1], 2));
    assert_eq!(admit(&mut old, moves, T + 1), Admission::Duplicate);
    assert_eq!(admit(&mut old, moves, T + WINDOW), Admission::Full);
    assert_eq!(admit(&mut old, stays, T + 1), Admission::New);
}

#[test]
fn a_gate_that_does_not_follow_hands_nothing_over() {
    assert_eq!(gate(0).hand_over(&Maps::new(&[1], 2), 1, T), None);
}

#[test]
fn a_gate_that_lost_its_memory_has_what_it_was_handed() {
    let (moves, _) = moving();
    let maps = Maps::new(&[1], 2);
    let mut old = gate(0);
    admit(&mut old, moves, T);
    commit(&mut old, T);
    follow(&mut old, &maps);
    let ids = old.hand_over(&maps, 1, T + 5).unwrap();
    let written = rows(&maps, 0, &ids, T + 5);
    let mut new = gate(1);
    new.recall(maps.clone(), &written);
    assert_eq!(new.owed(), [0; 0]);
    assert_eq!(admit(&mut new, moves, T + 10), Admission::Duplicate);
    // Nothing to hand over is written down as well: who has handed over is not asked again.
    let mut again = gate(1);
    again.recall(maps.clone(), &rows(&maps, 0, &[], T + 5));
    assert_eq!(again.owed(), [0; 0]);
    assert_eq!(admit(&mut again, moves, T + 10), Admission::New);
}

/// An id that goes from gate 0 of one to gate 1 of two, and on to gate 2 of three.
fn wandering() -> (u32, Maps, Maps) {
    let (two, three) = (Maps::new(&[1], 2), Maps::new(&[1, 2], 3));
    ((0..100).find(|n| two.owner(id(*n)) == 1 && three.owner(id(*n)) == 2).unwrap(), two, three)
}

#[test]
fn what_was_handed_over_is_handed_on_by_a_gate_that_woke_up_with_a_clock_set_back() {
    let (wanders, two, three) = wandering();
    let mut first = gate(0);
    admit(&mut first, wanders, T);
    commit(&mut first, T);
    follow(&mut first, &two);
    let ids = first.hand_over(&two, 1, T + 1_000).unwrap();
    let written = rows(&two, 0, &ids, T + 1_000);

    let mut second = Gate::rebuild(GateName { region: Region::Weur, shard: 1 }, settings(), [], T - 9_000);
    second.recall(two.clone(), &written);
    follow(&mut second, &three);
    let ids = second.hand_over(&three, 2, T - 9_000).unwrap();

    let mut third = gate(2);
    follow(&mut third, &two);
    third.take_over(0, &[], T + 2_000);
    follow(&mut third, &three);
    third.take_over(0, &[], T + 2_000);
    third.take_over(1, &ids, T + 2_000);
    assert_eq!(admit(&mut third, wanders, T + 3_000), Admission::Duplicate);
}

#[test]
fn what_is_handed_over_while_the_clock_is_set_back_is_no_older_for_it() {
    let (moves, stays) = moving();
    let maps = Maps::new(&[1], 2);
    let (mut old, mut new) = (gate(0), gate(1));
    admit(&mut old, moves, T);
    commit(&mut old, T);
    follow(&mut old, &maps);
    let ids = old.hand_over(&maps, 1, T + 1_000).unwrap();

    // Its clock was a window ahead, and is set right.
    admit(&mut new, stays, T + WINDOW);
    follow(&mut new, &maps);
    let [Param::Integer(at_ms), _] = &new.handed_statements(&maps, 0, &ids, T + 1_000)[0].params[3..] else {
        panic!("a time and ids");
    };
    assert_eq!(*at_ms, T + WINDOW);
    new.take_over(0, &ids, T + 1_000);
    assert_eq!(admit(&mut new, moves, T + 2_000), Admission::Duplicate);
}

#[test]
fn a_commit_that_failed_forgets_nothing_that_was_handed_over() {
    let (moves, stays) = moving();
    let maps = Maps::new(&[1], 2);
    let (mut old, mut new) = (gate(0), gate(1));
    admit(&mut old, moves, T);
    commit(&mut old, T);
    follow(&mut old, &maps);
    let later = T + WINDOW + 10_000;
    let ids = old.hand_over(&maps, 1, later).unwrap();
    admit(&mut new, stays, later);
    commit(&mut new, later);
    follow(&mut new, &maps);
    new.take_over(0, &ids, later);

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
    let maps = Maps::new(&[1], 2);
    let mut old = gate(0);
    admit(&mut old, moves, T);
    follow(&mut old, &maps);
    let ids = old.hand_over(&maps, 1, T).unwrap();
    let mut new = gate(1);
    follow(&mut new, &maps);
    new.take_over(0, &ids, T);
    let late = T + WINDOW + LATE_MAX_MS;
    assert!(new.prune_handed(late).is_none());
    assert!(new.prune_handed(late + 1).is_some() && new.prune_handed(late + 1).is_none());
}

#[test]
fn a_million_ids_are_rows_that_fit() {
    let rows = rows(&Maps::new(&[1], 2), 0, &vec![7; 2_000_020], T);
    assert_eq!(rows.iter().map(|row| row.ids.len()).collect::<Vec<_>>(), [1_000_000, 1_000_000, 20]);
}
