use proptest::prelude::*;

use super::*;
use crate::conversion::Status;
use crate::wire;

fn nil() -> EventId {
    EventId::from_bytes([0; 16])
}

fn sample() -> RawEvent<'static> {
    let mut event = RawEvent::new(nil(), Kind::Page, Source::Batch, 1_790_000_000_000);
    event.link = "demo".into();
    event.campaign_id = "spring".into();
    event.hints = Hints::PREFETCH;
    event.event_time_ms -= 1;
    event.sent_at_ms = Some(-1);
    event.name = "n".into();
    event.page_url = "https://a.example/".into();
    event.query = "utm_source=x".into();
    event.referrer = "r".into();
    event.publisher_id = "pub".into();
    event.medium = "med".into();
    event.ad_id = "ad".into();
    event.element_id = "el".into();
    event.user_id = "uid".into();
    event.session_id = "sid".into();
    event.anonymous_id = "aid".into();
    event.visitor = 300;
    event.sub = ["1", "2", "", "4", "5"].map(Text::from);
    event.value_micros = Some(19_990_000);
    event.currency = "EUR".into();
    event.props = vec![("k".into(), "v".into())];
    event.country = "DE".into();
    event.region = "BE".into();
    event.city = "Köln".into();
    event.continent = "EU".into();
    event.asn = 64_496;
    event.user_agent = "ua".into();
    event.language = "de".into();
    event.ip = "192.0.2.0".into();
    event.ua_brands = "b".into();
    event.ua_mobile = "?1".into();
    event.ua_platform = "p".into();
    event.variant = "B".into();
    event.trigger = Trigger::Qr;
    event.time_zone = "z".into();
    event.click_ms = Some(5);
    event.postback = Postback { txid: "t".into(), status: Status::Rejected };
    event.ua_model = "M".into();
    event.ua_platform_version = "15".into();
    event.took_ms = 300;
    event
}

/// What version 3 could say of it.
fn third() -> RawEvent<'static> {
    RawEvent { ua_model: Text::EMPTY, ua_platform_version: Text::EMPTY, took_ms: 0, ..sample() }
}

/// What version 2 could say of it.
fn second() -> RawEvent<'static> {
    RawEvent { click_ms: None, postback: Postback::default(), ..third() }
}

/// What version 1 could say of it.
fn first() -> RawEvent<'static> {
    RawEvent { variant: Text::EMPTY, trigger: Trigger::Link, time_zone: Text::EMPTY, ..second() }
}

const FIRST: [&str; 5] = [
    r"\x04demo\x06spring\x02\x03\x02\xfe\xaf\x83\xc5\x98h\x80\xb0\x83\xc5\x98h\x01",
    r"\x01\x01n\x12https://a.example/\x0cutm_source=x\x01r\x03pub\x03med\x02ad\x02el",
    r"\x03uid\x03sid\x03aid\xac\x02\x011\x012\x00\x014\x015",
    r"\x01\xe0\x97\x88\x13\x03EUR\x01\x01k\x01v\x02DE\x02BE\x05K\xc3\xb6ln\x02EU",
    r"\xf0\xf7\x03\x02ua\x02de\t192.0.2.0\x01b\x02?1\x01p",
];

/// An event as an older version wrote it: what this one writes, without so many bytes of its tail.
fn older(event: &RawEvent<'_>, version: u8, tail_bytes: usize) -> Vec<u8> {
    let mut body = Vec::new();
    event.encode(&mut body);
    body.truncate(body.len() - tail_bytes);
    body[0] = version;
    body
}

fn first_bytes() -> Vec<u8> {
    older(&first(), 1, 9)
}

fn second_bytes() -> Vec<u8> {
    older(&second(), 2, 6)
}

fn third_bytes() -> Vec<u8> {
    older(&third(), 3, 3)
}

/// Events lie in gates' logs, in queues and in the archive while a new version is deployed. If this fails,
/// events that were acknowledged can no longer be read, or are read as others: raise [`EVENT_VERSION`], keep
/// the reader of this version, and pin the new bytes beside these.
#[test]
fn the_bytes_of_version_1_are_pinned() {
    let body = first_bytes();
    assert_eq!(body.escape_ascii().to_string(), format!(r"\x01{}", FIRST.concat()));
    assert_eq!(RawEvent::decode(nil(), &body), Ok(first()));
    assert_eq!(RawEvent::peek_whereabouts(&body), Ok(first().whereabouts()));
    assert_eq!(RawEvent::peek(&body), Ok(("demo", "spring", Kind::Page)));
}

#[test]
fn the_bytes_of_version_2_are_pinned() {
    let body = second_bytes();
    assert_eq!(body.escape_ascii().to_string(), format!(r"\x02{}\x01B\x01\x01z", FIRST.concat()));
    assert_eq!(RawEvent::decode(nil(), &body), Ok(second()));
    assert_eq!(RawEvent::peek_whereabouts(&body), Ok(second().whereabouts()));
    assert_eq!(RawEvent::peek(&body), Ok(("demo", "spring", Kind::Page)));
}

#[test]
fn the_bytes_of_version_3_are_pinned() {
    let body = third_bytes();
    let pinned = format!(r"\x03{}\x01B\x01\x01z\x01\n\x01t\x02", FIRST.concat());
    assert_eq!(body.escape_ascii().to_string(), pinned);
    assert_eq!(RawEvent::decode(nil(), &body), Ok(third()));
    assert_eq!(RawEvent::peek_whereabouts(&body), Ok(third().whereabouts()));
    assert_eq!(RawEvent::peek(&body), Ok(("demo", "spring", Kind::Page)));
}

#[test]
fn the_bytes_of_version_4_are_pinned() {
    let mut body = Vec::new();
    sample().encode(&mut body);
    let pinned = format!(r"\x04{}\x01B\x01\x01z\x01\n\x01t\x02\x01M\x0215\xac\x02", FIRST.concat());
    assert_eq!(body.escape_ascii().to_string(), pinned);
    assert_eq!(RawEvent::decode(nil(), &body), Ok(sample()));
    assert_eq!(RawEvent::peek(&body), Ok(("demo", "spring", Kind::Page)));
}

#[test]
fn an_event_is_appended_to_what_is_there() {
    let mut bytes = b"before".to_vec();
    sample().encode(&mut bytes);
    assert_eq!(RawEvent::decode(nil(), &bytes[6..]), Ok(sample()));
}

#[test]
fn bytes_of_another_version_cut_short_or_too_many_are_no_event() {
    let mut body = Vec::new();
    sample().encode(&mut body);
    for mut body in [first_bytes(), second_bytes(), third_bytes(), body] {
        for end in 0..body.len() {
            assert_eq!(RawEvent::decode(nil(), &body[..end]), Err(Malformed::Bytes));
        }
        assert_eq!(RawEvent::decode(nil(), &[&*body, b"\0"].concat()), Err(Malformed::Bytes));
        for version in [0, EVENT_VERSION + 1] {
            body[0] = version;
            assert_eq!(RawEvent::decode(nil(), &body), Err(Malformed::Version(version)));
            assert_eq!(RawEvent::peek(&body), Err(Malformed::Version(version)));
        }
    }
}

/// The fields as serde and postcard have them: what the bytes of every version were made by first.
type Head<'a> = (Text<'a>, Text<'a>, Kind, Source, Hints, (i64, i64, Option<i64>), [Text<'a>; 11], u64);
type Middle<'a> = ([Text<'a>; 5], Option<i64>, Text<'a>, Vec<(Text<'a>, Text<'a>)>, [Text<'a>; 4], u32);
type Tail<'a> = (Text<'a>, Trigger, Text<'a>, Option<i64>, Postback<'a>, Text<'a>, Text<'a>, u32);

fn of_serde<'a>(
    (head, middle, headers, tail): (Head<'a>, Middle<'a>, [Text<'a>; 6], Tail<'a>),
) -> RawEvent<'a> {
    let mut event = RawEvent::new(nil(), Kind::Click, Source::Redirect, 0);
    let (times, said);
    (event.link, event.campaign_id, event.kind, event.source, event.hints, times, said, event.visitor) = head;
    (event.event_time_ms, event.received_at_ms, event.sent_at_ms) = times;
    [
        event.name,
        event.page_url,
        event.query,
        event.referrer,
        event.publisher_id,
        event.medium,
        event.ad_id,
        event.element_id,
        event.user_id,
        event.session_id,
        event.anonymous_id,
    ] = said;
    let place;
    (event.sub, event.value_micros, event.currency, event.props, place, event.asn) = middle;
    [event.country, event.region, event.city, event.continent] = place;
    [event.user_agent, event.language, event.ip, event.ua_brands, event.ua_mobile, event.ua_platform] =
        headers;
    let (model, version);
    (
        event.variant,
        event.trigger,
        event.time_zone,
        event.click_ms,
        event.postback,
        model,
        version,
        event.took_ms,
    ) = tail;
    (event.ua_model, event.ua_platform_version) = (model, version);
    event
}

fn texts<const N: usize>() -> impl Strategy<Value = [Text<'static>; N]> {
    prop::collection::vec("(|[a-zé]{1,4}|x{120,140})", N)
        .prop_map(|texts| std::array::from_fn(|at| Text::from(texts[at].clone())))
}

fn pieces() -> impl Strategy<Value = (Head<'static>, Middle<'static>, [Text<'static>; 6], Tail<'static>)> {
    let head = (
        texts::<13>(),
        0..Kind::ALL.len(),
        0..Source::ALL.len(),
        any::<u8>(),
        any::<(i64, i64, Option<i64>, u64)>(),
    );
    let middle = (texts::<10>(), any::<Option<i64>>(), texts::<6>(), 0..4usize, any::<u32>());
    let tail = (texts::<5>(), any::<bool>(), any::<Option<i64>>(), 0..Status::ALL.len(), any::<u32>());
    (head, middle, texts::<6>(), tail).prop_map(|(head, middle, headers, tail)| {
        let ([link, campaign, said @ ..], kind, source, hints, (at, received, sent, visitor)) = head;
        let hints = Hints::from_bits(hints);
        let head = (
            link,
            campaign,
            Kind::ALL[kind],
            Source::ALL[source],
            hints,
            (at, received, sent),
            said,
            visitor,
        );
        let ([currency, a, b, c, d, sub @ ..], value, props, many, asn) = middle;
        let props = props.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).take(many).collect();
        let middle = (sub, value, currency, props, [a, b, c, d], asn);
        let ([variant, zone, txid, model, version], scanned, click_ms, status, took_ms) = tail;
        let trigger = if scanned { Trigger::Qr } else { Trigger::Link };
        let postback = Postback { txid, status: Status::ALL[status] };
        (head, middle, headers, (variant, trigger, zone, click_ms, postback, model, version, took_ms))
    })
}

proptest! {
    #[test]
    fn an_event_is_written_and_read_as_serde_does(pieces in pieces(), cut in any::<prop::sample::Index>(), byte: u8) {
        let mut serde = vec![EVENT_VERSION];
        wire::write(&pieces, &mut serde);
        let event = of_serde(pieces);
        let mut body = Vec::new();
        event.encode(&mut body);
        prop_assert_eq!(&body, &serde);
        prop_assert_eq!(RawEvent::peek_whereabouts(&body), Ok(event.whereabouts()));
        prop_assert_eq!(RawEvent::decode(nil(), &body), Ok(event));
        // Whatever the bytes: what serde takes for an event is that event.
        let at = 1 + cut.index(body.len() - 1);
        body[at] = byte;
        if let Ok((pieces, [])) = postcard::take_from_bytes(&body[1..]) {
            prop_assert_eq!(RawEvent::decode(nil(), &body), Ok(of_serde(pieces)));
        }
    }
}
