//! Single events that a client sends, as JSON or as a query.

use super::draft::Draft;
use super::{Facts, Rules, json};
use crate::{Kind, RawEvent, Reject, Source};

/// The event of `POST /events/{kind}` with a JSON body.
///
/// # Errors
/// Every field that has to be corrected; a single rejection with an empty pointer if the body is no
/// JSON object.
pub fn beacon<'a>(
    kind: Kind,
    body: &'a [u8],
    facts: &Facts<'a>,
    rules: &Rules,
) -> Result<RawEvent<'a>, Vec<Reject>> {
    let mut draft = Draft::new(kind, Source::Beacon, facts);
    json::text(body).and_then(|text| json::read_event(text, &mut draft, rules)).map_err(|e| vec![e])?;
    draft.require();
    draft.finish().map_err(|invalid| invalid.rejects)
}

/// The event of `POST /events/{kind}` whose fields are in the query string, under their names in JSON or those
/// of the pixel.
///
/// # Errors
/// As [`pixel`].
pub fn beacon_query<'a>(
    kind: Kind,
    query: &'a str,
    facts: &Facts<'a>,
    rules: &Rules,
) -> Result<RawEvent<'a>, Vec<Reject>> {
    let mut draft = Draft::new(kind, Source::Beacon, facts);
    let rest = draft.take_query(query, rules);
    draft.require();
    let mut event = draft.finish().map_err(|invalid| invalid.rejects)?;
    event.query = rest;
    Ok(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_790_000_000_000;

    fn facts() -> Facts<'static> {
        Facts { received_at_ms: NOW, visitor: 7, referrer: "https://search.example/?q=1", ..Facts::default() }
    }

    fn pointers(rejects: &[Reject]) -> Vec<&str> {
        rejects.iter().map(|reject| &*reject.pointer).collect()
    }

    #[test]
    fn a_beacon_must_say_which_event_when_and_where() {
        let missing = ["/event_id", "/event_time", "/page_url"];
        for body in ["{}", r#"{"event_id":"","event_time":null,"page_url":"  "}"#, "{\"x\":1}\n"] {
            let rejects = beacon(Kind::Click, body.as_bytes(), &facts(), &Rules::default()).unwrap_err();
            assert_eq!(pointers(&rejects), missing);
            assert!(rejects.iter().all(|reject| reject.detail == "is required"));
        }
        let rejects = beacon_query(Kind::Click, "eid=&uid=x", &facts(), &Rules::default()).unwrap_err();
        assert_eq!(pointers(&rejects), missing);
    }

    #[test]
    fn a_beacon_may_come_as_a_query() {
        let query = "event_id=a&event_time=2026-09-21T14:13:20Z&u=https://example.com/\
            &props=x&utm_source=y&user_id=z";
        let event = beacon_query(Kind::Page, query, &facts(), &Rules::default()).unwrap();
        assert_eq!((event.kind, event.source, event.event_time_ms), (Kind::Page, Source::Beacon, NOW));
        assert_eq!([&*event.query, &event.user_id], ["props=x&utm_source=y", "z"]);
    }

    #[test]
    fn what_a_client_says_about_the_client_is_not_taken() {
        let body = format!(
            r#"{{"event_id":"a","event_time":{NOW},"page_url":"https://example.com/","ip":"1.2.3.4","country":"XX",
            "user_agent":"Googlebot","visitor":1,"asn":1,"received_at":1,"kind":"tap"}}"#
        );
        let seen =
            Facts { country: "DE", user_agent: "Mozilla/5.0", ip: "192.0.2.0", asn: 64_496, ..facts() };
        let event = beacon(Kind::Click, body.as_bytes(), &seen, &Rules::default()).unwrap();
        assert_eq!([&*event.country, &event.user_agent, &event.ip], ["DE", "Mozilla/5.0", "192.0.2.0"]);
        assert_eq!(
            (event.asn, event.visitor, event.received_at_ms, event.kind),
            (64_496, 7, NOW, Kind::Click)
        );
    }

    #[test]
    fn a_body_that_is_no_object_is_refused_as_a_whole() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let unclosed = "{\"a\":".repeat(100_000);
        for body in [
            b"".as_slice(),
            b" ",
            b"word",
            b"[]",
            b"5",
            b"null",
            b"{",
            b"{}x",
            b"{}{}",
            b"{\"a\"}",
            b"{'a':1}",
            b"{\"a\":01}",
            b"{\"a\":\"\xff\"}",
            b"\xef\xbb\xbf{}",
            b"\xff\xfe{\0}\0",
            b"{\"\\ud800\":1}",
            b"{\"a\":\"\n\"}",
            b"{\"a\":NaN}",
            deep.as_bytes(),
            unclosed.as_bytes(),
        ] {
            let rejects = beacon(Kind::Click, body, &facts(), &Rules::default()).unwrap_err();
            assert_eq!(pointers(&rejects), [""], "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn a_conversion_that_names_its_click_is_of_that_click() {
        let signer = crate::signature::Signer::new("secret").unwrap();
        let click = crate::click_id::ClickId {
            link: "demo",
            campaign_id: "spring",
            variant: "b",
            time_ms: 1,
            visitor: 99,
        };
        let id = click.encode(&signer);
        let rules = Rules { signer: Some(signer), ..Rules::default() };
        let sent = |click_id: &str, more: &str| {
            format!(
                r#"{{"event_id":"1","event_time":{NOW},"page_url":"https://shop.example/","click_id":"{click_id}"{more}}}"#
            )
        };
        let body = sent(&id, "");
        let event = beacon(Kind::Conversion, body.as_bytes(), &facts(), &rules).unwrap();
        assert_eq!(
            (&*event.link, &*event.campaign_id, &*event.variant, event.visitor),
            ("demo", "spring", "b", 99)
        );
        let body = sent(&id, r#","campaign_id":"theirs""#);
        let event = beacon(Kind::Conversion, body.as_bytes(), &facts(), &rules).unwrap();
        assert_eq!((&*event.link, &*event.campaign_id), ("demo", "theirs"));
        for (click_id, rules) in [("forged", &rules), (&*id, &Rules::default())] {
            let body = sent(click_id, "");
            let rejects = beacon(Kind::Conversion, body.as_bytes(), &facts(), rules).unwrap_err();
            assert_eq!(pointers(&rejects), ["/click_id"]);
        }
    }

    #[test]
    fn a_link_that_is_only_named_can_be_gathered_and_a_click_ids_is_known() {
        let signer = crate::signature::Signer::new("secret").unwrap();
        let click =
            crate::click_id::ClickId { link: "demo", campaign_id: "", variant: "", time_ms: 1, visitor: 9 };
        let id = click.encode(&signer);
        let rules = Rules { signer: Some(signer), gathers: true, ..Rules::default() };
        let link = |more: &str| {
            let body =
                format!(r#"{{"event_id":"1","event_time":{NOW},"page_url":"https://shop.example/"{more}}}"#);
            beacon(Kind::Click, body.as_bytes(), &facts(), &rules).unwrap().link.to_string()
        };
        assert_eq!(link(""), "");
        assert_eq!(link(r#","link":"invented""#), crate::campaign::UNKNOWN);
        assert_eq!(link(&format!(r#","click_id":"{id}""#)), "demo");
        assert_eq!(link(&format!(r#","link":"invented","click_id":"{id}""#)), "demo");
    }
}
