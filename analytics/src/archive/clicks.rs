//! Clicks as lines for stores that count hits of a log: `ip epoch clicks /t/click params user_agent`.

use std::fmt::Write;

use form_urlencoded::{Serializer, byte_serialize, parse};

use super::filter::effective_time_ms;
use super::line::{Line, read};

/// Appends a click's line, with its end. Six fields, none of them empty and none with a space in it: what could have one is
/// form-encoded, what is absent is `-`. The parameters are those of `GET /t/click`, `cl` first, and then the hit's own.
///
/// # Errors
/// No line.
pub fn write_click(line: &str, out: &mut String) -> Result<(), serde_json::Error> {
    let Line::Event { raw, .. } = read(line)? else { return Ok(()) };
    let seconds = effective_time_ms(line).unwrap_or(raw.received_at_ms).div_euclid(1_000);
    let mut params = Serializer::new(String::new());
    let own = [
        ("cl", &raw.link),
        ("campaign_id", &raw.campaign_id),
        ("publisher_id", &raw.publisher_id),
        ("medium", &raw.medium),
        ("ad_id", &raw.ad_id),
    ];
    params.extend_pairs(
        own.into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name, &**value)),
    );
    params.append_pair("event_id", &raw.id.to_string());
    params
        .extend_pairs(parse(raw.query.as_bytes()).filter(|(name, _)| !matches!(&**name, "cl" | "event_id")));
    let ip = if raw.ip.is_empty() { "-" } else { &raw.ip };
    let _ = write!(out, "{ip} {seconds} 1 /t/click {} ", params.finish());
    if raw.user_agent.is_empty() {
        out.push('-');
    }
    out.extend(byte_serialize(raw.user_agent.as_bytes()));
    out.push('\n');
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::archive::write_event;
    use crate::world::{NOW, event};
    use crate::{Kind, RawEvent, enrich};

    fn written(raw: RawEvent<'_>) -> String {
        let (mut line, mut click) = (String::new(), String::new());
        write_event(&enrich(raw), &mut line);
        write_click(&line, &mut click).unwrap();
        click
    }

    #[test]
    fn a_click_is_pinned() {
        let raw = RawEvent {
            ip: "192.0.2.0".into(),
            query: "utm_source=a%20b&cl=other&x=1".into(),
            user_agent: "Mozilla/5.0 (X11; ü)".into(),
            ..event(Kind::Click, NOW, "spring", "demo")
        };
        assert_eq!(
            written(raw),
            "192.0.2.0 1790000000 1 /t/click cl=demo&campaign_id=spring&event_id=01010101-0101-0101-0101-010101010101&utm_source=a+b&x=1 Mozilla%2F5.0+%28X11%3B+%C3%BC%29\n"
        );
        let bare = written(event(Kind::Click, NOW, "", ""));
        assert_eq!(bare, "- 1790000000 1 /t/click event_id=01010101-0101-0101-0101-010101010101 -\n");
    }

    proptest! {
        #[test]
        fn a_line_has_six_fields_whatever_is_in_them(texts in prop::array::uniform5("[\\PC\\s\u{0}-\u{20}]{0,20}")) {
            let [link, campaign_id, query, medium, user_agent] = texts.map(Into::into);
            let click = written(RawEvent { link, campaign_id, query, medium, user_agent, ..event(Kind::Click, NOW, "", "") });
            let fields: Vec<&str> = click.strip_suffix('\n').unwrap().split(' ').collect();
            prop_assert_eq!(fields.len(), 6);
            prop_assert!(fields.iter().all(|field| !field.is_empty() && !field.contains(char::is_whitespace)));
        }
    }
}
