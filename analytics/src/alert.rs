//! Alerts: what the sums should not say, when it is an alarm, and when it is over.
//!
//! Once a minute each rule is read from the sums ([`read`]), judged by itself ([`judge`]) and remembered. A rule costs
//! some 20 rows read: two pages of minutes and, for spikes, one page of hours in each of [`score::WEEKS`] weeks.

pub mod judge;
pub mod keep;
pub mod metric;
pub mod read;
pub mod score;
#[cfg(test)]
mod season;
