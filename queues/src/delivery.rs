//! Deliveries: what has to be told to a server that is not ours, and is told until it has understood.
//!
//! A delivery is a row in D1, written in the transaction of what it tells of: whatever happened is told, and what did not
//! happen is not. The row is the truth and the queue only a nudge to look at it, so that a lost or doubled message
//! costs seconds or nothing. A try claims its row for [`LEASE_MS`]; a Worker that dies in the middle leaves a row that
//! comes up again, and so a receiver may be told twice, with the same id.

pub mod click;
mod due;
pub mod event;
mod fate;
pub mod hook;
pub mod list;
pub mod postback;
mod request;
pub mod statements;

pub use due::{Due, discreet};
pub use event::Event;
pub use fate::{Answer, Fate, expiry, fate};
pub use hook::{Hook, Hooks, Told};
pub use postback::{Postback, Postbacks};
pub use request::{Request, Want, request};

/// How long a try has its row to itself: longer than a try may last.
pub const LEASE_MS: i64 = 60_000;

/// How long a delivery is tried.
pub const TRIED_FOR_MS: i64 = 24 * 3_600_000;

/// A receiver that does not answer has this long.
pub const TIMEOUT_MS: i64 = 10_000;

/// A Worker waits for six answers at a time.
pub const AT_ONCE: i64 = 6;

/// Something to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The same over all tries.
    pub id: String,
    /// Whose it is: a webhook's id, or what else calls (`postback/campaign/ID`). One that fails is tried less often, and
    /// is listed by this name.
    pub owner: String,
    /// What happened: of a webhook an [`Event`]'s name.
    pub event: String,
    /// Where it goes. `None`: to the webhook of the owner's id, as that is at the time.
    pub to: Option<Target>,
    /// The body.
    pub body: String,
}

/// An address of its own, for what is no webhook's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Absolute.
    pub url: String,
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Besides those that are always there.
    pub headers: Vec<(String, String)>,
}
