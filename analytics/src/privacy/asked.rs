//! What a visitor says of being tracked: signals of the request, and parameters of the hit.

use std::borrow::Cow;

/// What the headers say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Signals(u8);

impl Signals {
    /// `DNT: 1`
    pub const DNT: Self = Self(1);
    /// `Sec-GPC: 1`
    pub const GPC: Self = Self(2);
    /// The cookie of somebody who has opted out.
    pub const OPT_OUT: Self = Self(4);

    /// The signals of a text with a letter for each: `d`, `g`, `o`.
    pub fn of_letters(letters: &str) -> Self {
        let of = |letter, Self(bit)| if letters.contains(letter) { bit } else { 0 };
        Self(of('d', Self::DNT) | of('g', Self::GPC) | of('o', Self::OPT_OUT))
    }

    /// Whether it is among these.
    pub fn has(self, Self(other): Self) -> bool {
        self.0 & other == other
    }
}

/// What the parameters `consent` and `optout` say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Asked {
    /// Whether it was given; `None`: nobody said.
    pub consent: Option<bool>,
    /// Whether the visitor is out.
    pub opt_out: bool,
}

impl Asked {
    /// What a query string says. Of a parameter that is given twice the first counts, and of one that nobody understands
    /// nothing: a short link's query is for its destination too, which may mean something else by it.
    pub fn of_query(query: &str) -> Self {
        let mut asked = Self::default();
        if !["consent", "optout", "%"].iter().any(|sign| query.contains(sign)) {
            return asked;
        }
        let first = |wanted: &str| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            pairs.find(|(name, _)| name == wanted).map(|(_, value)| value)
        };
        asked.consent = first("consent").and_then(|word| consent(&word));
        asked.opt_out = first("optout").and_then(|word| opt_out(&word)).unwrap_or(false);
        asked
    }

    /// Both together: who refuses once has refused.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let consent = match (self.consent, other.consent) {
            (Some(one), Some(two)) => Some(one && two),
            (one, two) => one.or(two),
        };
        Self { consent, opt_out: self.opt_out || other.opt_out }
    }
}

/// The words for consent.
pub(crate) fn consent(word: &str) -> Option<bool> {
    match &*plain(word) {
        "granted" | "grant" | "accepted" | "allow" | "yes" | "y" | "true" | "1" => Some(true),
        "denied" | "deny" | "refused" | "declined" | "withdrawn" | "no" | "n" | "false" | "0" => Some(false),
        _ => None,
    }
}

/// The words for being out.
pub(crate) fn opt_out(word: &str) -> Option<bool> {
    match &*plain(word) {
        "1" | "true" | "yes" | "y" => Some(true),
        "0" | "false" | "no" | "n" => Some(false),
        _ => None,
    }
}

fn plain(word: &str) -> Cow<'_, str> {
    let word = word.trim();
    if word.bytes().any(|byte| byte.is_ascii_uppercase()) {
        word.to_ascii_lowercase().into()
    } else {
        word.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_understood_as_people_write_them() {
        for (query, consent, opt_out) in [
            ("", None, false),
            ("consent=granted", Some(true), false),
            ("a=b&consent=DENIED&optout=1", Some(false), true),
            ("%63onsent=no", Some(false), false),
            ("consent=1&consent=0", Some(true), false),
            ("consent=CPXxRfAPXxRfA&optout=perhaps", None, false),
            ("xconsent=denied&optouts=1", None, false),
            ("optout=0", None, false),
        ] {
            assert_eq!(Asked::of_query(query), Asked { consent, opt_out }, "{query}");
        }
    }

    #[test]
    fn who_refuses_once_has_refused() {
        let said = |consent| Asked { consent, opt_out: false };
        for (one, two, both) in [
            (None, None, None),
            (None, Some(true), Some(true)),
            (Some(true), Some(false), Some(false)),
            (Some(false), None, Some(false)),
        ] {
            assert_eq!(said(one).and(said(two)).consent, both);
            assert_eq!(said(two).and(said(one)).consent, both);
        }
        assert!(Asked { opt_out: true, ..said(None) }.and(said(Some(true))).opt_out);
    }

    #[test]
    fn signals_are_letters() {
        let signals = Signals::of_letters("go");
        assert!(signals.has(Signals::GPC) && signals.has(Signals::OPT_OUT) && !signals.has(Signals::DNT));
        assert_eq!(Signals::of_letters(""), Signals::default());
    }
}
