//! Time zones, as the platform knows them.

use analytics::zone::Zone;
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

/// Weekday (0 is Monday) and minute of the day in a zone.
pub(crate) fn local(name: &str, now_ms: i64) -> Option<(u8, u16)> {
    let offset_seconds = *offsets(name, now_ms as f64, now_ms as f64)?.get(1)? as i64;
    let minutes = (now_ms.div_euclid(1_000) + offset_seconds).div_euclid(60);
    let (day, minute) = (minutes.div_euclid(1_440), minutes.rem_euclid(1_440));
    // The epoch was a Thursday.
    Some(((day + 3).rem_euclid(7) as u8, minute as u16))
}

/// Whether there is a zone of that name. Offsets, which newer platforms take for names, are none.
pub(crate) fn is_zone(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && offsets(name, 0.0, 0.0).is_some()
}
