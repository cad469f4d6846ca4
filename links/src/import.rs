//! Other products' names for a link's fields.

use std::borrow::Cow;

use serde_json::Value;

/// Our field and value for theirs.
pub fn alias<'a>(name: &'a str, value: &'a Value) -> (&'a str, Cow<'a, Value>) {
    (name, Cow::Borrowed(value))
}
