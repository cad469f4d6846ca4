//! The time a report is about, and how it is cut.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{RoundMode, Timestamp, ToSpan, Unit, Zoned, ZonedRound};

use crate::Reject;
use crate::page::Level;
use crate::time::{parse_instant, parse_time};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Minutes are kept for two days.
pub const MINUTES_KEPT_MS: i64 = 2 * DAY_MS;

/// A series has at most this many points: the minutes of two days, or 125 days of hours.
const POINTS_MAX: usize = 3_000;

/// A report reads at most this many pages: a year of hours.
const PAGES_MAX: i64 = 366 * 24 + 2;

/// How finely a series is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interval {
    /// 60 seconds.
    Minute,
    /// An hour by the clock of the time zone.
    Hour,
    /// A day of the time zone; 23 to 25 hours.
    Day,
}

impl Interval {
    /// The interval of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Minute, Self::Hour, Self::Day].into_iter().find(|interval| interval.name() == name)
    }

    /// The name in queries and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    fn unit(self) -> Unit {
        match self {
            Self::Minute => Unit::Minute,
            Self::Hour => Unit::Hour,
            Self::Day => Unit::Day,
        }
    }

    fn step(self) -> jiff::Span {
        match self {
            Self::Minute => 1.minute(),
            Self::Hour => 1.hour(),
            Self::Day => 1.day(),
        }
    }

    /// How much is shown if nobody says from when: an hour of minutes, a day of hours, a month of days.
    fn usual(self) -> jiff::Span {
        match self {
            Self::Minute => 59.minutes(),
            Self::Hour => 23.hours(),
            Self::Day => 29.days(),
        }
    }
}

/// A time as a query gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// Epoch ms.
    At(i64),
    /// Where a day begins in the query's time zone.
    Day(Date),
}

impl Moment {
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        if let Ok(ms) = parse_instant(text) {
            return Ok(Self::At(ms));
        }
        // The plus sign of an offset that was not escaped has become a space.
        if text.contains(['T', 't'])
            && let Ok(ms) = parse_instant(&text.trim().replace(' ', "+"))
        {
            return Ok(Self::At(ms));
        }
        let midnight = parse_time(text)?;
        Ok(text.trim().parse().map_or(Self::At(midnight), Self::Day))
    }

    pub(super) fn at(self, tz: &TimeZone) -> Option<i64> {
        match self {
            Self::At(ms) => Some(ms),
            Self::Day(date) => Some(
                tz.to_ambiguous_zoned(date.into())
                    .compatible()
                    .ok()?
                    .start_of_day()
                    .ok()?
                    .timestamp()
                    .as_millisecond(),
            ),
        }
    }
}

/// A span of time, cut into intervals of a time zone.
#[derive(Debug, Clone)]
pub struct Span {
    /// Where the first interval begins, epoch ms.
    pub from_ms: i64,
    /// Where the last one ends, epoch ms; exclusive.
    pub to_ms: i64,
    /// How it is cut.
    pub interval: Interval,
    /// Whose hours and days.
    pub tz: TimeZone,
    /// Where each interval begins, epoch ms, in order.
    pub starts: Vec<i64>,
}

impl Span {
    /// The span from `from_ms` to `to_ms`, widened to whole intervals. What is not said: as many intervals as are
    /// usual, up to the one that is running.
    pub(super) fn new(
        from_ms: Option<i64>,
        to_ms: Option<i64>,
        interval: Option<Interval>,
        tz: TimeZone,
        now_ms: i64,
    ) -> Result<Self, Reject> {
        let interval = interval.unwrap_or_else(|| match (from_ms, to_ms.unwrap_or(now_ms)) {
            (Some(from), to) if to - from <= 2 * HOUR_MS && now_ms - from < MINUTES_KEPT_MS => {
                Interval::Minute
            }
            (Some(from), to) if to - from <= 3 * DAY_MS => Interval::Hour,
            _ => Interval::Day,
        });
        if let (Some(from), Some(to)) = (from_ms, to_ms)
            && from >= to
        {
            return Err(Reject::new("/to", "is not after from; it is exclusive"));
        }
        let out_of_range = |pointer| move || Reject::new(pointer, "is out of range");
        let to = to_ms.unwrap_or_else(|| now_ms.max(from_ms.unwrap_or(now_ms)) + 1);
        let to = end(to, interval, &tz).ok_or_else(out_of_range("/to"))?;
        let from = match from_ms {
            Some(from) => start(from, interval, &tz),
            None => (|| {
                let last = to.checked_sub(1.nanosecond()).ok()?;
                start(last.checked_sub(interval.usual()).ok()?.timestamp().as_millisecond(), interval, &tz)
            })(),
        }
        .ok_or_else(out_of_range("/from"))?;
        let (from_ms, to_ms) = (from.timestamp().as_millisecond(), to.timestamp().as_millisecond());
        if interval == Interval::Minute && now_ms - from_ms > MINUTES_KEPT_MS + HOUR_MS {
            return Err(Reject::new("/interval", "minutes are kept for 48 hours; ask for hour or day"));
        }
        let mut starts = Vec::new();
        let mut at = from;
        while at.timestamp().as_millisecond() < to_ms {
            starts.push(at.timestamp().as_millisecond());
            if starts.len() > POINTS_MAX {
                return Err(Reject::new(
                    "/interval",
                    "gives more than 3000 points; ask for a longer interval",
                ));
            }
            at = next(&at, interval).ok_or_else(out_of_range("/to"))?;
        }
        let span = Self { from_ms, to_ms, interval, tz, starts };
        if (to_ms - from_ms) / span.level().page_ms() > PAGES_MAX {
            return Err(Reject::new(
                "/from",
                "is more than a year of hours away; ask for interval=day in UTC",
            ));
        }
        Ok(span)
    }

    /// Whether every interval is a day of UTC.
    pub(super) fn is_whole_utc_days(&self) -> bool {
        let days = |at: &i64| at.rem_euclid(DAY_MS) == 0;
        self.interval == Interval::Day && self.starts.iter().all(days) && days(&self.to_ms)
    }

    /// The coarsest level of sums that can be cut like this.
    pub(super) fn level(&self) -> Level {
        match self.interval {
            Interval::Minute => Level::Minute,
            Interval::Day if self.is_whole_utc_days() => Level::Day,
            Interval::Hour | Interval::Day => Level::Hour,
        }
    }

    /// The interval that a moment is in.
    pub(super) fn place(&self, at_ms: i64) -> Option<usize> {
        if at_ms >= self.to_ms {
            return None;
        }
        self.starts.partition_point(|start| *start <= at_ms).checked_sub(1)
    }

    /// A moment as RFC 3339 with the zone's offset.
    pub(super) fn format(&self, at_ms: i64) -> String {
        // Not `strftime`, whose formatter is 8 KB of the module.
        let display = |at: Zoned| at.timestamp().display_with_offset(at.offset()).to_string();
        zoned(at_ms, &self.tz).map_or_else(String::new, display)
    }
}

fn zoned(at_ms: i64, tz: &TimeZone) -> Option<Zoned> {
    Some(Timestamp::from_millisecond(at_ms).ok()?.to_zoned(tz.clone()))
}

fn start(at_ms: i64, interval: Interval, tz: &TimeZone) -> Option<Zoned> {
    truncated(&zoned(at_ms, tz)?, interval)
}

fn truncated(at: &Zoned, interval: Interval) -> Option<Zoned> {
    at.round(ZonedRound::new().smallest(interval.unit()).mode(RoundMode::Trunc)).ok()
}

/// Where the interval after the one that begins at `at` begins. A step is not always enough: the clocks of Lord
/// Howe Island go back by half an hour, and the hour that they repeat lasts for 90 minutes. Nor is it always the
/// beginning: where the clocks skip midnight, a day begins at one, and the next one at midnight again.
fn next(at: &Zoned, interval: Interval) -> Option<Zoned> {
    let mut later = at.checked_add(interval.step()).ok()?;
    loop {
        let start = truncated(&later, interval)?;
        if start > *at {
            return Some(start);
        }
        later = later.checked_add(30.minutes()).ok()?;
    }
}

fn end(at_ms: i64, interval: Interval, tz: &TimeZone) -> Option<Zoned> {
    let start = start(at_ms, interval, tz)?;
    if start.timestamp().as_millisecond() == at_ms { Some(start) } else { next(&start, interval) }
}

#[cfg(test)]
mod tests;
