use super::*;

/// Conversions, value and cost: what the events add by themselves, corrected.
fn net(footprints: &[Footprint<'static>], terms: &Terms) -> (i64, i64, i64) {
    let sum = told(footprints, terms);
    let mut net = (0, 0, 0);
    for footprint in footprints {
        net.0 += i64::from(footprint.kind == Kind::Conversion);
        net.1 += footprint.value_micros;
        net.2 += footprint.cost_nanos;
    }
    for correction in sum.corrections() {
        net =
            (net.0 + correction.conversions, net.1 + correction.value_micros, net.2 + correction.cost_nanos);
    }
    // Credits say the same.
    for model in Model::ALL {
        let worth: i64 = sum.credits(model).values().map(|(_, value)| value).sum();
        assert_eq!(worth, net.1, "{model:?}");
    }
    net
}

#[test]
fn a_transaction_is_what_became_of_it() {
    use Status::{Lead, Rebill, Rejected, Sale};
    for (story, conversions, worth) in [
        (vec![(Sale, 5)], 1, 5),
        (vec![(Sale, 5), (Sale, 5)], 1, 5),
        (vec![(Lead, 5)], 1, 0),
        (vec![(Lead, 5), (Sale, 7)], 1, 7),
        // Who confirms often does not say the amount again.
        (vec![(Lead, 5), (Sale, 0)], 1, 5),
        (vec![(Lead, 5), (Rejected, 5)], 0, 0),
        (vec![(Sale, 5), (Rejected, 0)], 0, 0),
        (vec![(Rebill, 5), (Rejected, 5)], 0, 0),
        (vec![(Rejected, 5)], 0, 0),
        // What leads nowhere changes nothing.
        (vec![(Sale, 5), (Lead, 9)], 1, 5),
        (vec![(Rejected, 5), (Sale, 5)], 0, 0),
        (vec![(Sale, 5), (Rebill, 9)], 1, 5),
        (vec![(Sale, -5)], 1, -5),
    ] {
        let footprints: Vec<_> = (1..)
            .zip(&story)
            .map(|(n, (status, value))| sale(n, i64::from(n) * HOUR, "tx", *status, *value))
            .collect();
        assert_eq!(net(&footprints, &Terms::default()), (conversions, worth, 0), "{story:?}");
    }
}

#[test]
fn what_has_no_txid_is_its_own_and_a_rebill_has_one() {
    let terms = Terms::default();
    assert_eq!(net(&[sale(1, 0, "", Status::Sale, 5), sale(2, 1, "", Status::Sale, 5)], &terms), (2, 10, 0));
    assert_eq!(
        net(&[sale(1, 0, "a", Status::Sale, 5), sale(2, 1, "b", Status::Rebill, 6)], &terms),
        (2, 11, 0)
    );
}

#[test]
fn repeats_are_as_their_name_has_it() {
    let named = |n: u32, txid, value| Footprint {
        name: Text::from("buy"),
        ..sale(n, i64::from(n), txid, Status::Sale, value)
    };
    let footprints = [named(1, "a", 5), named(2, "a", 7), named(3, "b", 9)];
    for (repeats, conversions, worth) in [
        (Repeats::OncePerTransaction, 2, 14),
        (Repeats::OncePerClick, 1, 5),
        (Repeats::Replace, 2, 16),
        (Repeats::Add, 2, 21),
        (Repeats::Each, 3, 21),
    ] {
        let terms = Terms { repeats: [("buy".to_owned(), repeats)].into(), ..Terms::default() };
        assert_eq!(net(&footprints, &terms), (conversions, worth, 0), "{repeats:?}");
    }
}

#[test]
fn another_currency_is_another_sum() {
    let dollars = Footprint { currency: Text::from("USD"), ..sale(2, HOUR, "tx", Status::Sale, 7) };
    let sum = told(&[sale(1, 0, "tx", Status::Lead, 5), dollars], &Terms::default());
    let mut by_currency = BTreeMap::from([("EUR".to_owned(), 5), ("USD".to_owned(), 7)]);
    for correction in sum.corrections() {
        *by_currency.get_mut(correction.currency.as_str()).unwrap() += correction.value_micros;
    }
    assert_eq!(by_currency, BTreeMap::from([("EUR".to_owned(), 0), ("USD".to_owned(), 7)]));
}

#[test]
fn a_share_of_a_sale_is_owed_in_its_currency_on_the_day_of_its_lead() {
    let share = |n, at, status, nanos, currency| Footprint {
        payout_nanos: nanos,
        payout_currency: Text::from(currency),
        ..sale(n, at, "x", status, nanos)
    };
    let story = [share(1, 0, Status::Lead, 0, ""), share(2, 2 * DAY, Status::Sale, 5, "EUR")];
    let owed = |story: &[Footprint<'static>]| {
        let mut owed: BTreeMap<(i64, String), i64> = BTreeMap::new();
        for it in story {
            *owed.entry((it.at_ms, it.payout_currency.to_string())).or_default() += it.payout_nanos;
        }
        for (outcome, times) in told(story, &Terms::default()).each() {
            if let Outcome::Correction(it) = outcome {
                *owed.entry((it.at_ms, it.payout_currency.to_string())).or_default() +=
                    it.payout_nanos * times;
            }
        }
        owed.retain(|_, nanos| *nanos != 0);
        owed
    };
    assert_eq!(owed(&story), [((T, "EUR".to_owned()), 5)].into());
    let rejected = share(3, 3 * DAY, Status::Rejected, 0, "");
    assert_eq!(owed(&[story.to_vec(), vec![rejected]].concat()), [].into());
}

#[test]
fn a_campaign_pays_for_a_visitor_once_in_its_window() {
    let paid = |n, at, campaign| Footprint { cost_nanos: 3, ..click(n, at, campaign) };
    let footprints = [
        paid(1, 0, "c"),
        paid(2, DAY - 1, "c"),
        paid(3, DAY, "c"),
        paid(4, DAY, "d"),
        paid(5, DAY + 1, "d"),
        Footprint { traits: Traits::default(), ..paid(6, 0, "") },
    ];
    assert_eq!(net(&footprints, &Terms::default()), (0, 0, 12));
    let all = Windows { billing_ms: 0, ..Windows::default() };
    let terms = Terms { campaigns: [("c".to_owned(), all)].into(), ..Terms::default() };
    assert_eq!(net(&footprints, &terms), (0, 0, 15));
}

#[test]
fn the_five_models_share_as_they_say() {
    let footprints = [
        click(1, 0, "a"),
        click(2, 3 * DAY, "b"),
        view(3, 7 * DAY - HOUR, "v"),
        sale(4, 7 * DAY, "x", Status::Sale, 1_000),
    ];
    let sum = told(&footprints, &Terms::default());
    let shares = |model| -> Vec<(String, i64, i64)> {
        sum.credits(model).into_iter().map(|(campaign, (share, value))| (campaign, share, value)).collect()
    };
    let of = |all: &[(&str, i64, i64)]| -> Vec<(String, i64, i64)> {
        all.iter().map(|(campaign, share, value)| ((*campaign).to_owned(), *share, *value)).collect()
    };
    assert_eq!(shares(Model::Last), of(&[("b", 1_000_000, 1_000)]));
    assert_eq!(shares(Model::First), of(&[("a", 1_000_000, 1_000)]));
    assert_eq!(shares(Model::Linear), of(&[("a", 333_334, 334), ("b", 333_333, 333), ("v", 333_333, 333)]));
    assert_eq!(shares(Model::Position), of(&[("a", 400_000, 400), ("b", 200_000, 200), ("v", 400_000, 400)]));
    // 1/2, 2^(-4/7), 2^(-1/168): of 2.16883 in all.
    assert_eq!(
        shares(Model::TimeDecay),
        of(&[("a", 230_539, 231), ("b", 310_282, 310), ("v", 459_179, 459)])
    );
}

#[test]
fn nothing_is_owed_beyond_the_window() {
    let conversion = sale(9, 8 * DAY, "x", Status::Sale, 10);
    let from = |footprints: &[Footprint<'static>]| told(footprints, &Terms::default()).credits(Model::Last);
    assert_eq!(
        from(&[click(1, DAY - 1, "a"), conversion.clone()]),
        [(String::new(), (1_000_000, 10))].into()
    );
    assert_eq!(from(&[click(1, DAY, "a"), conversion.clone()]), [("a".to_owned(), (1_000_000, 10))].into());
    assert_eq!(
        from(&[view(1, 7 * DAY - 1, "a"), conversion.clone()]),
        [(String::new(), (1_000_000, 10))].into()
    );
    assert_eq!(from(&[view(1, 7 * DAY, "a"), conversion]), [("a".to_owned(), (1_000_000, 10))].into());
}

#[test]
fn the_click_that_a_conversion_names_led_to_it_though_nobody_saw_it() {
    let conversion = Footprint {
        click_ms: Some(T),
        traits: click(0, 0, "c").traits,
        ..sale(2, HOUR, "x", Status::Sale, 10)
    };
    for footprints in [vec![conversion.clone()], vec![click(1, 0, "c"), conversion]] {
        let sum = told(&footprints, &Terms::default());
        let credits: Vec<_> = sum
            .each()
            .filter_map(|(outcome, _)| match outcome {
                Outcome::Credit(credit) => Some((
                    credit.lag_ms,
                    credit.share_micros,
                    credit.traits.get(Dimension::Campaign).to_owned(),
                )),
                _ => None,
            })
            .collect();
        assert_eq!(credits, vec![(Some(HOUR), 1_000_000, "c".to_owned()); 5]);
    }
}
