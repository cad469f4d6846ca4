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
    pub fn of(event: &TrackedEvent<'_>) -> Self {
        let mut traits = Vec::with_capacity(24);
        Self::each(event, |code, value| traits.push((code, Text::from(value.to_owned()))));
        Self(Pairs::Own(traits))
    }

    /// The same one after the other, of which none is empty: who only writes them down needs no list.
    pub fn each(event: &TrackedEvent<'_>, mut tell: impl FnMut(u8, &str)) {
        let raw = &event.raw;
        let mut put = |dimension: Dimension, value: &str| {
            if !value.is_empty() {
                tell(dimension.code(), cut(value));
            }
        };
        put(Dimension::Link, &raw.link);
        put(Dimension::Campaign, &raw.campaign_id);
        put(Dimension::Publisher, &raw.publisher_id);
        put(Dimension::Medium, &raw.medium);
        put(Dimension::Ad, &raw.ad_id);
        put(Dimension::Country, &raw.country);
        let mut made = String::new();
        if let Some(region) = raw.region.present() {
            made.extend([&*raw.country, "-", region]);
            put(Dimension::Region, &made);
        }
        if let Some(city) = raw.city.present() {
            made.clear();
            made.extend([city, " (", &*raw.country, ")"]);
            put(Dimension::City, &made);
        }
        put(Dimension::Continent, &raw.continent);
        put(Dimension::Device, event.agent.device.name());
        put(Dimension::Browser, event.agent.browser);
        put(Dimension::Os, event.agent.os);
        put(Dimension::Language, &event.language);
        put(Dimension::Referrer, &event.referrer_host);
        put(Dimension::Channel, event.channel.name());
        put(Dimension::UtmSource, &event.utm.source);
        put(Dimension::UtmMedium, &event.utm.medium);
        put(Dimension::UtmCampaign, &event.utm.campaign);
        put(Dimension::UtmTerm, &event.utm.term);
        put(Dimension::UtmContent, &event.utm.content);
        put(Dimension::Verdict, event.bot.verdict.name());
        put(Dimension::ClickNetwork, event.click_network);
        put(Dimension::Name, &raw.name);
        put(Dimension::Source, raw.source.name());
        let subs = [Dimension::Sub1, Dimension::Sub2, Dimension::Sub3, Dimension::Sub4, Dimension::Sub5];
        for (dimension, value) in subs.into_iter().zip(&raw.sub) {
            put(dimension, value);
        }
        put(Dimension::Variant, &raw.variant);
        if raw.kind == Kind::Click || raw.click_ms.is_some() {
            tell(VISITOR, &hex(raw.visitor));
        }
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
