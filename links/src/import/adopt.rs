//! The peers' names for our fields, in `POST` and `PATCH /api/links`.

use std::borrow::Cow;

use analytics::Reject;
use analytics::fields::{Fields, pointer};
use serde_json::Value;

use super::Format;
use super::words::{self, Meaning};

/// One member of a body.
#[derive(Debug, Clone, PartialEq)]
pub struct Word<'a> {
    /// Its name as the client wrote it, for pointers.
    pub written: &'a str,
    /// The field that is meant; what is no name of a field is as it was written.
    pub field: &'a str,
    /// Its value. Null stays null, so that a patch can clear.
    pub value: Cow<'a, Value>,
}

/// The field of ours that a name means, where it means one and no more: `longUrl` is `url`, `slug` is `token`.
/// Others are returned as they are.
pub fn alias(name: &str) -> &str {
    match words::meaning(name, Format::Json) {
        Some(Meaning::Field(field, _)) => field,
        _ => name,
    }
}

/// A body in our words. The value of a field under our own name is left alone; under another name it is
/// read as that service writes it (`forwardQuery: false` is `query: "off"`, `expiration` counts seconds) where it can
/// be, and otherwise left for the field to refuse.
///
/// # Errors
/// One field under two names.
pub fn adopt(fields: &Fields, now_ms: i64) -> Result<Vec<Word<'_>>, Vec<Reject>> {
    let mut words: Vec<Word<'_>> = Vec::new();
    let mut rejects = Vec::new();
    for (name, value) in fields.iter() {
        let word = word(name, value, now_ms);
        match words.iter().find(|earlier| earlier.field == word.field) {
            None => words.push(word),
            Some(earlier) => {
                rejects.push(Reject::new(pointer(name), format!("says the same as {}", earlier.written)));
            }
        }
    }
    if rejects.is_empty() { Ok(words) } else { Err(rejects) }
}

fn word<'a>(written: &'a str, value: &'a Value, now_ms: i64) -> Word<'a> {
    let as_it_is = |field| Word { written, field, value: Cow::Borrowed(value) };
    match words::meaning(written, Format::Json) {
        Some(Meaning::Field(field, kind)) if field != written && !value.is_null() => {
            let value = kind.read(value, now_ms).map_or(Cow::Borrowed(value), Cow::Owned);
            Word { value, ..as_it_is(field) }
        }
        Some(Meaning::Field(field, _)) => as_it_is(field),
        _ => as_it_is(written),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_peers_names_mean_our_fields() {
        for (name, field) in [
            ("longUrl", "url"),
            ("long_url", "url"),
            ("target", "url"),
            ("destination", "url"),
            ("originalURL", "url"),
            ("slug", "token"),
            ("key", "token"),
            ("customSlug", "token"),
            ("slashtag", "token"),
            ("path", "token"),
            ("keyword", "token"),
            ("shortCode", "token"),
            ("address", "token"),
            ("comments", "note"),
            ("comment", "note"),
            ("description", "note"),
            ("tagNames", "tags"),
            ("externalId", "external_id"),
            ("expiresAt", "expires_at"),
            ("expiration", "expires_at"),
            ("validUntil", "expires_at"),
            ("expire_in", "expires_at"),
            ("validSince", "starts_at"),
            ("expiredURL", "expired_url"),
            ("maxVisits", "max_clicks"),
            ("clicksLimit", "max_clicks"),
            ("redirectType", "status"),
            ("redirectWithQuery", "query"),
        ] {
            assert_eq!(alias(name), field);
        }
        for name in ["url", "token", "id", "short_url", "ios", "geo", "nonsense", "expires_on", "version"] {
            assert_eq!(alias(name), name);
        }
    }

    fn adopted(body: &Value) -> Result<Value, Vec<Reject>> {
        let fields = Fields::read(body.to_string().as_bytes()).unwrap();
        let words = adopt(&fields, 1_000)?;
        Ok(words.iter().map(|word| (word.field.to_owned(), word.value.clone().into_owned())).collect())
    }

    #[test]
    fn values_are_read_as_their_service_writes_them() {
        let body = json!({
            "longUrl": "https://e.com/", "forwardQuery": false, "expiration": 1_790_000_000, "maxVisits": "x",
            "comments": null, "title": 7, "other": true,
        });
        let ours = json!({
            "url": "https://e.com/", "query": "off", "expires_at": 1_790_000_000_000_i64, "max_clicks": "x",
            "note": null, "title": 7, "other": true,
        });
        assert_eq!(adopted(&body), Ok(ours));
    }

    #[test]
    fn a_field_under_our_name_is_left_alone() {
        let body = json!({"expires_at": 1_790_000_000, "tags": "a,b", "status": "302"});
        assert_eq!(adopted(&body), Ok(body));
    }

    #[test]
    fn one_field_under_two_names_is_refused() {
        let rejects = adopted(&json!({"longUrl": "https://e.com/1", "url": "https://e.com/2"})).unwrap_err();
        assert_eq!(rejects, [Reject::new("/url", "says the same as longUrl")]);
    }
}
