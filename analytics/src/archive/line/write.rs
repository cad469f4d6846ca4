//! Writing a line.

use std::fmt::Write;
use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::escape::{escaped, quoted};
use super::{Copies, TEXTS, start};
use crate::conversion::Status;
use crate::enrich::RULES_VERSION;
use crate::{Hints, Kind, TrackedEvent};

/// So many of them stand together; those that are younger stand at the end.
const TOGETHER: usize = 32;

/// Writes an event's line, with its end.
pub fn write_event(event: &TrackedEvent<'_>, out: &mut String) {
    let raw = &event.raw;
    out.push_str(r#"{"record":"event""#);
    out.push_str(r#","event_id":""#);
    raw.id.write(out);
    out.push('"');
    word(out, start!("kind"), raw.kind.name());
    word(out, start!("verdict"), event.bot.verdict.name());
    let mut last = (event.effective_time_ms, number(out, "effective_time_ms", event.effective_time_ms));
    word(out, start!("time_source"), event.time_source.name());
    repeated(out, "received_at_ms", raw.received_at_ms, &mut last);
    repeated(out, "event_time_ms", raw.event_time_ms, &mut last);
    if let Some(sent_at_ms) = raw.sent_at_ms {
        repeated(out, "sent_at_ms", sent_at_ms, &mut last);
    }
    word(out, start!("source"), raw.source.name());
    word(out, start!("trigger"), raw.trigger.name());
    for (_, start, get, _) in TEXTS.iter().take(TOGETHER) {
        text(out, start, get(raw));
    }
    if let Some(value_micros) = raw.value_micros {
        number(out, "value_micros", value_micros);
    }
    if raw.kind == Kind::Conversion || raw.postback.status != Status::default() {
        word(out, start!("status"), raw.postback.status.name());
    }
    if let Some(click_ms) = raw.click_ms {
        number(out, "click_ms", click_ms);
    }
    if event.cost_nanos != 0 {
        number(out, "cost_nanos", event.cost_nanos);
    }
    text(out, start!("cost_currency"), &event.cost_currency);
    if event.payout_nanos != 0 {
        number(out, "payout_nanos", event.payout_nanos);
    }
    text(out, start!("payout_currency"), &event.payout_currency);
    if raw.asn != 0 {
        number(out, "asn", raw.asn.into());
    }
    if raw.hints != Hints::default() {
        number(out, "hints", raw.hints.bits().into());
    }
    if raw.visitor != 0 {
        // Not a number: JavaScript and half of the world's databases have 53 bits for those, or 63.
        out.push_str(r#","visitor":""#);
        let digit = |place: u32| char::from_digit((raw.visitor >> (4 * place)) as u32 & 15, 16);
        out.extend((0..16).rev().filter_map(digit));
        out.push('"');
    }
    if let Some(unique) = raw.unique {
        let _ = write!(out, r#","unique":"{unique:016x}""#);
    }
    if !raw.props.is_empty() {
        out.push_str(r#","props":"#);
        for (at, (key, value)) in raw.props.iter().enumerate() {
            out.push(if at == 0 { '{' } else { ',' });
            quoted(out, key);
            out.push(':');
            quoted(out, value);
        }
        out.push('}');
    }
    word(out, start!("device"), event.agent.device.name());
    word(out, start!("browser"), event.agent.browser);
    word(out, start!("browser_version"), event.agent.browser_version);
    word(out, start!("os"), event.agent.os);
    word(out, start!("os_version"), event.agent.os_version);
    word(out, start!("brand"), event.agent.brand);
    if event.agent.in_app {
        out.push_str(r#","in_app":true"#);
    }
    if !event.bot.reasons.is_empty() {
        out.push_str(r#","bot_reasons":"#);
        for (at, reason) in event.bot.reasons.iter().enumerate() {
            out.push(if at == 0 { '[' } else { ',' });
            quoted(out, reason);
        }
        out.push(']');
    }
    text(out, start!("utm_source"), &event.utm.source);
    text(out, start!("utm_medium"), &event.utm.medium);
    text(out, start!("utm_campaign"), &event.utm.campaign);
    text(out, start!("utm_term"), &event.utm.term);
    text(out, start!("utm_content"), &event.utm.content);
    word(out, start!("click_network"), event.click_network);
    text(out, start!("referrer_host"), &event.referrer_host);
    word(out, start!("channel"), event.channel.name());
    text(out, start!("language"), &event.language);
    number(out, "rules_version", RULES_VERSION.into());
    for (_, start, get, _) in TEXTS.iter().skip(TOGETHER) {
        text(out, start, get(raw));
    }
    text(out, start!("device_model"), event.model());
    if raw.took_ms != 0 {
        number(out, "took_ms", raw.took_ms.into());
    }
    out.push_str("}\n");
}

/// Writes the line of copies, with its end.
pub fn write_copies(copies: &Copies, out: &mut String) {
    out.push_str(r#"{"record":"copies""#);
    word(out, start!("kind"), copies.kind.name());
    number(out, "effective_time_ms", copies.at_ms);
    text(out, start!("link"), &copies.link);
    text(out, start!("campaign_id"), &copies.campaign_id);
    number(out, "times", copies.times as i64);
    out.push_str("}\n");
}

/// Writes the line of what followed from a journey, with its end.
pub fn write_outcome(at_ms: i64, body: &[u8], out: &mut String) {
    out.push_str(r#"{"record":"outcome""#);
    number(out, "effective_time_ms", at_ms);
    text(out, start!("body"), &STANDARD_NO_PAD.encode(body));
    out.push_str("}\n");
}

fn text(out: &mut String, start: &str, value: &str) {
    if !value.is_empty() {
        out.push_str(start);
        escaped(out, value);
        out.push('"');
    }
}

/// A text of our own, in which there is nothing to escape.
fn word(out: &mut String, start: &str, word: &str) {
    if !word.is_empty() {
        out.push_str(start);
        out.push_str(word);
        out.push('"');
    }
}

/// A number that often is the last one that was written, whose digits then are copied.
fn repeated(out: &mut String, name: &str, value: i64, last: &mut (i64, Range<usize>)) {
    if value == last.0 {
        key(out, name);
        out.extend_from_within(last.1.clone());
    } else {
        *last = (value, number(out, name, value));
    }
}

/// A number; where its digits stand.
pub(super) fn number(out: &mut String, name: &str, value: i64) -> Range<usize> {
    key(out, name);
    let begin = out.len();
    // The digits from the last on; the formatter's machinery is ten times as long.
    let (mut digits, mut at, mut rest) = ([b'0'; 20], 20, value.unsigned_abs());
    for (place, digit) in digits.iter_mut().enumerate().rev() {
        (*digit, at, rest) = (b'0' + (rest % 10) as u8, place, rest / 10);
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push('-');
    }
    out.push_str(digits.get(at..).and_then(|digits| str::from_utf8(digits).ok()).unwrap_or_default());
    begin..out.len()
}

fn key(out: &mut String, name: &str) {
    out.push_str(",\"");
    out.push_str(name);
    out.push_str("\":");
}
