//! What holds for every body, query and event.

use proptest::collection::vec as many;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::*;
use crate::conversion::{Postback, Status};
use crate::privacy::Asked;
use crate::{EventId, Hints, Kind, RawEvent, Source, Text, Trigger};

const NOW: i64 = 1_790_000_000_000;

fn facts() -> Facts<'static> {
    Facts { received_at_ms: NOW, visitor: 7, ..Facts::default() }
}

fn any_text() -> impl Strategy<Value = Text<'static>> {
    ".{0,12}".prop_map(Text::from)
}

/// Any event at all, and more than capture would let through.
pub(crate) fn any_event() -> impl Strategy<Value = RawEvent<'static>> {
    let kinds = select(Kind::ALL.as_slice());
    let sources = select(Source::ALL.as_slice());
    let hints =
        select(vec![Hints::default(), Hints::HEAD, Hints::PREFETCH, Hints::HEAD.with(Hints::PREFETCH)]);
    let head = (
        any::<[u8; 16]>(),
        kinds,
        sources,
        hints,
        select(&Trigger::ALL[..]),
        any::<(i64, i64, Option<i64>, Option<i64>, u64, u32)>(),
    );
    let texts = many(any_text(), 34);
    let props = many((any_text(), any_text()), 0..=16);
    (head, texts, props).prop_map(|((id, kind, source, hints, trigger, numbers), texts, props)| {
        let mut texts = texts.into_iter();
        let mut text = || texts.next().unwrap_or_default();
        let (event_time_ms, received_at_ms, sent_at_ms, value_micros, visitor, asn) = numbers;
        RawEvent {
            link: text(),
            campaign_id: text(),
            id: EventId::from_bytes(id),
            kind,
            source,
            hints,
            event_time_ms,
            received_at_ms,
            sent_at_ms,
            name: text(),
            page_url: text(),
            query: text(),
            referrer: text(),
            publisher_id: text(),
            medium: text(),
            ad_id: text(),
            element_id: text(),
            user_id: text(),
            session_id: text(),
            anonymous_id: text(),
            visitor,
            sub: [text(), text(), text(), text(), text()],
            value_micros,
            currency: text(),
            props,
            country: text(),
            region: text(),
            city: text(),
            continent: text(),
            asn,
            user_agent: text(),
            language: text(),
            ip: text(),
            ua_brands: text(),
            ua_mobile: text(),
            ua_platform: text(),
            variant: text(),
            trigger,
            time_zone: text(),
            click_ms: sent_at_ms,
            unique: None,
            postback: Postback { txid: text(), status: Status::ALL[id[0] as usize % 4] },
            ua_model: text(),
            ua_platform_version: text(),
            took_ms: asn,
            asked: Asked::default(),
        }
    })
}

/// A text that a field of 128 characters takes.
fn valid_text() -> impl Strategy<Value = String> {
    "[^\\p{Cc}]{0,100}[!-~]".prop_map(String::from)
}

/// The JSON of a valid event.
fn valid_json() -> impl Strategy<Value = Map<String, Value>> {
    let names = [
        "event_id",
        "name",
        "campaign_id",
        "publisher_id",
        "medium",
        "ad_id",
        "element_id",
        "link",
        "user_id",
        "session_id",
        "anonymous_id",
        "sub1",
        "sub2",
        "sub3",
        "sub4",
        "sub5",
    ];
    let texts = many(valid_text(), names.len());
    let props = proptest::collection::btree_map("[a-z/~\"é]{1,20}", valid_text(), 0..=16);
    let page = "https://[a-z]{1,9}\\.example/[^\\p{Cc}]{0,40}[!-~]";
    let times = (NOW - crate::time::EVENT_BACK_MAX_MS..=NOW + crate::time::EVENT_AHEAD_MAX_MS, 0..2 * NOW);
    let amount = -AMOUNT_MAX_MICROS..=AMOUNT_MAX_MICROS;
    (texts, props, page, times, amount, "[A-Z]{3}").prop_map(
        move |(texts, props, page, times, amount, currency)| {
            let mut fields: Map<_, _> =
                names.into_iter().map(str::to_owned).zip(texts.into_iter().map(Value::from)).collect();
            let sign = if amount < 0 { "-" } else { "" };
            let value = format!("{sign}{}.{:06}", amount.abs() / 1_000_000, amount.abs() % 1_000_000);
            for (name, value) in [
                ("page_url", json!(page)),
                ("event_time", json!(times.0)),
                ("sent_at", json!(crate::time::rfc3339(times.1))),
                ("value", json!(value)),
                ("currency", json!(currency)),
                ("props", json!(props)),
            ] {
                fields.insert(name.to_owned(), value);
            }
            fields
        },
    )
}

/// JSON of any shape, with the names of fields in it.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,10}".prop_map(Value::from),
    ];
    let names = select(
        [
            "events",
            "sent_at",
            "event_id",
            "event_time",
            "page_url",
            "kind",
            "props",
            "value",
            "currency",
            "x",
        ]
        .as_slice(),
    );
    leaf.prop_recursive(4, 64, 8, move |inner| {
        prop_oneof![
            many(inner.clone(), 0..8).prop_map(Value::from),
            many((names.clone(), inner), 0..8)
                .prop_map(|pairs| Value::Object(pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
        ]
    })
}

/// Every door, with the same bytes.
fn knock(body: &[u8]) {
    let query = String::from_utf8_lossy(body);
    let hit = redirect(&LinkFacts { token: "demo", ..LinkFacts::default() }, &query, &facts());
    assert_eq!((hit.kind, &*hit.link), (Kind::Click, "demo"));
    let failed = failed_redirect("demo", FailedReason::Archived, &query, &facts());
    assert_eq!((failed.kind, &*failed.name), (Kind::Failed, "archived"));
    let rules = Rules::default();
    for rejects in [
        pixel(&query, &facts(), &rules).err(),
        beacon(Kind::Page, body, &facts(), &rules).err(),
        beacon_query(Kind::Page, &query, &facts(), &rules).err(),
    ] {
        assert!(rejects.is_none_or(|rejects| !rejects.is_empty()));
    }
    let _ = batch(body, &facts(), &rules);
}

proptest! {
    #[test]
    fn every_door_is_total(
        bytes in many(any::<u8>(), 0..200),
        text in ".{0,200}",
        query in "([a-z]{1,3}=[%a-z0-9+]{0,9}&?){0,9}",
    ) {
        knock(&bytes);
        knock(text.as_bytes());
        knock(query.as_bytes());
    }

    #[test]
    fn every_json_has_an_answer(value in any_json(), cut in any::<prop::sample::Index>(), noise: u8) {
        let mut body = value.to_string().into_bytes();
        knock(&body);
        let at = cut.index(body.len());
        body[at] = noise;
        knock(&body);
        knock(&body[..at]);
    }

    #[test]
    fn an_encoded_event_is_decoded_to_itself(event in any_event()) {
        let mut body = Vec::new();
        event.encode(&mut body);
        prop_assert_eq!(RawEvent::peek(&body).unwrap(), (&*event.link, &*event.campaign_id, event.kind));
        prop_assert_eq!(RawEvent::decode(event.id, &body).unwrap(), event);
    }

    #[test]
    fn any_bytes_are_an_event_or_are_not(bytes in many(any::<u8>(), 0..400), version in 0_u8..4) {
        let body = [&[version], bytes.as_slice()].concat();
        let _ = (RawEvent::decode(EventId::from_bytes([0; 16]), &body), RawEvent::peek(&body));
    }

    #[test]
    fn what_was_written_is_captured(sent in valid_json()) {
        let body = Value::Object(sent.clone()).to_string();
        let event = beacon(Kind::Page, body.as_bytes(), &facts(), &Rules::default()).unwrap();
        let [sub1, sub2, sub3, sub4, sub5] = &event.sub;
        for (name, text) in [
            ("name", &event.name), ("page_url", &event.page_url), ("campaign_id", &event.campaign_id),
            ("publisher_id", &event.publisher_id), ("medium", &event.medium), ("ad_id", &event.ad_id),
            ("element_id", &event.element_id), ("link", &event.link), ("user_id", &event.user_id),
            ("session_id", &event.session_id), ("anonymous_id", &event.anonymous_id), ("currency", &event.currency),
            ("sub1", sub1), ("sub2", sub2), ("sub3", sub3), ("sub4", sub4), ("sub5", sub5),
        ] {
            prop_assert_eq!(Some(text.as_str()), sent[name].as_str(), "{}", name);
        }
        prop_assert_eq!(event.id, EventId::parse(sent["event_id"].as_str().unwrap()).unwrap());
        prop_assert_eq!(Some(event.event_time_ms), sent["event_time"].as_i64());
        let sent_at = event.sent_at_ms.map(crate::time::rfc3339);
        prop_assert_eq!(sent_at.as_deref(), sent["sent_at"].as_str());
        let micros = sent["value"].as_str().unwrap().replace('.', "").parse::<i64>().unwrap();
        prop_assert_eq!(event.value_micros, Some(micros));
        let props: Map<_, _> = event.props.iter().map(|(k, v)| (k.to_string(), json!(v.as_str()))).collect();
        prop_assert_eq!(&Value::Object(props), &sent["props"]);
    }

    /// The three shapes of a batch say the same, in order, and a bad event changes nothing about the others.
    #[test]
    fn a_batch_answers_in_order(sent in many(valid_json(), 1..6), bad in many(any::<bool>(), 6)) {
        let mut events = Vec::new();
        for (fields, bad) in sent.iter().zip(&bad) {
            let mut fields = fields.clone();
            if *bad {
                fields.insert("page_url".to_owned(), json!("nowhere"));
            }
            events.push(Value::Object(fields));
        }
        let lines: String = events.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
        let bodies = [json!(events).to_string(), json!({ "events": events }).to_string(), lines];
        for body in &bodies {
            let batch = batch(body.as_bytes(), &facts(), &Rules::default()).unwrap();
            prop_assert_eq!(batch.events.len(), sent.len());
            for (index, ((read, fields), bad)) in batch.events.iter().zip(&sent).zip(&bad).enumerate() {
                let id = fields["event_id"].as_str().unwrap();
                match read {
                    Ok(event) => {
                        prop_assert!(!*bad);
                        prop_assert_eq!(event.id, EventId::parse(id).unwrap());
                    }
                    Err(invalid) => {
                        prop_assert!(*bad);
                        prop_assert_eq!(invalid.event_id.as_deref(), Some(id));
                        prop_assert_eq!(&*invalid.rejects[0].pointer, format!("/{index}/page_url"));
                    }
                }
            }
        }
    }
}
