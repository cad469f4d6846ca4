//! What each field of an event accepts.

use std::borrow::Cow;

use super::amount::micros;
use super::draft::Draft;
use super::field::{Field, ID_MAX_CHARS, NAME_MAX_CHARS};
use super::field::{PROP_KEY_MAX_CHARS, PROP_VALUE_MAX_CHARS, PROPS_MAX};
use super::postback::status_of;
use super::scalar::Scalar;
use super::{Rules, UNKNOWN, cut, json};
use crate::click_id::SealedClick;
use crate::page_url::{self, URL_MAX_BYTES};
use crate::text::has_control;
use crate::{EventId, Kind, RawEvent, Source, Text, privacy, time};

/// The end of a sentence that begins with the field's name.
type Detail = Cow<'static, str>;

impl<'a> Draft<'a> {
    /// Writes one value into its field.
    pub(super) fn put(&mut self, field: Field, value: Scalar<'a>, rules: &Rules) -> Result<(), Detail> {
        match field {
            Field::EventTime => {
                let time = time_of(value)?;
                self.event.event_time_ms = time::within_reach(time, self.event.received_at_ms)?;
            }
            Field::SentAt => self.event.sent_at_ms = Some(time_of(value)?),
            Field::Value => self.event.value_micros = Some(amount_of(value)?),
            Field::Consent => {
                let said = privacy::consent(&word_of(value)?).ok_or("is neither granted nor denied")?;
                self.event.asked.consent = Some(said);
            }
            Field::OptOut => {
                self.event.asked.opt_out = privacy::opt_out(&word_of(value)?).ok_or("is neither 1 nor 0")?;
            }
            Field::Props => json::read_props(&value, self)?,
            _ => self.put_text(field, value.into_text()?, rules)?,
        }
        Ok(())
    }

    fn put_text(&mut self, field: Field, text: Cow<'a, str>, rules: &Rules) -> Result<(), Detail> {
        match field {
            Field::EventId => {
                let id = EventId::parse(&text);
                self.sent_id = Some(text);
                self.id = Some(id.map_err(|reject| reject.detail)?);
            }
            // The path has said it.
            Field::Kind if self.event.source == Source::Beacon => {}
            Field::Kind => self.event.kind = Kind::of_client(&text).ok_or(NO_KIND)?,
            Field::PageUrl => self.event.page_url = page(text, rules)?,
            Field::Currency => self.event.currency = currency(text)?,
            Field::ClickId => {
                let signer = rules.signer.as_ref().ok_or("cannot be checked here")?;
                self.click = Some(SealedClick::read(&text, signer)?);
            }
            Field::Status => self.event.postback.status = status_of(&text)?,
            Field::Referrer if text.len() > URL_MAX_BYTES => return Err("is longer than 2048 bytes".into()),
            _ => {
                let Some((slot, max_chars)) = slot(&mut self.event, field) else { return Ok(()) };
                fits(&text, max_chars)?;
                let invented = rules.gathers && matches!(field, Field::Link);
                *slot = if invented { UNKNOWN.into() } else { Text::from(text) };
            }
        }
        Ok(())
    }

    /// Takes one of the free tags.
    pub(super) fn take_prop(&mut self, key: Text<'a>, value: Scalar<'a>) {
        if value.is_absent() {
            return;
        }
        if let Err(detail) = fits(&key, PROP_KEY_MAX_CHARS) {
            let detail = format!("has a key that {detail}: {:?}", cut(&key, PROP_KEY_MAX_CHARS));
            return self.reject("/props", detail);
        }
        let pointer = |key: &str| format!("/props{}", json::pointer(key));
        if self.event.props.iter().any(|(known, _)| *known == key) {
            return self.reject(pointer(&key), "is given twice");
        }
        let text = match value {
            Scalar::Text(text) => text,
            Scalar::Number(number) => Cow::Borrowed(number),
            Scalar::Bool(truth) => Cow::Borrowed(if truth { "true" } else { "false" }),
            other => return self.reject(pointer(&key), format!("{}; send a scalar", other.is_what())),
        };
        if longer_than(&text, PROP_VALUE_MAX_CHARS) {
            let detail = format!("is longer than {PROP_VALUE_MAX_CHARS} characters");
            return self.reject(pointer(&key), detail);
        }
        if self.event.props.len() < PROPS_MAX {
            self.event.props.push((key, Text::from(text)));
        } else {
            self.reject_once("/props", format!("has more than {PROPS_MAX} keys"));
        }
    }
}

const NO_KIND: &str = "is none of click, impression, page, conversion, session_end";

/// The place of a field that is plain text, and how many characters it holds.
fn slot<'e, 'a>(event: &'e mut RawEvent<'a>, field: Field) -> Option<(&'e mut Text<'a>, usize)> {
    let [sub1, sub2, sub3, sub4, sub5] = &mut event.sub;
    Some(match field {
        Field::Txid => (&mut event.postback.txid, ID_MAX_CHARS),
        Field::Name => (&mut event.name, NAME_MAX_CHARS),
        Field::Medium => (&mut event.medium, NAME_MAX_CHARS),
        Field::Sub1 => (sub1, NAME_MAX_CHARS),
        Field::Sub2 => (sub2, NAME_MAX_CHARS),
        Field::Sub3 => (sub3, NAME_MAX_CHARS),
        Field::Sub4 => (sub4, NAME_MAX_CHARS),
        Field::Sub5 => (sub5, NAME_MAX_CHARS),
        Field::CampaignId => (&mut event.campaign_id, ID_MAX_CHARS),
        Field::PublisherId => (&mut event.publisher_id, ID_MAX_CHARS),
        Field::AdId => (&mut event.ad_id, ID_MAX_CHARS),
        Field::ElementId => (&mut event.element_id, ID_MAX_CHARS),
        Field::Link => (&mut event.link, ID_MAX_CHARS),
        Field::UserId => (&mut event.user_id, ID_MAX_CHARS),
        Field::SessionId => (&mut event.session_id, ID_MAX_CHARS),
        Field::AnonymousId => (&mut event.anonymous_id, ID_MAX_CHARS),
        Field::Referrer => (&mut event.referrer, URL_MAX_BYTES),
        _ => return None,
    })
}

/// A time in milliseconds or RFC 3339.
pub(super) fn time_of(value: Scalar<'_>) -> Result<i64, Detail> {
    Ok(match value {
        Scalar::Number(number) => time::from_number(number)?,
        Scalar::Text(text) => time::parse_instant(&text)?,
        other => return Err(format!("{}; send epoch milliseconds or RFC 3339", other.is_what()).into()),
    })
}

fn amount_of(value: Scalar<'_>) -> Result<i64, Detail> {
    Ok(match value {
        Scalar::Number(number) => micros(number)?,
        Scalar::Text(text) => micros(&text)?,
        other => return Err(format!("{}; send a number", other.is_what()).into()),
    })
}

/// A word, or what stands for yes and no in JSON.
fn word_of(value: Scalar<'_>) -> Result<Cow<'_, str>, String> {
    match value {
        Scalar::Bool(true) => Ok("true".into()),
        Scalar::Bool(false) => Ok("false".into()),
        Scalar::Number(number) => Ok(number.into()),
        other => other.into_text(),
    }
}

fn page<'a>(text: Cow<'a, str>, rules: &Rules) -> Result<Text<'a>, &'static str> {
    match text {
        Cow::Borrowed(text) => page_url::parse(text, &rules.app_schemes).map(Text::from),
        Cow::Owned(text) => {
            page_url::parse(&text, &rules.app_schemes).map(|page| Text::from(page.to_owned()))
        }
    }
}

fn currency(text: Cow<'_, str>) -> Result<Text<'_>, &'static str> {
    if text.len() != 3 || !text.bytes().all(|b| b.is_ascii_alphabetic()) {
        return Err("is no ISO 4217 code of three letters");
    }
    let upper = text.bytes().all(|b| b.is_ascii_uppercase());
    Ok(if upper { Text::from(text) } else { Text::from(text.to_ascii_uppercase()) })
}

fn fits(text: &str, max_chars: usize) -> Result<(), String> {
    if longer_than(text, max_chars) {
        return Err(format!("is longer than {max_chars} characters"));
    }
    if has_control(text) {
        return Err("holds a control character".to_owned());
    }
    Ok(())
}

/// Counts characters only where the bytes leave it open.
pub(super) fn longer_than(text: &str, max_chars: usize) -> bool {
    text.len() > max_chars && text.chars().nth(max_chars).is_some()
}

#[cfg(test)]
mod tests {
    use super::super::{Facts, beacon};
    use super::*;

    const NOW: i64 = 1_790_000_000_000;

    /// The event of a body with the required fields and these.
    fn with(fields: &str) -> Result<RawEvent<'static>, Vec<String>> {
        let body =
            format!(r#"{{"event_id":"a","event_time":{NOW},"page_url":"https://example.com/",{fields}}}"#);
        let facts = Facts { received_at_ms: NOW, ..Facts::default() };
        let rules = Rules { app_schemes: vec!["shop".to_owned()], ..Rules::default() };
        let show = |reject: crate::Reject| format!("{} {}", reject.pointer, reject.detail);
        beacon(Kind::Click, body.leak().as_bytes(), &facts, &rules)
            .map_err(|rejects| rejects.into_iter().map(show).collect())
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let wrong = with(
            r#""name":5,"user_id":true,"session_id":["x"],"link":{"a":1},"sub3":"\ud800","value":false,"sent_at":{},
            "currency":"euro","props":7,"campaign_id":"a\u0007b""#,
        );
        assert_eq!(
            wrong.unwrap_err(),
            [
                "/name is a number; send a string",
                "/user_id is a boolean; send a string",
                "/session_id is an array; send a string",
                "/link is an object; send a string",
                "/sub3 is a string with half a surrogate pair in it; send a string",
                "/value is a boolean; send a number",
                "/sent_at is an object; send epoch milliseconds or RFC 3339",
                "/currency is no ISO 4217 code of three letters",
                "/props is a number; send an object",
                "/campaign_id holds a control character",
            ]
        );
    }

    #[test]
    fn a_field_that_is_given_twice_is_named() {
        assert_eq!(with(r#""name":"a","name":null"#).unwrap_err(), ["/name is given twice"]);
        assert_eq!(with(r#""event_id":"b""#).unwrap_err(), ["/event_id is given twice"]);
        assert_eq!(with(r#""props":{"a/b":1,"a/b":2}"#).unwrap_err(), ["/props/a~1b is given twice"]);
        with(r#""unknown":1,"unknown":2"#).unwrap();
    }

    #[test]
    fn texts_are_bounded_in_characters() {
        let of = |name: &str, chars: usize| with(&format!(r#""{name}":"{}""#, "é".repeat(chars)));
        for (name, max) in [("user_id", 128), ("link", 128), ("name", 200), ("sub1", 200), ("medium", 200)] {
            of(name, max).unwrap();
            assert_eq!(of(name, max + 1).unwrap_err(), [format!("/{name} is longer than {max} characters")]);
        }
        assert_eq!(of("referrer", 1_025).unwrap_err(), ["/referrer is longer than 2048 bytes"]);
        assert_eq!(of("referrer", 1_024).unwrap().referrer.len(), 2_048);
    }

    #[test]
    fn numbers_of_any_size_are_told_apart() {
        for (value, micros) in [
            ("19.99", 19_990_000),
            ("\"19.99\"", 19_990_000),
            ("1e2", 100_000_000),
            ("-0.0", 0),
            ("9007.199254740993", 9_007_199_255),
            ("0.30000000000000004", 300_000),
        ] {
            assert_eq!(with(&format!("\"value\":{value}")).unwrap().value_micros, Some(micros), "{value}");
        }
        for value in ["9007199254740993", "1e400", "-18446744073709551616", &"9".repeat(400)] {
            assert_eq!(with(&format!("\"value\":{value}")).unwrap_err(), ["/value is beyond a billion"]);
        }
        assert_eq!(with("\"value\":\"\"").unwrap().value_micros, None);
    }

    #[test]
    fn tags_are_scalars_and_few() {
        let event =
            with(r#""props":{"s":"x\n","i":9007199254740993,"f":1.10,"t":true,"n":null,"e":"","é/~":"y"}"#)
                .unwrap();
        let props: Vec<_> = event
            .props
            .iter()
            .map(|(key, value)| format!("{key}={value}", key = &**key, value = &**value))
            .collect();
        assert_eq!(props, ["s=x\n", "i=9007199254740993", "f=1.10", "t=true", "é/~=y"]);

        let many = |n: usize| (0..n).map(|i| format!("\"k{i}\":{i}")).collect::<Vec<_>>().join(",");
        assert_eq!(with(&format!("\"props\":{{{}}}", many(16))).unwrap().props.len(), 16);
        assert_eq!(
            with(&format!("\"props\":{{{}}}", many(5_000))).unwrap_err(),
            ["/props has more than 16 keys"]
        );

        let (key, value) = ("k".repeat(65), "v".repeat(513));
        let wrong = with(&format!(r#""props":{{"{key}":1,"v":"{value}","o":{{}},"a":[1],"c\u0000":1}}"#))
            .unwrap_err();
        assert!(wrong[0].starts_with("/props has a key that is longer than 64 characters"), "{wrong:?}");
        assert_eq!(
            wrong[1..4],
            [
                "/props/v is longer than 512 characters",
                "/props/o is an object; send a scalar",
                "/props/a is an array; send a scalar"
            ]
        );
        assert!(wrong[4].starts_with("/props has a key that holds a control character"), "{wrong:?}");
    }

    #[test]
    fn unknown_fields_are_skipped_but_not_at_any_depth() {
        with(r#""x":{"event_id":[1,{"y":"\ud800"}]},"z":1e999"#).unwrap();
        let deep = |n: usize| format!("\"a/b\":{}{}", "[".repeat(n), "]".repeat(n));
        with(&deep(64)).unwrap();
        assert_eq!(with(&deep(100_000)).unwrap_err(), ["/a~1b is nested deeper than 64 levels"]);
    }

    #[test]
    fn an_escaped_text_is_the_text() {
        let event =
            with(r#""name":"\u00e9\ud83d\ude00\"","referrer":"shop:\/\/x","currency":"eUr""#).unwrap();
        assert_eq!([&*event.name, &event.referrer, &event.currency], ["é😀\"", "shop://x", "EUR"]);
    }
}
