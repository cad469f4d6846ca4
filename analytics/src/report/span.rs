//! The time a report is about, and how it is cut.

use crate::page::Level;
use crate::time::{REPRESENTABLE_MS, parse_instant, parse_time};
use crate::zone::Zone;
use crate::{Reject, calendar};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
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

    /// By the clock: a day is longer or shorter where the clocks change.
    fn unit_ms(self) -> i64 {
        match self {
            Self::Minute => MINUTE_MS,
            Self::Hour => HOUR_MS,
            Self::Day => DAY_MS,
        }
    }

    /// How many are shown if nobody says from when: an hour of minutes, a day of hours, a month of days.
    fn usual(self) -> i64 {
        match self {
            Self::Minute => 60,
            Self::Hour => 24,
            Self::Day => 30,
        }
    }
}

/// A time as a query gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// Epoch ms.
    At(i64),
    /// Where a day begins in the query's time zone; here the epoch ms at which it does in UTC.
    Day(i64),
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
        // No instant, and yet a time: a day.
        parse_time(text).map(Self::Day)
    }

    pub(super) fn at(self, zone: &Zone) -> i64 {
        match self {
            Self::At(ms) => ms,
            Self::Day(midnight) => zone.at(midnight),
        }
    }

    /// At most a day and a bit from when it is.
    fn about(self) -> i64 {
        match self {
            Self::At(ms) | Self::Day(ms) => ms,
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
    pub zone: Zone,
    /// Where each interval begins, epoch ms, in order.
    pub starts: Vec<i64>,
}

impl Span {
    /// From when to when the zone has to be known, so that the span of these times can be cut: three days more at
    /// either end, of which a day is for the zone, and up to two for the interval (the clocks of Samoa have skipped a
    /// day). Of what would give too many points it is enough to know the end.
    pub(super) fn reach(from: Option<Moment>, to: Option<Moment>, now_ms: i64) -> (i64, i64) {
        let from_ms = from.map(Moment::about);
        let to_ms = to.map_or(now_ms.max(from_ms.unwrap_or(now_ms)), Moment::about) + 3 * DAY_MS;
        let from_ms = from_ms.unwrap_or(to_ms - 33 * DAY_MS) - 3 * DAY_MS;
        (from_ms.max(to_ms - (POINTS_MAX as i64 + 10) * DAY_MS), to_ms)
    }

    /// The span from `from_ms` to `to_ms`, widened to whole intervals. What is not said: as many intervals as are
    /// usual, up to the one that is running.
    pub(super) fn new(
        from_ms: Option<i64>,
        to_ms: Option<i64>,
        interval: Option<Interval>,
        zone: Zone,
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
        let to = to_ms.unwrap_or_else(|| now_ms.max(from_ms.unwrap_or(now_ms)) + 1);
        let to_ms = end(to, interval, &zone);
        if to_ms > *REPRESENTABLE_MS.end() {
            return Err(Reject::new("/to", "is out of range"));
        }
        let from = from_ms.unwrap_or_else(|| moved(to_ms - 1, interval, 1 - interval.usual(), &zone));
        let from_ms = start(from, interval, &zone);
        if interval == Interval::Minute && now_ms - from_ms > MINUTES_KEPT_MS + HOUR_MS {
            return Err(Reject::new("/interval", "minutes are kept for 48 hours; ask for hour or day"));
        }
        let mut starts = Vec::new();
        let mut at = from_ms;
        while at < to_ms {
            starts.push(at);
            if starts.len() > POINTS_MAX {
                return Err(Reject::new(
                    "/interval",
                    "gives more than 3000 points; ask for a longer interval",
                ));
            }
            at = next(at, interval, &zone);
        }
        let span = Self { from_ms, to_ms, interval, zone, starts };
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
        calendar::with_offset(at_ms, self.zone.offset_ms(at_ms))
    }
}

/// Where the interval of a time begins. The clocks of St. John's went from 00:01 to 01:01: of the hour that follows its
/// beginning is missing, and it is part of the one before.
fn start(at_ms: i64, interval: Interval, zone: &Zone) -> i64 {
    let mut within = at_ms;
    loop {
        let local = zone.local(within);
        let start = local - local.rem_euclid(interval.unit_ms());
        // An hour that the clocks show twice is two hours, a midnight that they show twice begins one day.
        let start = if interval == Interval::Day { zone.at(start) } else { zone.at_near(start, within) };
        if start <= at_ms {
            return later_midnight(start, at_ms, interval, zone);
        }
        within -= HOUR_MS / 4;
    }
}

/// Where the clocks go back across midnight, the day that had begun goes on, whatever date they show again.
fn later_midnight(start_ms: i64, at_ms: i64, interval: Interval, zone: &Zone) -> i64 {
    if interval != Interval::Day {
        return start_ms;
    }
    let midnight = zone.at(zone.local(start_ms) + DAY_MS);
    if midnight <= at_ms { midnight } else { start_ms }
}

/// As many intervals later, whether or not one begins there.
fn moved(at_ms: i64, interval: Interval, intervals: i64, zone: &Zone) -> i64 {
    let by_ms = intervals * interval.unit_ms();
    if interval == Interval::Day { zone.at(zone.local(at_ms) + by_ms) } else { at_ms + by_ms }
}

/// Where the interval after the one that begins at `at_ms` begins. A step is not always enough: the clocks of Lord
/// Howe Island go back by half an hour, and the hour that they repeat lasts for 90 minutes. Nor is it always the
/// beginning: where the clocks skip midnight, a day begins at one, and the next one at midnight again.
fn next(at_ms: i64, interval: Interval, zone: &Zone) -> i64 {
    let mut later = moved(at_ms, interval, 1, zone);
    loop {
        let start = start(later, interval, zone);
        if start > at_ms {
            return start;
        }
        later += HOUR_MS / 2;
    }
}

/// The first beginning at or after `at_ms`. On the Chatham Islands, whose clocks go back at a quarter to four, the hour
/// after the one in which it lies can begin before it.
fn end(at_ms: i64, interval: Interval, zone: &Zone) -> i64 {
    let mut end = start(at_ms, interval, zone);
    while end < at_ms {
        end = next(end, interval, zone);
    }
    end
}

#[cfg(test)]
mod tests;
