//! What can be set about a gate.

/// What can be set. Times in ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// A second hit of an id within this time of the first is a duplicate.
    pub window_ms: i64,
    /// A busy gate commits at most once in this time.
    pub commit_interval_ms: i64,
    /// A busy gate sends at most once in this time.
    pub ship_interval_ms: i64,
    /// A message that the ledger does not know after this time is sent again.
    pub confirm_after_ms: i64,
    /// How many ids are remembered at most; about 60 bytes each.
    pub max_ids: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            window_ms: 300_000,
            commit_interval_ms: 25,
            ship_interval_ms: 1_000,
            confirm_after_ms: 30_000,
            max_ids: 500_000,
        }
    }
}

/// So long may a hit go round by the queue and still be decided. Whether the gate had it before its answer was
/// lost can be told only as long as the gate remembers its id.
pub const LATE_MAX_MS: i64 = 300_000;

impl Settings {
    /// How long ids are remembered: as long as a late copy may take, and a window more, which is what the clocks
    /// of edge and gate may differ by.
    pub(crate) fn memory_ms(&self) -> i64 {
        self.window_ms + LATE_MAX_MS
    }
}
