//! Messages: when they leave, when again, and when the log may forget them.

use super::*;

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
    assert_eq!(gate.fade(wake), None, "it is younger");
    let wake = gate.wake_ms(wake).unwrap();
    assert_eq!(gate.fade(wake), Some(log::fade(T + 180)));
    assert_eq!((gate.wake_ms(wake), gate.fade(wake)), (None, None));
    assert_eq!(gate.prune(wake + WINDOW * 100), None);
}

/// The newest row is the one that is in the log, not the one that might have been.
#[test]
fn a_gate_that_faded_goes_on_from_its_totals_and_keeps_no_id() {
    let mut gate = empty();
    admit(&mut gate, 1, T);
    admit(&mut gate, 1, T);
    let mut rows = commit(&mut gate, T);
    assert_eq!(gate.fade(T + 100 * WINDOW), None, "the ledger has not confirmed it");
    confirm_all(&mut gate, T + 100 * WINDOW);
    let wake = gate.wake_ms(T + 100 * WINDOW).unwrap();
    assert!(gate.fade(wake).is_some());

    rows[0].body.clear();
    let mut gate = Gate::rebuild(name(), settings(), rows, wake);
    assert_eq!((gate.unconfirmed_from(), gate.fade(wake)), (None, None), "it was confirmed, and is empty");
    assert_eq!((gate.report().admitted, gate.report().duplicates), (1, 1));
    assert_eq!(admit(&mut gate, 1, wake), Admission::New);
    assert_eq!(commit(&mut gate, wake)[0].admitted, 2);
}

#[test]
fn the_newest_row_outlives_a_commit_that_failed_after_it() {
    let mut gate = empty();
    admit(&mut gate, 1, T);
    commit(&mut gate, T);
    confirm_all(&mut gate, T);
    admit(&mut gate, 2, T + 1_000);
    let failed = gate.commit(T + 1_000).unwrap();
    gate.aborted(failed);
    assert_eq!(gate.wake_ms(T + 1_000), Some(T + 2 * WINDOW + WINDOW / 2), "to fade");
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

/// For forty minutes: each commit of a gate that is as busy as before writes one row, where a row inserted and
/// a row deleted would be two.
#[test]
fn a_busy_gate_writes_over_the_rows_that_nobody_needs() {
    let mut gate = empty();
    let (mut log, mut written, mut commits) = (std::collections::BTreeMap::new(), 0, 0);
    for step in 0..24_000_u32 {
        let at = T + i64::from(step) * 100;
        assert_eq!(admit(&mut gate, step, at), Admission::New);
        let commit = gate.commit(at).unwrap();
        for (place, row) in commit.rows.iter().enumerate() {
            if let Some(over) = commit.over.get(place) {
                assert!(log.remove(over).is_some(), "there is nothing to write over");
            }
            log.insert(row.seq, row.at_ms);
            written += 1;
        }
        gate.committed(commit);
        commits += 1;
        if step % 10 == 0 {
            confirm_all(&mut gate, at);
        }
        if step % 300 == 0 && gate.prune(at).is_some() {
            let before = log.len();
            log.retain(|_, row_ms| *row_ms >= at - WINDOW - LATE_MAX_MS);
            written += before - log.len();
        }
        assert!(log.len() < 6_100, "ten minutes of rows, and not many more");
    }
    let without = 2 * commits - log.len();
    assert_eq!((commits, written), (24_000, 24_000));
    assert!(without > 40_000);
}
