//! Where a link leads: the record, who may be its target, and what a hit on it gets. Pure: facts in (with
//! `now_ms` and random bits), decision out.
//!
//! A link is parsed once, when it is written ([`operation`], [`change`], [`import`]), and is right from then on: what a
//! redirect reads from its record it does not judge again. Most links are plain and answer from the record; others
//! decide by [`rule`]s, variants and limits. Targets are http(s), or of an allowed app: nothing here is an open
//! redirect. [`qr`] draws the code that stands for a link on paper.

mod answer;
pub mod change;
#[cfg(test)]
mod database;
mod decide;
mod destination;
mod edit;
pub mod export;
mod host;
mod hours;
pub mod import;
mod link;
mod list;
pub mod operation;
pub mod qr;
pub mod rule;
mod social;
pub mod statements;
mod target;
mod token;
mod variant;

pub use decide::{Closed, Outcome, Way, decide, way};
pub use destination::{Allowed, DESTINATION_MAX_BYTES, Destination};
pub use edit::Written;
pub use host::may_be_called;
pub use hours::Hours;
pub use link::{Link, PassThrough, Status, UTM, Unreadable, key, kv_key};
pub use list::List;
pub use rule::{Condition, Hit, LocalTime, Rule, Subject};
pub use social::Social;
pub use target::target;
pub use token::{TOKEN_MAX_CHARS, Token};
pub use variant::{Variant, choose};
