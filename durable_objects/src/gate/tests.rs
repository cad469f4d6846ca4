//! What the gate promises, case by case. What it promises together with everything else is in the simulation.

use analytics::{EventId, Kind, Param, RawEvent, Source};
use proptest::prelude::*;
use queues::MESSAGE_MAX_BYTES;

use super::*;
use crate::Region;
use crate::log;

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
fn rows_join_a_message_until_it_leaves() {
    let mut gate = empty();
    let mut rows = Vec::new();
    for n in 0..3 {
        admit(&mut gate, n, T + i64::from(n) * 20);
        rows.extend(commit(&mut gate, T + i64::from(n) * 20));
    }
    assert!(rows.iter().all(|row| row.message == T));
    let sent = gate.ship(T + 60);
    assert_eq!(sent.len(), 1);
    let frames = rows.iter().flat_map(|row| row.body.clone()).collect::<Vec<_>>();
    assert_eq!(sent[0], gate.outgoing(T, &frames), "what the log says");
    admit(&mut gate, 3, T + 80);
    let next = commit(&mut gate, T + 80);
    assert_eq!(next[0].message, next[0].seq, "a message that has left is never added to");
    assert_eq!(gate.ship_due_ms(T + 80), Some(T + 310), "busy");
    assert_eq!(gate.ship(T + 310).len(), 1);
    assert_eq!(gate.ship_due_ms(T + 310), None);
}

#[test]
fn a_message_of_before_the_restart_is_never_added_to() {
    let mut gate = empty();
    admit(&mut gate, 1, T);
    let rows = commit(&mut gate, T);
    let mut gate = Gate::rebuild(name(), settings(), rows, T + 1);
    admit(&mut gate, 2, T + 1);
    assert_eq!(commit(&mut gate, T + 1)[0].message, T + 1);
    assert_eq!(gate.confirm([], T + 1), [T], "whether it was sent nobody knows");
}

/// Each message waits for its own time: later ones do not put it off.
#[test]
fn a_lost_message_is_sent_again_however_busy_the_gate_is() {
    let mut gate = empty();
    let mut again = Vec::new();
    for n in 0..200 {
        let at = T + i64::from(n) * 250;
        admit(&mut gate, n, at);
        commit(&mut gate, at);
        gate.ship(at);
        let known: Vec<_> = gate.report().unconfirmed.iter().map(|at| at.0).filter(|&at| at != T).collect();
        again.extend(gate.confirm(known, at).into_iter().map(|number| (number, at)));
    }
    assert_eq!(again, [(T, T + 30_000)]);
}

#[test]
fn a_failing_queue_is_tried_less_and_less_often() {
    let mut gate = empty();
    admit(&mut gate, 1, T);
    commit(&mut gate, T);
    gate.ship(T);
    let (mut at, mut waits) = (T, Vec::new());
    for _ in 0..5 {
        gate.unsent(T, at);
        let wake = gate.wake_ms(at).unwrap();
        waits.push(wake - at);
        at = wake;
        assert_eq!(gate.confirm([], at), [T]);
    }
    assert_eq!(waits, [250, 500, 1_000, 2_000, 4_000]);
}

#[test]
fn a_ledger_that_does_not_answer_is_asked_less_and_less_often() {
    let mut gate = empty();
    admit(&mut gate, 1, T);
    commit(&mut gate, T);
    gate.ship(T);
    let mut at = T;
    for wait in [30_000, 60_000, 120_000] {
        assert_eq!(gate.wake_ms(at), Some(at + wait));
        at += wait;
        gate.unanswered(at);
    }
}

#[test]
fn a_gate_with_nothing_left_to_do_sleeps() {
    let mut gate = empty();
    assert_eq!(gate.wake_ms(T), None);
    for n in 0..10 {
        admit(&mut gate, n, T + i64::from(n) * 20);
        commit(&mut gate, T + i64::from(n) * 20);
    }
    assert_eq!(gate.wake_ms(T + 200), Some(T + 30_000), "to ask the ledger");
    confirm_all(&mut gate, T + 200);
    let wake = gate.wake_ms(T + 200).unwrap();
    assert_eq!(wake, T + 2 * WINDOW + WINDOW / 2, "to prune");
    assert_eq!(gate.prune(wake), Some(log::prune(T + 180, wake - 2 * WINDOW)));
    assert_eq!(gate.report().rows, 1, "the newest stays, for the totals");
    assert_eq!(gate.wake_ms(wake), None);
    assert_eq!(gate.prune(wake + WINDOW * 100), None);
}

/// The newest row is the one that is in the log, not the one that might have been.
#[test]
fn the_newest_row_outlives_a_commit_that_failed_after_it() {
    let mut gate = empty();
    admit(&mut gate, 1, T);
    commit(&mut gate, T);
    confirm_all(&mut gate, T);
    admit(&mut gate, 2, T + 1_000);
    let failed = gate.commit(T + 1_000).unwrap();
    gate.aborted(failed);
    assert_eq!(gate.wake_ms(T + 1_000), None);
    assert_eq!(gate.prune(T + 100 * WINDOW), None);
}

#[test]
fn what_is_not_confirmed_stays_and_does_not_keep_the_gate_awake() {
    let mut gate = empty();
    for n in 0..3 {
        admit(&mut gate, n, T + i64::from(n) * 1_000);
        commit(&mut gate, T + i64::from(n) * 1_000);
        gate.ship(T + i64::from(n) * 1_000);
    }
    let much_later = T + 20 * WINDOW;
    assert_eq!(gate.confirm([T + 1_000, T + 2_000], much_later), [T]);
    assert_eq!(gate.prune(much_later), None);
    assert_eq!(gate.wake_ms(much_later), Some(much_later + 60_000), "to ask for it, not to prune it");
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

/// A gate's rows as storage keeps them.
fn store(log: &mut Vec<Row>, statement: &Statement) {
    match statement.params.as_slice() {
        [seq, message, at, admitted, duplicates, Param::Blob(body)] => {
            let number = |param: &Param| if let Param::Integer(number) = param { *number } else { panic!() };
            let [seq, message, at_ms, admitted, duplicates] =
                [seq, message, at, admitted, duplicates].map(number);
            log.push(Row { seq, message, at_ms, admitted, duplicates, body: body.clone() });
        }
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the sizes: a message is small enough, and is what the log says it is, byte for byte; every event
    /// is in one message.
    #[test]
    fn messages_are_cut_to_size_and_never_change(
        groups in prop::collection::vec((prop::collection::vec(0usize..63_000, 0..12), 0usize..500, any::<bool>(), 0u8..4), 1..12),
    ) {
        let mut gate = empty();
        let (mut log, mut sent) = (Vec::new(), Vec::new());
        let (mut at, mut n, mut admitted) = (T, 0u32, 0i64);
        for (large, small, ship, copies) in groups {
            at += 25;
            for size in large.into_iter().chain(std::iter::repeat_n(300, small)) {
                n += 1;
                admitted += i64::from(gate.admit(id(n), &vec![9; size], None, at) == Admission::New);
            }
            for _ in 0..copies.min(n as u8) {
                gate.admit(id(n), &body(), None, at);
            }
            if let Some(commit) = gate.commit(at) {
                commit.statements().for_each(|statement| store(&mut log, &statement));
                gate.committed(commit);
            }
            if ship {
                sent.extend(gate.ship(at));
            }
        }
        sent.extend(gate.ship(at));
        prop_assert_eq!(gate.report().admitted, admitted);
        let mut events = 0;
        for message in &sent {
            prop_assert!(message.bytes.len() <= MESSAGE_MAX_BYTES);
            let of_message = log.iter().filter(|row| row.message == message.number);
            let body: Vec<u8> = of_message.flat_map(|row| row.body.clone()).collect();
            prop_assert_eq!(&gate.outgoing(message.number, &body), message);
            events += frames(&body).filter(|frame| matches!(frame, Ok(Frame::Event { .. }))).count() as i64;
        }
        prop_assert_eq!(events, admitted);
        let rebuilt = Gate::rebuild(name(), settings(), log, at).report();
        prop_assert_eq!(rebuilt.admitted, admitted);
        prop_assert_eq!(rebuilt.unconfirmed, gate.report().unconfirmed);
    }

    /// However often and in whatever order it arrives, over restarts: once.
    #[test]
    fn admitted_twice_is_admitted_once(hits in prop::collection::vec((0u32..20, 0i64..5_000, any::<bool>()), 1..100)) {
        let mut gate = empty();
        let (mut log, mut at, mut new) = (Vec::new(), T, Vec::new());
        for (n, wait, restart) in hits {
            at += wait.min(WINDOW / 200);
            if admit(&mut gate, n, at) == Admission::New {
                new.push(n);
            }
            log.extend(commit(&mut gate, at));
            if restart {
                gate = Gate::rebuild(name(), settings(), log.clone(), at);
            }
        }
        let all = new.len();
        new.sort_unstable();
        new.dedup();
        prop_assert_eq!(new.len(), all);
        prop_assert_eq!(gate.report().admitted, all as i64);
    }
}
