//! From a request to an event: what a redirect, a pixel, a beacon or a batch says, checked and bounded.
//!
//! Everything here is total: whatever the bytes, the answer is an event or a list of what to correct.

pub(crate) mod amount;
mod assign;
mod batch;
mod beacon;
mod draft;
mod facts;
mod failed;
mod field;
mod forward;
mod hit;
mod json;
#[cfg(test)]
pub(crate) mod laws;
mod list;
mod plain;
mod postback;
mod query;
mod scalar;

use crate::campaign::UNKNOWN;
use crate::signature::Signer;
pub use amount::AMOUNT_MAX_MICROS;
pub use batch::{BATCH_MAX_EVENTS, Batch, Invalid, Refused, batch};
pub use beacon::{beacon, beacon_query};
pub use facts::Facts;
pub use failed::{FailedReason, failed_redirect};
pub use field::{ID_MAX_CHARS, NAME_MAX_CHARS, PROP_KEY_MAX_CHARS, PROP_VALUE_MAX_CHARS, PROPS_MAX};
pub use forward::forward;
pub use hit::{LinkFacts, pixel, redirect};
pub use postback::{Proof, Told, postback};

/// How much of a raw query string is kept with a redirect or pixel, in bytes.
pub const QUERY_MAX_BYTES: usize = 2_048;

/// What capture has to be told by the configuration.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Schemes of page URLs besides http and https.
    pub app_schemes: Vec<String>,
    /// Who made the click ids that conversions name; without it none can be checked.
    pub signer: Option<Signer>,
    /// Whether links that only an event's sender vouches for count together, under [`UNKNOWN`].
    pub gathers: bool,
}

/// The beginning of a text, at most `max` bytes, ending between two characters.
fn cut(text: &str, max: usize) -> &str {
    text.get(..text.floor_char_boundary(max)).unwrap_or_default()
}
