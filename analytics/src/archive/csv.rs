//! Events as rows of a table.

use serde_json::Value;

use crate::cell::push_cell;

/// The columns: every name that a line of an event can have, in its order. Only ever added to, at the end.
pub const COLUMNS: [&str; 75] = [
    "event_id",
    "kind",
    "verdict",
    "effective_time_ms",
    "time_source",
    "received_at_ms",
    "event_time_ms",
    "sent_at_ms",
    "source",
    "trigger",
    "link",
    "campaign_id",
    "name",
    "page_url",
    "query",
    "referrer",
    "publisher_id",
    "medium",
    "ad_id",
    "element_id",
    "user_id",
    "session_id",
    "anonymous_id",
    "sub1",
    "sub2",
    "sub3",
    "sub4",
    "sub5",
    "variant",
    "country",
    "region",
    "city",
    "continent",
    "time_zone",
    "ip",
    "user_agent",
    "accept_language",
    "ua_brands",
    "ua_mobile",
    "ua_platform",
    "currency",
    "txid",
    "value_micros",
    "status",
    "click_ms",
    "cost_nanos",
    "cost_currency",
    "payout_nanos",
    "payout_currency",
    "asn",
    "hints",
    "visitor",
    "props",
    "device",
    "browser",
    "browser_version",
    "os",
    "os_version",
    "brand",
    "in_app",
    "bot_reasons",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "click_network",
    "referrer_host",
    "channel",
    "language",
    "rules_version",
    "ua_model",
    "ua_platform_version",
    "device_model",
    "took_ms",
];

/// The first line of a CSV, with its line end.
pub fn csv_header() -> String {
    COLUMNS.join(",") + "\r\n"
}

/// Appends an event's row, with its line end: what is absent is an empty cell; reasons stand between spaces, tags are JSON.
/// Texts that a spreadsheet would run as a formula are guarded by an apostrophe; numbers are numbers.
///
/// # Errors
/// No line.
pub fn write_csv(line: &str, out: &mut String) -> Result<(), serde_json::Error> {
    let line: Value = serde_json::from_str(line)?;
    for (at, name) in COLUMNS.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        match line.get(name) {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) => push_cell(out, text),
            Some(Value::Array(list)) => {
                let names: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
                push_cell(out, &names.join(" "));
            }
            Some(tags @ Value::Object(_)) => push_cell(out, &tags.to_string()),
            Some(number) => out.push_str(&number.to_string()),
        }
    }
    out.push_str("\r\n");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::write_event;
    use crate::world::{NOW, event};
    use crate::{Kind, RawEvent, enrich};

    fn row(raw: RawEvent<'_>) -> Vec<(&'static str, String)> {
        let (mut line, mut row) = (String::new(), String::new());
        write_event(&enrich(raw), &mut line);
        write_csv(&line, &mut row).unwrap();
        let cells = row.strip_suffix("\r\n").unwrap().split(',').map(str::to_owned);
        COLUMNS.into_iter().zip(cells).filter(|(_, cell)| !cell.is_empty()).collect()
    }

    #[test]
    fn a_cell_is_where_its_column_says() {
        let raw = RawEvent {
            value_micros: Some(-5),
            currency: "EUR".into(),
            ..event(Kind::Conversion, NOW, "c", "l")
        };
        let row = row(raw);
        let cell = |name: &str| row.iter().find(|(column, _)| *column == name).unwrap().1.clone();
        assert_eq!([cell("kind"), cell("link"), cell("campaign_id")], ["conversion", "l", "c"]);
        assert_eq!([cell("value_micros"), cell("effective_time_ms")], ["-5", "1790000000000"]);
        assert_eq!(row.last().unwrap(), &("rules_version", "5".to_owned()));
    }

    #[test]
    fn a_text_that_is_a_formula_is_guarded() {
        let row = row(RawEvent { name: "=cmd|'/C calc'!A0".into(), ..event(Kind::Page, NOW, "@x", "") });
        let guarded: Vec<_> = row.iter().filter(|(_, cell)| cell.starts_with('\'')).collect();
        assert_eq!(guarded, [&("campaign_id", "'@x".to_owned()), &("name", "'=cmd|'/C calc'!A0".to_owned())]);
    }
}
