//! What clicks can be grouped and filtered by.

use std::borrow::Cow;

use crate::latency::LATENCIES;
use crate::skew::SKEWS;
use crate::{Channel, Device, Reason, Source, TimeSource, Trigger, Verdict};

/// A longer value is cut, in sums and in filters alike: whoever sends novels as `utm_term` pays with their ends,
/// and not everybody with the size of a row.
pub const VALUE_MAX_BYTES: usize = 256;

/// One property of an event by which sums are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Dimension {
    /// Token of the link.
    Link = 0,
    /// Campaign id.
    Campaign = 1,
    /// Publisher id.
    Publisher = 2,
    /// Medium as the caller names it.
    Medium = 3,
    /// Creative.
    Ad = 4,
    /// Country, ISO 3166-1 alpha-2.
    Country = 5,
    /// Country and subdivision: `US-CA`.
    Region = 6,
    /// `Austin (US)`: without a comma, which separates the values of a filter.
    City = 7,
    /// Continent, two letters.
    Continent = 8,
    /// Device class.
    Device = 9,
    /// Browser family.
    Browser = 10,
    /// Operating system family.
    Os = 11,
    /// Primary language.
    Language = 12,
    /// Host of the referrer.
    Referrer = 13,
    /// Search, social, direct, ...
    Channel = 14,
    /// `utm_source`
    UtmSource = 15,
    /// `utm_medium`
    UtmMedium = 16,
    /// `utm_campaign`
    UtmCampaign = 17,
    /// `utm_term`
    UtmTerm = 18,
    /// `utm_content`
    UtmContent = 19,
    /// human, suspect or bot.
    Verdict = 20,
    /// Why it is a bot; an event may have several.
    BotReason = 21,
    /// The ad network whose click id the URL carried.
    ClickNetwork = 22,
    /// The event's own name.
    Name = 23,
    /// By which door it came in.
    Source = 24,
    /// Currency of the value.
    Currency = 25,
    /// `sub1`
    Sub1 = 26,
    /// `sub2`
    Sub2 = 27,
    /// `sub3`
    Sub3 = 28,
    /// `sub4`
    Sub4 = 29,
    /// `sub5`
    Sub5 = 30,
    /// The clicked element.
    Element = 31,
    /// Several at once ([`Cube`]), so that filters may be combined; kept by day.
    Cube = 32,
    /// The variant of the link that was chosen.
    Variant = 33,
    /// Whether a link was followed or a code scanned.
    Trigger = 34,
    /// Whose clock an event's time is, where it is not the server's alone.
    TimeSource = 35,
    /// How far the client's clock was off, where the client said when it sent.
    Skew = 36,
    /// Time zone of the visitor, as the platform places it.
    TimeZone = 37,
    /// How long a session, a step or the way to a conversion took ([`crate::lapse`]): not asked for, but what medians
    /// are made of.
    Lapse = 38,
    /// Who made the device.
    Brand = 39,
    /// Its model, as it says so itself.
    Model = 40,
    /// How long a redirect took to know its answer ([`crate::latency`]); one that took no time has none.
    Latency = 41,
}

/// How many there are.
pub(crate) const DIMENSIONS: usize = 42;

/// Every dimension with the name it has in queries and answers, in the order of its code. Codes are stored in
/// sums: append only.
const NAMES: [(Dimension, &str); DIMENSIONS] = [
    (Dimension::Link, "link"),
    (Dimension::Campaign, "campaign_id"),
    (Dimension::Publisher, "publisher_id"),
    (Dimension::Medium, "medium"),
    (Dimension::Ad, "ad_id"),
    (Dimension::Country, "country"),
    (Dimension::Region, "region"),
    (Dimension::City, "city"),
    (Dimension::Continent, "continent"),
    (Dimension::Device, "device"),
    (Dimension::Browser, "browser"),
    (Dimension::Os, "os"),
    (Dimension::Language, "language"),
    (Dimension::Referrer, "referrer"),
    (Dimension::Channel, "channel"),
    (Dimension::UtmSource, "utm_source"),
    (Dimension::UtmMedium, "utm_medium"),
    (Dimension::UtmCampaign, "utm_campaign"),
    (Dimension::UtmTerm, "utm_term"),
    (Dimension::UtmContent, "utm_content"),
    (Dimension::Verdict, "verdict"),
    (Dimension::BotReason, "bot_reason"),
    (Dimension::ClickNetwork, "click_network"),
    (Dimension::Name, "name"),
    (Dimension::Source, "source"),
    (Dimension::Currency, "currency"),
    (Dimension::Sub1, "sub1"),
    (Dimension::Sub2, "sub2"),
    (Dimension::Sub3, "sub3"),
    (Dimension::Sub4, "sub4"),
    (Dimension::Sub5, "sub5"),
    (Dimension::Element, "element_id"),
    (Dimension::Cube, "cube"),
    (Dimension::Variant, "variant"),
    (Dimension::Trigger, "trigger"),
    (Dimension::TimeSource, "time_source"),
    (Dimension::Skew, "skew"),
    (Dimension::TimeZone, "time_zone"),
    (Dimension::Lapse, "lapse"),
    (Dimension::Brand, "brand"),
    (Dimension::Model, "device_model"),
    (Dimension::Latency, "latency"),
];

impl Dimension {
    /// The dimensions a query may name, in the order of their codes.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES
            .iter()
            .map(|(dimension, _)| *dimension)
            .filter(|dimension| !matches!(dimension, Self::Cube | Self::Lapse))
    }

    /// The name in queries and answers.
    pub fn name(self) -> &'static str {
        NAMES.get(self as usize).map_or("", |(_, name)| name)
    }

    /// The dimension of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::all().find(|dimension| dimension.name() == name)
    }

    /// All the values it can have, if they are ours to name.
    pub fn values(self) -> Option<Vec<&'static str>> {
        Some(match self {
            Self::Device => Device::ALL.map(Device::name).to_vec(),
            Self::Channel => Channel::ALL.map(Channel::name).to_vec(),
            Self::Verdict => Verdict::ALL.map(Verdict::name).to_vec(),
            Self::BotReason => Reason::ALL.map(Reason::name).to_vec(),
            Self::Source => Source::ALL.map(Source::name).to_vec(),
            Self::Trigger => Trigger::ALL.map(Trigger::name).to_vec(),
            Self::TimeSource => TimeSource::ALL.map(TimeSource::name).to_vec(),
            Self::Latency => LATENCIES.map(|(_, name)| name).to_vec(),
            Self::Skew => SKEWS.map(|(_, name)| name).to_vec(),
            _ => return None,
        })
    }

    /// The value at a place among [`Dimension::values`].
    pub(crate) fn value(self, place: usize) -> Option<&'static str> {
        match self {
            Self::Device => Device::ALL.get(place).map(|device| device.name()),
            Self::Channel => Channel::ALL.get(place).map(|channel| channel.name()),
            Self::Verdict => Verdict::ALL.get(place).map(|verdict| verdict.name()),
            Self::Source => Source::ALL.get(place).map(|source| source.name()),
            Self::Trigger => Trigger::ALL.get(place).map(|trigger| trigger.name()),
            Self::TimeSource => TimeSource::ALL.get(place).map(|source| source.name()),
            _ => self.values()?.get(place).copied(),
        }
    }

    /// A value as sums spell it, whatever the asker's case.
    pub(crate) fn spelled(self, value: &str) -> Cow<'_, str> {
        let value = cut(value);
        match self {
            Self::Country | Self::Region | Self::Continent => value.to_ascii_uppercase().into(),
            Self::Referrer | Self::Language | Self::UtmSource | Self::UtmMedium => {
                value.to_lowercase().into()
            }
            _ => value.into(),
        }
    }

    /// The code in stored sums.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The dimension of a stored code.
    pub fn from_code(code: u8) -> Option<Self> {
        NAMES.get(usize::from(code)).map(|(dimension, _)| *dimension)
    }

    /// Its place in a cube's key, if it is one of those that can be combined.
    pub fn cube_place(self) -> Option<usize> {
        Cube::DIMENSIONS.iter().position(|dimension| *dimension == self)
    }
}

/// The value as far as sums keep it.
pub(crate) fn cut(value: &str) -> &str {
    value.get(..value.floor_char_boundary(VALUE_MAX_BYTES)).unwrap_or(value)
}

/// The key of a cell in which several low-cardinality dimensions are combined.
#[derive(Debug, Clone, Copy)]
pub struct Cube;

impl Cube {
    /// What can be combined. Campaign and link come first: which of the two a scope keeps depends on the scope.
    /// Append only, and a key that ends before a dimension lacks it: so do keys older than the dimension.
    pub const DIMENSIONS: [Dimension; 8] = [
        Dimension::Campaign,
        Dimension::Link,
        Dimension::Country,
        Dimension::Device,
        Dimension::Os,
        Dimension::Browser,
        Dimension::Channel,
        Dimension::Variant,
    ];
    /// Between the parts of a key; no captured text holds a control character.
    pub const SEPARATOR: char = '\u{1f}';

    /// The value of a dimension in a key; `None` if the dimension is not among those that can be combined.
    pub fn part(key: &str, dimension: Dimension) -> Option<&str> {
        let place = dimension.cube_place()?;
        Some(key.split(Self::SEPARATOR).nth(place).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A dimension that changed its code would be read as another one in every kept sum.
    #[test]
    fn codes_are_their_places() {
        for (place, (dimension, name)) in NAMES.iter().enumerate() {
            assert_eq!(usize::from(dimension.code()), place);
            assert_eq!(Dimension::from_code(dimension.code()), Some(*dimension));
            assert_eq!(dimension.name(), *name);
        }
        assert_eq!(Dimension::from_code(42), None);
        assert_eq!(Dimension::parse("country"), Some(Dimension::Country));
        assert_eq!(Dimension::parse("cube"), None);
    }

    /// Kept cubes are read by this order.
    #[test]
    fn a_key_is_read_by_place_and_lacks_what_is_younger() {
        let old = "spring||DE|phone|iOS|Safari|direct".replace('|', &Cube::SEPARATOR.to_string());
        let read = |key: &str| Cube::DIMENSIONS.map(|of| Cube::part(key, of).unwrap().to_owned());
        assert_eq!(read(&old), ["spring", "", "DE", "phone", "iOS", "Safari", "direct", ""]);
        let new = format!("{old}{}B", Cube::SEPARATOR);
        assert_eq!(read(&new), ["spring", "", "DE", "phone", "iOS", "Safari", "direct", "B"]);
        assert_eq!(Cube::part(&new, Dimension::City), None);
    }

    #[test]
    fn a_value_is_found_by_its_place() {
        for dimension in Dimension::all() {
            let values = dimension.values().unwrap_or_default();
            let by_place: Vec<_> = (0..=values.len()).filter_map(|place| dimension.value(place)).collect();
            assert_eq!(by_place, values);
        }
    }

    #[test]
    fn a_long_value_is_cut_between_characters() {
        let long = "é".repeat(200);
        assert_eq!(cut(&long), "é".repeat(128));
        assert_eq!(cut(&format!("x{long}")).len(), 255);
        assert_eq!(cut("short"), "short");
    }
}
