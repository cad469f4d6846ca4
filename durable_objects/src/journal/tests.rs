//! The whole journal against visitors that were never interrupted.

use std::collections::BTreeMap;

use analytics::{EventId, Footprint, Kind, Outcome, Text, Traits, VisitorKey};
use proptest::prelude::*;
use queues::{Frame, Message, frames};

use super::laws::Disk;
use super::*;
use crate::gate::Outgoing;
use crate::group::FRAMES_MAX_BYTES;

const NOW: i64 = 1_790_000_000_000;
const NAME: JournalName = JournalName { shard: 3 };

fn key(n: u8) -> VisitorKey {
    let mut bytes = [n; 16];
    bytes[0] &= 0x3f; // of the weakest rank
    VisitorKey::from_bytes(bytes)
}

fn user(n: u8) -> VisitorKey {
    VisitorKey::from_bytes([n | 0xc0; 16])
}

pub(super) fn footprint(n: u16, at_ms: i64, kind: Kind) -> Footprint<'static> {
    let mut id = [0; 16];
    id[..2].copy_from_slice(&n.to_be_bytes());
    Footprint {
        id: EventId::from_bytes(id),
        at_ms,
        kind,
        name: Text::EMPTY,
        page: "https://shop.example/a".into(),
        element_id: Text::EMPTY,
        session_id: Text::EMPTY,
        value_micros: 0,
        currency: Text::EMPTY,
        cost_nanos: 0,
        cost_currency: Text::EMPTY,
        payout_nanos: 0,
        payout_currency: Text::EMPTY,
        click_ms: None,
        postback: None,
        traits: Traits::default(),
    }
}

/// What is told in messages, each number once: outcomes, and how often each was told on the whole.
#[derive(Default)]
struct Ledger(BTreeMap<i64, Vec<u8>>);

impl Ledger {
    fn count(&mut self, message: &Outgoing) {
        let known = self.0.entry(message.number).or_insert_with(|| message.bytes.clone());
        assert_eq!(known, &message.bytes, "a message is the same whenever it is sent");
    }

    fn sum(&self) -> BTreeMap<String, i64> {
        let mut sum = BTreeMap::new();
        for bytes in self.0.values() {
            let message = Message::decode(bytes).unwrap();
            for frame in frames(message.frames) {
                let Ok(Frame::Outcome(body)) = frame else { panic!("{frame:?}") };
                add(&mut sum, Outcome::decode(body).unwrap());
            }
        }
        sum.retain(|_, times| *times != 0);
        sum
    }
}

/// Adds an outcome to what was told: by what it says, but for how often.
fn add(sum: &mut BTreeMap<String, i64>, mut outcome: Outcome<'_>) {
    let times = match &mut outcome {
        Outcome::Session(session) => std::mem::replace(&mut session.times, 0),
        Outcome::Step(step) => std::mem::replace(&mut step.times, 0),
        Outcome::Credit(credit) => std::mem::replace(&mut credit.times, 0),
        Outcome::Converted(converted) => std::mem::replace(&mut converted.times, 0),
        Outcome::Cohort(cohort) => std::mem::replace(&mut cohort.times, 0),
        Outcome::Correction(_) => 1,
        // Moved again, they are known where they go.
        Outcome::Moved(_) => 0,
    };
    *sum.entry(format!("{outcome:?}")).or_insert(0) += times;
}

#[derive(Debug, Clone)]
enum Doing {
    Hand(Vec<(u8, u16, i64)>),
    Bond(u8, u8),
    Work,
    Pass(i64),
    Ship { arrives: bool },
    Ask,
    Fail(u32),
    Restart,
}

fn doings() -> impl Strategy<Value = Vec<Doing>> {
    let ago = prop_oneof![0..7_200_000i64, 0..2i64];
    let hand = prop::collection::vec((0..12u8, 0..60u16, ago), 1..8).prop_map(Doing::Hand);
    let doing = prop_oneof![
        8 => hand,
        1 => (0..12u8, 0..3u8).prop_map(|(from, to)| Doing::Bond(from, to)),
        4 => Just(Doing::Work),
        3 => (1..1_200_000i64).prop_map(Doing::Pass),
        4 => any::<bool>().prop_map(|arrives| Doing::Ship { arrives }),
        2 => Just(Doing::Ask),
        1 => (0..8u32).prop_map(Doing::Fail),
        1 => Just(Doing::Restart),
    ];
    prop::collection::vec(doing, 1..120)
}

fn opened(disk: &Disk, now_ms: i64) -> Journal {
    disk.fails_in.set(None);
    let mut journal = Journal::open(disk, NAME, Settings::default(), now_ms).unwrap();
    journal.set_terms(disk, Terms::default(), 1).unwrap();
    journal
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    /// Calls that come again, in any order, failures in the midst of one, restarts and lost messages: in the end
    /// exactly what follows from the events was told.
    #[test]
    fn what_was_told_is_what_follows(doings in doings()) {
        let disk = Disk::new();
        let mut now_ms = NOW;
        let mut journal = opened(&disk, now_ms);
        let mut ledger = Ledger::default();
        let mut given: BTreeMap<u16, (u8, i64)> = BTreeMap::new();
        let mut bonds: BTreeMap<u8, VisitorKey> = BTreeMap::new();
        for doing in doings {
            match doing {
                Doing::Hand(events) => {
                    let handed: Vec<_> = events.iter().map(|&(who, n, ago_ms)| {
                        // An event has one visitor and one time, however often it comes.
                        let (who, at_ms) = *given.entry(n).or_insert((who, now_ms - ago_ms));
                        Handed::Footprint(key(who), footprint(n, at_ms, Kind::Page))
                    }).collect();
                    while journal.hand(&disk, &handed, now_ms).is_err() {
                        journal = opened(&disk, now_ms);
                    }
                }
                Doing::Bond(from, to) => {
                    bonds.entry(from).or_insert(user(to));
                    while journal.hand(&disk, &[Handed::Bond(key(from), user(to))], now_ms).is_err() {
                        journal = opened(&disk, now_ms);
                    }
                }
                Doing::Work => {
                    if journal.work(&disk, now_ms).is_err() {
                        journal = opened(&disk, now_ms);
                    }
                }
                Doing::Pass(ms) => now_ms += ms,
                Doing::Ship { arrives } => {
                    for message in journal.ship(now_ms) {
                        if arrives {
                            ledger.count(&message);
                        }
                    }
                }
                Doing::Ask => {
                    let known: Vec<_> = ledger.0.keys().copied().collect();
                    for number in journal.confirm(known, now_ms) {
                        match journal.again(&disk, number) {
                            Ok(message) => ledger.count(&message),
                            Err(_) => disk.fails_in.set(None),
                        }
                    }
                }
                Doing::Fail(after) => disk.fails_in.set(Some(after)),
                Doing::Restart => journal = opened(&disk, now_ms),
            }
        }
        disk.fails_in.set(None);
        now_ms += 86_400_000;
        for _ in 0..1_000 {
            journal.work(&disk, now_ms).unwrap();
            journal.ship(now_ms).iter().for_each(|message| ledger.count(message));
            let known: Vec<_> = ledger.0.keys().copied().collect();
            for number in journal.confirm(known, now_ms) {
                ledger.count(&journal.again(&disk, number).unwrap());
            }
            let Some(wake_ms) = journal.wake_ms(now_ms) else { break };
            now_ms = now_ms.max(wake_ms);
        }
        prop_assert_eq!(journal.unconfirmed_from(), None, "everything was told");
        let mut expected = BTreeMap::new();
        for who in 0..12 {
            let mut visitor = Visitor::default();
            for (&n, &(_, at_ms)) in given.iter().filter(|(_, (of, _))| *of == who) {
                visitor.add(&footprint(n, at_ms, Kind::Page));
            }
            if let Some(&to) = bonds.get(&who) {
                visitor.bond(key(who), to);
            }
            visitor.know(key(who));
            visitor.advance(&Terms::default(), now_ms, &mut |outcome| add(&mut expected, outcome));
        }
        expected.retain(|_, times| *times != 0);
        prop_assert_eq!(ledger.sum(), expected);
        let emitted: i64 = ledger.0.values().map(|bytes| frames(Message::decode(bytes).unwrap().frames).count() as i64).sum();
        prop_assert_eq!(journal.report().emitted, emitted, "the totals are what the messages hold");
    }

    /// A message that was cut elsewhere the second time would be counted as another.
    #[test]
    fn frames_are_cut_between_two_and_fit(lengths in prop::collection::vec(0..50_000usize, 0..20)) {
        let mut bytes = Vec::new();
        for length in &lengths {
            Frame::Outcome(&vec![7; *length]).write(&mut bytes);
        }
        let parts: Vec<_> = cut(&bytes).collect();
        prop_assert!(parts.iter().all(|part| part.len() <= FRAMES_MAX_BYTES));
        let whole: Vec<u8> = parts.iter().flat_map(|part| bytes[part.clone()].to_vec()).collect();
        prop_assert_eq!(&whole, &bytes);
        let counts: i64 = parts.into_iter().map(|part| frames_of(&bytes, part).1).sum();
        prop_assert_eq!(counts as usize, lengths.len());
    }
}

/// A funnel that is made today is told for what happened yesterday.
#[test]
fn journeys_are_worked_out_anew_when_a_funnel_is_made() {
    use analytics::funnel::{Funnel, Matcher};
    let disk = Disk::new();
    let mut journal = opened(&disk, NOW);
    for n in 0..40u8 {
        let events =
            [footprint(u16::from(n), NOW, Kind::Click), footprint(1_000 + u16::from(n), NOW + 5, Kind::Page)];
        let handed: Vec<_> = events.into_iter().map(|event| Handed::Footprint(key(n), event)).collect();
        journal.hand(&disk, &handed, NOW + i64::from(n)).unwrap();
    }
    let step = |kind| Matcher { kind: Some(kind), ..Matcher::default() };
    let funnel = Funnel {
        id: "f".to_owned(),
        steps: vec![step(Kind::Click), step(Kind::Page)],
        window_seconds: 3_600,
        ..Funnel::default()
    };
    let terms = Terms { funnels: vec![funnel], ..Terms::default() };
    let mut ledger = Ledger::default();
    // In the middle of it the object starts over.
    for _ in 0..2 {
        journal.set_terms(&disk, terms.clone(), 2).unwrap();
        for _ in 0..20 {
            journal.work(&disk, NOW + 100).unwrap();
        }
        journal.ship(NOW + 100).iter().for_each(|message| ledger.count(message));
        journal = Journal::open(&disk, NAME, Settings::default(), NOW + 100).unwrap();
    }
    journal.set_terms(&disk, terms, 2).unwrap();
    while let Some(wake_ms) = journal.wake_ms(NOW + 200).filter(|wake_ms| *wake_ms < NOW + 1_000) {
        journal.work(&disk, wake_ms).unwrap();
        journal.ship(wake_ms).iter().for_each(|message| ledger.count(message));
        let known: Vec<_> = ledger.0.keys().copied().collect();
        for number in journal.confirm(known, wake_ms + 60_000) {
            ledger.count(&journal.again(&disk, number).unwrap());
        }
    }
    let told: i64 =
        ledger.sum().iter().filter(|(what, _)| what.starts_with("Step")).map(|(_, times)| times).sum();
    assert_eq!(told, 80);
}

/// Each would be a row and an alarm of its own.
#[test]
fn sessions_that_end_within_a_minute_are_told_together() {
    let disk = Disk::new();
    let mut journal = opened(&disk, NOW);
    let terms = Terms::default();
    for n in 0..40u8 {
        let at_ms = NOW + i64::from(n) * 1_000;
        let page = footprint(u16::from(n), at_ms, Kind::Page);
        journal.hand(&disk, &[Handed::Footprint(key(n), page)], at_ms).unwrap();
    }
    let mut now_ms = NOW + 40_000;
    while journal.report().open > 0 {
        now_ms = journal.wake_ms(now_ms).unwrap();
        journal.work(&disk, now_ms).unwrap();
    }
    assert_eq!(
        now_ms,
        NOW + terms.session_gap_ms + 2 * terms.late_ms,
        "a minute later than the first could be"
    );
    let messages = journal.ship(now_ms);
    assert_eq!(messages.len(), 1);
    let mut ledger = Ledger::default();
    for message in &messages {
        ledger.count(message);
    }
    assert_eq!(ledger.sum().values().sum::<i64>(), 40);
}

/// Calls get in between, and a failure in the midst leaves the others due.
#[test]
fn many_that_are_due_are_looked_at_some_at_a_time() {
    let disk = Disk::new();
    let mut journal = opened(&disk, NOW);
    let whose = |n: u16| {
        let [high, low] = n.to_be_bytes();
        VisitorKey::from_bytes([low & 0x3f, low, high, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13])
    };
    let handed: Vec<_> =
        (0..1_200).map(|n| Handed::Footprint(whose(n), footprint(n, NOW, Kind::Page))).collect();
    journal.hand(&disk, &handed, NOW).unwrap();
    let mut now_ms = NOW + 3_600_000;
    let mut open = Vec::new();
    disk.fails_in.set(Some(0));
    assert!(journal.work(&disk, now_ms).is_err());
    assert_eq!(journal.report().open, 1_200);
    disk.fails_in.set(None);
    while journal.report().open > 0 {
        journal.work(&disk, now_ms).unwrap();
        now_ms = journal.wake_ms(now_ms).unwrap_or(now_ms);
        open.push(journal.report().open);
    }
    assert_eq!(open, [700, 200, 0]);
    assert_eq!(journal.report().emitted, 1_200);
}
