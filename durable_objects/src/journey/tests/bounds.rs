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

const VERSION_1: &str = concat!(
    "01042e019e3779b100000000000000000000000080b083c598680000000000000000000000000002000464656d6f",
    "01016338013c6ef36200000000000000000000000082b083c5986802001368747470733a2f2f612e6578616d706c",
    "652f4100000000000000000000002e0178dde6c400000000000000000000000084b083c59868000000000000000a",
    "000000000002000464656d6f0101632b01daa66d1300000000000000000000000080eabac8986803000000001203",
    "45555200000000000101780100050000020101010100010003010000000003030000000001000112010345555201",
    "0166010103020a00050301120380eabac89868020002d289a098ba9ecd9b340301c2c2c2c2c2c2c2c2c2c2c2c2",
    "c2c2c2c200000080eabac8986880ca9dc0d268"
);

const UNTOLD: &str = concat!(
    "01042e019e3779b100000000000000000000000080b083c598680000000000000000000000000002000464656d6f",
    "01016338013c6ef36200000000000000000000000082b083c5986802001368747470733a2f2f612e6578616d706c",
    "652f4100000000000000000000002e0178dde6c400000000000000000000000084b083c59868000000000000000a",
    "000000000002000464656d6f0101632b01daa66d1300000000000000000000000080eabac8986803000000001203",
    "45555200000000000101780100050000020101010100010003010000000003030000000001000112010345555201",
    "01660101020301120380eabac8986802000203020a0001c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c200000080eabac8",
    "986880ca9dc0d268"
);

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
            "0205040113010364656d6f6368747470733a2f2f612e6578616d706c652f4178455552020400000101020d000002",
            "0003900805121100010a049e3779b1000000000000000000000000006c50c4a00100000000000000000000003c6e",
            "f362000000000000000000000000016c50c4a001000002010000000200000078dde6c40000000000000000000000",
            "00026c50c4a001000000000000000a000000daa66d13000000000000000000000000805a87c4a001000003010000",
            "00050000000500000201010101000100030100000000030300000000010001120103455552010166010103020a00",
            "050301120380eabac89868020002d289a098ba9ecd9b340301c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c200000080ea",
            "bac8986880ca9dc0d268"
        )
    );
    assert_eq!(Visitor::decode(&bytes), Some(visitor.clone()));
    // The second as it was stored before anybody was called: nobody is, for what was told by then.
    for before in [VERSION_1, UNTOLD] {
        let byte = |at: usize| u8::from_str_radix(&before[at..at + 2], 16).unwrap();
        let bytes: Vec<u8> = (0..before.len()).step_by(2).map(byte).collect();
        assert_eq!(Visitor::decode(&bytes), Some(visitor.clone()), "what was written before");
    }
    bytes[0] = JOURNEY_VERSION + 1;
    assert_eq!(Visitor::decode(&bytes), None);
}

#[test]
fn the_bytes_of_a_sequel_are_pinned() {
    let (mut visitor, mut whole, mut sequel) = (Visitor::default(), Vec::new(), Vec::new());
    for footprint in [click(1, 0, "c"), page(2, 1, "/A")] {
        visitor.add(&footprint);
    }
    let expires_ms = visitor.append(LATER, &mut whole);
    assert_eq!(expires_ms, LATER + SPARE_MS);
    // Between the two, and of a page that is known.
    visitor.add(&Footprint { at_ms: T, name: "n".into(), ..page(3, 0, "/A") });
    assert_eq!(visitor.append(LATER, &mut sequel), expires_ms);
    assert_eq!(
        sequel.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat(),
        concat!(
            "0301016e00040300040301daa66d13000000000000000000000000006c50c4a00100000201000000050000000000",
            "00000082b083c5986800"
        )
    );
    assert_eq!(Visitor::read(&sequel, expires_ms), None, "what it goes on from is not there");
    let mut both = [whole, sequel].concat();
    assert_eq!(Visitor::read(&both, expires_ms), Some(visitor.clone()));
    both.push(0);
    assert_eq!(Visitor::read(&both, expires_ms), None, "nor anything else");
    let mut later = Vec::new();
    visitor.append(expires_ms + 1, &mut later);
    assert_eq!(later[0], JOURNEY_VERSION, "it would expire with what it goes on from");
    let mut read = Visitor::read(&both[..both.len() - 1], expires_ms).unwrap();
    for n in 4..60 {
        read.add(&page(n, i64::from(n), "/A"));
        later.clear();
        read.append(LATER, &mut later);
        assert!(later.len() < 100 || later[0] == JOURNEY_VERSION);
    }
}
