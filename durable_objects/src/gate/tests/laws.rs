//! What holds for any hits.

use proptest::prelude::*;

use super::*;

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
