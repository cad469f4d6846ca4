//! One value of a JSON object, told apart by its first byte.

use std::borrow::Cow;

/// A value as the client wrote it. A number stays text: what it means (a time, an amount, a tag) is decided by
/// its field, and no float comes in between.
#[derive(Debug)]
pub(super) enum Scalar<'a> {
    Null,
    Bool(bool),
    Number(&'a str),
    Text(Cow<'a, str>),
    /// A string that no text can be made of: half of a surrogate pair.
    Broken,
    Array,
    Object(&'a str),
}

impl<'a> Scalar<'a> {
    /// The value of a JSON text that the parser has found well formed.
    pub(super) fn of_json(json: &'a str) -> Self {
        match Self::of_plain(json) {
            Self::Text(inner) if inner.contains('\\') => match serde_json::from_str(json) {
                Ok(text) => Self::Text(Cow::Owned(text)),
                Err(_) => Self::Broken,
            },
            plain => plain,
        }
    }

    /// The same of a text in which nothing is escaped.
    pub(super) fn of_plain(json: &'a str) -> Self {
        match json.as_bytes() {
            [b'"', .., b'"'] => Self::Text(Cow::Borrowed(json.get(1..json.len() - 1).unwrap_or_default())),
            [b'n', ..] => Self::Null,
            [b't', ..] => Self::Bool(true),
            [b'f', ..] => Self::Bool(false),
            [b'[', ..] => Self::Array,
            [b'{', ..] => Self::Object(json),
            _ => Self::Number(json),
        }
    }

    /// Whether it says nothing: null, or a text without anything visible.
    pub(super) fn is_absent(&self) -> bool {
        match self {
            Self::Null => true,
            // Nearly all begin with a letter or a digit.
            Self::Text(text) => !matches!(text.as_bytes(), [0x21..0x7f, ..]) && text.trim().is_empty(),
            _ => false,
        }
    }

    /// The value as text.
    pub(super) fn into_text(self) -> Result<Cow<'a, str>, String> {
        match self {
            Self::Text(text) => Ok(text),
            other => Err(format!("{}; send a string", other.is_what())),
        }
    }

    /// What it is, as the end of a sentence.
    pub(super) fn is_what(&self) -> &'static str {
        match self {
            Self::Null => "is null",
            Self::Bool(_) => "is a boolean",
            Self::Number(_) => "is a number",
            Self::Text(_) => "is a string",
            Self::Broken => "is a string with half a surrogate pair in it",
            Self::Array => "is an array",
            Self::Object(_) => "is an object",
        }
    }
}
