//! What the gate promises, case by case. What it promises together with everything else is in the simulation.

use analytics::{EventId, Kind, Param, RawEvent, Source};
use queues::MESSAGE_MAX_BYTES;

use super::*;
use crate::Region;
use crate::log;

mod handover;
mod laws;
mod shipping;

const T: i64 = 1_790_000_000_000;
const WINDOW: i64 = 300_000;

fn name() -> GateName {
    GateName { region: Region::Weur, shard: 3 }
}

/// The intervals that the times in these tests are written for, whatever the defaults become.
fn settings() -> Settings {
    Settings { commit_interval_ms: 20, ship_interval_ms: 250, ..Settings::default() }
}

fn empty() -> Gate {
    Gate::rebuild(name(), settings(), [], T)
}

fn id(n: u32) -> EventId {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&n.to_le_bytes());
    EventId::from_bytes(bytes)
}

fn body() -> Vec<u8> {
    let mut event = RawEvent::new(id(0), Kind::Click, Source::Redirect, T);
    event.link = "demo".into();
    let mut body = Vec::new();
    event.encode(&mut body);
    body
}

fn admit(gate: &mut Gate, n: u32, at: i64) -> Admission {
    gate.admit(id(n), &body(), None, at)
}

/// Commits, and returns what was written.
fn commit(gate: &mut Gate, at: i64) -> Vec<Row> {
    let Some(commit) = gate.commit(at) else { return Vec::new() };
    let rows = commit.rows.clone();
    gate.committed(commit);
    rows
}

/// Everything confirmed and pruned that may be.
fn confirm_all(gate: &mut Gate, at: i64) {
    gate.ship(at);
    let numbers: Vec<_> = gate.report().unconfirmed.iter().map(|(number, _)| *number).collect();
    assert_eq!(gate.confirm(numbers, at), [0; 0]);
}

#[test]
fn a_copy_within_the_window_is_a_duplicate_and_one_after_it_is_new() {
    let mut gate = empty();
    assert_eq!(admit(&mut gate, 1, T), Admission::New);
    commit(&mut gate, T);
    assert_eq!(admit(&mut gate, 1, T + WINDOW - 1), Admission::Duplicate);
    assert_eq!(admit(&mut gate, 1, T + WINDOW), Admission::New);
}

#[test]
fn the_window_begins_with_the_first_hit_and_copies_do_not_move_it() {
    let mut gate = empty();
    admit(&mut gate, 1, T);
    commit(&mut gate, T);
    for part in 1..10 {
        assert_eq!(admit(&mut gate, 1, T + part * WINDOW / 10), Admission::Duplicate);
    }
    assert_eq!(admit(&mut gate, 1, T + WINDOW), Admission::New);
    commit(&mut gate, T + WINDOW);
    assert_eq!(admit(&mut gate, 1, T + 2 * WINDOW - 1), Admission::Duplicate);
}

#[test]
fn a_copy_of_what_is_not_committed_waits_with_it() {
    let mut gate = empty();
    assert_eq!(admit(&mut gate, 1, T), Admission::New);
    assert_eq!(admit(&mut gate, 1, T), Admission::DuplicateOfPending);
    let rows = commit(&mut gate, T);
    assert_eq!((rows.len(), rows[0].admitted, rows[0].duplicates), (1, 1, 1));
    assert_eq!(admit(&mut gate, 1, T), Admission::Duplicate);
}

#[test]
fn what_could_not_be_written_was_never_seen() {
    let mut gate = empty();
    admit(&mut gate, 1, T);
    assert_eq!(admit(&mut gate, 1, T), Admission::DuplicateOfPending);
    let failed = gate.commit(T).unwrap();
    assert_eq!(failed.undo(), Some(log::undo(T)));
    gate.aborted(failed);
    assert_eq!((gate.report().admitted, gate.report().rows), (0, 0));
    assert_eq!(admit(&mut gate, 1, T + 1), Admission::New);
    let rows = commit(&mut gate, T + 1);
    assert_eq!((rows[0].admitted, rows[0].duplicates), (1, 1), "the copy is told all the same");
}

/// Otherwise a late copy of the first would count a second time.
#[test]
fn a_failed_commit_does_not_make_the_gate_forget_the_hit_a_window_ago() {
    let settings = Settings { window_ms: 2_000, ..settings() };
    let mut gate = Gate::rebuild(name(), settings, [], T);
    admit(&mut gate, 1, T);
    commit(&mut gate, T);
    assert_eq!(admit(&mut gate, 1, T + 2_000), Admission::New);
    let failed = gate.commit(T + 2_000).unwrap();
    gate.aborted(failed);
    assert_eq!(gate.admit(id(1), &body(), Some(T + 1), T + 2_001), Admission::Duplicate);
}

#[test]
fn a_rebuilt_gate_knows_every_id_in_its_window_and_its_totals_go_on() {
    let mut gate = empty();
    let mut rows = Vec::new();
    for n in 0..100 {
        admit(&mut gate, n, T + i64::from(n) * 1_000);
        rows.extend(commit(&mut gate, T + i64::from(n) * 1_000));
    }
    let now = T + 100_000;
    let mut gate = Gate::rebuild(name(), settings(), rows.clone(), now);
    for n in 0..100 {
        assert_eq!(admit(&mut gate, n, now), Admission::Duplicate);
    }
    assert_eq!(admit(&mut gate, 100, now), Admission::New);
    assert_eq!(commit(&mut gate, now)[0].admitted, 101);
    // What was pruned is in the totals, and in flight is only what the rows hold.
    let gate = Gate::rebuild(name(), settings(), rows.split_off(90), now);
    assert_eq!((gate.report().admitted, gate.report().rows), (100, 10));
    assert_eq!(gate.report().unconfirmed.iter().map(|(_, events)| events).sum::<i64>(), 10);
}

#[test]
fn a_gate_that_lost_its_storage_gives_no_number_twice() {
    let mut gate = empty();
    let numbers = |gate: &mut Gate, at: i64| -> Vec<i64> {
        (0..50)
            .flat_map(|n| {
                admit(gate, n, at + i64::from(n) * 20);
                commit(gate, at + i64::from(n) * 20)
            })
            .map(|row| row.seq)
            .collect()
    };
    let before = numbers(&mut gate, T);
    let after = numbers(&mut Gate::rebuild(name(), settings(), [], T + 1_000), T + 1_000);
    assert!(before.is_sorted() && before.last() < after.first(), "{before:?} {after:?}");
}

#[test]
fn a_full_gate_says_so_until_time_has_made_room() {
    let settings = Settings { max_ids: 3, ..settings() };
    let mut gate = Gate::rebuild(name(), settings, [], T);
    for n in 0..3 {
        assert_eq!(admit(&mut gate, n, T), Admission::New);
    }
    assert_eq!(admit(&mut gate, 3, T), Admission::Full);
    commit(&mut gate, T);
    assert_eq!(admit(&mut gate, 2, T), Admission::Duplicate, "what it knows it still knows");
    assert_eq!(admit(&mut gate, 3, T + settings.memory_ms()), Admission::Full);
    assert_eq!(admit(&mut gate, 3, T + settings.memory_ms() + 1), Admission::New);
}

#[test]
fn a_busy_gate_writes_few_rows_and_an_idle_one_does_not_wait() {
    let mut gate = empty();
    admit(&mut gate, 0, T);
    assert_eq!(gate.commit_due_ms(T), T, "idle");
    let mut rows = commit(&mut gate, T).len();
    for n in 1..1_000 {
        let at = T + i64::from(n) / 10;
        admit(&mut gate, n, at);
        if gate.commit_due_ms(at) <= at {
            rows += commit(&mut gate, at).len();
        }
    }
    assert_eq!(rows, 5, "1,000 events in 100 ms, at most a row in 20 ms");
    assert_eq!(gate.commit_due_ms(T + 60_000), T + 60_000, "idle again");
}

#[test]
fn a_clock_that_is_set_back_stops_neither_commits_nor_messages() {
    let mut gate = empty();
    admit(&mut gate, 1, T + 3_600_000);
    commit(&mut gate, T + 3_600_000);
    gate.ship(T + 3_600_000);
    admit(&mut gate, 2, T);
    assert_eq!(gate.commit_due_ms(T), T);
    commit(&mut gate, T);
    assert_eq!(gate.commit_due_ms(T + 1), T + 20);
    assert_eq!(gate.ship_due_ms(T + 1), Some(T + 1));
    gate.ship(T + 1);
    assert_eq!(admit(&mut gate, 1, T + 30), Admission::Duplicate);
}

#[test]
fn a_hit_that_went_round_is_the_one_the_gate_had_however_long_it_took() {
    let mut gate = empty();
    admit(&mut gate, 1, T);
    commit(&mut gate, T);
    let late = |gate: &mut Gate, n, at| gate.admit(id(n), &body(), Some(T), at);
    assert_eq!(late(&mut gate, 1, T + LATE_MAX_MS), Admission::Duplicate);
    assert_eq!(late(&mut gate, 1, T + LATE_MAX_MS + WINDOW), Admission::Duplicate);
    // From here on it is forgotten: it is not counted, because it might have been.
    assert_eq!(late(&mut gate, 1, T + LATE_MAX_MS + WINDOW + 1), Admission::Full);
    assert_eq!(gate.report().duplicates, 0, "it is the hit itself, not a copy of it");
}

#[test]
fn a_hit_that_only_went_round_counts_unless_it_took_too_long() {
    let mut gate = empty();
    assert_eq!(gate.admit(id(1), &body(), Some(T), T + LATE_MAX_MS), Admission::New);
    assert_eq!(gate.admit(id(1), &body(), Some(T), T + LATE_MAX_MS), Admission::DuplicateOfPending);
    assert_eq!(gate.admit(id(2), &body(), Some(T), T + LATE_MAX_MS + 1), Admission::Full);
    assert_eq!(gate.admit(id(3), &body(), Some(i64::MIN), T + LATE_MAX_MS + 1), Admission::Full);
    assert_eq!(gate.admit(id(4), &body(), Some(i64::MAX), T + LATE_MAX_MS + 1), Admission::New);
}

#[test]
fn an_event_larger_than_a_message_is_refused() {
    let mut gate = empty();
    let most = FRAMES_MAX_BYTES - Frame::event_len(&[]);
    assert_eq!(gate.admit(id(1), &vec![0; most], None, T), Admission::New);
    assert_eq!(gate.admit(id(2), &vec![0; most + 1], None, T), Admission::TooLarge);
    let rows = commit(&mut gate, T);
    let longest = GateName { region: Region::World, shard: u16::MAX };
    let gate = Gate::rebuild(longest, settings(), rows.clone(), T);
    assert!(gate.outgoing(i64::MAX, &rows[0].body).bytes.len() <= MESSAGE_MAX_BYTES);
}
