//! Query strings: decoded pairs, each with the text it came from.

use std::borrow::Cow;

/// One parameter.
pub(super) struct Pair<'a> {
    /// As it stands in the query string.
    pub(super) raw: &'a str,
    /// Decoded name.
    pub(super) name: Cow<'a, str>,
    /// Decoded value. What is not UTF-8 has become U+FFFD.
    pub(super) value: Cow<'a, str>,
}

/// The parameters in order; borrowed where nothing was escaped.
pub(super) fn pairs(query: &str) -> impl Iterator<Item = Pair<'_>> {
    query.split('&').filter_map(|raw| {
        let (name, value) = form_urlencoded::parse(raw.as_bytes()).next()?;
        Some(Pair { raw, name, value })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_in_order() {
        let decoded = |query| pairs(query).map(|p| format!("{}={}", p.name, p.value)).collect::<Vec<_>>();
        assert_eq!(decoded("a=1&b=x+y%20z&&c&=d&a=%C3%A9"), ["a=1", "b=x y z", "c=", "=d", "a=é"]);
        assert_eq!(decoded("a=%FF%zz%"), ["a=\u{fffd}%zz%"]);
        assert!(decoded("").is_empty());
        assert!(pairs("plain=text").all(|p| matches!(p.value, Cow::Borrowed("text"))));
    }
}
