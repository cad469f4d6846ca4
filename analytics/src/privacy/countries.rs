//! Where the GDPR is law, or a law that was made like it.

/// ISO 3166-1 codes: the 27 members of the European Union; their parts with codes of their own in which its law is in
/// force (Aland, and the outermost regions of France); Iceland, Liechtenstein and Norway (EEA); the United Kingdom,
/// whose GDPR is the same text; and Switzerland, whose revised data protection act follows it.
const CODES: [&str; 39] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT",
    "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK", // EU
    "AX", "GF", "GP", "MF", "MQ", "RE", "YT", // parts of it
    "IS", "LI", "NO", // EEA
    "CH", "GB",
];

/// Whether a country is one of these.
pub fn is_european(country: &str) -> bool {
    CODES.iter().any(|code| code.eq_ignore_ascii_case(country))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn europe_is_the_law_and_not_the_continent() {
        for country in ["DE", "fr", "GR", "IS", "GB", "CH", "RE"] {
            assert!(is_european(country), "{country}");
        }
        for country in ["US", "RU", "TR", "UA", "RS", "EU", "", "XX"] {
            assert!(!is_european(country), "{country}");
        }
        let distinct: std::collections::BTreeSet<_> = CODES.into();
        assert_eq!(distinct.len(), CODES.len());
    }
}
