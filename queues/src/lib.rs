//! How events travel: frames, the packed message, what the consumer makes of it, and whom it is told to.

mod backoff;
pub mod delivery;
mod frame;
pub mod glance;
mod handed;
pub mod ledger;
pub mod letter;
mod message;
pub mod plan;

pub use backoff::backoff_ms;
pub use frame::{Broken, Duplicates, Frame, frames};
pub use glance::Glance;
pub use handed::{Bonds, Handed, Handover};
pub use message::{Head, MESSAGE_MAX_BYTES, MESSAGE_VERSION, Message, Unreadable};
