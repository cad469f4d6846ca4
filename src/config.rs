//! What can be set: the `CONFIG` table of wrangler.toml.

use std::collections::HashMap;

use analytics::privacy::{Heed, Ip, Policy, Strip};
use analytics::retention::Days;
use analytics::signature::Signer;
use analytics::visitor::day_of;
use durable_objects::Settings;
use durable_objects::journey::Repeats;
use serde::Deserialize;
use serde_json::{Value, json};

/// Every setting with its default; wrangler.toml says what each is for. A name that is not here is an error at the
/// first request, rather than a setting that silently does nothing.
#[allow(clippy::struct_excessive_bools)] // each is a setting by itself
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Read by [`crate::layout`].
    pub(crate) gate_shards: Value,
    pub(crate) gate_shards_before: Vec<Value>,
    pub(crate) gate_regions: bool,
    pub(crate) gate_max_ids: usize,
    pub(crate) meter_shards: u16,
    pub(crate) journey_shards: u16,
    pub(crate) postback_auth: PostbackAuth,
    pub(crate) session_gap_seconds: i64,
    pub(crate) session_on_campaign_change: bool,
    pub(crate) journey_days: i64,
    pub(crate) conversion_repeats: HashMap<String, Repeats>,
    pub(crate) window_seconds: f64,
    pub(crate) commit_interval_ms: i64,
    pub(crate) ship_interval_ms: i64,
    pub(crate) confirm_after_seconds: f64,
    pub(crate) record_wait_ms: u32,
    pub(crate) record_failed: bool,
    pub(crate) fold_at_segments: i64,
    pub(crate) queues: Vec<String>,
    pub(crate) databases: Vec<String>,
    pub(crate) databases_before: Vec<u8>,
    pub(crate) link_fresh_seconds: f64,
    pub(crate) link_watch_seconds: f64,
    pub(crate) unknown_fresh_seconds: f64,
    pub(crate) home_url: String,
    pub(crate) not_found_url: String,
    pub(crate) domains: Vec<String>,
    pub(crate) redirect_hosts: Vec<String>,
    pub(crate) app_schemes: Vec<String>,
    pub(crate) place_header: String,
    pub(crate) store_ip: Ip,
    pub(crate) store_full_ip: bool,
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
    pub(crate) sums_days: i64,
    pub(crate) dead_letter_days: i64,
    pub(crate) audit_days: i64,
    pub(crate) delivery_days: i64,
    pub(crate) dead_delivery_days: i64,
    pub(crate) do_not_track: Heed,
    pub(crate) opt_out: Heed,
    pub(crate) consent: Consent,
    pub(crate) strict_countries: Vec<String>,
    pub(crate) strip_urls: bool,
    pub(crate) strip_parameters: Vec<String>,
    pub(crate) keep_parameters: Vec<String>,
    pub(crate) visitor_secret_from: String,
    pub(crate) jurisdiction: Jurisdiction,
    pub(crate) webhook_private: bool,
    pub(crate) webhook_disable_days: f64,
    pub(crate) log_sample: u32,
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

/// Whether a visitor has to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Consent {
    /// Who says nothing has nothing against it.
    Optional,
    /// Who says nothing is anonymous.
    Required,
}

/// Where Durable Objects run and keep what they keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Jurisdiction {
    /// Anywhere.
    #[serde(rename = "")]
    Anywhere,
    /// In the European Union.
    Eu,
    /// In the United States.
    Us,
    /// In data centers that are authorized for the United States' agencies.
    Fedramp,
}

impl Jurisdiction {
    /// What the platform calls it; empty for anywhere.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Anywhere => "",
            Self::Eu => "eu",
            Self::Us => "us",
            Self::Fedramp => "fedramp",
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        let gate = Settings::default();
        Self {
            gate_shards: json!({ "wnam": 1, "enam": 1, "weur": 1, "apac": 1, "oc": 1 }),
            gate_shards_before: Vec::new(),
            gate_regions: true,
            gate_max_ids: gate.max_ids,
            meter_shards: 16,
            journey_shards: 8,
            postback_auth: PostbackAuth::Click,
            session_gap_seconds: 1_800,
            session_on_campaign_change: true,
            journey_days: 30,
            conversion_repeats: HashMap::new(),
            window_seconds: gate.window_ms as f64 / 1e3,
            commit_interval_ms: gate.commit_interval_ms,
            ship_interval_ms: gate.ship_interval_ms,
            confirm_after_seconds: gate.confirm_after_ms as f64 / 1e3,
            record_wait_ms: 50,
            record_failed: true,
            fold_at_segments: analytics::fold::FOLD_AT_SEGMENTS,
            queues: vec!["EVENTS".to_owned()],
            databases: vec!["DB".to_owned()],
            databases_before: Vec::new(),
            link_fresh_seconds: 3.0,
            link_watch_seconds: 4.0,
            unknown_fresh_seconds: 2.0,
            home_url: String::new(),
            not_found_url: String::new(),
            domains: Vec::new(),
            redirect_hosts: Vec::new(),
            app_schemes: Vec::new(),
            place_header: String::new(),
            store_ip: Ip::Truncated,
            store_full_ip: false,
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
            sums_days: 0,
            dead_letter_days: 90,
            audit_days: 0,
            delivery_days: 7,
            dead_delivery_days: 30,
            do_not_track: Heed::Anonymous,
            opt_out: Heed::Drop,
            consent: Consent::Optional,
            strict_countries: Vec::new(),
            strip_urls: true,
            strip_parameters: Vec::new(),
            keep_parameters: Vec::new(),
            visitor_secret_from: String::new(),
            jurisdiction: Jurisdiction::Anywhere,
            webhook_private: false,
            webhook_disable_days: 3.0,
            log_sample: 0,
        }
    }
}

impl Config {
    /// What may be known of visitors.
    ///
    /// # Errors
    /// Two settings contradict each other, or one is not what it should be.
    pub(crate) fn policy(&self, signer: &Signer) -> Result<Policy, &'static str> {
        if self.store_ip == Ip::Full && !self.store_full_ip {
            return Err(
                "store_ip = \"full\" stores whole addresses: if that is meant, say store_full_ip = true too",
            );
        }
        let is_country =
            |name: &String| name.len() == 2 && name.bytes().all(|byte| byte.is_ascii_alphabetic());
        if !self.strict_countries.iter().all(is_country) {
            return Err(
                "strict_countries holds something that is neither a country of two letters nor \"eu\"",
            );
        }
        Ok(Policy {
            ip: self.store_ip,
            do_not_track: self.do_not_track,
            opt_out: self.opt_out,
            consent_required: self.consent == Consent::Required,
            strict: self.strict_countries.clone(),
            strip: Strip::new(self.strip_urls, &self.strip_parameters, &self.keep_parameters),
            signer: Some(signer.clone()),
        })
    }

    /// The first day of the visitors' secret, if there was another one before.
    ///
    /// # Errors
    /// It is no date.
    pub(crate) fn secret_day(&self) -> Result<Option<i64>, &'static str> {
        if self.visitor_secret_from.is_empty() {
            return Ok(None);
        }
        let from_ms = analytics::time::parse_time(&self.visitor_secret_from);
        Ok(Some(day_of(from_ms.map_err(|_| "visitor_secret_from is no date (YYYY-MM-DD)")?)))
    }

    /// How long what is kept.
    pub(crate) fn days(&self) -> Days {
        Days {
            sums_days: self.sums_days,
            archive_days: self.archive_days,
            journey_days: self.journey_days,
            dead_letter_days: self.dead_letter_days,
            audit_days: self.audit_days,
            delivery_days: self.delivery_days,
            dead_delivery_days: self.dead_delivery_days,
        }
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(config: &Config) -> &'static str {
        config.policy(&Signer::new("secret").unwrap()).err().unwrap_or_default()
    }

    #[test]
    fn whole_addresses_are_stored_by_nobody_who_has_not_said_so_twice() {
        let full = Config { store_ip: Ip::Full, ..Config::default() };
        assert!(refused(&full).contains("store_full_ip"));
        assert_eq!(refused(&Config { store_full_ip: true, ..full }), "");
        assert_eq!(refused(&Config::default()), "");
    }

    #[test]
    fn countries_and_days_are_what_they_should_be() {
        let strict = |name: &str| Config { strict_countries: vec![name.to_owned()], ..Config::default() };
        assert_eq!([refused(&strict("eu")), refused(&strict("BR"))], ["", ""]);
        assert!(refused(&strict("Germany")).contains("strict_countries"));
        let from =
            |day: &str| Config { visitor_secret_from: day.to_owned(), ..Config::default() }.secret_day();
        assert_eq!((from(""), from("2026-11-23")), (Ok(None), Ok(Some(20_780))));
        assert!(from("tomorrow").is_err());
    }
}
