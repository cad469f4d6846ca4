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
        Self { pointer: pointer.into(), detail: detail.into() }
    }
}
