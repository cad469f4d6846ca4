//! What a report is asked for.

use std::fmt::Write;

use form_urlencoded::parse;
use jiff::tz::TimeZone;

use super::filter::{Filter, values};
use super::span::{Interval, Moment, Span};
use crate::page::Level;
use crate::{Dimension, Reject, Scope};

/// By what the clicks are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupBy {
    /// By a dimension's values.
    Dimension(Dimension),
    /// By what happened.
    Kind,
}

impl GroupBy {
    /// The name in the query and the answer.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dimension(dimension) => dimension.name(),
            Self::Kind => "kind",
        }
    }
}

/// The cells from which the numbers are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The totals of the scope.
    Totals,
    /// The cells of one dimension.
    Cells(Dimension),
    /// The cube, for several at once.
    Cube,
}

/// A `/stats/clicks` query that can be answered exactly.
#[derive(Debug, Clone)]
pub struct Query {
    /// Whose clicks.
    pub scope: Scope,
    /// When.
    pub span: Span,
    /// From which level of sums.
    pub level: Level,
    /// What is left of the filters once the scope is chosen.
    pub filters: Vec<Filter>,
    /// Where the filtered numbers come from.
    pub source: Source,
    /// By what they are grouped.
    pub group_by: Option<GroupBy>,
    /// Whether machines' clicks count as clicks.
    pub include_bots: bool,
    /// How many groups at most.
    pub limit: usize,
}

const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 1_000;

impl Query {
    /// Reads a query string.
    ///
    /// # Errors
    /// Every parameter that is unknown, out of range, or asks for a combination that no sum is kept for.
    pub fn parse(query: &str, now_ms: i64) -> Result<Self, Vec<Reject>> {
        let mut asked = Asked::default();
        let mut rejects = Vec::new();
        for (name, value) in parse(query.as_bytes()) {
            if let Err(detail) = asked.take(&name, &value) {
                rejects.push(Reject::new(pointer(&name), detail));
            }
        }
        if !rejects.is_empty() {
            return Err(rejects);
        }
        asked.resolve(now_ms).map_err(|reject| vec![reject])
    }

    /// Whether every filter admits a dimension's value.
    pub fn admits(&self, value: &str) -> bool {
        self.filters.iter().all(|filter| filter.admits(value))
    }
}

/// RFC 6901; what is no parameter may be anything, and of any length.
fn pointer(name: &str) -> String {
    let mut pointer = "/".to_owned();
    for char in name.chars().take(64) {
        match char {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            _ => pointer.push(char),
        }
    }
    pointer
}

#[derive(Default)]
struct Asked {
    from: Option<Moment>,
    to: Option<Moment>,
    interval: Option<Interval>,
    tz: Option<TimeZone>,
    group_by: Option<GroupBy>,
    include_bots: Option<bool>,
    limit: Option<usize>,
    filters: Vec<Filter>,
}

/// Two answers to one question are a mistake of whoever asks, and the wrong one must not win in silence.
fn once<T>(place: &mut Option<T>, value: T) -> Result<(), String> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err("is given twice".to_owned()),
    }
}

impl Asked {
    fn take(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "from" => once(&mut self.from, Moment::parse(value)?),
            "to" => once(&mut self.to, Moment::parse(value)?),
            "interval" => {
                once(&mut self.interval, Interval::parse(value).ok_or("is not one of minute, hour, day")?)
            }
            "tz" => {
                let tz = TimeZone::get(value).map_err(|_| "is not an IANA time zone, such as Europe/Oslo")?;
                once(&mut self.tz, tz)
            }
            "group_by" => {
                let group_by = match value {
                    "kind" => Some(GroupBy::Kind),
                    _ => Dimension::parse(value).map(GroupBy::Dimension),
                };
                once(&mut self.group_by, group_by.ok_or_else(|| format!("is not kind; {}", dimensions()))?)
            }
            "include_bots" => {
                let include_bots = match value {
                    "true" | "1" | "" => true,
                    "false" | "0" => false,
                    _ => return Err("is not true or false".to_owned()),
                };
                once(&mut self.include_bots, include_bots)
            }
            "limit" => {
                let limit = value.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
                once(&mut self.limit, limit.ok_or_else(|| format!("is not a number from 1 to {LIMIT_MAX}"))?)
            }
            "kind" => Err("is no filter: every answer has every kind, in totals.kinds".to_owned()),
            _ => {
                let dimension =
                    Dimension::parse(name).ok_or_else(|| format!("is no parameter; {}", dimensions()))?;
                self.filter(dimension, value)
            }
        }
    }

    fn filter(&mut self, dimension: Dimension, list: &str) -> Result<(), String> {
        let place = self.filters.iter().position(|filter| filter.dimension == dimension);
        let mut filter = match place {
            Some(place) => self.filters.remove(place),
            None => Filter { dimension, include: Vec::new(), exclude: Vec::new() },
        };
        for (included, value) in values(list) {
            if let Some(known) = dimension.values()
                && !value.is_empty()
                && !known.contains(&&*value)
            {
                return Err(format!("is not one of {}", known.join(", ")));
            }
            let value = dimension.spelled(&value).into_owned();
            if included { filter.include.push(value) } else { filter.exclude.push(value) }
        }
        filter.check()?;
        self.filters.push(filter);
        Ok(())
    }

    /// A filter that names one link, or one campaign, is a scope of its own: every other dimension is kept there.
    fn scope(&mut self) -> Scope {
        for (dimension, scope) in
            [(Dimension::Link, Scope::Link as fn(Box<str>) -> Scope), (Dimension::Campaign, Scope::Campaign)]
        {
            let single = self.filters.iter().position(|filter| filter.dimension == dimension);
            let value = single.and_then(|place| self.filters.get(place)).and_then(Filter::single);
            if let (Some(place), Some(value)) = (single, value) {
                let scope = scope(value.into());
                self.filters.remove(place);
                return scope;
            }
        }
        Scope::All
    }

    fn resolve(mut self, now_ms: i64) -> Result<Query, Reject> {
        let scope = self.scope();
        let grouped = match self.group_by {
            // Everything in the scope has the same value of its own dimension.
            Some(GroupBy::Dimension(dimension)) => {
                Some(dimension).filter(|_| scope.own().is_none_or(|(own, _)| own != dimension))
            }
            _ => None,
        };
        let source = match (self.filters.as_slice(), grouped) {
            ([], _) => Source::Totals,
            ([one], None) => Source::Cells(one.dimension),
            ([one], Some(grouped)) if one.dimension == grouped => Source::Cells(grouped),
            _ => Source::Cube,
        };
        if source == Source::Cube {
            self.combine(&scope, grouped)?;
        }
        let tz = self.tz.unwrap_or(TimeZone::UTC);
        let at = |moment: Option<Moment>, pointer: &'static str| match moment.map(|moment| moment.at(&tz)) {
            Some(None) => Err(Reject::new(pointer, "is out of range")),
            Some(at) => Ok(at),
            None => Ok(None),
        };
        let (from_ms, to_ms) = (at(self.from, "/from")?, at(self.to, "/to")?);
        let span = Span::new(from_ms, to_ms, self.interval, tz, now_ms)?;
        if source == Source::Cube && !span.is_whole_utc_days() {
            return Err(Reject::new("/tz", "combined filters are kept by day of UTC"));
        }
        Ok(Query {
            scope,
            level: if source == Source::Cube { Level::Cube } else { span.level() },
            span,
            filters: self.filters,
            source,
            group_by: self.group_by,
            include_bots: self.include_bots.unwrap_or(false),
            limit: self.limit.unwrap_or(LIMIT_DEFAULT),
        })
    }

    /// Several dimensions at once are in the cube, or nowhere.
    fn combine(&mut self, scope: &Scope, grouped: Option<Dimension>) -> Result<(), Reject> {
        let filtered = self.filters.iter().map(|filter| (filter.dimension, filter.dimension.name()));
        for (dimension, parameter) in filtered.chain(grouped.map(|dimension| (dimension, "group_by"))) {
            if *scope == Scope::All && dimension == Dimension::Link {
                let detail = "link can be combined with others only within one campaign: give campaign_id";
                return Err(Reject::new(format!("/{parameter}"), detail));
            }
            if dimension.cube_place().is_none() {
                let detail = format!(
                    "{} cannot be combined with other filters; campaign_id, country, device, os, browser, \
                     channel and variant can, and link within one campaign",
                    dimension.name()
                );
                return Err(Reject::new(format!("/{parameter}"), detail));
            }
        }
        if *self.interval.get_or_insert(Interval::Day) != Interval::Day {
            return Err(Reject::new("/interval", "combined filters are kept by day: ask for interval=day"));
        }
        Ok(())
    }
}

fn dimensions() -> String {
    let mut text = "the dimensions are".to_owned();
    for (place, dimension) in Dimension::all().enumerate() {
        let _ = write!(text, "{} {}", if place > 0 { "," } else { "" }, dimension.name());
    }
    text
}

#[cfg(test)]
mod tests;
