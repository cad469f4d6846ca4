use std::fmt;
use std::hash::Hasher;

use proptest::prelude::*;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use siphasher::sip::SipHasher13;

use super::write::number;
use super::*;
use crate::archive::COLUMNS;
use crate::conversion::Status;
use crate::enrich;
use crate::enrich::RULES_VERSION;
use crate::world::{CRAWLER, DESKTOP, NOW, PHONE, event};
use crate::{EventId, Hints, Source, Trigger};

fn line(raw: RawEvent<'_>) -> String {
    let mut line = String::new();
    write_event(&enrich(raw), &mut line);
    line
}

/// Every field of an event, with something in it.
fn full() -> RawEvent<'static> {
    let mut raw = RawEvent {
        sent_at_ms: Some(NOW + 7_000),
        value_micros: Some(12_500_000),
        asn: 64_496,
        hints: Hints::PREFETCH,
        visitor: u64::MAX - 1,
        trigger: Trigger::Qr,
        click_ms: Some(NOW - 1),
        took_ms: 7,
        props: vec![("plan".into(), "a \"b\"\n".into()), ("β".into(), "2".into())],
        ..event(Kind::Conversion, NOW, "", "")
    };
    for (name, .., set) in TEXTS {
        *set(&mut raw) = name.into();
    }
    raw.language = "de-DE,de;q=0.9".into();
    raw.user_agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 330.0.3".into();
    raw.query = "utm_source=a&utm_medium=b&utm_campaign=c&utm_term=d&utm_content=e&gclid=f".into();
    raw.referrer = "https://www.google.com/".into();
    raw
}

/// Lines are kept for good, and people load them into tables by these names.
#[test]
fn a_line_is_pinned() {
    let written = line(RawEvent { user_agent: CRAWLER.into(), ..event(Kind::Click, NOW, "spring", "demo") });
    let expected = concat!(
        r#"{"record":"event","event_id":"01010101-0101-0101-0101-010101010101","kind":"click","verdict":"bot","#,
        r#""effective_time_ms":1790000000000,"time_source":"received","received_at_ms":1790000000000,"#,
        r#""event_time_ms":1790000000000,"source":"redirect","trigger":"link","link":"demo","campaign_id":"spring","#,
        r#""user_agent":"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)","accept_language":"en","#,
        r#""device":"bot","bot_reasons":["ua_list"],"channel":"direct","language":"en","rules_version":5}"#,
        "\n"
    );
    assert_eq!(written, expected);
    let copies =
        Copies { at_ms: 5, campaign_id: String::new(), link: "demo".into(), kind: Kind::Click, times: 3 };
    let mut written = String::new();
    write_copies(&copies, &mut written);
    assert_eq!(
        written,
        "{\"record\":\"copies\",\"kind\":\"click\",\"effective_time_ms\":5,\"link\":\"demo\",\"times\":3}\n"
    );
    assert_eq!(read(&written).unwrap(), Line::Copies(copies));
    let mut written = String::new();
    write_outcome(5, &[1, 2, 250], &mut written);
    assert_eq!(written, "{\"record\":\"outcome\",\"effective_time_ms\":5,\"body\":\"AQL6\"}\n");
    assert_eq!(read(&written).unwrap(), Line::Outcome(vec![1, 2, 250]));
}

#[test]
fn every_name_is_a_column_and_they_are_in_order() {
    let event = full();
    let mut event = enrich(event);
    (event.cost_nanos, event.cost_currency) = (1, "EUR".into());
    (event.payout_nanos, event.payout_currency) = (1, "EUR".into());
    let mut line = String::new();
    write_event(&event, &mut line);
    let members = names(&line);
    assert_eq!(members, COLUMNS);
}

fn names(line: &str) -> Vec<String> {
    struct Names(Vec<String>);
    impl<'de> Deserialize<'de> for Names {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Each;
            impl<'de> Visitor<'de> for Each {
                type Value = Names;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("an object")
                }
                fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Names, A::Error> {
                    let mut names = Vec::new();
                    while let Some((name, IgnoredAny)) = map.next_entry()? {
                        names.push(name);
                    }
                    Ok(Names(names))
                }
            }
            deserializer.deserialize_map(Each)
        }
    }
    let Names(names) = serde_json::from_str(line).unwrap();
    names.into_iter().filter(|name| name != "record").collect()
}

#[test]
fn what_is_no_line_is_refused_and_what_a_later_version_adds_is_passed_over() {
    for damaged in [
        "",
        "{}",
        r#"{"record":"event","kind":"click"}"#,
        r#"{"record":"event","event_id":"x","kind":"tap"}"#,
        r#"{"record":"later","event_id":"x","kind":"click"}"#,
        r#"{"record":"event","event_id":"x","kind":"click","visitor":"z"}"#,
        r#"{"record":"event","event_id":"x","kind":"click","source":"z"}"#,
    ] {
        assert!(read(damaged).is_err(), "{damaged}");
    }
    let later = line(full()).replacen('{', r#"{"later":[{"link":1}],"#, 1);
    assert!(matches!(read(&later), Ok(Line::Event { raw, .. }) if *raw == full()));
}

/// If this fails, the same event would mean something else from now on: raise [`RULES_VERSION`], so that it can be told
/// from what was archived before, and put the new number here.
#[test]
fn rules_that_change_have_a_new_version() {
    let mut hasher = SipHasher13::new_with_key(b"clicktrail rules");
    for list in [
        include_str!("../../../data/agents.txt"),
        include_str!("../../../data/bots.txt"),
        include_str!("../../../data/bot_names.txt"),
        include_str!("../../../data/hosting_asns.txt"),
        include_str!("../../../data/referrers.txt"),
    ] {
        // The comments may change: where a list is from, and when.
        list.lines().filter(|line| !line.starts_with('#')).for_each(|line| hasher.write(line.as_bytes()));
    }
    let agents = [PHONE, DESKTOP, CRAWLER, "", "curl/8.5.0", "Mozilla/5.0", &full().user_agent.clone()];
    let queries = ["", "utm_source=x&utm_medium=cpc", "gclid=1", "fbclid=1", "utm_source=chatgpt.com"];
    let referrers = ["", "https://www.google.de/", "https://t.co/", "android-app://com.google.android.gm/"];
    for kind in Kind::ALL {
        for source in Source::ALL {
            for (place, agent) in agents.into_iter().enumerate() {
                for query in queries {
                    for referrer in referrers {
                        let raw = RawEvent {
                            source,
                            query: query.into(),
                            referrer: referrer.into(),
                            user_agent: agent.into(),
                            asn: [0, 16_509, 64_496][place % 3],
                            sent_at_ms: [None, Some(NOW), Some(NOW + 3_600_000)][place % 3],
                            ..event(kind, NOW, "", "")
                        };
                        hasher.write(line(raw).as_bytes());
                    }
                }
            }
        }
    }
    assert_eq!((RULES_VERSION, format!("{:016x}", hasher.finish())), (5, "9b98a77f12143220".to_owned()));
}

proptest! {
    #[test]
    fn a_line_is_read_as_it_was_written(
        texts in prop::collection::vec("\\PC{0,12}|[\u{0}-\u{30}\"\\\\]{0,9}", TEXTS.len()),
        props in prop::collection::vec((".{0,5}", "\\PC{0,9}|[\u{0}-\u{30}]{0,5}"), 0..4),
        numbers in (any::<u32>(), any::<u8>(), any::<u64>(), any::<Option<i64>>(), any::<Option<i64>>()),
        times in (any::<i64>(), any::<i64>()),
        id in any::<[u8; 16]>(),
        kind in prop::sample::select(&Kind::ALL[..]),
        source in prop::sample::select(&Source::ALL[..]),
        trigger in prop::sample::select(&Trigger::ALL[..]),
        cost in any::<i64>(),
    ) {
        let mut raw = RawEvent::new(EventId::from_bytes(id), kind, source, times.0);
        for ((.., set), text) in TEXTS.iter().zip(&texts) {
            *set(&mut raw) = text.as_str().into();
        }
        raw.props = props.iter().map(|(key, value)| (key.as_str().into(), value.as_str().into())).collect();
        (raw.asn, raw.hints, raw.visitor) = (numbers.0, Hints::from_bits(numbers.1), numbers.2);
        (raw.sent_at_ms, raw.value_micros, raw.took_ms) = (numbers.3, numbers.4, numbers.0 >> 1);
        (raw.event_time_ms, raw.trigger) = (times.1, trigger);
        (raw.click_ms, raw.postback.status) = (numbers.3, Status::ALL[usize::from(id[0] % 4)]);
        let mut tracked = enrich(raw.clone());
        let billed = Billed {
            cost_nanos: cost,
            cost_currency: "EUR".into(),
            payout_nanos: cost / 2,
            payout_currency: "USD".into(),
        };
        (tracked.cost_nanos, tracked.cost_currency) = (cost, billed.cost_currency.clone());
        (tracked.payout_nanos, tracked.payout_currency) = (cost / 2, billed.payout_currency.clone());
        let mut line = String::new();
        write_event(&tracked, &mut line);
        prop_assert_eq!(line.matches('\n').count(), 1);
        serde_json::from_str::<serde_json::Value>(&line).unwrap();
        let expected = Line::Event { raw: Box::new(raw), billed, rules_version: RULES_VERSION };
        prop_assert_eq!(read(&line).unwrap(), expected);
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,80}") {
        let _ = read(&text);
    }
}

#[test]
fn numbers_are_written_in_full() {
    for value in [0, 7, -1, 10, 1_790_000_000_000, i64::MAX, i64::MIN] {
        let mut out = String::new();
        number(&mut out, "n", value);
        assert_eq!(out, format!(",\"n\":{value}"));
    }
}

proptest! {
    #[test]
    fn a_text_is_quoted_as_serde_does(text in "[ -~äß\u{0}-\u{1f}\u{7f}\"\\\\]{0,40}") {
        let mut out = String::new();
        quoted(&mut out, &text);
        prop_assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
    }
}
