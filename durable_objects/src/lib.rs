//! What is remembered: the gate that admits every event once, with the log it keeps them in, the meter that keeps
//! click limits, and the hub of the live view.

pub mod addresses;
pub mod gate;
mod group;
pub mod journal;
pub mod journey;
pub mod live;
pub mod log;
mod maps;
pub mod meter;
mod outbox;
mod seen;
mod settings;

pub use addresses::{GateName, JournalName, MeterName, Region};
pub use gate::{Admission, Gate, Settings};
pub use journal::Journal;
pub use journey::{Terms, Visitor};
pub use live::Live;
pub use maps::Maps;
pub use meter::{Meter, Taken};
pub use settings::LATE_MAX_MS;
