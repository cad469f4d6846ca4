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
