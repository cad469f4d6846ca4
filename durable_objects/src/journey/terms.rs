//! The terms that journeys are judged by: settings, what campaigns agreed on, and funnels.

use std::collections::HashMap;

use analytics::funnel::Funnel;
use serde::Deserialize;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// What a campaign agreed on. Times in ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// So long before a conversion may a click have led to it.
    pub click_ms: i64,
    /// So long before a conversion may a view have led to it.
    pub view_ms: i64,
    /// A visitor's clicks within this time of one that is paid for are not; 0 and all are.
    pub billing_ms: i64,
}

impl Default for Windows {
    /// What most networks have: clicks seven days, views one (`AppsFlyer`, Adjust), a visitor unique for one (Affise).
    fn default() -> Self {
        Self { click_ms: 7 * DAY_MS, view_ms: DAY_MS, billing_ms: DAY_MS }
    }
}

/// What becomes of a conversion that is told again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeats {
    /// A transaction counts once, and what has no txid counts each time.
    #[default]
    OncePerTransaction,
    /// The click that led to it has one conversion of this name, whatever the txid.
    OncePerClick,
    /// A transaction counts once, with the value that was told last.
    Replace,
    /// A transaction counts once, and the values add up.
    Add,
    /// Each time counts, whatever the txid.
    Each,
}

/// What journeys are judged by. It may change between any two calls: what was told is taken back as it was told.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// A session is over when nothing came for so long.
    pub session_gap_ms: i64,
    /// No session is longer, whatever the client's id says: an id that is never changed would be a session for ever.
    pub session_max_ms: i64,
    /// Whether arriving by another campaign begins a session.
    pub session_on_campaign_change: bool,
    /// So much longer than the gap is an event waited for, since it takes a while to arrive: a session that was told
    /// too soon is taken back and told anew, which is right but twice the work.
    pub late_ms: i64,
    /// So long are footprints kept. No less than any funnel's window.
    pub keep_ms: i64,
    /// So long after its last event is a transaction remembered, with what led to it: confirmations take their time.
    pub transactions_ms: i64,
    /// What campaigns agreed on that said nothing else.
    pub windows: Windows,
    /// What campaigns agreed on.
    pub campaigns: HashMap<String, Windows>,
    /// What becomes of repeated conversions by the event's name; once per transaction where nothing is said.
    pub repeats: HashMap<String, Repeats>,
    /// The funnels; at most [`FUNNELS_MAX`] are looked at.
    pub funnels: Vec<Funnel>,
}

/// How many funnels a journey walks: 256 footprints by 64 funnels by 20 steps are a third of a million comparisons.
pub const FUNNELS_MAX: usize = 64;

impl Default for Terms {
    fn default() -> Self {
        Self {
            session_gap_ms: 30 * MINUTE_MS,
            session_max_ms: DAY_MS,
            session_on_campaign_change: true,
            late_ms: MINUTE_MS,
            keep_ms: 30 * DAY_MS,
            transactions_ms: 90 * DAY_MS,
            windows: Windows::default(),
            campaigns: HashMap::new(),
            repeats: HashMap::new(),
            funnels: Vec::new(),
        }
    }
}

impl Terms {
    pub(crate) fn windows(&self, campaign: &str) -> Windows {
        self.campaigns.get(campaign).copied().unwrap_or(self.windows)
    }

    pub(crate) fn repeats(&self, name: &str) -> Repeats {
        self.repeats.get(name).copied().unwrap_or_default()
    }

    pub(crate) fn funnels(&self) -> impl Iterator<Item = &Funnel> {
        self.funnels.iter().take(FUNNELS_MAX)
    }
}
