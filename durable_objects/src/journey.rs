//! Journeys: what follows from what a visitor did.
//!
//! A journey keeps the visitor's footprints in the order of their times and works out from all of them, each time anew,
//! what follows: [`facts`](facts::facts) is a function of footprints, terms and the time, and of nothing else. What is
//! told is the difference to what was told before. So it does not matter in which order events arrive, how often, or
//! when somebody looked: in the end the same was told, and there is no state machine whose states could disagree.
//!
//! That costs a walk over at most [`FOOTPRINTS_MAX`] footprints for each batch that a visitor is in; most have one.

mod attribution;
mod billing;
mod cohorts;
mod differ;
mod fact;
mod facts;
mod funnels;
mod newcomer;
mod remains;
mod sessions;
mod shares;
mod terms;
mod trail;
mod transactions;
mod visitor;

pub use newcomer::Newcomer;
pub use terms::{FUNNELS_MAX, Repeats, Terms, Windows};
pub(crate) use visitor::{Calm, is_sequel, write_blind};
pub use visitor::{FOOTPRINTS_MAX, JOURNEY_VERSION, SPARE_MS, Visitor};

#[cfg(test)]
mod tests;
