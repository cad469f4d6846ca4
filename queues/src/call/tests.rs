use proptest::collection::vec;
use proptest::prelude::*;

use analytics::{RawEvent, Source, enrich};

use super::*;

const TEXTS: [&str; 6] = ["", "a", "ä", "ab", "https://a.example/page", "demo"];

/// Few texts, so that they repeat.
fn footprint() -> impl Strategy<Value = Footprint<'static>> {
    let texts = vec(prop::sample::select(&TEXTS[..]), 8);
    let traits = vec((any::<u8>(), prop::sample::select(&TEXTS[..])), 0..6);
    let numbers = prop::array::uniform3(prop_oneof![Just(0), any::<i64>()]);
    let kind = prop::sample::select(&Kind::ALL[..]);
    let postback = prop::option::of(prop::sample::select(&Status::ALL[..]));
    let rest = (any::<Option<i64>>(), postback, any::<[u8; 16]>(), any::<i64>());
    (kind, texts, traits, numbers, rest).prop_map(
        |(kind, texts, traits, [value_micros, cost_nanos, payout_nanos], (click_ms, status, id, at_ms))| {
            let text = |at: usize| Text::from(texts[at]);
            let pairs: Vec<_> = traits.into_iter().map(|(code, value)| (code, Text::from(value))).collect();
            Footprint {
                id: EventId::from_bytes(id),
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
                postback: status.map(|status| Postback { txid: text(7), status }),
                traits: Traits::from(pairs),
            }
        },
    )
}

fn handed() -> impl Strategy<Value = Vec<Handed<'static>>> {
    let key = || any::<[u8; 16]>().prop_map(VisitorKey::from_bytes);
    let one = prop_oneof![
        8 => (key(), footprint()).prop_map(|(key, footprint)| Handed::Footprint(key, footprint)),
        1 => (key(), key()).prop_map(|(from, to)| Handed::Bond(from, to)),
    ];
    vec(one, 1..8)
}

fn written(handed: &[Handed<'_>]) -> Vec<u8> {
    let mut call = Call::default();
    for one in handed {
        call.add(one);
    }
    assert_eq!(call.is_empty(), handed.is_empty());
    call.into_bytes()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
}

fn sample() -> Vec<Handed<'static>> {
    let [one, two] = [1, 2].map(|n| VisitorKey::from_bytes([n; 16]));
    let click = Footprint {
        id: EventId::from_bytes([7; 16]),
        at_ms: 1_790_000_000_000,
        kind: Kind::Conversion,
        name: Text::from("buy"),
        page: Text::from("https://a.example/b"),
        element_id: Text::from("e"),
        session_id: Text::from("s"),
        value_micros: -5,
        currency: Text::from("EUR"),
        cost_nanos: 9,
        cost_currency: Text::from("EUR"),
        payout_nanos: 8,
        payout_currency: Text::from("CHF"),
        click_ms: Some(0),
        postback: Some(Postback { txid: Text::from("x"), status: Status::Rebill }),
        traits: [(analytics::Dimension::Link, "demo"), (analytics::Dimension::Country, "DE")]
            .into_iter()
            .collect(),
    };
    let page = Footprint {
        kind: Kind::Page,
        click_ms: None,
        postback: None,
        payout_nanos: 0,
        payout_currency: Text::EMPTY,
        ..click.clone()
    };
    vec![Handed::Footprint(one, click), Handed::Bond(one, two), Handed::Footprint(two, page)]
}

#[test]
fn the_bytes_are_pinned() {
    let call = written(&sample());
    assert_eq!(hex(&call), V2);
    assert_eq!(Handed::read(&call), Some(sample()));
}

/// What was written before a text was a number lies in the queue, or among the dead letters.
#[test]
fn a_call_of_the_first_version_is_read() {
    assert_eq!(Handed::read(&bytes(V1)), Some(sample()));
}

#[test]
fn a_call_of_a_later_version_is_left_to_later_code() {
    let mut call = written(&sample());
    call[0] = VERSION + 1;
    assert_eq!(Handed::read(&call), None);
    assert_eq!(Handed::read(&[]), None);
}

/// Who writes an event's footprint without making it a list of texts first writes the same.
#[test]
fn an_event_is_written_as_its_footprint_is() {
    let mut raw = RawEvent::new(EventId::from_bytes([7; 16]), Kind::Click, Source::Redirect, 5);
    raw.page_url = Text::from("https://a.example/b?c#d");
    (raw.country, raw.region, raw.city) = (Text::from("DE"), Text::from("BE"), Text::from("Berlin"));
    (raw.link, raw.campaign_id) = (Text::from("demo"), Text::from("demo"));
    raw.sub[4] = Text::from("five");
    raw.user_agent = "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0".into();
    let event = enrich(raw);
    let (mut one, mut other) = (Call::default(), Call::default());
    let key = VisitorKey::from_bytes([1; 16]);
    let (whole, bare) = (Footprint::of(&event).unwrap(), Footprint::bare(&event).unwrap());
    for _ in 0..2 {
        one.add(&Handed::Footprint(key, whole.clone()));
        other.add_event(key, &bare, &event);
    }
    assert_eq!(hex(&one.into_bytes()), hex(&other.into_bytes()));
    assert!(whole.traits.pairs().any(|pair| pair == (analytics::Dimension::City.code(), "Berlin (DE)")));
    assert_eq!((whole.page.as_str(), whole.traits.visitor()), ("https://a.example/b", Some(0)));
}

#[test]
fn a_text_is_written_once() {
    let of = |times: usize| written(&vec![sample().remove(0); times]).len();
    // Head, key, id, time, mask; then seven texts, four amounts, the postback and two traits of a byte or two each.
    assert_eq!(of(3) - of(2), 1 + 16 + 16 + 8 + 2 + 7 + 4 + 2 + 1 + 4);
}

proptest! {
    #[test]
    fn a_call_is_read_as_it_was_written(handed in handed()) {
        let call = written(&handed);
        prop_assert_eq!(Handed::read(&call), Some(handed));
    }

    /// A place holds one text: what it had before is written out again.
    #[test]
    fn more_texts_than_there_are_places_are_read_as_they_were_written(first in 0u32..1_000) {
        let [Handed::Footprint(key, sample), ..] = &sample()[..] else { unreachable!() };
        let names = (first..first + 1_500).chain(first..first + 10);
        let handed: Vec<_> = names
            .map(|name| Handed::Footprint(*key, Footprint { name: Text::from(name.to_string()), ..sample.clone() }))
            .collect();
        let call = written(&handed);
        prop_assert_eq!(Handed::read(&call), Some(handed));
    }

    #[test]
    fn any_bytes_are_read_or_refused(mut bytes: Vec<u8>, version in 1..=VERSION) {
        let _ = Handed::read(&bytes);
        bytes.insert(0, version);
        let _ = Handed::read(&bytes);
    }

    #[test]
    fn a_call_that_is_cut_or_changed_is_read_or_refused(handed in handed(), at: prop::sample::Index, byte: u8) {
        let mut call = written(&handed);
        let at = at.index(call.len());
        let _ = Handed::read(&call[..at]);
        call[at] = byte;
        let _ = Handed::read(&call);
    }
}

const V1: &str = concat!(
    "0100010101010101010101010101010101010707070707070707070707070707070780b083c598680303627579136874",
    "7470733a2f2f612e6578616d706c652f620165017309034555521203455552100343484601000101780302000464656d",
    "6f0502444501010101010101010101010101010101010202020202020202020202020202020200020202020202020202",
    "020202020202020707070707070707070707070707070780b083c5986802036275791368747470733a2f2f612e657861",
    "6d706c652f6201650173090345555212034555520000000002000464656d6f05024445"
);
const V2: &str = concat!(
    "02030101010101010101010101010101010107070707070707070707070707070707006c50c4a0010000ff0f01036275",
    "79011368747470733a2f2f612e6578616d706c652f620101650101730103455552060103434846091210000301017802",
    "00010464656d6f0501024445ff0101010101010101010101010101010102020202020202020202020202020202020202",
    "020202020202020202020202020207070707070707070707070707070707006c50c4a0010000bf010203040506060912",
    "020009050a"
);
