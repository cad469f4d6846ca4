//! What is remembered: the gate that admits every event once, and the log it keeps them in.

pub mod addresses;
pub mod gate;
mod group;
pub mod log;
mod outbox;
mod seen;
mod settings;

pub use addresses::{GateName, Region};
pub use gate::{Admission, Gate, Settings};
pub use settings::LATE_MAX_MS;
