//! How events travel: frames, the packed message, what the consumer makes of it, and whom it is told to.
//!
//! An event is a frame; a gate's log ships frames as messages of up to 63 KB, because a queue is paid for by 64 KB. The
//! queue may deliver a message twice, late, or never: a [`plan`] gives each its fate, and the [`ledger`] makes applying
//! it an insert of `(gate, number)` and the sums in one transaction. Twice is refused by its key; never is noticed by
//! the gate, which sends again what the ledger lacks. What nobody can read is a [`letter`], kept and replayed.
//! A [`delivery`] tells webhooks.

mod backoff;
mod call;
pub mod delivery;
mod frame;
pub mod glance;
mod handed;
pub mod ledger;
pub mod letter;
mod message;
pub mod plan;

pub use backoff::backoff_ms;
pub use call::Call;
pub use frame::{Broken, Duplicates, Frame, frames};
pub use glance::Glance;
pub use handed::{Bonds, Handed, Handover};
pub use message::{Head, MESSAGE_MAX_BYTES, MESSAGE_VERSION, Message, Unreadable};
