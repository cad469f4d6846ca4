//! What a client did wrong, named by the field.

use std::borrow::Cow;

use serde::Serialize;

/// One thing that a client has to correct. The shell turns a list of them into RFC 9457 problem details.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reject {
    /// JSON pointer (RFC 6901) to the field; empty for the whole document; a query parameter's is `/name`.
    pub pointer: Cow<'static, str>,
    /// What is wrong with it, as the end of a sentence that begins with the field's name.
    pub detail: Cow<'static, str>,
}

impl Reject {
    /// A rejection of the field at `pointer`.
    pub fn new(pointer: impl Into<Cow<'static, str>>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { pointer: short(pointer.into()), detail: short(detail.into()) }
    }
}

/// A name that nobody knows is quoted; an answer must not repeat a body.
const QUOTED_MAX_BYTES: usize = 512;

fn short(text: Cow<'static, str>) -> Cow<'static, str> {
    if text.len() <= QUOTED_MAX_BYTES {
        return text;
    }
    format!("{}…", text.get(..text.floor_char_boundary(QUOTED_MAX_BYTES)).unwrap_or_default()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejection_does_not_repeat_what_it_rejects() {
        let long = "é".repeat(10_000);
        let reject = Reject::new(format!("/{long}"), format!("is no field: {long}"));
        assert!(reject.pointer.len() < 520 && reject.detail.len() < 520 && reject.detail.ends_with('…'));
        assert_eq!(Reject::new("/a", "is wrong").detail, "is wrong");
    }
}
