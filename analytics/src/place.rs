//! What a country is part of.

/// Members of the European Union, ISO 3166-1 alpha-2, in order. As of 2026-11, <https://european-union.europa.eu/principles-countries-history/eu-countries_en>.
const MEMBERS: [&str; 27] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT",
    "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// What stands for the members in filters and rules. No country has this code.
pub const EU: &str = "EU";

/// Whether a country, in capitals, is a member of the European Union.
pub fn is_eu(country: &str) -> bool {
    MEMBERS.binary_search(&country).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_told_from_neighbours() {
        assert!(MEMBERS.is_sorted() && MEMBERS.iter().all(|country| is_eu(country)));
        assert!(["", "CH", "GB", "NO", "US", "de", "EU"].iter().all(|country| !is_eu(country)));
    }
}
