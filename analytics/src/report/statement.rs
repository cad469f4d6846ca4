//! `GET /api/publishers/{id}/statement`: what a publisher gets for a month, line by line.
//!
//! The days are those of UTC. A line is a campaign's day in one currency; the lines add up to the totals, and those to what
//! `/stats/clicks` says of the publisher: all are made of the same sums. A price for a thousand makes payouts finer than
//! a millionth; a line shows what it adds to the whole millionths so far, so that no rounding is ever added up.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::money::units;
use crate::aggregate::{Scope, StatsAggregate};
use crate::counters::{Counters, Hit};
use crate::page::{Level, Page, PageRow, pages_of};
use crate::segment::{Unreadable, add_segment, partition};
use crate::time::{parse_time, rfc3339};
use crate::{Dimension, Kind, Reject, Statement};

/// Which month of which publisher.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Whose.
    pub scope: Scope,
    /// Whether it is asked for as CSV.
    pub csv: bool,
    month: String,
    from_ms: i64,
    to_ms: i64,
}

impl Asked {
    /// Reads a query string. Without a month it is the one that runs.
    ///
    /// # Errors
    /// Every parameter that is unknown or has no such value.
    pub fn parse(publisher: &str, query: &str, now_ms: i64) -> Result<Self, Vec<Reject>> {
        let (mut month, mut csv) = (rfc3339(now_ms).get(..7).unwrap_or_default().to_owned(), false);
        let mut rejects = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match (&*name, &*value) {
                ("month", value) => value.clone_into(&mut month),
                ("format", "csv") => csv = true,
                ("format", "json") => csv = false,
                ("format", _) => rejects.push(Reject::new("/format", "is neither json nor csv")),
                _ => {
                    rejects.push(Reject::new(crate::fields::pointer(&name), "is no parameter of this route"));
                }
            }
        }
        let span = bounds(&month);
        if span.is_none() {
            rejects.push(Reject::new("/month", "is not a month, such as 2026-09"));
        }
        match span {
            Some((from_ms, to_ms)) if rejects.is_empty() => {
                Ok(Self { scope: Scope::Publisher(publisher.into()), csv, month, from_ms, to_ms })
            }
            _ => Err(rejects),
        }
    }

    /// The two reads, which must see the same moment. Pages: `page, chunk, totals, detail, visitors`; segments: `body`.
    pub fn reads(&self) -> [Statement; 2] {
        [
            Statement::new(
                "SELECT page, chunk, totals, detail, visitors FROM sums \
                 WHERE level = 'd' AND scope = ?1 AND page >= ?2 AND page < ?3",
                [self.scope.key().into(), self.from_ms.into(), self.to_ms.into()],
            ),
            Statement::new(
                "SELECT part, origin, body FROM segments WHERE part = ?1",
                [i64::from(partition(&self.scope)).into()],
            ),
        ]
    }

    /// The level of the pages.
    pub fn level(&self) -> Level {
        Level::Day
    }

    /// The statement, of what [`Asked::reads`] found.
    ///
    /// # Errors
    /// Stored sums that cannot be read.
    pub fn answer(&self, rows: &[PageRow], segments: &[String], now_ms: i64) -> Result<Value, Unreadable> {
        let lines = self.lines(rows, segments)?;
        let mut totals: BTreeMap<&str, Line> = BTreeMap::new();
        for line in &lines {
            let total = totals.entry(&line.currency).or_default();
            for (sum, count) in total.counts.iter_mut().zip(line.counts) {
                *sum += count;
            }
            total.payout_micros += line.payout_micros;
            total.currency.clone_from(&line.currency);
        }
        let currency = |line: &Line| json!(Some(&line.currency).filter(|currency| !currency.is_empty()));
        let shown = |line: &Line| {
            let [clicks, impressions, conversions] = line.counts;
            json!({
                "clicks": clicks, "impressions": impressions, "conversions": conversions,
                "payout": units(line.payout_micros), "payout_micros": line.payout_micros,
                "currency": currency(line),
            })
        };
        let dated = |line: &Line| {
            let mut shown = shown(line);
            if let Some(shown) = shown.as_object_mut() {
                shown.insert("date".to_owned(), line.date.as_str().into());
                shown.insert("campaign_id".to_owned(), line.campaign.as_str().into());
            }
            shown
        };
        let publisher = self.scope.own().map(|(_, id)| id);
        Ok(json!({
            "publisher_id": publisher,
            "month": self.month,
            "from": rfc3339(self.from_ms),
            "to": rfc3339(self.to_ms),
            "as_of": rfc3339(now_ms),
            "lines": lines.iter().map(dated).collect::<Value>(),
            "totals": totals.values().map(shown).collect::<Value>(),
        }))
    }

    /// The lines as CSV (RFC 4180).
    ///
    /// # Errors
    /// Stored sums that cannot be read.
    pub fn csv(&self, rows: &[PageRow], segments: &[String]) -> Result<String, Unreadable> {
        let mut csv = "date,campaign_id,clicks,impressions,conversions,payout,currency\r\n".to_owned();
        for line in self.lines(rows, segments)? {
            let [clicks, impressions, conversions] = line.counts.map(|count| count.to_string());
            let campaign = quoted(&line.campaign);
            let payout = decimal(line.payout_micros);
            let fields: [&str; 7] =
                [&line.date, &campaign, &clicks, &impressions, &conversions, &payout, &line.currency];
            csv.push_str(&fields.join(","));
            csv.push_str("\r\n");
        }
        Ok(csv)
    }

    fn lines(&self, rows: &[PageRow], segments: &[String]) -> Result<Vec<Line>, Unreadable> {
        let mut kept = Page::new();
        for row in rows {
            row.add_to(&mut kept)?;
        }
        let mut live = StatsAggregate::default();
        let within = self.from_ms..self.to_ms;
        for body in segments {
            add_segment(&mut live, body, |at, scope| *scope == self.scope && within.contains(&at))?;
        }
        for page in pages_of(&live, Level::Day).values() {
            for (&at, sheet) in page {
                kept.entry(at).or_default().merge(sheet);
            }
        }
        let mut lines = Vec::new();
        let mut paid: BTreeMap<String, i64> = BTreeMap::new();
        for (at, sheet) in &kept {
            for (key, counters) in sheet.detail.cells(Dimension::Campaign) {
                if counters.is_empty() {
                    continue;
                }
                let (currency, campaign) = key.split_once('\u{1f}').unwrap_or(("", key));
                let before = paid.entry(currency.to_owned()).or_default();
                let after = before.saturating_add(counters.payout_nanos());
                let payout_micros = after / 1_000 - *before / 1_000;
                *before = after;
                lines.push(Line {
                    date: rfc3339(*at).get(..10).unwrap_or_default().to_owned(),
                    campaign: campaign.to_owned(),
                    currency: currency.to_owned(),
                    counts: counts(counters),
                    payout_micros,
                });
            }
        }
        Ok(lines)
    }
}

/// A campaign's day.
#[derive(Debug, Default)]
struct Line {
    date: String,
    campaign: String,
    currency: String,
    /// Clicks, impressions and conversions that were paid for.
    counts: [u64; 3],
    payout_micros: i64,
}

fn counts(counters: &Counters) -> [u64; 3] {
    [Kind::Click, Kind::Impression, Kind::Conversion].map(|kind| counters.count(kind, Hit::Human))
}

/// From when to when a month is.
fn bounds(month: &str) -> Option<(i64, i64)> {
    let (year, number) = month.split_once('-')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if (year.len(), number.len()) != (4, 2) || !digits(year) || !digits(number) {
        return None;
    }
    let (year, number): (u32, u32) = (year.parse().ok()?, number.parse().ok()?);
    let (next_year, next) = if number == 12 { (year + 1, 1) } else { (year, number + 1) };
    let start = |year: u32, month: u32| parse_time(&format!("{year:04}-{month:02}-01")).ok();
    Some((start(year, number)?, start(next_year, next)?))
}

/// A field that may hold anything a customer chose.
fn quoted(text: &str) -> String {
    if text.contains(['"', ',', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// Millionths as a decimal number, all places of it.
fn decimal(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let micros = micros.unsigned_abs();
    format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

#[cfg(test)]
mod tests;
