//! What is remembered: the gate that admits every event once, with the log it keeps them in, the meter that keeps
//! click limits, and the hub of the live view.
//!
//! Each is a struct without a platform: it is given calls and the time, and says what to write, when to be woken and
//! what to answer. A [`gate`] decides new or duplicate, and its [`log`] is both what is sent on and the memory of what
//! was seen: one row, so that no crash falls between the two. A [`journal`] keeps visitors' [`journey`]s behind a log
//! of the same kind. A [`meter`] knows how many people a limited link has led on. [`addresses`] say which object it is:
//! fixed sets by hash, because the platform limits how fast an account makes new ones.
//!
//! The simulation in tests/native runs these structs with a crash between any two writes.

pub mod addresses;
pub mod gate;
mod group;
pub mod journal;
pub mod journey;
mod layout;
pub mod live;
pub mod log;
mod maps;
pub mod meter;
mod outbox;
mod region;
mod seen;
mod settings;

pub use addresses::{GateName, JournalName, MeterName, Region};
pub use gate::{Admission, Gate, Settings};
pub use journal::Journal;
pub use journey::{Terms, Visitor};
pub use layout::Layout;
pub use live::Live;
pub use maps::Maps;
pub use meter::{Meter, Taken};
pub use settings::LATE_MAX_MS;
