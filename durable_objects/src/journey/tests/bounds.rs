//! What a journey keeps, and how it is stored.

use super::*;

#[test]
fn a_session_of_too_many_events_is_told_in_parts_and_its_transaction_as_one() {
    let terms = Terms { funnels: vec![funnel("AB", Order::Ordered)], ..Terms::default() };
    let (mut visitor, mut sum) = (Visitor::default(), Sum::default());
    let mut tell = |footprint: Footprint<'static>| {
        let at_ms = footprint.at_ms;
        assert!(visitor.add(&footprint));
        visitor.advance(&terms, at_ms, &mut |outcome| sum.add(outcome));
        assert!(visitor.footprints() <= FOOTPRINTS_MAX);
    };
    tell(click(0, 0, "c"));
    tell(sale(1, 1, "x", Status::Lead, 7));
    for n in 2..1_000 {
        // The funnel's window is an hour; the second attempt begins behind it, though the first is forgotten.
        let path = match n {
            760 => "/B",
            _ if n % 2 == 0 => "/A",
            _ => "/x",
        };
        tell(in_session("s", page(n, i64::from(n) * 5_000, path)));
    }
    tell(sale(1_001, 6_000_000, "x", Status::Sale, 0));
    tell(sale(1_002, 6_000_001, "x", Status::Sale, 0));
    let last = page(1_003, 6_000_002, "/B");
    tell(last.clone());
    assert!(!visitor.add(&page(2, 10_000, "/A")) && !visitor.add(&last));
    visitor.advance(&terms, LATER, &mut |outcome| sum.add(outcome));
    assert_eq!(sum.sessions().iter().map(|session| session.pages).sum::<u64>(), 999);
    assert_eq!(sum.sessions().iter().map(|session| session.events).sum::<u64>(), 1_003);
    assert_eq!(sum.steps("f").iter().map(|(count, _)| *count).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(sum.credits(Model::Last), [("c".to_owned(), (1_000_000, 7))].into());
    assert_eq!(sum.corrections().iter().map(|it| it.conversions).sum::<i64>(), -2);
}

#[test]
fn a_sale_is_rejected_after_two_months() {
    let terms = Terms::default();
    let (mut visitor, mut sum) = (Visitor::default(), Sum::default());
    for footprint in [click(1, 0, "c"), page(2, 1, "/"), sale(3, HOUR, "x", Status::Sale, 9)] {
        visitor.add(&footprint);
    }
    visitor.advance(&terms, T + DAY, &mut |outcome| sum.add(outcome));
    visitor.advance(&terms, T + 50 * DAY, &mut |outcome| panic!("{outcome:?}"));
    assert_eq!((visitor.footprints(), visitor.expires_ms(&terms)), (2, T + HOUR + 90 * DAY));
    assert!(visitor.add(&sale(4, 60 * DAY, "x", Status::Rejected, 0)));
    visitor.advance(&terms, T + 62 * DAY, &mut |outcome| sum.add(outcome));
    assert_eq!(sum.credits(Model::Last), [("c".to_owned(), (1_000_000, 0))].into());
    let corrected = sum.corrections().iter().map(|it| (it.conversions, it.value_micros)).collect::<Vec<_>>();
    assert_eq!(corrected.iter().fold((0, 0), |sum, it| (sum.0 + it.0, sum.1 + it.1)), (-2, -9));
    visitor.advance(&terms, T + 400 * DAY, &mut |_| {});
    assert_eq!(visitor.footprints(), 0);
}

/// Journeys lie in storage for months.
#[test]
fn the_bytes_are_pinned() {
    let terms = Terms { funnels: vec![funnel("AB", Order::Ordered)], ..Terms::default() };
    let mut visitor = Visitor::default();
    for footprint in [click(1, 0, "c"), page(2, 1, "/A"), sale(3, HOUR, "x", Status::Sale, 9)] {
        visitor.add(&footprint);
    }
    visitor.add(&Footprint { cost_nanos: 5, ..click(4, 2, "c") });
    visitor.advance(&terms, LATER, &mut |_| {});
    visitor.bond(VisitorKey::from_bytes([1; 16]), VisitorKey::from_bytes([0xc2; 16]));
    let mut bytes = Vec::new();
    visitor.encode(&mut bytes);
    assert_eq!(
        bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat(),
        concat!(
            "01042e019e3779b100000000000000000000000080b083c598680000000000000000000000000002000464656d6f",
            "01016338013c6ef36200000000000000000000000082b083c5986802001368747470733a2f2f612e6578616d706c",
            "652f4100000000000000000000002e0178dde6c400000000000000000000000084b083c59868000000000000000a",
            "000000000002000464656d6f0101632b01daa66d1300000000000000000000000080eabac8986803000000001203",
            "45555200000000000101780100050000020101010100010003010000000003030000000001000112010345555201",
            "0166010103020a00050301120380eabac89868020002d289a098ba9ecd9b340301c2c2c2c2c2c2c2c2c2c2c2c2",
            "c2c2c2c200000080eabac8986880ca9dc0d268"
        )
    );
    assert_eq!(Visitor::decode(&bytes), Some(visitor.clone()));
    // As it was stored before anybody was called: nobody is, for what was told by then.
    let before = concat!(
        "01042e019e3779b100000000000000000000000080b083c598680000000000000000000000000002000464656d6f",
        "01016338013c6ef36200000000000000000000000082b083c5986802001368747470733a2f2f612e6578616d706c",
        "652f4100000000000000000000002e0178dde6c400000000000000000000000084b083c59868000000000000000a",
        "000000000002000464656d6f0101632b01daa66d1300000000000000000000000080eabac8986803000000001203",
        "45555200000000000101780100050000020101010100010003010000000003030000000001000112010345555201",
        "01660101020301120380eabac8986802000203020a0001c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c200000080eabac8",
        "986880ca9dc0d268"
    );
    let nibbles = |text: &str| u8::from_str_radix(text, 16).unwrap();
    let before: Vec<u8> = (0..before.len() / 2).map(|n| nibbles(&before[2 * n..2 * n + 2])).collect();
    assert_eq!(Visitor::decode(&before), Some(visitor));
    bytes[0] = JOURNEY_VERSION + 1;
    assert_eq!(Visitor::decode(&bytes), None);
}
