//! What is simulated: the hour, and how long things take.

use serde_json::Value;

use crate::ways::{PLACES, Place};

/// Length of the run, s.
pub const HOUR: usize = 3_600;

/// Regions that have gates: what `gate_shards` is set to for 100,000 events/s.
pub const GATED: &str = "wnam,enam,weur,eeur,apac-ne,apac-se,oc";

/// Events/s of the whole world: quiet, then the sale begins with a run on it, goes on, and ends.
pub fn rate(second: usize, peak: f64) -> f64 {
    let minute = second as f64 / 60.0;
    let points: [(f64, f64); 8] =
        [(0.0, 0.25), (5.0, 0.3), (6.0, 1.2), (8.0, 1.2), (9.0, 1.0), (45.0, 1.0), (55.0, 0.4), (60.0, 0.35)];
    let between = points.windows(2).find(|pair| minute <= pair[1].0).unwrap_or(&points[6..]);
    let ((from, low), (to, high)) = (between[0], between[1]);
    peak * (low + (high - low) * ((minute - from) / (to - from)).min(1.0))
}

/// Settings and service times. Times in s.
pub struct Model {
    pub peak: f64,
    /// Of each region that has some.
    pub gates: Vec<(String, usize)>,
    pub databases: usize,
    pub commit_interval: f64,
    pub ship_interval: f64,
    /// What an object's thread is busy with for one call. The platform names 1,000 calls/s as the soft limit of an
    /// object and 500 for one with some work to do, which is far more than what was measured here; the larger counts.
    pub gate_call: f64,
    /// And for a commit: measured, nearly all of it `fsync`, which the platform does elsewhere.
    pub gate_commit: f64,
    /// Until a row is durable: three of five followers have it. An assumption.
    pub durable: (f64, f64),
    /// The queue has a message on disk: "median about 60 ms", says the platform; the other is an assumption.
    pub send: (f64, f64),
    /// Bytes of an event in a message: of the mix of `npm run bench`.
    pub event_bytes: f64,
    /// What the consumer's isolate takes for an event: measured natively; wasm takes about twice that.
    pub consume: f64,
    /// A transaction on D1: the way there and its replication, and what each of its rows takes. Assumptions.
    pub transaction: f64,
    pub row: f64,
    /// Rows of pages that a fold writes for a partition, and how long it keeps the database.
    pub fold_rows: f64,
    pub fold: f64,
    /// CPU of everything for an event, ms: measured, the simulated platform included.
    pub cpu_ms: f64,
    /// One gate of the largest region does not answer from here to there.
    pub dead: (f64, f64),
}

/// Segments are of so many partitions, and so many of one are folded.
pub const PARTITIONS: usize = 8;
pub const FOLD_AT: usize = 48;
/// How long an edge waits for a gate.
pub const PATIENCE: f64 = 2.0;
pub const MESSAGE_BYTES: f64 = 63.0 * 1024.0;

impl Model {
    /// With the figures of `bench/results.json`.
    pub fn new(results: &Value) -> Self {
        let measured = |name: &str, or: f64| {
            let rows = results["rows"].as_array();
            let row = rows.and_then(|rows| rows.iter().find(|row| row["name"] == name));
            row.and_then(|row| row["value"].as_f64()).unwrap_or(or)
        };
        Self {
            peak: 100_000.0,
            gates: Vec::new(),
            databases: 1,
            commit_interval: 0.025,
            ship_interval: 1.0,
            gate_call: 0.001,
            gate_commit: 0.0012,
            durable: (0.004, 0.020),
            send: (0.060, 0.300),
            event_bytes: 260.0,
            consume: 2.0 / measured("enrich_rollup_native", 284_000.0),
            transaction: 0.025,
            row: 0.000_04,
            fold_rows: 40.0,
            fold: 0.060,
            cpu_ms: measured("redirect_whole", 260.0) / 1e3,
            dead: (1_800.0, 1_860.0),
        }
    }

    /// Calls/s of each region at the rate that the sale settles at.
    pub fn calls(&self, regions: &[String]) -> Vec<f64> {
        let share = |region: &String| -> f64 {
            let mine = PLACES.iter().filter(|place| serves(place, regions) == Some(region));
            mine.map(|place| place.share).sum()
        };
        regions.iter().map(|region| share(region) * self.peak).collect()
    }

    /// The seconds in which the dead gate is asked in vain.
    pub fn is_dead(&self, at: f64) -> bool {
        (self.dead.0..self.dead.1).contains(&at)
    }
}

/// The region whose gates a place's visitors go to.
pub fn serves<'a>(place: &Place, regions: &'a [String]) -> Option<&'a String> {
    place.nearest.iter().find_map(|name| regions.iter().find(|region| region == name))
}
