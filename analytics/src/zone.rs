//! Time zones: how much their clocks are ahead of UTC, over the time that somebody asks about.

/// Longer than any name: the longest has 32.
const NAME_MAX_BYTES: usize = 48;

/// The only names of three letters in the IANA database, which gets no more of them. The platform knows more: `IST`
/// is India there, for Ireland and Israel too.
const SHORT: [&str; 13] =
    ["CET", "EET", "EST", "GMT", "HST", "MET", "MST", "PRC", "ROC", "ROK", "UCT", "UTC", "WET"];

/// Whether a text is spelled as the names of the IANA database are, in whatever case. The platform takes more for a
/// zone, such as `+01:00` and the abbreviations of an old database.
pub fn is_name(text: &str) -> bool {
    let spelled = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+-".contains(&byte);
    text.len() <= NAME_MAX_BYTES
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(spelled)
        && !text.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("SystemV/"))
        && (text.len() != 3 || SHORT.iter().any(|name| name.eq_ignore_ascii_case(text)))
}

/// A time zone, known for as long as was asked. A *local* time is what its clocks show, in milliseconds since they
/// showed the midnight of 1970: a multiple of 24 hours is a midnight, and no calendar is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    name: Box<str>,
    /// From which epoch ms the clocks are ahead by how many ms, in order. The first holds before it too.
    offsets: Vec<(i64, i64)>,
}

impl Zone {
    /// The zone whose clocks are ahead by so many seconds from each of these epoch ms on, in order.
    pub fn new(name: &str, offsets: impl IntoIterator<Item = (i64, i32)>) -> Self {
        let offsets = offsets.into_iter().map(|(from, seconds)| (from, i64::from(seconds) * 1_000));
        Self { name: name.into(), offsets: offsets.collect() }
    }

    /// Coordinated universal time, which takes no asking.
    pub fn utc() -> Self {
        Self::new("UTC", [])
    }

    /// As it was asked for.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How far the clocks are ahead of UTC.
    pub fn offset_ms(&self, at_ms: i64) -> i64 {
        let since = self.offsets.iter().rev().find(|(from, _)| *from <= at_ms);
        since.or(self.offsets.first()).map_or(0, |(_, offset)| *offset)
    }

    /// What the clocks show.
    pub fn local(&self, at_ms: i64) -> i64 {
        at_ms + self.offset_ms(at_ms)
    }

    /// The weekday from 0 for Monday, and the minute of the day.
    pub fn weekday_and_minute(&self, at_ms: i64) -> (u8, u16) {
        let minutes = self.local(at_ms).div_euclid(60_000);
        // 1970 began on a Thursday.
        let weekday = (minutes.div_euclid(24 * 60) + 3).rem_euclid(7);
        (weekday as u8, minutes.rem_euclid(24 * 60) as u16)
    }

    /// When the clocks show a local time: for the first time where they show it twice, and where they skip it, as
    /// much after the gap as it lies within (as RFC 5545 has it).
    pub fn at(&self, local: i64) -> i64 {
        let mut ends = self.offsets.iter().skip(1).map(|(from, _)| *from);
        let mut before = None;
        for &(from, offset) in &self.offsets {
            let at = local - offset;
            if ends.next().is_none_or(|end| at < end) {
                return before.filter(|_| at < from).map_or(at, |before| local - before);
            }
            before = Some(offset);
        }
        local
    }

    /// As [`Self::at`], but by the offset of `near_ms` where the clocks show the time with that one too.
    pub fn at_near(&self, local: i64, near_ms: i64) -> i64 {
        let offset = self.offset_ms(near_ms);
        let at = local - offset;
        if self.offset_ms(at) == offset { at } else { self.at(local) }
    }
}

#[cfg(test)]
pub(crate) mod tests;
