//! What can be set: the `CONFIG` table of wrangler.toml.

use durable_objects::Settings;
use serde::Deserialize;

/// Every setting with its default; wrangler.toml says what each is for. A name that is not here is an error at the
/// first request, rather than a setting that silently does nothing.
#[allow(clippy::struct_excessive_bools)] // each is a setting by itself
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) gate_shards: u16,
    pub(crate) gate_shards_before: Vec<u16>,
    pub(crate) gate_regions: bool,
    pub(crate) gate_max_ids: usize,
    pub(crate) meter_shards: u16,
    pub(crate) journey_shards: u16,
    pub(crate) postback_auth: PostbackAuth,
    pub(crate) session_gap_seconds: i64,
    pub(crate) session_on_campaign_change: bool,
    pub(crate) journey_days: i64,
    pub(crate) window_seconds: f64,
    pub(crate) commit_interval_ms: i64,
    pub(crate) ship_interval_ms: i64,
    pub(crate) confirm_after_seconds: f64,
    pub(crate) record_wait_ms: u64,
    pub(crate) record_failed: bool,
    pub(crate) fold_at_segments: i64,
    pub(crate) queues: Vec<String>,
    pub(crate) link_fresh_seconds: f64,
    pub(crate) link_watch_seconds: f64,
    pub(crate) unknown_fresh_seconds: f64,
    pub(crate) not_found_url: String,
    pub(crate) domains: Vec<String>,
    pub(crate) redirect_hosts: Vec<String>,
    pub(crate) app_schemes: Vec<String>,
    pub(crate) place_header: String,
    pub(crate) store_ip: StoreIp,
    pub(crate) rate_limits: bool,
    pub(crate) passwords_per_hour: u32,
    pub(crate) burst_clicks: u32,
    pub(crate) client_hints: bool,
    pub(crate) ingest_origins: Vec<String>,
    pub(crate) ingest_from: Senders,
    pub(crate) unknown_campaigns: Unknown,
    pub(crate) unknown_most: usize,
    pub(crate) body_seconds: f64,
    pub(crate) cors_origins: Vec<String>,
    pub(crate) hsts_seconds: u32,
    pub(crate) archive: bool,
    pub(crate) archive_days: i64,
    pub(crate) do_not_track: DoNotTrack,
    pub(crate) webhook_private: bool,
    pub(crate) webhook_disable_days: f64,
}

/// Who may send events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Senders {
    /// Every browser.
    Anybody,
    /// Servers with a key of scope `events:write`.
    Keys,
}

/// What becomes of events whose campaign is in no catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Unknown {
    /// They count, each campaign by itself, up to `unknown_most` in an hour.
    Count,
    /// They count, all of them together.
    Gather,
    /// They are refused, and those that come round by a link are gathered.
    Refuse,
}

/// What vouches for a postback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PostbackAuth {
    /// That it names a click.
    Click,
    /// A key with the scope events:write, or a signature.
    Key,
}

/// What of a visitor's address is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StoreIp {
    /// The network: /24 or /48.
    Truncated,
    /// Nothing.
    None,
}

/// What a browser's wish not to be tracked (`DNT`, Global Privacy Control) changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DoNotTrack {
    /// Nothing.
    Ignore,
    /// Events carry no ids, and nothing is stored on the device.
    Anonymous,
    /// There are no events.
    Drop,
}

impl DoNotTrack {
    /// The name, as in the setting.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ignore => "ignore",
            Self::Anonymous => "anonymous",
            Self::Drop => "drop",
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        let gate = Settings::default();
        Self {
            gate_shards: 2,
            gate_shards_before: Vec::new(),
            gate_regions: true,
            gate_max_ids: gate.max_ids,
            meter_shards: 16,
            journey_shards: 8,
            postback_auth: PostbackAuth::Click,
            session_gap_seconds: 1_800,
            session_on_campaign_change: true,
            journey_days: 30,
            window_seconds: gate.window_ms as f64 / 1e3,
            commit_interval_ms: gate.commit_interval_ms,
            ship_interval_ms: gate.ship_interval_ms,
            confirm_after_seconds: gate.confirm_after_ms as f64 / 1e3,
            record_wait_ms: 50,
            record_failed: true,
            fold_at_segments: analytics::fold::FOLD_AT_SEGMENTS,
            queues: vec!["EVENTS".to_owned()],
            link_fresh_seconds: 3.0,
            link_watch_seconds: 4.0,
            unknown_fresh_seconds: 2.0,
            not_found_url: String::new(),
            domains: Vec::new(),
            redirect_hosts: Vec::new(),
            app_schemes: Vec::new(),
            place_header: String::new(),
            store_ip: StoreIp::Truncated,
            rate_limits: true,
            passwords_per_hour: 100,
            burst_clicks: 20,
            client_hints: true,
            ingest_origins: Vec::new(),
            ingest_from: Senders::Anybody,
            unknown_campaigns: Unknown::Count,
            unknown_most: 20_000,
            body_seconds: 10.0,
            cors_origins: Vec::new(),
            hsts_seconds: 31_536_000,
            archive: true,
            archive_days: 0,
            do_not_track: DoNotTrack::Anonymous,
            webhook_private: false,
            webhook_disable_days: 3.0,
        }
    }
}

impl Config {
    /// The gate's part.
    pub(crate) fn gate(&self) -> Settings {
        Settings {
            window_ms: (self.window_seconds * 1e3) as i64,
            commit_interval_ms: self.commit_interval_ms,
            ship_interval_ms: self.ship_interval_ms,
            confirm_after_ms: (self.confirm_after_seconds * 1e3) as i64,
            max_ids: self.gate_max_ids,
        }
    }
}
