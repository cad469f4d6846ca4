//! Points in time as the API reads and writes them.

use serde_json::Value;

use crate::calendar;
use crate::time::REPRESENTABLE_MS;

/// Below this, a number of milliseconds lies before March 1973; it is a number of seconds.
const SMALLEST_MS: i64 = 100_000_000_000;

/// Reads RFC 3339 or epoch milliseconds.
///
/// # Errors
/// Neither, or before 1970.
pub fn parse(value: &Value) -> Result<i64, &'static str> {
    let moment = match value {
        Value::String(text) => calendar::parse_instant(text.trim()),
        Value::Number(number) => match number.as_i64() {
            Some(ms) if (0..SMALLEST_MS).contains(&ms) => {
                return Err("looks like seconds; send milliseconds");
            }
            ms => ms,
        },
        _ => None,
    };
    match moment {
        Some(ms) if (0..=*REPRESENTABLE_MS.end()).contains(&ms) => Ok(ms),
        _ => Err("is neither RFC 3339 (2026-01-31T12:00:00Z) nor epoch milliseconds"),
    }
}

/// RFC 3339 in UTC, to the millisecond.
pub fn format(ms: i64) -> Option<String> {
    REPRESENTABLE_MS.contains(&ms).then(|| calendar::utc(ms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_spellings_are_the_same_moment() {
        let ms = 1_790_000_000_123;
        assert_eq!(parse(&json!(ms)), Ok(ms));
        assert_eq!(parse(&json!("2026-09-21T14:13:20.123Z")), Ok(ms));
        assert_eq!(parse(&json!("2026-09-21T16:13:20.123+02:00")), Ok(ms));
        assert_eq!(format(ms).as_deref(), Some("2026-09-21T14:13:20.123Z"));
        assert_eq!(format(1_790_000_000_000).as_deref(), Some("2026-09-21T14:13:20.000Z"));
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        assert!(parse(&json!(1_790_000_000)).unwrap_err().contains("seconds"));
        for bad in
            [json!("tomorrow"), json!(""), json!(1.5), json!(-1), json!(u64::MAX), json!(i64::MAX), json!([])]
        {
            assert!(parse(&bad).unwrap_err().contains("RFC 3339"), "{bad}");
        }
        assert_eq!(format(i64::MAX), None);
    }
}
