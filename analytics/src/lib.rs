//! What an event means: capture, enrich, roll up, report. Pure: facts in (with `now_ms`), decision out.
//!
//! A request is captured into a [`RawEvent`]: what was said and seen, and nothing judged. [`Campaigns`](campaign::Campaigns)
//! and [`agent`] enrich it into a [`TrackedEvent`], from facts alone, so that the archive can be judged again
//! by better rules. [`rollup`] adds events up into sums, a monoid: no order and no grouping of events changes what comes
//! out. Sums become [`segment`]s, which one transaction writes and a [`fold`] gathers into [`page`]s; a [`report`] reads
//! pages and never events. What a visitor did in order is [`footprint`]s, and what follows from them [`outcome`]s.
//!
//! SQL is a [`Statement`], text and parameters, that somebody else runs. Every format that is stored or sent
//! begins with a version.

pub mod agent;
pub mod aggregate;
pub mod alert;
pub mod archive;
pub mod audit;
pub mod bots;
pub mod budget;
mod calendar;
pub mod campaign;
pub mod capture;
pub mod catalog;
pub mod cell;
pub mod click_id;
pub mod cohort;
pub mod columns;
mod conduct;
pub mod conversion;
pub mod counters;
pub mod dimension;
mod enrich;
pub mod erasure;
pub mod event;
mod event_id;
pub mod fields;
pub mod fold;
pub mod footprint;
pub mod funnel;
pub mod homes;
pub mod idempotency;
pub mod key;
mod kind;
pub mod lapse;
mod latency;
mod lexicon;
pub mod lookback;
mod measure;
pub mod moment;
pub mod number;
pub mod openmetrics;
pub mod outcome;
pub mod page;
pub mod page_url;
pub mod place;
pub mod privacy;
mod rank;
pub mod rebuild;
pub mod referrer;
mod reject;
pub mod report;
pub mod retention;
pub mod rollup;
pub mod segment;
pub mod session;
pub mod sheet;
pub mod signature;
pub mod skew;
mod source;
mod statement;
pub mod template;
mod text;
pub mod time;
mod tracked;
mod traits;
pub mod uniques;
pub mod utm;
pub mod visitor;
pub mod wire;
#[cfg(test)]
mod world;
pub mod zone;

pub use agent::{Agent, AgentCache, Device};
pub use aggregate::{Scope, StatsAggregate};
pub use bots::{Bot, Reason, Reasons, Verdict};
pub use conduct::Conduct;
pub use dimension::Dimension;
pub use enrich::{RULES_VERSION, enrich, enrich_with};
pub use event::{Hints, Malformed, RawEvent, Whereabouts};
pub use event_id::{DOUBLE_TAP_MS, EVENT_ID_MAX_CHARS, EventId};
pub use footprint::{Footprint, VisitorKey};
pub use kind::Kind;
pub use outcome::Outcome;
pub use referrer::Channel;
pub use reject::Reject;
pub use skew::TimeSource;
pub use source::{Source, Trigger};
pub use statement::{Param, Statement};
pub use text::Text;
pub use tracked::TrackedEvent;
pub use traits::Traits;
pub use utm::Utm;
