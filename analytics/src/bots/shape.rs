//! How a program's user agent is built, whatever its name: the rules that catch next week's crawlers.

use crate::lexicon::Word;

/// Where app stores' names for apps begin: a domain turned round.
const TURNED: [&[u8]; 11] = [b"com", b"net", b"org", b"de", b"ru", b"io", b"me", b"jp", b"uk", b"fr", b"ch"];

/// Whether the word tells anything: `Mozilla/5.0 (compatible;)` and `None` do not.
pub(super) fn names(text: &[u8], word: Word) -> bool {
    let word = text.get(word.start..word.end).unwrap_or_default();
    word.len() > 1
        && word.first().is_some_and(u8::is_ascii_alphabetic)
        && !["mozilla", "compatible", "none", "null", "undefined", "unknown"]
            .iter()
            .any(|empty| word.eq_ignore_ascii_case(empty.as_bytes()))
}

/// Whether somebody signed the engine: `(KHTML, like Gecko; Name/1.0)`. Robots that run a browser's engine put
/// their own name there, and browsers nothing, with exceptions.
pub(super) fn is_signed(text: &[u8], gecko: Word) -> bool {
    const BROWSERS: [&[u8]; 7] =
        [b"webkit", b"safari", b"googleweblight", b"mobile", b"version", b"chrome", b"hevc"];
    let (before, after) = around(text, gecko);
    if !matches!(after.first(), Some(b';' | b',' | b' ')) {
        return false;
    }
    let aside = after.split(|byte| *byte == b')').next().unwrap_or_default();
    ends_with(before, b"KHTML, like ")
        && (3..after.len()).contains(&aside.len())
        && !BROWSERS.iter().any(|browser| contains(aside, browser))
}

/// Whether another product follows the last of a browser's after a semicolon: `Safari/537.36; Name/1.0`.
pub(super) fn adds_a_product(text: &[u8], safari: Word) -> bool {
    let (_, rest) = around(text, safari);
    let version = rest.iter().take_while(|byte| byte.is_ascii_digit() || b"/.".contains(byte)).count();
    matches!(rest.get(version..), Some([b';', more @ ..]) if more.contains(&b'/'))
}

/// Whether a domain ends here that somebody is to look at: `(scanner.example.com)`. No app's name turned round
/// (`com.example.de`), no app that is called like its site (`example.de/2.8`), no carrier (`FBCR/Telekom.de`).
pub(super) fn is_domain(text: &[u8], top_level: Word) -> bool {
    let (before, after) = around(text, top_level);
    let host = |byte: &u8| byte.is_ascii_alphanumeric() || b"-.".contains(byte);
    let start = before.len() - before.iter().rev().take_while(|byte| host(byte)).count();
    let (before, name) = before.split_at(start);
    let Some((b'.', name)) = name.split_last() else { return false };
    let ends = match after {
        [b'/', next, ..] => !next.is_ascii_digit(),
        [b'.', next, ..] => !next.is_ascii_alphanumeric(),
        [byte, ..] => !b"-_".contains(byte),
        [] => true,
    };
    let first = name.split(|byte| *byte == b'.').next().unwrap_or_default();
    ends && name.iter().any(u8::is_ascii_alphabetic)
        && !TURNED.iter().any(|top| first.eq_ignore_ascii_case(top))
        && before.last() != Some(&b'/')
        && !is_old_explorer(text)
}

/// Whether a web or mail address begins here: it is where a site's owner may complain, and people's browsers
/// give none. Toolbars of the time of MSIE did, without the plus sign.
pub(super) fn gives_contact(text: &[u8], word: Word) -> bool {
    let (before, after) = around(text, word);
    let word = text.get(word.start..word.end).unwrap_or_default();
    let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
    let address =
        (is(b"http") || is(b"https")) && after.starts_with(b"://") || is(b"www") && after.starts_with(b".");
    match before.last() {
        Some(b'+') => address,
        Some(b'@') => {
            let mut domain = after.iter().skip_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-');
            domain.next() == Some(&b'.') && domain.next().is_some_and(u8::is_ascii_alphabetic)
        }
        // Toolbars gave it with the scheme.
        Some(b' ') if is(b"www") && ends_with(before, b"; ") => address,
        _ => address && !is_old_explorer(text),
    }
}

/// Whether a robot says where it is described: `+http://`, wherever it stands, or an address before all else.
pub(super) fn points_to_itself(text: &[u8], word: Word) -> bool {
    let (before, after) = around(text, word);
    let word = text.get(word.start..word.end).unwrap_or_default();
    matches!(before, [] | [.., b'+'])
        && after.starts_with(b"://")
        && (word.eq_ignore_ascii_case(b"http") || word.eq_ignore_ascii_case(b"https"))
}

/// Whether nobody filled in what was to be filled in, or somebody hopes that a logger does: `${...}`.
pub(super) fn is_a_template(text: &[u8]) -> bool {
    text.windows(2).any(|pair| matches!(pair, b"${" | b"{{"))
}

/// Internet Explorer, into whose name everybody wrote what he liked.
pub(super) fn is_old_explorer(text: &[u8]) -> bool {
    contains(text, b"msie ") || contains(text, b"trident")
}

fn around(text: &[u8], word: Word) -> (&[u8], &[u8]) {
    (text.get(..word.start).unwrap_or_default(), text.get(word.end..).unwrap_or_default())
}

fn ends_with(text: &[u8], end: &[u8]) -> bool {
    let at = text.len().checked_sub(end.len());
    at.and_then(|at| text.get(at..)).is_some_and(|text| text.eq_ignore_ascii_case(end))
}

fn contains(text: &[u8], name: &[u8]) -> bool {
    text.windows(name.len()).any(|window| window.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::lexicon::words;

    type Rule = fn(&[u8], Word) -> bool;

    fn anywhere(rule: Rule, text: &str) -> bool {
        words(text.as_bytes()).any(|word| rule(text.as_bytes(), word))
    }

    #[test]
    fn a_signed_engine_is_a_robots() {
        for (text, signed) in [
            ("AppleWebKit/537.36 (KHTML, like Gecko; Name/1.0) Chrome/142", true),
            ("AppleWebKit/537.36 (KHTML, like Gecko, Name) Chrome/142", true),
            ("AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142", false),
            ("AppleWebKit/419 (KHTML, like Gecko, Safari/419.3) Arora/0.3", false),
            ("Trident/7.0; rv:11.0) like Gecko", false),
        ] {
            assert_eq!(anywhere(is_signed, text), signed, "{text}");
            assert_eq!(anywhere(is_signed, &text.to_ascii_uppercase()), signed, "{text}");
        }
    }

    #[test]
    fn a_domain_is_a_contact_unless_it_is_a_name() {
        for (text, domain) in [
            ("Chrome/112 (scanner.example.com)", true),
            ("Example.com", true),
            ("Chrome/112; +example.com.", true),
            ("example.com/scanning Mozilla/5.0", true),
            ("com.example.com", false),
            ("example.com/2.8 (Android)", false),
            ("[FBCR/Telekom.com;FBID/phone]", false),
            ("Version.0.13.com.us", false),
            ("MSIE 6.0; example.com", false),
        ] {
            let found = words(text.as_bytes())
                .filter(|word| text.get(word.start..word.end) == Some("com"))
                .any(|word| is_domain(text.as_bytes(), word));
            assert_eq!(found, domain, "{text}");
        }
    }

    #[test]
    fn a_product_behind_a_semicolon_is_no_browsers() {
        assert!(anywhere(adds_a_product, "Safari/537.36; Name/1.0"));
        assert!(!anywhere(adds_a_product, "Safari/537.36 Edg/142.0; x"));
        assert!(!anywhere(adds_a_product, "Safari/537.36;"));
    }

    proptest! {
        #[test]
        fn any_text_has_a_shape(text in ".{0,120}") {
            for rule in [names, is_signed, adds_a_product, is_domain, gives_contact] {
                anywhere(rule, &text);
            }
        }
    }
}
