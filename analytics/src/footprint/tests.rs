use super::*;
use crate::world::PHONE;
use crate::{RawEvent, Source, enrich};

/// Another hash would make a stranger of everybody who was here before.
#[test]
fn keys_are_pinned_and_the_stronger_name_has_the_higher_rank() {
    let raw = RawEvent {
        user_id: Text::from("u"),
        anonymous_id: Text::from("u"),
        session_id: Text::from("u"),
        visitor: 7,
        user_agent: PHONE.into(),
        ..RawEvent::new(EventId::from_bytes([1; 16]), Kind::Page, Source::Beacon, 0)
    };
    let keys = VisitorKey::all_of(&enrich(raw.clone()));
    assert_eq!(keys.iter().map(VisitorKey::rank).collect::<Vec<_>>(), [3, 2, 1, 0]);
    let hex = |key: &VisitorKey| format!("{:032x}", u128::from_be_bytes(*key.as_bytes()));
    assert_eq!(
        keys.iter().map(hex).collect::<Vec<_>>(),
        [
            "fe39e437b2fef982a8ef71e54b58ba7f",
            "8df1682434d2da3c0edfcc6090cbd2ae",
            "5f390613d403b98e73bd1ce7f52eb066",
            "138bff95abf905c4d2aac070190f5422"
        ]
    );
    let names = |raw: RawEvent<'_>| VisitorKey::all_of(&enrich(raw));
    assert_eq!(names(RawEvent { user_id: Text::EMPTY, ..raw.clone() }), keys[1..]);
    // A server's address is nobody's, unless it tells of a click.
    let reported = RawEvent { user_agent: "python-requests/2.31".into(), ..raw };
    assert_eq!(names(reported.clone()), keys[..3]);
    assert_eq!(names(RawEvent { click_ms: Some(1), ..reported }), keys);
}

/// The rest of a division of the key as one number: another would hand everybody to a journal that does not know him.
#[test]
fn a_key_stays_with_its_shard() {
    for n in 0..200u128 {
        let whole = n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        for shards in [1, 2, 3, 8, 1_000, u16::MAX] {
            let key = VisitorKey::from_bytes(whole.to_be_bytes());
            assert_eq!(u128::from(key.shard(shards)), whole % u128::from(shards));
        }
    }
}

#[test]
fn a_page_has_its_path() {
    let path = |page: &'static str| {
        let event = Footprint { page: Text::from(page), ..sample() };
        event.path().to_owned()
    };
    assert_eq!(path("https://a.example/b/c"), "/b/c");
    assert_eq!(path("https://a.example"), "/");
    assert_eq!(path(""), "");
}

fn sample() -> Footprint<'static> {
    Footprint {
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
        cost_currency: Text::from("USD"),
        payout_nanos: 8,
        payout_currency: Text::from("CHF"),
        click_ms: Some(1_789_999_000_000),
        postback: Some(Postback { txid: Text::from("x"), status: crate::conversion::Status::Rebill }),
        traits: [(crate::Dimension::Link, "demo"), (crate::Dimension::Country, "DE")].into_iter().collect(),
    }
}

#[test]
fn the_bytes_are_pinned() {
    let mut bytes = Vec::new();
    sample().encode(&mut bytes);
    assert_eq!(
        bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat(),
        concat!(
            "010707070707070707070707070707070780b083c5986803036275791368747470733a2f2f612e6578616d706c652f62",
            "016501730903455552120355534410034348460180a789c498680101780302000464656d6f05024445"
        )
    );
    assert_eq!(Footprint::decode(&bytes), Some(sample()));
    bytes[0] = 2;
    assert_eq!(Footprint::decode(&bytes), None);
    assert_eq!(Footprint::decode(&[]), None);
}
