//! A tracked event as receivers and sinks get it.

use std::fmt::Write;

use analytics::TrackedEvent;

/// The event as one line of JSON, flat. What is absent, empty or zero is left out. It names no visitor but by the ids that
/// the customer gave.
pub fn line(event: &TrackedEvent<'_>) -> String {
    let raw = &event.raw;
    let mut out = String::with_capacity(512);
    // `fmt::Write` for a String cannot fail.
    let _ = write!(out, r#"{{"event_id":"{}""#, raw.id);
    text(&mut out, "kind", raw.kind.name());
    text(&mut out, "verdict", event.bot.verdict.name());
    number(&mut out, "effective_time_ms", event.effective_time_ms);
    number(&mut out, "received_at_ms", raw.received_at_ms);
    text(&mut out, "source", raw.source.name());
    text(&mut out, "trigger", raw.trigger.name());
    for (name, value) in [
        ("link", &raw.link),
        ("campaign_id", &raw.campaign_id),
        ("name", &raw.name),
        ("page_url", &raw.page_url),
        ("query", &raw.query),
        ("referrer", &raw.referrer),
        ("publisher_id", &raw.publisher_id),
        ("medium", &raw.medium),
        ("ad_id", &raw.ad_id),
        ("element_id", &raw.element_id),
        ("user_id", &raw.user_id),
        ("session_id", &raw.session_id),
        ("anonymous_id", &raw.anonymous_id),
        ("variant", &raw.variant),
        ("country", &raw.country),
        ("region", &raw.region),
        ("city", &raw.city),
        ("continent", &raw.continent),
        ("time_zone", &raw.time_zone),
        ("ip", &raw.ip),
        ("user_agent", &raw.user_agent),
        ("currency", &raw.currency),
    ] {
        text(&mut out, name, value);
    }
    for (name, value) in ["sub1", "sub2", "sub3", "sub4", "sub5"].into_iter().zip(&raw.sub) {
        text(&mut out, name, value);
    }
    text(&mut out, "device", event.agent.device.name());
    text(&mut out, "browser", event.agent.browser);
    text(&mut out, "os", event.agent.os);
    text(&mut out, "channel", event.channel.name());
    text(&mut out, "referrer_host", &event.referrer_host);
    text(&mut out, "language", &event.language);
    text(&mut out, "utm_source", &event.utm.source);
    text(&mut out, "utm_medium", &event.utm.medium);
    text(&mut out, "utm_campaign", &event.utm.campaign);
    number(&mut out, "value_micros", raw.value_micros.unwrap_or(0));
    number(&mut out, "cost_nanos", event.cost_nanos);
    number(&mut out, "asn", raw.asn.into());
    out.push('}');
    out
}

fn text(out: &mut String, name: &str, value: &str) {
    if !value.is_empty() {
        let _ = write!(out, r#","{name}":{}"#, serde_json::Value::from(value));
    }
}

fn number(out: &mut String, name: &str, value: i64) {
    if value != 0 {
        let _ = write!(out, r#","{name}":{value}"#);
    }
}
