//! What an event means: capture, enrich, roll up, report. Pure: facts in (with `now_ms`), decision out.

pub mod agent;
pub mod aggregate;
pub mod bots;
pub mod capture;
pub mod columns;
pub mod counters;
pub mod dimension;
mod enrich;
pub mod event;
mod event_id;
pub mod fold;
pub mod key;
mod lexicon;
pub mod page;
pub mod page_url;
pub mod referrer;
mod reject;
pub mod report;
pub mod retention;
pub mod rollup;
pub mod segment;
pub mod sheet;
pub mod skew;
mod statement;
mod text;
pub mod time;
mod tracked;
pub mod uniques;
pub mod utm;
pub mod visitor;
#[cfg(test)]
mod world;

pub use agent::{Agent, Device};
pub use aggregate::{Scope, StatsAggregate};
pub use bots::{Bot, Reason, Reasons, Verdict};
pub use dimension::Dimension;
pub use enrich::enrich;
pub use event::{Hints, Kind, Malformed, RawEvent, Source};
pub use event_id::{DOUBLE_TAP_MS, EVENT_ID_MAX_CHARS, EventId};
pub use referrer::Channel;
pub use reject::Reject;
pub use skew::TimeSource;
pub use statement::{Param, Statement};
pub use text::Text;
pub use tracked::TrackedEvent;
pub use utm::Utm;
