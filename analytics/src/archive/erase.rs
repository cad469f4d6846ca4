//! Erasing a person from lines: whose a line is, and what of it may stay.
//!
//! A line that were deleted would be missing from sums that are rebuilt, and what a publisher was paid for could not be shown
//! any more. So a line stays, without whatever says whose it was. What else stays is not a list: everything that the sums do
//! not need is taken out, piece by piece, and whether they need it is asked of them: each piece goes if the line without it
//! adds up to the same.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::hash::Hasher;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use siphasher::sip128::{Hasher128, SipHasher13};

use super::filter::{effective_time_ms, member};
use super::line::{Line, quoted, read, write_outcome};
use crate::campaign::Campaigns;
use crate::outcome::Moved;
use crate::rebuild::Step;
use crate::rollup::visitor_hash;
use crate::uniques::coarse;
use crate::utm::{query_of, scan};
use crate::{EventId, Outcome, StatsAggregate, VisitorKey};

/// Members that say who it was, or that nobody but the customer can read; with the moment of the click that it follows from, by
/// which two lines could be joined.
const NAMES: [&str; 8] =
    ["user_id", "anonymous_id", "session_id", "visitor", "ip", "txid", "props", "click_ms"];

/// Members that go if the sums do not need them; else something coarser takes their place, if it does for the sums.
const TRACES: [&str; 23] = [
    "page_url",
    "query",
    "referrer",
    "user_agent",
    "accept_language",
    "ua_brands",
    "ua_mobile",
    "ua_platform",
    "ua_model",
    "ua_platform_version",
    "element_id",
    "name",
    "sub1",
    "sub2",
    "sub3",
    "sub4",
    "sub5",
    "asn",
    "brand",
    "browser_version",
    "os_version",
    "utm_term",
    "sent_at_ms",
];

/// Whose a line is: names of one visitor, the strongest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The first is whose it is, the others are known to be the same visitor's. None if it is nobody's.
    pub keys: Vec<VisitorKey>,
    /// When it counts, epoch ms.
    pub at_ms: i64,
}

/// Reads whose a line is. `None`: it is of nobody, or nobody can be told from it.
pub fn named(line: &str) -> Option<Named> {
    // Before `props`, whose names are the customer's.
    let (head, behind) = line.split_once(",\"props\":{").unwrap_or((line, ""));
    let at_ms = effective_time_ms(head)?;
    if head.starts_with(r#"{"record":"outcome","#) {
        let Ok(Line::Outcome(body)) = read(line) else { return None };
        return match Outcome::decode(&body)? {
            Outcome::Moved(moved) => Some(Named { keys: vec![moved.to], at_ms }),
            Outcome::Session(session) if !session.session_id.is_empty() => {
                Some(Named { keys: vec![VisitorKey::of_session(&session.session_id)], at_ms })
            }
            _ => None,
        };
    }
    if !head.starts_with(r#"{"record":"event","#) || member(head, "unique").is_some() {
        return None;
    }
    let text = |name: &str| match member(head, name) {
        Some(rest) => {
            let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Cow<'_, str>>();
            values.next().and_then(Result::ok).unwrap_or_default()
        }
        None => Cow::Borrowed(""),
    };
    let visitor = u64::from_str_radix(&text("visitor"), 16).unwrap_or(0);
    // What is worked out comes behind `props`.
    let own_address = member(head, "click_ms").is_some()
        || member(head, "browser").is_some()
        || worked_out(behind).is_some();
    let (user, device, session) = (text("user_id"), text("anonymous_id"), text("session_id"));
    let mut keys = VisitorKey::all_of_names([&user, &device, &session], visitor, own_address);
    if visitor == 0 {
        // Nobody's hash is not a name that two visitors share.
        keys.retain(|key| key.rank() > 0);
    }
    (!keys.is_empty()).then_some(Named { keys, at_ms })
}

/// The browser that was worked out, behind the customer's tags: a quote within those is escaped.
fn worked_out(behind: &str) -> Option<&str> {
    let (_, derived) = behind.rsplit_once("},\"device\":")?;
    member(derived, "browser")
}

/// Writes a line without whose it was, with its end. `salt` makes another id of the event's, the same for each of its lines and
/// for nobody to find again.
pub fn erase(line: &str, salt: u128, out: &mut String) {
    if line.starts_with(r#"{"record":"outcome","#)
        && let (Ok(Line::Outcome(body)), Some(at_ms)) = (read(line), effective_time_ms(line))
    {
        return erase_outcome(at_ms, &body, out);
    }
    let Ok(Members(mut members)) = serde_json::from_str(line) else {
        // It is no line, and nobody's: see `named`.
        out.push_str(line);
        return;
    };
    let before = sums_of(line);
    members.retain(|(name, _)| !NAMES.contains(name));
    if let Ok(Line::Event { raw, .. }) = read(line) {
        let mut hasher = SipHasher13::new_with_keys(salt as u64, (salt >> 64) as u64);
        hasher.write(raw.id.as_bytes());
        let id = EventId::from_bytes(hasher.finish128().as_bytes());
        if let Some((_, value)) = members.iter_mut().find(|(name, _)| *name == "event_id") {
            *value = Cow::Owned(format!("\"{id}\""));
        }
        let unique = Cow::Owned(format!("\"{:016x}\"", coarse(visitor_hash(&raw))));
        let place = members.iter().position(|(name, _)| *name == "device").unwrap_or(members.len());
        members.insert(place, ("unique", unique));
    }
    for name in TRACES {
        let Some(place) = members.iter().position(|(known, _)| *known == name) else { continue };
        let (name, value) = members.remove(place);
        if before.is_some() && sums_of(&text_of(&members)) == before {
            continue;
        }
        let text: Cow<'_, str> = serde_json::from_str(&value).unwrap_or_default();
        let mut kept = value;
        for coarser in coarser(name, &text) {
            let mut written = String::new();
            quoted(&mut written, &coarser);
            members.insert(place, (name, Cow::Owned(written)));
            let does = before.is_some() && sums_of(&text_of(&members)) == before;
            let (_, written) = members.remove(place);
            if does {
                kept = written;
                break;
            }
        }
        members.insert(place, (name, kept));
    }
    out.push_str(&text_of(&members));
}

/// What could stand in the place of a text, the coarsest first.
fn coarser(name: &str, text: &str) -> Vec<String> {
    let origin = |url: &str| {
        let (scheme, rest) = url.split_once("://")?;
        Some(format!("{scheme}://{}/", rest.split(['/', '?', '#']).next().unwrap_or_default()))
    };
    match name {
        "page_url" => match origin(text) {
            Some(origin) => {
                let tagged = format!("{origin}?{}", tags(query_of(text)));
                vec![origin, tagged]
            }
            None => Vec::new(),
        },
        "referrer" => origin(text).into_iter().collect(),
        "query" => vec![tags(text)],
        "accept_language" => {
            let first = text.split([',', ';']).next().unwrap_or_default();
            vec![first.split('-').next().unwrap_or_default().to_owned(), first.to_owned()]
        }
        "user_agent" => vec![blurred(text, 1), blurred(text, 2)],
        _ => Vec::new(),
    }
}

/// Of a query the tags that sums are kept of, and that there was an ad network's click id.
fn tags(query: &str) -> String {
    let kept = query.split('&').filter_map(|pair| {
        let name = pair.strip_prefix("amp;").unwrap_or(pair).split('=').next().unwrap_or_default();
        if name.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("utm_")) {
            return Some(Cow::Borrowed(pair));
        }
        let anonymous = format!("{name}=x");
        scan(&anonymous).1.is_some().then_some(Cow::Owned(anonymous))
    });
    kept.collect::<Vec<_>>().join("&")
}

/// A user agent whose version numbers are cut behind so many parts: what a browser has in common with millions.
fn blurred(agent: &str, parts: usize) -> String {
    let (mut out, mut part) = (String::with_capacity(agent.len()), 0);
    let mut before = ' ';
    for letter in agent.chars() {
        let number = letter.is_ascii_digit();
        if number && !before.is_ascii_digit() {
            part = if matches!(before, '.' | '_') { part + 1 } else { 1 };
        }
        match number && part > parts {
            true if before.is_ascii_digit() => {}
            true => out.push('0'),
            false => out.push(letter),
        }
        before = letter;
    }
    out
}

fn erase_outcome(at_ms: i64, body: &[u8], out: &mut String) {
    let mut written = Vec::new();
    match Outcome::decode(body) {
        Some(Outcome::Session(mut session)) => {
            session.session_id = "".into();
            Outcome::Session(session).encode(&mut written);
        }
        Some(Outcome::Moved(mut moved)) => {
            let print = &mut moved.footprint;
            print.id = EventId::from_bytes([0; 16]);
            (print.name, print.page, print.element_id) = ("".into(), "".into(), "".into());
            (print.session_id, print.postback, print.click_ms) = ("".into(), None, None);
            let to = VisitorKey::from_bytes([0; 16]);
            Outcome::Moved(Moved { to, footprint: moved.footprint }).encode(&mut written);
        }
        _ => written.extend_from_slice(body),
    }
    write_outcome(at_ms, &written, out);
}

/// What a line adds to the sums, by the rules of today; `None`: it cannot be read.
fn sums_of(line: &str) -> Option<StatsAggregate> {
    let mut step = Step::default();
    step.add(line, &Campaigns::default()).ok()?;
    Some(step.sums())
}

fn text_of(members: &[(&str, Cow<'_, str>)]) -> String {
    let mut text = String::with_capacity(1024);
    for (at, (name, value)) in members.iter().enumerate() {
        // `fmt::Write` for a String cannot fail.
        let _ = write!(text, r#"{}"{name}":{value}"#, if at == 0 { '{' } else { ',' });
    }
    text.push_str("}\n");
    text
}

/// The members of a line in their order, each as it is written.
struct Members<'a>(Vec<(&'a str, Cow<'a, str>)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a line of the archive")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::with_capacity(48);
                while let Some((name, value)) = map.next_entry::<&str, &RawValue>()? {
                    members.push((name, Cow::Borrowed(value.get())));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(All)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::archive::write_event;
    use crate::world::{DESKTOP, Happening, NOW, PHONE, event, happening};
    use crate::{Kind, RawEvent, TrackedEvent, enrich};

    fn line_of(event: &TrackedEvent<'_>) -> String {
        let mut line = String::new();
        write_event(event, &mut line);
        line
    }

    fn erased(line: &str) -> String {
        let mut out = String::new();
        erase(line, 7, &mut out);
        out
    }

    fn person() -> RawEvent<'static> {
        RawEvent {
            user_id: "ada@shop.example".into(),
            anonymous_id: "device-1".into(),
            session_id: "session-1".into(),
            visitor: 0xabc,
            ip: "192.0.2.0".into(),
            user_agent: PHONE.into(),
            page_url: "https://shop.example/users/ada?utm_source=mail&gclid=Cj0secret&token=t#x".into(),
            query: "fbclid=IwARsecret&email=ada@shop.example&utm_campaign=may".into(),
            referrer: "https://mail.example/inbox/17?u=ada".into(),
            language: "de-AT,de;q=0.9,en-GB;q=0.3".into(),
            props: vec![("email".into(), "ada@shop.example".into()), ("browser".into(), "x".into())],
            ..event(Kind::Click, NOW, "spring", "a")
        }
    }

    #[test]
    fn what_says_who_it_was_is_gone_and_what_is_counted_stays() {
        let line = line_of(&enrich(person()));
        let without = erased(&line);
        for trace in ["ada", "device-1", "session-1", "abc\"", "192.0.2", "secret", "token", "inbox", "17.4"]
        {
            assert!(!without.contains(trace), "{trace} in {without}");
        }
        for kept in ["\"link\":\"a\"", "utm_source=mail", "gclid=x", "\"language\":\"de-at\"", "Safari"] {
            assert!(without.contains(kept), "{kept} in {without}");
        }
        assert_eq!(sums_of(&without), sums_of(&line));
        assert_eq!(named(&without), None, "it is nobody's");
        assert_ne!(member(&line, "event_id"), member(&without, "event_id"));
    }

    #[test]
    fn a_line_is_of_the_strongest_name() {
        let tracked = enrich(person());
        let keys = VisitorKey::all_of(&tracked);
        assert_eq!(keys.len(), 4);
        assert_eq!(named(&line_of(&tracked)), Some(Named { keys, at_ms: NOW }));
        let mut server = person();
        (server.user_agent, server.props) = ("".into(), Vec::new());
        let named = named(&line_of(&enrich(server))).unwrap();
        assert_eq!(named.keys.len(), 3, "the address of a server is nobody's");
    }

    #[test]
    fn a_browser_is_known_by_what_millions_have() {
        assert_eq!(
            blurred(DESKTOP, 1),
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.0 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.0"
        );
        assert_eq!(blurred("iPhone OS 17_4_1 x", 1), "iPhone OS 17_0_0 x");
        assert_eq!(blurred("iPhone OS 17_43_19 x", 2), "iPhone OS 17_43_0 x");
    }

    proptest! {
        #[test]
        fn sums_are_the_same_with_and_without_a_person(happenings in prop::collection::vec(happening(), 1..20)) {
            let (mut with, mut without) = (String::new(), String::new());
            for happening in happenings {
                let Happening::Event(mut raw) = happening else { continue };
                let secret = "nobody-may-read-this";
                (raw.anonymous_id, raw.session_id) = (secret.into(), secret.into());
                if !raw.user_id.is_empty() {
                    raw.user_id = format!("{secret} of {}", &*raw.user_id).into();
                }
                raw.props = vec![("k".into(), secret.into())];
                let tracked = enrich(*raw);
                let line = line_of(&tracked);
                prop_assert_eq!(&named(&line).unwrap().keys[..1], &VisitorKey::all_of(&tracked)[..1]);
                let gone = erased(&line);
                prop_assert!(!gone.contains(secret), "{}", gone);
                prop_assert!(gone.len() < line.len());
                prop_assert_eq!(named(&gone), None);
                with += &line;
                without += &gone;
            }
            prop_assert_eq!(sums_of(&without), sums_of(&with));
        }

        #[test]
        fn any_line_is_read_or_left(line in ".*", near in r#"\{"record":"(event|outcome)",.{0,40}\}"#) {
            for line in [line, near] {
                let _ = named(&line);
                let _ = erased(&line);
            }
        }
    }
}
