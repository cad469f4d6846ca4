//! The statistics that a rule may be about.

use crate::Kind;
use crate::counters::{Counters, Hit};
use crate::sheet::Sheet;

/// Their names. The first eight are counts, and can be compared with past weeks.
pub const METRICS: [&str; 16] = [
    "clicks",
    "raw",
    "impressions",
    "pages",
    "conversions",
    "failed",
    "bots",
    "duplicates",
    "bot_percent",
    "duplicate_percent",
    "failed_percent",
    "clicks_per_visitor",
    "budget_percent",
    "lost",
    "in_flight",
    "dead_lettered",
];

/// Whether it is a count of events in a window.
pub fn is_count(metric: &str) -> bool {
    METRICS.iter().take(8).any(|count| *count == metric)
}

/// The count of a metric in some counters; 0 if it is none.
pub fn count(metric: &str, counters: &Counters) -> u64 {
    let of = |hit| Kind::ALL.iter().map(|&kind| counters.count(kind, hit)).sum::<u64>();
    match metric {
        "clicks" => counters.count(Kind::Click, Hit::Human),
        "raw" => counters.admitted(Kind::Click) + counters.count(Kind::Click, Hit::Duplicate),
        "impressions" => counters.count(Kind::Impression, Hit::Human),
        "pages" => counters.count(Kind::Page, Hit::Human),
        "conversions" => counters.count(Kind::Conversion, Hit::Human),
        "failed" => counters.admitted(Kind::Failed),
        "bots" => of(Hit::Bot),
        "duplicates" => of(Hit::Duplicate),
        _ => 0,
    }
}

/// A metric that is a share of a window, and how many events it is a share of. `None`: it is no share, or nothing
/// happened of which it could be one.
///
/// What is known of one visitor's repeated clicks is how they add up: copies within the gate's window
/// (`duplicate_percent`), and clicks for each visitor (`clicks_per_visitor`). No sum is kept for each visitor or network.
pub fn share(metric: &str, sheet: &Sheet) -> Option<(f64, u64)> {
    let totals = &sheet.totals;
    let (duplicates, bots) = (count("duplicates", totals), count("bots", totals));
    let hits = totals.events() + duplicates;
    let percent = |part: u64, whole: u64| (whole > 0).then(|| (100.0 * part as f64 / whole as f64, whole));
    match metric {
        "bot_percent" => percent(bots, totals.events()),
        "duplicate_percent" => percent(duplicates, hits),
        "failed_percent" => {
            let failed = count("failed", totals);
            percent(failed, failed + totals.admitted(Kind::Click))
        }
        "clicks_per_visitor" => {
            let (clicks, visitors) = (count("clicks", totals), sheet.visitors.estimate());
            (visitors > 0).then(|| (clicks as f64 / visitors as f64, clicks))
        }
        _ => None,
    }
}
