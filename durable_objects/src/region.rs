//! Where a set of gates stands, and which one is a visitor's.

use analytics::{RawEvent, Whereabouts};

/// Where a set of gates stands: the platform's location hints.
///
/// A hop across an ocean takes longer than an answer may, so every visitor's events go to gates nearby. The price:
/// two copies of an event that enter from two regions within the window meet at no gate, and count twice. One set for
/// the world, and then no two copies count anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Region {
    /// One set for the world; stands where the first request came from.
    World,
    /// Eastern North America, and Central America.
    Enam,
    /// South America. The platform puts its objects into eastern North America.
    Sam,
    /// Western Europe.
    Weur,
    /// Asia-Pacific: a gate stands where its first caller was, in Tokyo or Singapore, of which each is far from the other.
    Apac,
    /// Oceania.
    Oc,
    /// Africa. The platform puts its objects into western Europe.
    Afr,
    /// Western North America, and Mexico.
    Wnam,
    /// Eastern Europe, and the north and Italy, which are nearer to Warsaw than to London by the platform's network.
    Eeur,
    /// The Middle East, the Caucasus and Central Asia. The platform puts its objects into eastern Europe.
    Me,
    /// Its north-east.
    ApacNe,
    /// Its south-east, and India.
    ApacSe,
}

use Region::{Afr, Apac, ApacNe, ApacSe, Eeur, Enam, Me, Oc, Sam, Weur, Wnam, World};

/// Subdivisions nearer to `wnam` than to `enam`, by where.durableobjects.live as of 2026-08: 33 to 130 ms against 140 to 360.
const WEST_OF_US: [&str; 15] =
    ["AK", "AZ", "CA", "CO", "HI", "ID", "MT", "NM", "NV", "OK", "OR", "TX", "UT", "WA", "WY"];
const WEST_OF_CANADA: [&str; 5] = ["AB", "BC", "NT", "SK", "YT"];

/// What there is to go by where no subdivision is known.
const WESTERN_ZONES: [&str; 18] = [
    "America/Anchorage",
    "America/Boise",
    "America/Creston",
    "America/Dawson",
    "America/Denver",
    "America/Edmonton",
    "America/Juneau",
    "America/Los_Angeles",
    "America/Mexico_City",
    "America/Nome",
    "America/Phoenix",
    "America/Regina",
    "America/Sitka",
    "America/Tijuana",
    "America/Vancouver",
    "America/Whitehorse",
    "America/Yellowknife",
    "Pacific/Honolulu",
];

/// Countries of Europe nearer to `eeur`: 29 to 134 ms against 127 to 226.
const EASTERN_EUROPE: [&str; 27] = [
    "AT", "BA", "BG", "BY", "CZ", "EE", "FI", "GR", "HR", "HU", "IT", "LT", "LV", "MD", "ME", "MK", "MT",
    "NO", "PL", "RO", "RS", "RU", "SE", "SI", "SK", "UA", "XK",
];

/// Countries of Asia nearer to Europe than to the rest of Asia: 50 to 360 ms against 340 to 1,000.
const MIDDLE_EAST: [&str; 24] = [
    "AE", "AM", "AZ", "BH", "CY", "GE", "IL", "IQ", "IR", "JO", "KG", "KW", "KZ", "LB", "OM", "PS", "QA",
    "SA", "SY", "TJ", "TM", "TR", "UZ", "YE",
];

impl Region {
    /// Every region. What is kept knows them by their place here: it is only ever added to.
    pub const ALL: [Self; 12] = [World, Enam, Sam, Weur, Apac, Oc, Afr, Wnam, Eeur, Me, ApacNe, ApacSe];

    /// Which region's visitor it is, by the event alone: whoever sends it again from where it was sent before meets the same
    /// gate. Of whom nothing is known it is North America, where the platform has most room.
    pub fn of(place: &Whereabouts<'_>) -> Self {
        let among = |list: &[&str], name: &str| list.binary_search(&name).is_ok();
        let west = |list: &[&str]| match place.region {
            "" => among(&WESTERN_ZONES, place.time_zone),
            region => among(list, region),
        };
        match (place.continent, place.country) {
            ("NA", "US") if west(&WEST_OF_US) => Wnam,
            ("NA", "CA") if west(&WEST_OF_CANADA) => Wnam,
            ("NA", "MX") => Wnam,
            ("EU", country) if among(&EASTERN_EUROPE, country) => Eeur,
            ("EU", _) => Weur,
            ("AS", country) if among(&MIDDLE_EAST, country) => Me,
            ("AS", "JP" | "KR" | "TW") => ApacNe,
            ("AS", _) => ApacSe,
            ("SA", _) => Sam,
            ("OC", _) => Oc,
            ("AF", _) => Afr,
            _ => Enam,
        }
    }

    /// The same of an encoded event.
    pub fn of_body(body: &[u8]) -> Self {
        RawEvent::peek_whereabouts(body).map_or(Enam, |place| Self::of(&place))
    }

    /// The region of its continent, which was all that was asked before.
    #[must_use]
    pub fn continent(self) -> Self {
        match self {
            Wnam => Enam,
            Eeur => Weur,
            Me | ApacNe | ApacSe => Apac,
            other => other,
        }
    }

    /// The regions from the nearest on, by the same measurements.
    pub(crate) fn nearest(self) -> [Self; 11] {
        match self {
            Wnam => [Wnam, Enam, Sam, ApacNe, Apac, Weur, Oc, ApacSe, Afr, Eeur, Me],
            Enam | World => [Enam, Sam, Wnam, Weur, Afr, Eeur, Me, ApacNe, Apac, ApacSe, Oc],
            Sam => [Sam, Enam, Wnam, Weur, Afr, Eeur, Me, ApacNe, Apac, ApacSe, Oc],
            Weur => [Weur, Afr, Eeur, Me, Enam, Sam, Wnam, ApacSe, Apac, ApacNe, Oc],
            Afr => [Afr, Weur, Eeur, Me, Enam, Sam, Wnam, ApacSe, Apac, ApacNe, Oc],
            Eeur => [Eeur, Me, Weur, Afr, Enam, Sam, Wnam, ApacSe, Apac, ApacNe, Oc],
            Me => [Me, Eeur, Weur, Afr, Enam, Sam, ApacSe, Apac, Wnam, ApacNe, Oc],
            Apac | ApacSe => [ApacSe, Apac, ApacNe, Weur, Afr, Eeur, Me, Wnam, Oc, Enam, Sam],
            ApacNe => [ApacNe, Apac, ApacSe, Oc, Wnam, Enam, Sam, Weur, Afr, Eeur, Me],
            Oc => [Oc, ApacNe, Apac, Wnam, ApacSe, Enam, Sam, Weur, Afr, Eeur, Me],
        }
    }

    /// The name, which but for `world` is also the platform's location hint.
    pub fn name(self) -> &'static str {
        match self {
            World => "world",
            Enam => "enam",
            Sam => "sam",
            Weur => "weur",
            Apac => "apac",
            Oc => "oc",
            Afr => "afr",
            Wnam => "wnam",
            Eeur => "eeur",
            Me => "me",
            ApacNe => "apac-ne",
            ApacSe => "apac-se",
        }
    }

    /// Where the platform is asked to put the gates.
    pub fn location_hint(self) -> Option<&'static str> {
        (self != World).then(|| self.name())
    }

    /// The region of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|region| region.name() == name)
    }

    /// Its place among all.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The region at that place.
    pub fn of_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(continent: &str, country: &str, region: &str, time_zone: &str) -> Region {
        Region::of(&Whereabouts { continent, country, region, time_zone })
    }

    #[test]
    fn visitors_go_to_gates_that_are_nearer_than_those_of_their_continent() {
        assert_eq!(at("NA", "US", "WA", "America/Los_Angeles"), Wnam);
        assert_eq!(at("NA", "US", "NY", "America/New_York"), Enam);
        assert_eq!(at("NA", "CA", "BC", ""), Wnam);
        assert_eq!(at("NA", "CA", "ON", "America/Toronto"), Enam);
        assert_eq!([at("NA", "MX", "JAL", ""), at("NA", "PA", "", "")], [Wnam, Enam]);
        assert_eq!([at("EU", "PL", "", ""), at("EU", "GB", "", "")], [Eeur, Weur]);
        assert_eq!([at("AS", "TR", "34", ""), at("AS", "JP", "13", "")], [Me, ApacNe]);
        assert_eq!([at("AS", "IN", "KA", ""), at("AS", "", "", "")], [ApacSe; 2]);
        assert_eq!([at("SA", "BR", "", ""), at("OC", "AU", "", ""), at("AF", "ZA", "", "")], [Sam, Oc, Afr]);
    }

    #[test]
    fn the_time_zone_says_it_where_no_subdivision_is_known_and_nothing_at_all_is_as_it_was() {
        assert_eq!(at("NA", "US", "", "America/Denver"), Wnam);
        assert_eq!(at("NA", "US", "", "America/Chicago"), Enam);
        assert_eq!(at("NA", "US", "", ""), Enam);
        assert_eq!([at("", "US", "CA", ""), at("", "", "", ""), at("T1", "T1", "", "")], [Enam; 3]);
    }

    #[test]
    fn lists_are_searched_in_order() {
        for list in
            [&WEST_OF_US[..], &WEST_OF_CANADA[..], &WESTERN_ZONES[..], &EASTERN_EUROPE[..], &MIDDLE_EAST[..]]
        {
            assert!(list.is_sorted(), "{list:?}");
        }
    }

    /// Codes are in what gates have written down, names are in addresses.
    #[test]
    fn codes_and_names_are_pinned() {
        let all = Region::ALL.map(|region| format!("{} {}", region.code(), region.name()));
        let pinned = [
            "0 world",
            "1 enam",
            "2 sam",
            "3 weur",
            "4 apac",
            "5 oc",
            "6 afr",
            "7 wnam",
            "8 eeur",
            "9 me",
            "10 apac-ne",
            "11 apac-se",
        ];
        assert_eq!(all, pinned);
        assert!(Region::ALL.into_iter().all(|region| Region::of_code(region.code()) == Some(region)));
        assert!(Region::ALL.into_iter().all(|region| Region::parse(region.name()) == Some(region)));
        assert_eq!((Region::of_code(12), Region::parse("mars")), (None, None));
    }

    #[test]
    fn the_nearest_is_one_s_own_and_each_region_comes_once() {
        for region in Region::ALL.into_iter().skip(1) {
            let mut nearest = region.nearest();
            assert!(nearest[0] == region || region == Apac, "nobody is of all of Asia");
            nearest.sort();
            assert!(Region::ALL.into_iter().skip(1).eq(nearest));
        }
    }

    fn word() -> impl Strategy<Value = String> {
        prop_oneof![
            "NA|EU|AS|AF|OC|SA|AN|",
            "US|CA|MX|DE|PL|TR|JP|",
            "CA|TX|NY|BC|",
            "[A-Za-z/_]{0,20}",
            any::<String>()
        ]
    }

    proptest! {
        #[test]
        fn everybody_has_a_region_of_his_continent_and_the_bytes_of_his_event_say_the_same(
            words in prop::array::uniform4(word()), others in prop::collection::vec(any::<String>(), 4)
        ) {
            let [continent, country, region, time_zone] = &words;
            let place = Whereabouts { continent, country, region, time_zone };
            let found = Region::of(&place);
            prop_assert!(found != World && found == Region::of(&place));
            let of_continent = match &**continent {
                "EU" => Weur, "AS" => Apac, "SA" => Sam, "OC" => Oc, "AF" => Afr, _ => Enam,
            };
            prop_assert_eq!(found.continent(), of_continent);

            let id = analytics::EventId::from_bytes([7; 16]);
            let mut event = RawEvent::new(id, analytics::Kind::Click, analytics::Source::Redirect, 1);
            event.continent = continent.as_str().into();
            event.country = country.as_str().into();
            event.region = region.as_str().into();
            event.time_zone = time_zone.as_str().into();
            event.page_url = others[0].as_str().into();
            event.user_agent = others[1].as_str().into();
            event.props.push((others[2].as_str().into(), others[3].as_str().into()));
            event.value_micros = Some(-7);
            let mut body = Vec::new();
            event.encode(&mut body);
            prop_assert_eq!(RawEvent::peek_whereabouts(&body), Ok(event.whereabouts()));
            prop_assert_eq!((Region::of(&event.whereabouts()), Region::of_body(&body)), (found, found));
        }
    }
}
