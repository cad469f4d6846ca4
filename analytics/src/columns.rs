//! The columns of a data point in Analytics Engine: one table, by which points are written and queries are made.
//!
//! Analytics Engine samples and forgets after three months: it is the microscope (any combination of dimensions),
//! D1 is the ledger.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Write;
use std::hash::BuildHasher;

use foldhash::fast::FixedState;

use crate::{Kind, RawEvent, TrackedEvent, Verdict};

/// A text column of a data point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// What happened.
    Kind,
    /// human, suspect or bot.
    Verdict,
    /// Campaign id.
    Campaign,
    /// Token of the link.
    Link,
    /// Publisher id.
    Publisher,
    /// Country.
    Country,
    /// Subdivision, without the country.
    Region,
    /// Device class.
    Device,
    /// Browser family.
    Browser,
    /// Operating system family.
    Os,
    /// Primary language.
    Language,
    /// Host of the referrer.
    Referrer,
    /// Search, social, direct, ...
    Channel,
    /// `utm_source`
    UtmSource,
    /// `utm_medium`
    UtmMedium,
    /// `utm_campaign`
    UtmCampaign,
    /// By which door it came in.
    Source,
    /// Creative.
    Ad,
    /// The event's own name.
    Name,
    /// Currency of the value.
    Currency,
}

/// Every column with its name in queries; `blob1` is the first. Points of the last three months are read by this
/// table: append only, and there are at most 20.
const COLUMNS: [(Column, &str); 20] = [
    (Column::Kind, "kind"),
    (Column::Verdict, "verdict"),
    (Column::Campaign, "campaign_id"),
    (Column::Link, "link"),
    (Column::Publisher, "publisher_id"),
    (Column::Country, "country"),
    (Column::Region, "region"),
    (Column::Device, "device"),
    (Column::Browser, "browser"),
    (Column::Os, "os"),
    (Column::Language, "language"),
    (Column::Referrer, "referrer"),
    (Column::Channel, "channel"),
    (Column::UtmSource, "utm_source"),
    (Column::UtmMedium, "utm_medium"),
    (Column::UtmCampaign, "utm_campaign"),
    (Column::Source, "source"),
    (Column::Ad, "ad_id"),
    (Column::Name, "name"),
    (Column::Currency, "currency"),
];

/// The index by which Analytics Engine samples has at most this many bytes.
pub const INDEX_MAX_BYTES: usize = 96;

/// All texts of a point together have at most this many bytes.
pub const BLOBS_MAX_BYTES: usize = 16_000;

/// A text has its share of [`BLOBS_MAX_BYTES`].
const BLOB_MAX_BYTES: usize = BLOBS_MAX_BYTES / COLUMNS.len();

/// An invocation writes at most this many points.
pub const POINTS_MAX: usize = 250;

/// Each `kind` and `verdict` can have a point of its own beyond the others.
const COARSEST: usize = Kind::ALL.len() * Verdict::ALL.len();

/// So many points tell everything, and so many more at least the campaign and the link.
const FINE: usize = 200;
const COARSE: usize = POINTS_MAX - COARSEST - FINE;

/// One data point: equal events, counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// What Analytics Engine samples by: the campaign, else the link.
    pub index: String,
    /// The texts, by [`Column`].
    pub blobs: Vec<String>,
    /// How many events, and what they were worth.
    pub doubles: Vec<f64>,
}

type Texts<'e> = [&'e str; COLUMNS.len()];

/// Equal events, found by a hash of their texts: 2^-64 is a smaller error than the sampling, and a group that is
/// there already costs no copy of twenty texts.
type Groups = HashMap<u64, Point, FixedState>;

/// Puts equal events together, so that an invocation stays within [`POINTS_MAX`] whatever comes. An event that is
/// different from the first [`FINE`] groups loses what tells it apart, but never its count.
#[derive(Debug, Default)]
pub struct Points {
    fine: Groups,
    coarse: Groups,
    coarsest: Groups,
}

impl Points {
    /// Adds one event.
    pub fn add(&mut self, event: &TrackedEvent<'_>) {
        let texts = COLUMNS.map(|(column, _)| cut(text(column, event), BLOB_MAX_BYTES));
        let doubles = [1.0, event.raw.value_micros.unwrap_or(0) as f64 / 1e6];
        if put(&mut self.fine, &texts, doubles, FINE) {
            return;
        }
        let coarse = only(&texts, &[Column::Kind, Column::Verdict, Column::Campaign, Column::Link]);
        if put(&mut self.coarse, &coarse, doubles, COARSE) {
            return;
        }
        put(&mut self.coarsest, &only(&texts, &[Column::Kind, Column::Verdict]), doubles, COARSEST);
    }

    /// The points, at most [`POINTS_MAX`].
    pub fn finish(self) -> Vec<Point> {
        let groups =
            self.fine.into_values().chain(self.coarse.into_values()).chain(self.coarsest.into_values());
        let mut points: Vec<Point> = groups.collect();
        points.sort_by(|a, b| a.blobs.cmp(&b.blobs));
        points
    }
}

/// Only these columns' texts.
fn only<'e>(texts: &Texts<'e>, columns: &[Column]) -> Texts<'e> {
    let mut kept = *texts;
    for (text, (column, _)) in kept.iter_mut().zip(COLUMNS) {
        if !columns.contains(&column) {
            *text = "";
        }
    }
    kept
}

/// Counts an event in its group, or in a new one if there is room for it.
fn put(groups: &mut Groups, texts: &Texts<'_>, doubles: [f64; 2], most: usize) -> bool {
    let hash = groups.hasher().hash_one(texts);
    let full = groups.len() >= most;
    match groups.entry(hash) {
        Entry::Occupied(mut group) => {
            for (sum, more) in group.get_mut().doubles.iter_mut().zip(doubles) {
                *sum += more;
            }
        }
        Entry::Vacant(_) if full => return false,
        Entry::Vacant(place) => {
            let blobs: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            place.insert(Point { index: index(texts).to_owned(), blobs, doubles: doubles.to_vec() });
        }
    }
    true
}

/// The points of some events.
pub fn points<'e, 'a: 'e>(events: impl IntoIterator<Item = &'e TrackedEvent<'a>>) -> Vec<Point> {
    let mut points = Points::default();
    for event in events {
        points.add(event);
    }
    points.finish()
}

/// The columns as a query reads them: a list of expressions with their names, and the two sums.
pub fn select(columns: &[Column]) -> String {
    let mut sql = String::new();
    for column in columns {
        // The place in the table, counted from one.
        let _ = write!(sql, "blob{} AS {}, ", place(*column) + 1, column.name());
    }
    sql.push_str("SUM(_sample_interval * double1) AS events, SUM(_sample_interval * double2) AS value");
    sql
}

impl Column {
    /// The name in queries.
    pub fn name(self) -> &'static str {
        COLUMNS.get(place(self)).map_or("", |(_, name)| name)
    }

    /// The column of that name.
    pub fn parse(name: &str) -> Option<Self> {
        COLUMNS.iter().find(|(_, column)| *column == name).map(|(column, _)| *column)
    }
}

fn place(column: Column) -> usize {
    column as usize
}

fn text<'e>(column: Column, event: &'e TrackedEvent<'_>) -> &'e str {
    let raw: &RawEvent<'_> = &event.raw;
    match column {
        Column::Kind => raw.kind.name(),
        Column::Verdict => event.bot.verdict.name(),
        Column::Campaign => &raw.campaign_id,
        Column::Link => &raw.link,
        Column::Publisher => &raw.publisher_id,
        Column::Country => &raw.country,
        Column::Region => &raw.region,
        Column::Device => event.agent.device.name(),
        Column::Browser => event.agent.browser,
        Column::Os => event.agent.os,
        Column::Language => &event.language,
        Column::Referrer => &event.referrer_host,
        Column::Channel => event.channel.name(),
        Column::UtmSource => &event.utm.source,
        Column::UtmMedium => &event.utm.medium,
        Column::UtmCampaign => &event.utm.campaign,
        Column::Source => raw.source.name(),
        Column::Ad => &raw.ad_id,
        Column::Name => &raw.name,
        Column::Currency => &raw.currency,
    }
}

fn index<'e>(texts: &Texts<'e>) -> &'e str {
    let of = |column| texts.get(place(column)).copied().unwrap_or_default();
    let campaign = of(Column::Campaign);
    cut(if campaign.is_empty() { of(Column::Link) } else { campaign }, INDEX_MAX_BYTES)
}

fn cut(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or(text)
}

#[cfg(test)]
mod tests;
