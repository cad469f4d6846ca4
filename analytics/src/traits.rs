//! What journeys are grouped and filtered by: the dimensions of one event, kept with its footprint.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::dimension::cut;
use crate::{Dimension, Kind, Text, TrackedEvent};

/// The values of an event by dimension, in the order of the dimensions' codes; what is absent is left out.
///
/// A list and not a struct: a journey carries them from the event to the sums, and nobody on the way looks inside.
#[derive(Clone)]
pub struct Traits<'a>(Pairs<'a>);

/// Not a `Cow`, of which a longer life could not stand for a shorter.
#[derive(Clone)]
enum Pairs<'a> {
    Lent(&'a [(u8, Text<'a>)]),
    Own(Vec<(u8, Text<'a>)>),
}

/// Behind every dimension: the hash of the visitor who clicked. It is no dimension, so that nothing is grouped by it and
/// every reader passes over it; but a click id can be made anew of it, when a conversion is told to who sent the click.
const VISITOR: u8 = u8::MAX;

impl<'a> Traits<'a> {
    /// The traits of an event: every dimension that says who came, from where and by what. What says how the event was
    /// received (skew, trigger, bot reasons) is not the journey's.
    pub fn of<'e: 'a>(event: &'a TrackedEvent<'e>) -> Self {
        let raw = &event.raw;
        let [sub1, sub2, sub3, sub4, sub5] = &raw.sub;
        let region = match raw.region.present() {
            Some(region) => [&*raw.country, "-", region].concat(),
            None => String::new(),
        };
        let city = match raw.city.present() {
            Some(city) => [city, " (", &*raw.country, ")"].concat(),
            None => String::new(),
        };
        let mut traits = Vec::with_capacity(24);
        let mut put = |dimension: Dimension, value: Text<'a>| {
            if !value.is_empty() {
                traits.push((dimension.code(), value));
            }
        };
        let borrowed = |value: &'a str| Text::from(cut(value));
        put(Dimension::Link, borrowed(&raw.link));
        put(Dimension::Campaign, borrowed(&raw.campaign_id));
        put(Dimension::Publisher, borrowed(&raw.publisher_id));
        put(Dimension::Medium, borrowed(&raw.medium));
        put(Dimension::Ad, borrowed(&raw.ad_id));
        put(Dimension::Country, borrowed(&raw.country));
        put(Dimension::Region, Text::from(region));
        put(Dimension::City, Text::from(city));
        put(Dimension::Continent, borrowed(&raw.continent));
        put(Dimension::Device, borrowed(event.agent.device.name()));
        put(Dimension::Browser, borrowed(event.agent.browser));
        put(Dimension::Os, borrowed(event.agent.os));
        put(Dimension::Language, borrowed(&event.language));
        put(Dimension::Referrer, borrowed(&event.referrer_host));
        put(Dimension::Channel, borrowed(event.channel.name()));
        put(Dimension::UtmSource, borrowed(&event.utm.source));
        put(Dimension::UtmMedium, borrowed(&event.utm.medium));
        put(Dimension::UtmCampaign, borrowed(&event.utm.campaign));
        put(Dimension::UtmTerm, borrowed(&event.utm.term));
        put(Dimension::UtmContent, borrowed(&event.utm.content));
        put(Dimension::Verdict, borrowed(event.bot.verdict.name()));
        put(Dimension::ClickNetwork, borrowed(event.click_network));
        put(Dimension::Name, borrowed(&raw.name));
        put(Dimension::Source, borrowed(raw.source.name()));
        for (dimension, value) in
            [Dimension::Sub1, Dimension::Sub2, Dimension::Sub3, Dimension::Sub4, Dimension::Sub5]
                .into_iter()
                .zip([sub1, sub2, sub3, sub4, sub5])
        {
            put(dimension, borrowed(value));
        }
        put(Dimension::Variant, borrowed(&raw.variant));
        if raw.kind == Kind::Click || raw.click_ms.is_some() {
            traits.push((VISITOR, Text::from(hex(raw.visitor))));
        }
        Self(Pairs::Own(traits))
    }

    fn list(&self) -> &[(u8, Text<'a>)] {
        match &self.0 {
            Pairs::Lent(pairs) => pairs,
            Pairs::Own(pairs) => pairs,
        }
    }

    /// Dimensions' codes and their values.
    pub fn pairs(&self) -> impl Iterator<Item = (u8, &str)> {
        self.list().iter().map(|(code, value)| (*code, value.as_str()))
    }

    /// The hash of the visitor who clicked, of a click and of what names one.
    pub fn visitor(&self) -> Option<u64> {
        let (_, hash) = self.list().iter().find(|(code, _)| *code == VISITOR)?;
        u64::from_str_radix(hash, 16).ok()
    }

    /// The same without the visitor: what is only added up has no use for who it was.
    #[must_use]
    pub fn dimensions(&self) -> Self {
        Self(Pairs::Own(self.list().iter().filter(|(code, _)| *code != VISITOR).cloned().collect()))
    }

    /// The value of a dimension; absent is empty.
    pub fn get(&self, dimension: Dimension) -> &str {
        let found = self.list().iter().find(|(code, _)| *code == dimension.code());
        found.map_or("", |(_, value)| value.as_str())
    }

    /// Every dimension that has a value. One of a later version is passed over.
    pub fn iter(&self) -> impl Iterator<Item = (Dimension, &str)> {
        self.list().iter().filter_map(|(code, value)| Some((Dimension::from_code(*code)?, value.as_str())))
    }

    /// These traits, with this value of a dimension.
    #[must_use]
    pub fn with(self, dimension: Dimension, value: Text<'a>) -> Self {
        let code = dimension.code();
        let mut pairs = match self.0 {
            Pairs::Lent(pairs) => pairs.to_vec(),
            Pairs::Own(pairs) => pairs,
        };
        pairs.retain(|(other, _)| *other != code);
        let place = pairs.partition_point(|(other, _)| *other < code);
        pairs.insert(place, (code, value));
        Self(Pairs::Own(pairs))
    }

    /// These traits, owning their texts.
    pub fn into_owned(self) -> Traits<'static> {
        let own = |(code, value): &(u8, Text<'_>)| (*code, value.clone().into_owned());
        Traits(Pairs::Own(self.list().iter().map(own).collect()))
    }
}

impl<'a> FromIterator<(Dimension, &'a str)> for Traits<'a> {
    fn from_iter<I: IntoIterator<Item = (Dimension, &'a str)>>(values: I) -> Self {
        let present = values.into_iter().filter(|(_, value)| !value.is_empty());
        let mut traits: Vec<_> =
            present.map(|(dimension, value)| (dimension.code(), Text::from(cut(value)))).collect();
        traits.sort_by_key(|(code, _)| *code);
        Self(Pairs::Own(traits))
    }
}

impl<'a> From<&'a [(u8, Text<'a>)]> for Traits<'a> {
    /// Traits that are in order already.
    fn from(pairs: &'a [(u8, Text<'a>)]) -> Self {
        Self(Pairs::Lent(pairs))
    }
}

impl<'a> From<Vec<(u8, Text<'a>)>> for Traits<'a> {
    /// Likewise.
    fn from(pairs: Vec<(u8, Text<'a>)>) -> Self {
        Self(Pairs::Own(pairs))
    }
}

impl Default for Traits<'_> {
    fn default() -> Self {
        Self(Pairs::Lent(&[]))
    }
}

impl PartialEq for Traits<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.list() == other.list()
    }
}

impl Eq for Traits<'_> {}

impl fmt::Debug for Traits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Traits").field(&self.list()).finish()
    }
}

impl Serialize for Traits<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.list().serialize(serializer)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Traits<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Pairs::Own(Vec::deserialize(deserializer)?)))
    }
}

/// As `{:x}` writes it, without the formatter: every click has one.
fn hex(number: u64) -> String {
    let mut digits = String::with_capacity(16);
    let digit = |place: u32| char::from_digit((number >> (4 * place)) as u32 & 15, 16);
    digits.extend((0..16 - (number | 1).leading_zeros() / 4).rev().filter_map(digit));
    digits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_hash_is_written_as_the_formatter_does(number: u64, less in 0..64u32) {
            for number in [number >> less, 0] {
                prop_assert_eq!(hex(number), format!("{number:x}"));
            }
        }
    }
}
