//! Time zones, as the platform knows them.

use analytics::zone::{Zone, is_name};
use worker::wasm_bindgen;
use worker::wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/zone.js")]
extern "C" {
    /// Pairs of epoch ms and the seconds that the clocks are ahead of UTC from then on.
    fn offsets(zone: &str, from_ms: f64, to_ms: f64) -> Option<Vec<f64>>;
}

/// A zone over some time: one crossing, and for a year 0.2 ms. For names that are spelled as such.
pub(crate) fn zone(name: &str, from_ms: i64, to_ms: i64) -> Option<Zone> {
    let offsets = offsets(name, from_ms as f64, to_ms as f64)?;
    let (pairs, _) = offsets.as_chunks::<2>();
    Some(Zone::new(name, pairs.iter().map(|&[from_ms, seconds]| (from_ms as i64, seconds as i32))))
}

/// Whether the platform knows a zone by that name.
pub(crate) fn is_zone(name: &str) -> bool {
    is_name(name) && offsets(name, 0.0, 0.0).is_some()
}

/// What a zone's clocks show: the weekday from 0 for Monday, and the minute of the day. A redirect asks it, so of a zone
/// that the isolate knows it takes microseconds.
pub(crate) fn local(name: &str, now_ms: i64) -> Option<(u8, u16)> {
    Some(zone(name, now_ms, now_ms)?.weekday_and_minute(now_ms))
}
