//! Values in the spellings of other services.

use analytics::moment;
use serde_json::Value;

/// Numbers below this count seconds, as Sink's `expiration` does; in milliseconds it is March 1973.
const SMALLEST_MS: i64 = 100_000_000_000;

/// How the value of a field is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Text,
    Integer,
    Flag,
    Moment,
    /// How long from now, or a moment: `expire_in` of Kutt.
    Lifetime,
    Tags,
    Json,
    /// Whether the visitor's query is passed on.
    Forward,
    /// Whether it is not.
    Skip,
}

impl Kind {
    /// The value as [`crate::Link::create`] takes it. What it cannot mean but might refuse better is left as it
    /// is.
    pub(super) fn read(self, value: &Value, now_ms: i64) -> Result<Value, &'static str> {
        match self {
            Self::Text => match value {
                Value::String(_) => Ok(value.clone()),
                Value::Number(number) => Ok(number.to_string().into()),
                _ => Err("is not text"),
            },
            Self::Integer => integer(value).map(Value::from).ok_or("is not a whole number"),
            Self::Flag => flag(value).map(Value::from).ok_or("is neither true nor false"),
            Self::Moment => Ok(moment(value)),
            Self::Lifetime => {
                let until = value.as_str().and_then(lifetime_ms).map(|ms| now_ms.saturating_add(ms));
                Ok(until.map_or_else(|| moment(value), Value::from))
            }
            Self::Tags => tags(value).ok_or("is not a list of names"),
            Self::Json => match value.as_str() {
                Some(text) => serde_json::from_str(text).map_err(|_| "is not JSON"),
                None => Ok(value.clone()),
            },
            Self::Forward | Self::Skip => {
                let passed = flag(value).ok_or("is neither true nor false")? == (self == Self::Forward);
                Ok(if passed { "append" } else { "off" }.into())
            }
        }
    }
}

/// Null, and what a form or a spreadsheet leaves behind in an empty field.
pub(super) fn is_absent(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// Whether the value asks for something: what is off, or counts none, need not be kept.
pub(super) fn is_set(value: &Value) -> bool {
    if let Value::Object(members) = value {
        return members.values().any(is_set);
    }
    !is_absent(value) && flag(value) != Some(false) && integer(value) != Some(0)
}

pub(super) fn integer(value: &Value) -> Option<i64> {
    match value {
        // JavaScript's and Python's clocks give out floats: 1590155813000.0.
        Value::Number(number) => number.as_i64().or_else(|| {
            number
                .as_f64()
                .filter(|float| float.fract() == 0.0 && float.abs() < 9e15)
                .map(|float| float as i64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

pub(super) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => {
            let is = |words: [&str; 4]| words.iter().any(|word| text.trim().eq_ignore_ascii_case(word));
            if is(["true", "yes", "on", "1"]) {
                Some(true)
            } else {
                is(["false", "no", "off", "0"]).then_some(false)
            }
        }
        _ => integer(value).filter(|number| matches!(number, 0 | 1)).map(|number| number == 1),
    }
}

/// Milliseconds, or text that [`moment::parse`] takes where it is a date at all. A date without a zone is UTC.
pub(super) fn moment(value: &Value) -> Value {
    if let Some(number) = integer(value) {
        let seconds = (1..SMALLEST_MS).contains(&number);
        return Value::from(if seconds { number.saturating_mul(1_000) } else { number });
    }
    let Some(text) = value.as_str().map(str::trim) else { return value.clone() };
    let candidates =
        [text.to_owned(), format!("{}Z", text.replacen(' ', "T", 1)), format!("{text}T00:00:00Z")];
    let read = |text: String| Some(Value::from(text)).filter(|text| moment::parse(text).is_ok());
    candidates.into_iter().find_map(read).unwrap_or_else(|| value.clone())
}

/// `2 days`, `8h`, `42 minutes`: what the package `ms` reads, of which Kutt makes a date.
fn lifetime_ms(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(digits)?;
    let ms = match unit.trim_start() {
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        "w" | "week" | "weeks" => 7 * 86_400_000,
        "y" | "yr" | "yrs" | "year" | "years" => 31_557_600_000,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(ms)
}

/// Names, objects with a name (Dub, Rebrandly), or one text of names between `|` or else commas.
fn tags(value: &Value) -> Option<Value> {
    let list = match value {
        Value::Array(list) => list.clone(),
        Value::String(text) if text.starts_with('[') => serde_json::from_str(text).ok()?,
        Value::String(text) => {
            let separator = if text.contains('|') { '|' } else { ',' };
            let names = text.split(separator).map(str::trim).filter(|name| !name.is_empty());
            return Some(names.collect());
        }
        _ => return None,
    };
    let name = |tag: Value| match tag {
        Value::String(_) => Some(tag),
        tag => tag.get("name").filter(|name| name.is_string()).cloned(),
    };
    list.into_iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn moments_are_read_in_every_spelling_of_the_peers() {
        let ms = 1_790_000_000_000_i64;
        for value in [json!(ms), json!("1790000000000"), json!(1_790_000_000), json!(1_790_000_000_000.0)] {
            assert_eq!(moment(&value), json!(ms), "{value}");
        }
        for text in ["2026-09-21T14:13:20Z", "2026-09-21 14:13:20", " 2026-09-21T14:13:20.000 "] {
            assert_eq!(moment::parse(&moment(&json!(text))), Ok(ms), "{text}");
        }
        assert_eq!(moment(&json!("2026-09-21")), "2026-09-21T00:00:00Z");
        assert_eq!(moment(&json!("soon")), "soon");
    }

    #[test]
    fn a_lifetime_counts_from_now() {
        for (text, ms) in [("2 days", 172_800_000), ("8h", 28_800_000), ("1m", 60_000)] {
            assert_eq!(Kind::Lifetime.read(&json!(text), 1_000), Ok(json!(1_000 + ms)), "{text}");
        }
        let at = json!("2026-09-21T14:13:20Z");
        assert_eq!(Kind::Lifetime.read(&at, 1_000), Ok(at));
        assert_eq!(lifetime_ms("99999999999999999 days"), None);
    }

    #[test]
    fn flags_and_numbers_may_be_text() {
        assert_eq!(Kind::Flag.read(&json!("Yes"), 0), Ok(json!(true)));
        assert_eq!(Kind::Forward.read(&json!(false), 0), Ok(json!("off")));
        assert_eq!(Kind::Skip.read(&json!("0"), 0), Ok(json!("append")));
        assert_eq!(Kind::Integer.read(&json!(" 302"), 0), Ok(json!(302)));
        assert_eq!(Kind::Integer.read(&json!(1.5), 0), Err("is not a whole number"));
        assert_eq!(Kind::Flag.read(&json!("maybe"), 0), Err("is neither true nor false"));
        assert_eq!(Kind::Text.read(&json!(true), 0), Err("is not text"));
    }

    #[test]
    fn tags_are_names_however_they_are_put() {
        let names = Ok(json!(["a", "b c"]));
        for value in
            [json!(["a", "b c"]), json!([{"name": "a"}, {"name": "b c"}]), json!("a|b c"), json!("a, b c")]
        {
            assert_eq!(Kind::Tags.read(&value, 0), names, "{value}");
        }
        assert_eq!(Kind::Tags.read(&json!("a,b | c"), 0), Ok(json!(["a,b", "c"])));
        assert_eq!(Kind::Tags.read(&json!([1]), 0), Err("is not a list of names"));
    }
}
