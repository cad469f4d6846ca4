//! What holds for any footprints, in whatever order they come.

use proptest::prelude::*;

use super::*;

fn footprint() -> impl Strategy<Value = Footprint<'static>> {
    let campaign = prop::sample::select(vec!["", "c", "d"]);
    let path = prop::sample::select(vec!["", "/A", "/B", "/C", "/x"]);
    let session = prop::sample::select(vec!["", "", "s", "t"]);
    let txid = prop::sample::select(vec!["", "x", "y"]);
    let status = prop::sample::select(Status::ALL.to_vec());
    let kind = prop::sample::select(vec![
        Kind::Click,
        Kind::Page,
        Kind::Page,
        Kind::Impression,
        Kind::Conversion,
        Kind::Conversion,
        Kind::SessionEnd,
    ]);
    // Minutes, and now and then days, so that many fall together.
    let at = prop_oneof![(0i64..90).prop_map(|n| n * MINUTE), (0i64..20).prop_map(|n| n * DAY / 2)];
    let words = (campaign, path, session, txid);
    (kind, at, words, status, -9i64..20, 0i64..3, prop::option::of(0i64..90)).prop_map(
        |(kind, at, (campaign, path, session, txid), status, value, cost, click)| {
            let base = match kind {
                Kind::Conversion => sale(0, at, txid, status, value),
                _ => step(0, kind, at),
            };
            Footprint {
                page: Text::from(if path.is_empty() {
                    String::new()
                } else {
                    format!("https://a.example{path}")
                }),
                session_id: Text::from(session),
                cost_nanos: cost,
                payout_nanos: 2 - cost,
                click_ms: click.filter(|_| kind == Kind::Conversion).map(|minutes| T + minutes * MINUTE),
                traits: [(Dimension::Link, "demo"), (Dimension::Campaign, campaign)].into_iter().collect(),
                ..base
            }
        },
    )
}

pub(super) fn footprints(max: usize) -> impl Strategy<Value = Vec<Footprint<'static>>> {
    prop::collection::vec(footprint(), 1..max)
        .prop_map(|all| (1..).zip(all).map(|(n, footprint)| Footprint { id: id(n), ..footprint }).collect())
}

fn terms() -> Terms {
    let funnels =
        [(Order::Ordered, Basis::Visitor), (Order::Strict, Basis::Session), (Order::Any, Basis::Visitor)];
    let funnels = (0..).zip(funnels).map(|(n, (order, basis))| Funnel {
        id: format!("f{n}"),
        basis,
        exclude: vec![named("x")],
        ..funnel("ABC", order)
    });
    Terms { funnels: funnels.collect(), ..Terms::default() }
}

/// Other terms, as an operator might change them meanwhile.
fn changed() -> Terms {
    let mut funnels = terms().funnels;
    funnels.remove(0);
    funnels[0].steps.truncate(2);
    Terms {
        session_gap_ms: 5 * MINUTE,
        session_on_campaign_change: false,
        windows: Windows { click_ms: HOUR, view_ms: 0, billing_ms: HOUR },
        repeats: [(String::new(), Repeats::Add)].into(),
        funnels,
        ..Terms::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Whatever the order, however often it comes, whenever somebody looks, by whatever terms in between, evicted and
    /// read back at any time: in the end the same is told.
    #[test]
    fn in_the_end_the_same_is_told(
        (all, arrivals) in footprints(40).prop_flat_map(|all| {
            let more = prop::collection::vec(0..all.len(), 0..20);
            let arrivals = more.prop_flat_map({
                let count = all.len();
                move |more| Just((0..count).chain(more).collect::<Vec<_>>()).prop_shuffle()
            });
            (Just(all), arrivals)
        }),
        looks in prop::collection::vec((0usize..8, 0i64..25 * 24), 60),
    ) {
        let whole = told(&all, &terms());
        let (mut visitor, mut sum) = (guest(), Sum::default());
        let mut known = vec![false; all.len()];
        let mut stored = Vec::new();
        for (arrival, (look, hour)) in arrivals.into_iter().zip(looks) {
            prop_assert_eq!(visitor.add(&all[arrival]), !std::mem::replace(&mut known[arrival], true));
            let terms = if look % 4 == 1 { changed() } else { terms() };
            if look < 6 {
                visitor.advance(&terms, T + hour * HOUR, &mut |outcome| sum.add(outcome));
            }
            if look > 2 {
                let mut bytes = Vec::new();
                let expires_ms = visitor.append(T + hour * HOUR, &mut bytes);
                prop_assert!(expires_ms >= T + hour * HOUR);
                if !is_sequel(&bytes) {
                    stored.clear();
                }
                stored.append(&mut bytes);
                let mut read = Visitor::read(&stored, expires_ms).unwrap();
                read.know(VisitorKey::from_bytes([3 << 6; 16]));
                prop_assert_eq!(&read, &visitor);
                visitor.encode(&mut bytes);
                prop_assert!(stored.len() < 3 * bytes.len(), "{} bytes say {}", stored.len(), bytes.len());
                // Who is read again goes on as who was held.
                if look % 2 == 0 {
                    visitor = read;
                }
            }
        }
        visitor.advance(&terms(), LATER, &mut |outcome| sum.add(outcome));
        prop_assert_eq!(&sum, &whole);
        visitor.advance(&terms(), LATER, &mut |outcome| panic!("{outcome:?}"));
    }

    /// Sums of events and corrections are what the transactions are worth, and so are the credits of each model.
    #[test]
    fn credits_add_up_to_what_the_sums_say(all in footprints(40)) {
        let sum = told(&all, &terms());
        let mut worth = 0;
        let mut conversions = 0;
        for event in all.iter().filter(|event| event.kind == Kind::Conversion) {
            worth += event.value_micros;
            conversions += 1;
        }
        for correction in sum.corrections() {
            worth += correction.value_micros;
            conversions += correction.conversions;
        }
        for model in Model::ALL {
            let (mut credited, mut shares) = (0, 0);
            for (outcome, times) in sum.each() {
                if let Outcome::Credit(credit) = outcome && credit.model == model {
                    credited += credit.value_micros * times;
                    if credit.status != Status::Rejected {
                        shares += credit.share_micros * times;
                    }
                }
            }
            prop_assert_eq!((credited, shares), (worth, conversions * 1_000_000), "{:?}", model);
        }
    }

    /// Whoever is called is called for what became of each transaction, and for nothing else that still stands: in
    /// whatever order, however often and in however many batches its events come. On the way one status stands for each transaction, and only one.
    #[test]
    fn who_is_called_knows_what_became_of_each_transaction(
        (all, arrivals) in footprints(30).prop_flat_map(|all| {
            let more = prop::collection::vec(0..all.len(), 0..20);
            let arrivals = more.prop_flat_map({
                let count = all.len();
                move |more| Just((0..count).chain(more).collect::<Vec<_>>()).prop_shuffle()
            });
            (Just(all), arrivals)
        }),
        looks in prop::collection::vec(any::<bool>(), 50),
    ) {
        let mut final_statuses: BTreeMap<String, Vec<Status>> = BTreeMap::new();
        let mut in_order: Vec<_> = all.iter().filter(|it| it.kind == Kind::Conversion).collect();
        in_order.sort_by_key(|it| (it.at_ms, it.id));
        for event in in_order {
            let postback = event.postback.as_ref().unwrap();
            let of = final_statuses.entry(postback.txid.to_string()).or_default();
            match of.last_mut().filter(|_| !postback.txid.is_empty()) {
                Some(status) if status.leads_to(postback.status) => *status = postback.status,
                Some(_) => {}
                None => of.push(postback.status),
            }
        }
        let (mut visitor, mut sum) = (Visitor::default(), Sum::default());
        let mut standing: BTreeMap<u64, i64> = BTreeMap::new();
        for (arrival, look) in arrivals.into_iter().zip(looks).chain([(0, true)]) {
            visitor.add(&all[arrival]);
            if look {
                visitor.advance(&terms(), LATER, &mut |outcome| {
                    if let Outcome::Converted(it) = &outcome {
                        *standing.entry(it.about).or_default() += it.times;
                    }
                    sum.add(outcome);
                });
                prop_assert!(standing.values().all(|times| *times == 1), "{:?}", standing);
            }
        }
        let mut expected: Vec<_> = final_statuses
            .into_iter()
            .flat_map(|(txid, statuses)| statuses.into_iter().map(move |status| (txid.clone(), status, 1)))
            .collect();
        let mut called = sum.called();
        expected.sort_unstable();
        called.sort_unstable();
        prop_assert_eq!(called, expected);
    }

    /// A visitor's clicks on a campaign are paid for by its window, whatever the order in which they come, however often.
    #[test]
    fn a_window_of_any_length_is_paid_for_once(
        clicks in prop::collection::vec((0i64..200, any::<bool>()), 1..40),
        window in prop::sample::select(vec![0, MINUTE, HOUR, DAY]),
        arrivals in prop::collection::vec(any::<prop::sample::Index>(), 40),
    ) {
        let windows = Windows { billing_ms: window, ..Windows::default() };
        let terms = Terms { campaigns: [("c".to_owned(), windows)].into(), ..Terms::default() };
        let all: Vec<_> = (1..)
            .zip(&clicks)
            .map(|(n, (at, days))| Footprint {
                cost_nanos: 1,
                ..click(n, at * if *days { 7 * HOUR / 5 } else { MINUTE / 2 }, "c")
            })
            .collect();
        let mut times: Vec<i64> = all.iter().map(|click| click.at_ms).collect();
        times.sort_unstable();
        let (mut paid, mut until_ms) = (0, i64::MIN);
        for at_ms in times {
            if at_ms >= until_ms {
                (paid, until_ms) = (paid + 1, at_ms + window);
            }
        }
        let (mut visitor, mut cost) = (Visitor::default(), 0);
        let mut arrive = |footprint: &Footprint<'static>| {
            cost += i64::from(visitor.add(footprint));
            visitor.advance(&terms, LATER, &mut |outcome| {
                if let Outcome::Correction(it) = outcome {
                    cost += it.cost_nanos;
                }
            });
        };
        for at in arrivals {
            arrive(at.get(&all));
        }
        all.iter().for_each(&mut arrive);
        prop_assert_eq!(cost, paid);
    }

    /// Who is known by a better name takes everything along, and nothing is left that was told.
    #[test]
    fn a_bond_takes_everything_along(all in footprints(30), before in 0usize..30, late in 0usize..30) {
        let [user, device] = [3 << 6, 2 << 6].map(|first| {
            let mut bytes = [1; 16];
            bytes[0] = first;
            VisitorKey::from_bytes(bytes)
        });
        let (mut weak, mut strong, mut sum) = (guest(), guest(), Sum::default());
        let late = late.min(all.len());
        for (n, footprint) in all.iter().enumerate() {
            if n == before {
                weak.advance(&terms(), LATER, &mut |outcome| sum.add(outcome));
            }
            if n == late {
                prop_assert!(weak.bond(device, user));
                prop_assert!(!weak.bond(device, user) && !strong.bond(user, device));
                weak.advance(&terms(), LATER, &mut |outcome| sum.add(outcome));
            }
            weak.add(footprint);
        }
        weak.bond(device, user);
        weak.advance(&terms(), LATER, &mut |outcome| sum.add(outcome));
        prop_assert_eq!(weak.footprints(), 0);
        prop_assert_eq!(&sum.0, &BTreeMap::new());
        for footprint in std::mem::take(&mut sum.1) {
            prop_assert!(strong.add(&footprint));
            prop_assert!(!strong.add(&footprint));
        }
        strong.advance(&terms(), LATER, &mut |outcome| sum.add(outcome));
        prop_assert_eq!(sum, told(&all, &terms()));
    }

    /// Footprints that go leave behind what others still need: whoever comes for a year is told of as if nothing were
    /// ever forgotten. Only what a session or a week earned is not told anew when it is gone.
    #[test]
    fn what_is_forgotten_is_not_told_again(mut all in footprints(60), looks in prop::collection::vec(any::<bool>(), 60)) {
        let short = Windows { click_ms: HOUR, view_ms: HOUR, billing_ms: HOUR };
        let terms = Terms { windows: short, session_max_ms: HOUR, transactions_ms: 40 * DAY, ..terms() };
        let forgetful = Terms { keep_ms: 2 * HOUR, ..terms.clone() };
        // Some seven hours, so that it is now this and now that which goes.
        for footprint in &mut all {
            if footprint.at_ms < T + 90 * MINUTE {
                footprint.at_ms = T + 5 * (footprint.at_ms - T);
            }
        }
        all.sort_by_key(|footprint| (footprint.at_ms, footprint.kind == Kind::SessionEnd, footprint.id));
        let (mut visitor, mut sum, mut whole) = (guest(), Sum::default(), Sum::default());
        let unearned = |outcome: Outcome<'_>, sum: &mut Sum| match outcome {
            Outcome::Session(session) => sum.add(Outcome::Session(Session { conversions: 0, value_micros: 0, currency: Text::EMPTY, ..session })),
            // A sale that is rejected when it is forgotten stays in its week.
            Outcome::Cohort(cohort) if !cohort.came => {}
            other => sum.add(other),
        };
        for (footprint, look) in all.iter().zip(looks) {
            prop_assert!(visitor.add(footprint));
            if look {
                visitor.advance(&forgetful, footprint.at_ms, &mut |outcome| unearned(outcome, &mut sum));
            }
        }
        visitor.advance(&forgetful, LATER, &mut |outcome| unearned(outcome, &mut sum));
        let mut remembering = guest();
        for footprint in &all {
            remembering.add(footprint);
        }
        remembering.advance(&terms, LATER, &mut |outcome| unearned(outcome, &mut whole));
        prop_assert_eq!(sum, whole);
        visitor.advance(&forgetful, LATER, &mut |outcome| panic!("{outcome:?}"));
    }

    /// Byte for byte, and word for word: who is read back is the one that was given the footprint.
    #[test]
    fn a_newcomer_is_a_visitor_of_one_footprint(all in footprints(2), lasts in any::<bool>(), hour in 0i64..45 * 24) {
        let key = VisitorKey::from_bytes([if lasts { 3 << 6 } else { 0 }; 16]);
        let (terms, now_ms, footprint) = (terms(), T + hour * HOUR, &all[0]);
        let (mut visitor, mut words, mut bytes) = (Visitor::of(key), Vec::new(), Vec::new());
        visitor.add(footprint);
        visitor.advance(&terms, now_ms, &mut |outcome| words.push(format!("{outcome:?}")));
        visitor.encode(&mut bytes);
        let Some(newcomer) = Newcomer::of(key, footprint, &terms, now_ms) else {
            prop_assert!(now_ms - footprint.at_ms > terms.keep_ms, "only who goes at once is none");
            return Ok(());
        };
        let (mut told, mut stored) = (Vec::new(), Vec::new());
        newcomer.tell(&mut |outcome| told.push(format!("{outcome:?}")));
        newcomer.encode(&mut stored);
        prop_assert_eq!((newcomer.due_ms(), told, stored), (visitor.due_ms(), words, bytes));
    }

    /// At every look, word for word; and nobody is looked at too late.
    #[test]
    fn who_is_not_looked_at_for_every_page_is_told_of_the_same(
        mut all in footprints(30),
        looks in prop::collection::vec((0i64..45, any::<bool>()), 30),
        lasts in any::<bool>(),
        (pages, late, close) in any::<(bool, bool, bool)>(),
    ) {
        let key = VisitorKey::from_bytes([if lasts { 3 << 6 } else { 0 }; 16]);
        if pages {
            let other = |one: &&mut Footprint<'_>| !matches!(one.kind, Kind::Page | Kind::Impression);
            all.iter_mut().filter(other).for_each(|one| {
                let seldom = one.value_micros < -7;
                one.kind = if seldom && late { Kind::SessionEnd } else { Kind::Click };
                one.postback = None;
                (one.cost_nanos, one.payout_nanos) = if seldom { (one.cost_nanos, 1) } else { (0, 0) };
            });
            all.iter_mut().filter(|one| one.kind != Kind::Click).for_each(|one| {
                (one.cost_nanos, one.payout_nanos) = (0, 0);
            });
        }
        // So that most of them are of one session, and nobody has been looked at when the next comes.
        if close {
            for one in &mut all {
                one.at_ms = T + (one.at_ms - T).min(DAY) / 6;
            }
        }
        if !late {
            all.sort_by_key(|one| (one.at_ms, one.id));
        }
        let (terms, mut now_ms) = (Terms::default(), 0);
        let (mut one, mut other) = (Visitor::of(key), Visitor::of(key));
        for (footprint, (minutes, again)) in all.iter().zip(looks) {
            now_ms = now_ms.max(footprint.at_ms + minutes * MINUTE);
            for _ in 0..=u8::from(again) {
                prop_assert_eq!(one.add(footprint), other.add(footprint));
                let mut told = [Vec::new(), Vec::new()];
                one.advance(&terms, now_ms, &mut |outcome| told[0].push(format!("{outcome:?}")));
                // Who is read from storage is looked at in full.
                let mut bytes = Vec::new();
                other.encode(&mut bytes);
                other = Visitor::decode(&bytes).unwrap();
                other.know(key);
                other.advance(&terms, now_ms, &mut |outcome| told[1].push(format!("{outcome:?}")));
                prop_assert_eq!(&told[0], &told[1]);
                if let Some(due_ms) = other.due_ms() {
                    prop_assert!(one.due_ms().is_some_and(|soon_ms| soon_ms <= due_ms));
                }
            }
        }
        let mut told = [Vec::new(), Vec::new()];
        one.advance(&terms, LATER, &mut |outcome| told[0].push(format!("{outcome:?}")));
        other.advance(&terms, LATER, &mut |outcome| told[1].push(format!("{outcome:?}")));
        prop_assert_eq!(&told[0], &told[1]);
        prop_assert_eq!(one, other);
    }

    /// Any bytes are a journey or none, and never more than that.
    #[test]
    fn any_bytes_can_be_read(mut bytes in prop::collection::vec(any::<u8>(), 0..200), sort in 0..3u8) {
        if let Some(first) = bytes.first_mut().filter(|_| sort > 0) {
            *first = JOURNEY_VERSION + sort - 1;
        }
        if sort == 2 {
            let mut whole = Vec::new();
            guest().encode(&mut whole);
            bytes.splice(0..0, whole);
        }
        if let Some(mut visitor) = Visitor::decode(&bytes) {
            visitor.advance(&terms(), LATER, &mut |_| {});
        }
    }
}
