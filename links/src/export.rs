//! Links as lines of text, written one at a time, so that a million of them never stand in memory together.
//! [`crate::import::read`] reads them back.
//!
//! ```
//! # use links::{export, import};
//! # let link = serde_json::json!({"token": "demo", "url": "https://example.com/", "tags": ["a", "b"]});
//! let file = export::csv_header() + &export::csv_row(&link);
//! let line = import::read(file.as_bytes(), "text/csv", import::Format::Auto, 0).unwrap().next().unwrap();
//! assert_eq!(line.result.unwrap(), *link.as_object().unwrap());
//! ```

use std::borrow::Cow;

use analytics::cell::{is_formula, push_cell};
use serde_json::Value;

/// The columns of the CSV. There is no `password`: nobody is told it.
const COLUMNS: [&str; 34] = [
    "token",
    "domain",
    "url",
    "status",
    "title",
    "note",
    "tags",
    "folder",
    "external_id",
    "campaign_id",
    "publisher_id",
    "medium",
    "ad_id",
    "starts_at",
    "expires_at",
    "expired_url",
    "fallback_url",
    "max_clicks",
    "query",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "append_click_id",
    "archived",
    "rules",
    "variants",
    "social",
    "short_url",
    "created_at",
    "updated_at",
    "version",
    "honeypot",
];

/// The names of the columns, in order.
pub fn columns() -> impl Iterator<Item = &'static str> {
    COLUMNS.into_iter()
}

/// The first line of a CSV, with its line end.
pub fn csv_header() -> String {
    COLUMNS.join(",") + "\r\n"
}

/// A link's line of a CSV (RFC 4180), with its line end. `link` is what the API answers; what is absent, null or
/// empty is an empty cell; tags stand between `|`, rules, variants and the preview are JSON.
pub fn csv_row(link: &Value) -> String {
    let mut row = String::with_capacity(256);
    for (at, name) in columns().enumerate() {
        if at > 0 {
            row.push(',');
        }
        let text = match link.get(name) {
            None | Some(Value::Null) => Cow::Borrowed(""),
            Some(Value::String(text)) => Cow::Borrowed(text.as_str()),
            Some(Value::Array(list)) if list.is_empty() => Cow::Borrowed(""),
            Some(value) if name == "tags" => Cow::Owned(tags(value)),
            Some(value) => Cow::Owned(value.to_string()),
        };
        push_cell(&mut row, &text);
    }
    row.push_str("\r\n");
    row
}

/// A link's line of JSON, with its line end.
pub fn ndjson_row(link: &Value) -> String {
    link.to_string() + "\n"
}

/// Names between `|`; JSON where a name would not be read back from that.
fn tags(value: &Value) -> String {
    let plain = |name: &&str| {
        !name.is_empty() && name.trim() == *name && !name.starts_with('[') && !name.contains(['|', ','])
    };
    let names: Option<Vec<&str>> =
        value.as_array().and_then(|list| list.iter().map(|name| name.as_str().filter(plain)).collect());
    names.map_or_else(|| value.to_string(), |names| names.join("|"))
}

/// The cell without the guard that [`csv_row`] has set before it.
pub(crate) fn unguarded(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|text| is_formula(text)).unwrap_or(cell)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{self, Format, Line};
    use proptest::prelude::*;
    use serde_json::json;

    fn read(file: &str, format: Format) -> Vec<Line> {
        import::read(file.as_bytes(), "", format, 0).unwrap().collect()
    }

    #[test]
    fn a_row_is_pinned() {
        let link = json!({
            "token": "demo", "url": "https://example.com/?a=1,2", "status": 302, "title": "=1+1 \"x\"", "note": null,
            "tags": ["a b", "c"], "max_clicks": 5, "query": "append", "archived": false, "variants": [],
            "rules": [{"when": {"os": ["ios"]}, "url": "https://example.com/i"}], "version": 3,
        });
        assert_eq!(
            csv_row(&link),
            concat!(
                r#"demo,,"https://example.com/?a=1,2",302,"'=1+1 ""x""",,a b|c,,,,,,,,,,,5,append,,,,,,,false,"#,
                r#""[{""url"":""https://example.com/i"",""when"":{""os"":[""ios""]}}]",,,,,,3,"#,
                "\r\n"
            )
        );
    }

    #[test]
    fn no_cell_begins_as_a_formula() {
        for title in ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "＝1", "'=1"] {
            let row = csv_row(&json!({"title": title}));
            let cell = row.split(',').nth(4).unwrap().trim_start_matches('"');
            assert!(cell.starts_with('\''), "{row:?}");
            let file = csv_header() + &csv_row(&json!({"token": "x", "title": title}));
            assert_eq!(read(&file, Format::Auto)[0].result.as_ref().unwrap()["title"], title);
        }
        assert_eq!(unguarded("'tis"), "'tis");
    }

    /// What the API answers for an empty field, the import leaves out.
    fn without_empty(link: &Value) -> Value {
        let members = link.as_object().unwrap().iter();
        let services = ["short_url", "created_at", "updated_at", "version"];
        let kept = members.filter(|(name, value)| {
            **value != Value::Null
                && **value != json!("")
                && **value != json!([])
                && !services.contains(&&***name)
        });
        kept.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    fn text() -> impl Strategy<Value = String> {
        // Not of white space alone: that is empty to people.
        let awkward = "[-=+@'\"|,;\\[\\]\t\r\n a-zäß東]{0,12}";
        prop_oneof![any::<String>(), awkward.prop_map(|text: String| text), "\\PC{0,40}"]
            .prop_filter("blank", |text: &String| text.is_empty() || !text.trim().is_empty())
    }

    fn rules() -> impl Strategy<Value = Value> {
        let rule = (text(), text(), text()).prop_map(|(value, name, url)| {
            json!({"when": {"city": [value], "query": {name: null}, "bot": false}, "url": url})
        });
        proptest::collection::vec(rule, 0..3).prop_map(Value::from)
    }

    prop_compose! {
        fn any_link()(
            token in "[a-z]{1,8}", texts in proptest::collection::vec(text(), 18), status in 301..309,
            tags in proptest::collection::vec(text(), 0..4), max_clicks: Option<u32>, archived: bool, off: bool,
            starts_at in proptest::option::of(100_000_000_000_i64..4_000_000_000_000), rules in rules(),
            weight: u16, preview in text(),
        ) -> Value {
            let mut link = json!({
                "token": token, "status": status, "tags": tags, "max_clicks": max_clicks, "archived": archived,
                "query": if off { "off" } else { "append" }, "starts_at": starts_at,
                "expires_at": "2030-01-01T00:00:00.000Z", "rules": rules, "short_url": "https://e.com/r/x",
                "variants": [{"name": preview, "url": "https://e.com/", "weight": weight}],
                "social": {"title": preview}, "created_at": "2026-01-01T00:00:00.000Z", "version": 3,
            });
            let names = [
                "domain", "url", "title", "note", "folder", "external_id", "campaign_id", "publisher_id", "medium",
                "ad_id", "expired_url", "fallback_url", "utm_source", "utm_medium", "utm_campaign", "utm_term",
                "utm_content", "append_click_id",
            ];
            for (name, text) in names.iter().zip(texts) {
                link[*name] = text.into();
            }
            link
        }
    }

    proptest! {
        #[test]
        fn an_export_is_read_back_whole(links in proptest::collection::vec(any_link(), 2..4)) {
            let csv = csv_header() + &links.iter().map(csv_row).collect::<String>();
            let ndjson: String = links.iter().map(ndjson_row).collect();
            let json = Value::from(links.clone()).to_string();
            for (file, format) in [(csv, Format::Csv), (ndjson, Format::Ndjson), (json, Format::Json)] {
                let lines = read(&file, Format::Auto);
                prop_assert_eq!(import::read(file.as_bytes(), "", Format::Auto, 0).unwrap().format(), format);
                prop_assert_eq!(lines.len(), links.len());
                for (line, link) in lines.iter().zip(&links) {
                    prop_assert_eq!(line.result.clone().map(Value::from), Ok(without_empty(link)));
                    prop_assert!(line.warnings.is_empty(), "{:?}", line.warnings);
                }
            }
        }
    }
}
