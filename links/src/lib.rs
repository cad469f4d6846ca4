//! Where a link leads: the record, who may be its target, and what a hit on it gets. Pure: facts in (with
//! `now_ms` and random bits), decision out.

mod answer;
mod decide;
mod destination;
mod edit;
pub mod export;
mod host;
pub mod import;
mod link;
pub mod statements;
mod target;
mod token;

pub use decide::{Outcome, decide};
pub use destination::{Allowed, DESTINATION_MAX_BYTES, Destination};
pub use link::{Link, PassThrough, Status, Unreadable, kv_key};
pub use statements::Cursor;
pub use target::target;
pub use token::{TOKEN_MAX_CHARS, Token};
