use proptest::collection::vec;
use proptest::prelude::*;

use analytics::Kind;

use super::*;

const TEXTS: [&str; 6] = ["", "a", "ä", "ab", "https://a.example/page", "demo"];

/// Few texts, so that they repeat and stand beside others of their length.
fn footprint() -> impl Strategy<Value = Footprint<'static>> {
    let texts = vec(prop::sample::select(&TEXTS[..]), 8);
    let traits = prop::collection::btree_map(0u8..60, prop::sample::select(&TEXTS[1..]), 0..6);
    let numbers = prop::array::uniform3(prop_oneof![Just(0), any::<i64>()]);
    let kind = prop::sample::select(&Kind::ALL[..]);
    let rest = (any::<Option<i64>>(), any::<Option<u8>>());
    (any::<u16>(), 0i64..50, kind, texts, traits, numbers, rest).prop_map(
        |(id, at_ms, kind, texts, traits, [value_micros, cost_nanos, payout_nanos], (click_ms, status))| {
            let text = |at: usize| Text::from(texts[at]);
            let mut bytes = [0; 16];
            bytes[..2].copy_from_slice(&id.to_le_bytes());
            let pairs: Vec<_> = traits.into_iter().map(|(code, value)| (code, Text::from(value))).collect();
            Footprint {
                id: EventId::from_bytes(bytes),
                at_ms,
                kind,
                name: text(0),
                page: text(1),
                element_id: text(2),
                session_id: text(3),
                value_micros,
                currency: text(4),
                cost_nanos,
                cost_currency: text(5),
                payout_nanos,
                payout_currency: text(6),
                click_ms,
                postback: status
                    .map(|status| Postback { txid: text(7), status: Status::ALL[usize::from(status) % 4] }),
                traits: Traits::from(&*pairs.leak()),
            }
        },
    )
}

fn told(trail: &Trail) -> String {
    let values = trail.values(u8::MAX);
    format!("{:?}", trail.footprints(&values).collect::<Vec<_>>())
}

proptest! {
    #[test]
    fn footprints_come_back_as_they_were_added_and_in_order(mut added in vec(footprint(), 0..90)) {
        let mut trail = Trail::default();
        added.retain(|footprint| {
            let new = !trail.knows(footprint.id);
            if new {
                let place = trail.add(footprint);
                assert_eq!(trail.moment(place).unwrap().2, footprint.id);
            }
            new
        });
        added.sort_by_key(|footprint| (footprint.at_ms, footprint.kind == Kind::SessionEnd, footprint.id));
        prop_assert_eq!(told(&trail), format!("{added:?}"));
        let mut bytes = Vec::new();
        trail.write(&mut bytes);
        bytes.push(7);
        let (read, rest) = Trail::read(&bytes).unwrap();
        prop_assert_eq!((told(&read), rest), (told(&trail), &[7u8][..]));
        let few = trail.values(1);
        for (short, whole) in trail.footprints(&few).zip(&added) {
            let known: Vec<_> = whole.traits.pairs().filter(|(code, _)| *code < 2).collect();
            prop_assert_eq!(short.traits.pairs().collect::<Vec<_>>(), known);
        }
        trail.retain(|place| place % 3 == 0);
        let kept: Vec<_> = added.iter().step_by(3).collect();
        prop_assert_eq!(told(&trail), format!("{kept:?}"));
    }

    #[test]
    fn a_trail_of_one_is_written_as_any_other(footprint in footprint()) {
        let (mut trail, mut bytes, mut alone) = (Trail::default(), Vec::new(), Vec::new());
        trail.add(&footprint);
        trail.write(&mut bytes);
        write_first(&footprint, &mut alone);
        prop_assert_eq!(alone, bytes);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(prop_oneof![0u8..6, any::<u8>()], 0..120)) {
        if let Some((mut trail, _)) = Trail::read(&bytes) {
            told(&trail);
            trail.retain(|place| place > 0);
        }
    }
}
