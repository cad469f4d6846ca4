//! Many events in one body: a JSON array, an object around one, or one event a line.

use std::borrow::Cow;

use serde::Deserializer;
use serde::de::DeserializeSeed;

use super::assign::time_of;
use super::draft::Draft;
use super::list::{Envelope, List};
use super::plain::{self, Members};
use super::scalar::Scalar;
use super::{Facts, Rules, json};
use crate::{Kind, RawEvent, Reject, Source};

/// The most events in one batch: at two kilobytes each they fill the largest body (1 MiB).
pub const BATCH_MAX_EVENTS: usize = 500;

/// The events of one body, in the order sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch<'a> {
    /// Each by itself: one bad event costs the others nothing.
    pub events: Vec<Result<RawEvent<'a>, Invalid>>,
}

/// An event that is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// Its `event_id` as the client sent it, if that much was readable.
    pub event_id: Option<String>,
    /// All that has to be corrected; in a batch the pointers begin with the event's index.
    pub rejects: Vec<Reject>,
}

/// Why a whole batch was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// No batch can be read from it.
    Malformed(Reject),
    /// More than [`BATCH_MAX_EVENTS`].
    TooMany(Reject),
}

impl Refused {
    pub(super) fn too_many() -> Self {
        Self::TooMany(Reject::new("", format!("holds more than {BATCH_MAX_EVENTS} events")))
    }
}

impl Invalid {
    fn at(index: usize, event_id: Option<String>, rejects: Vec<Reject>) -> Self {
        let rejects = rejects.into_iter().map(|reject| Reject {
            pointer: format!("/{index}{}", reject.pointer).into(),
            detail: reject.detail,
        });
        Self { event_id, rejects: rejects.collect() }
    }
}

/// Reads a batch. Each event has its `kind` (a click unless it says otherwise).
///
/// # Errors
/// [`Refused`]
pub fn batch<'a>(body: &'a [u8], facts: &Facts<'a>, rules: &Rules) -> Result<Batch<'a>, Refused> {
    let first = body.trim_ascii_start().first();
    if first == Some(&b'[') {
        let text = json::text(body).map_err(Refused::Malformed)?;
        if let Some(objects) = plain::objects(text, BATCH_MAX_EVENTS) {
            return Ok(each_plain(objects, None, facts, rules));
        }
        let mut list = List::default();
        let mut parser = serde_json::Deserializer::from_str(text);
        let read = list.deserialize(&mut parser).and_then(|()| parser.end());
        list.refused(read)?;
        return Ok(each(list, None, facts, rules));
    }
    if first == Some(&b'{')
        && let Ok(text) = json::text(body)
        && let Some(list) = envelope(text, facts, rules)
    {
        return list;
    }
    lines(body, facts, rules)
}

/// The batch of an object with `events`, or of a single event; `None` if the body is neither, and so is read
/// line by line.
fn envelope<'a>(text: &'a str, facts: &Facts<'a>, rules: &Rules) -> Option<Result<Batch<'a>, Refused>> {
    if let Some((objects, sent)) = plain::envelope(text, BATCH_MAX_EVENTS)
        && let Ok(sent_at_ms) = sent.map_or(Ok(None), sent_at)
    {
        return Some(Ok(each_plain(objects, sent_at_ms, facts, rules)));
    }
    let mut seen = Envelope::default();
    let mut parser = serde_json::Deserializer::from_str(text);
    let read = parser.deserialize_map(&mut seen).and_then(|()| parser.end());
    let Some(list) = seen.events else {
        read.ok()?;
        return Some(Ok(each(List::of(text), None, facts, rules)));
    };
    let batch = list.refused(read).and_then(|()| {
        let sent_at_ms = seen.sent_at.map_or(Ok(None), sent_at);
        sent_at_ms.map_err(|detail| Refused::Malformed(Reject::new("/sent_at", detail)))
    });
    Some(batch.map(|sent_at_ms| each(list, sent_at_ms, facts, rules)))
}

fn sent_at(json: &str) -> Result<Option<i64>, Cow<'static, str>> {
    let value = Scalar::of_json(json);
    if value.is_absent() { Ok(None) } else { time_of(value).map(Some) }
}

/// One event a line. Lines are taken apart as bytes, so that one that is not UTF-8 fails alone; if none is a
/// JSON object, it was no batch at all.
fn lines<'a>(body: &'a [u8], facts: &Facts<'a>, rules: &Rules) -> Result<Batch<'a>, Refused> {
    let lines = || body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    if lines().nth(BATCH_MAX_EVENTS).is_some() {
        return Err(Refused::too_many());
    }
    let mut flaws = Vec::new();
    let mut events = Vec::new();
    for (index, line) in lines().enumerate() {
        let read = json::text(line).and_then(|text| read_one(index, text, None, facts, rules));
        events.push(read.unwrap_or_else(|flaw| {
            flaws.push(flaw.clone());
            Err(Invalid::at(index, None, vec![flaw]))
        }));
    }
    if flaws.len() < events.len() {
        return Ok(Batch { events });
    }
    let flaw = flaws.into_iter().next().unwrap_or_else(|| Reject::new("", "is empty"));
    Err(Refused::Malformed(flaw))
}

/// The events of an array.
fn each<'a>(list: List<'a>, sent_at_ms: Option<i64>, facts: &Facts<'a>, rules: &Rules) -> Batch<'a> {
    let events = list.texts.into_iter().enumerate().map(|(index, text)| {
        read_one(index, text, sent_at_ms, facts, rules)
            .unwrap_or_else(|flaw| Err(Invalid::at(index, None, vec![flaw])))
    });
    Batch { events: events.collect() }
}

/// The same of objects that were found without the parser.
fn each_plain<'a>(
    objects: Vec<Members<'a>>,
    sent_at_ms: Option<i64>,
    facts: &Facts<'a>,
    rules: &Rules,
) -> Batch<'a> {
    let mut events = Vec::with_capacity(objects.len());
    for (index, members) in objects.into_iter().enumerate() {
        let mut draft = Draft::new(Kind::Click, Source::Batch, facts);
        json::take_members(&members, &mut draft, rules);
        events.push(finished(index, draft, sent_at_ms));
    }
    Batch { events }
}

/// The event of one text; an error if it is no JSON object.
fn read_one<'a>(
    index: usize,
    text: &'a str,
    sent_at_ms: Option<i64>,
    facts: &Facts<'a>,
    rules: &Rules,
) -> Result<Result<RawEvent<'a>, Invalid>, Reject> {
    let mut draft = Draft::new(Kind::Click, Source::Batch, facts);
    json::read_event(text, &mut draft, rules)?;
    Ok(finished(index, draft, sent_at_ms))
}

fn finished(index: usize, mut draft: Draft<'_>, sent_at_ms: Option<i64>) -> Result<RawEvent<'_>, Invalid> {
    draft.require();
    draft.event.sent_at_ms = draft.event.sent_at_ms.or(sent_at_ms);
    draft.finish().map_err(|invalid| Invalid::at(index, invalid.event_id, invalid.rejects))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_790_000_000_000;

    fn read(body: &str) -> Result<Batch<'_>, Refused> {
        batch(body.as_bytes(), &Facts { received_at_ms: NOW, ..Facts::default() }, &Rules::default())
    }

    fn event(id: &str) -> String {
        format!(r#"{{"event_id":"{id}","event_time":{NOW},"page_url":"https://example.com/"}}"#)
    }

    fn outcome(body: &str) -> Vec<String> {
        let show = |read: &Result<RawEvent<'_>, Invalid>| match read {
            Ok(event) => event.kind.name().to_owned(),
            Err(invalid) => {
                invalid.rejects.iter().map(|r| r.pointer.to_string()).collect::<Vec<_>>().join(" ")
            }
        };
        read(body).unwrap().events.iter().map(show).collect()
    }

    #[test]
    fn all_shapes_of_a_batch_are_read() {
        let (a, b) = (event("a"), event("b"));
        for body in [
            format!("[{a},{b}]"),
            format!(" \n[ {a} ,\n{b} ]\n"),
            format!(r#"{{"events":[{a},{b}]}}"#),
            format!(r#"{{"x":{{"events":1}},"sent_at":{NOW},"events":[{a},{b}],"y":[]}}"#),
            format!("{a}\n{b}"),
            format!("\n{a}\r\n\r\n{b}\n\n"),
        ] {
            assert_eq!(outcome(&body), ["click", "click"], "{body}");
        }
        assert_eq!(outcome(&a), ["click"]);
        assert_eq!(outcome(&a.replace(',', ",\n")), ["click"]);
        assert!(outcome("[]").is_empty());
        assert!(outcome(r#"{"events":[]}"#).is_empty());
    }

    #[test]
    fn an_event_says_what_happened_and_is_a_click_if_it_does_not() {
        let kind = |kind: &str| event("a").replacen('{', &format!(r#"{{"kind":{kind},"#), 1);
        let kinds = ["\"session_end\"", "null", "\"purchase\"", "\"failed\""].map(kind);
        assert_eq!(
            outcome(&format!("[{}]", kinds.join(","))),
            ["session_end", "click", "/2/kind", "/3/kind"]
        );
    }

    #[test]
    fn one_bad_event_costs_the_others_nothing() {
        let a = event("a");
        let body = format!(r#"[{a},5,{{"event_id":"b","value":"x"}},{{"event_id":"\ud800"}},{a},null,[[]]]"#);
        assert_eq!(
            outcome(&body),
            [
                "click",
                "/1",
                "/2/value /2/event_time /2/page_url",
                "/3/event_id /3/event_time /3/page_url",
                "click",
                "/5",
                "/6"
            ]
        );
        let ids = read(&body).unwrap().events.into_iter().map(|e| e.err().and_then(|i| i.event_id));
        assert_eq!(ids.collect::<Vec<_>>(), [None, None, Some("b".to_owned()), None, None, None, None]);
    }

    #[test]
    fn a_broken_line_fails_alone() {
        let a = event("a");
        assert_eq!(
            outcome(&format!("{a}\n{{\"event_id\":\n{a}\nword\n5\n{a} {a}")),
            ["click", "/1", "click", "/3", "/4", "/5"]
        );
        assert_eq!(outcome(&format!("word\n{a}")), ["/0", "click"]);
        let bytes = [a.as_bytes(), b"\n\xff\n", a.as_bytes()].concat();
        let read =
            batch(&bytes, &Facts { received_at_ms: NOW, ..Facts::default() }, &Rules::default()).unwrap();
        let flaw = read.events[1].clone().unwrap_err();
        assert_eq!(flaw.rejects[0].detail, "is not UTF-8 at byte 0");
        assert!(read.events[0].is_ok() && read.events[2].is_ok());
    }

    #[test]
    fn what_is_no_batch_is_malformed() {
        let a = event("a");
        for body in [
            "",
            " \n ",
            "word",
            "5",
            "\"x\"",
            "\u{feff}[]",
            "[",
            "[1",
            "[1,]",
            "[]x",
            "{",
            "{}}",
            "{\"events\":[",
            "{\"events\":5}",
            "{\"events\":\"xx\"}",
            "{\"events\":[],\"events\":[]}",
            "{\"events\":[],\"sent_at\":1,\"sent_at\":2}",
            "{\"events\":[]}x",
            "{\"events\":[],\"sent_at\":\"soon\"}",
            "{\"events\":[],\"sent_at\":true}",
            &format!("[{a}"),
            &format!("{{\"events\":[{a}]"),
            &"[".repeat(200_000),
            &"{\"events\":".repeat(50_000),
        ] {
            let Err(Refused::Malformed(flaw)) = read(body) else { panic!("{body}") };
            assert!(flaw.detail.len() < 300, "{flaw:?}");
        }
        assert!(matches!(
            batch(b"[\"\xff\"]", &Facts::default(), &Rules::default()),
            Err(Refused::Malformed(_))
        ));
    }

    #[test]
    fn more_than_the_limit_is_too_many() {
        let a = event("a");
        let many = |n: usize, between: &str| vec![a.as_str(); n].join(between);
        let bodies =
            |n| [format!("[{}]", many(n, ",")), format!(r#"{{"events":[{}]}}"#, many(n, ",")), many(n, "\n")];
        for body in bodies(BATCH_MAX_EVENTS) {
            assert_eq!(read(&body).unwrap().events.len(), BATCH_MAX_EVENTS);
        }
        for body in bodies(BATCH_MAX_EVENTS + 1) {
            assert!(matches!(read(&body), Err(Refused::TooMany(_))));
        }
    }

    #[test]
    fn the_envelope_says_when_all_were_sent_unless_an_event_does() {
        let own = event("b").replacen('{', "{\"sent_at\":3,", 1);
        let body = format!(r#"{{"events":[{},{own}],"sent_at":"1970-01-01T00:00:00.002Z"}}"#, event("a"));
        let sent: Vec<_> = read(&body).unwrap().events.into_iter().map(|e| e.unwrap().sent_at_ms).collect();
        assert_eq!(sent, [Some(2), Some(3)]);
    }
}
