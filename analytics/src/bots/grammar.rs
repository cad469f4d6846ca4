//! How a browser's user agent is built, and what no browser would write into it.
//!
//! `Mozilla/5.0 (system) engine (KHTML, like Gecko) products`: browsers have kept to it for twenty years. A program
//! that drives a browser, or copies one, names itself where the grammar has no place for a name. Where toolbars, makers
//! and derived browsers wrote theirs is left alone, and so are apps on telephones, which write anywhere.

mod pieces;
mod products;

use self::pieces::{Piece, pieces};
use self::products::{Products, Tail};
use super::shape;
use crate::{Agent, Device};

/// Whether a program has put its name into a browser's user agent; `knows` a browser, a system, a device or a toolbar by
/// a word of its name.
pub(super) fn has_a_guest(text: &[u8], agent: &Agent<'_>, knows: impl Fn(&[u8]) -> bool) -> bool {
    // Into Internet Explorer's name everybody wrote what he liked.
    if shape::is_old_explorer(text) {
        return agent.device == Device::Desktop && is_an_explorer_with_a_guest(text, &knows);
    }
    let mut pieces = pieces(text.strip_prefix(b"Mozilla/5.0 ").unwrap_or_default()).peekable();
    let system = match pieces.peek() {
        Some(&Piece::Aside(system)) => system,
        // None but a robot leaves it out, and those who copy one to the letter are left alone.
        Some(Piece::Product(product)) if product.contains(&b'/') => b"",
        _ => return false,
    };
    match agent.device {
        Device::Smartphone | Device::Tablet => {
            is_an_iphone_with_a_guest(system, &knows)
                || Products::of(pieces, &knows).have_a_guest_on_the_road(system)
        }
        Device::Desktop => {
            is_a_system_with_a_guest(system, &knows)
                || Products::of(pieces, &knows).have_a_guest(agent, system)
        }
        Device::Other => {
            let products = Products::of(pieces, &knows);
            products.are_a_program() || system.is_empty() && products.have_a_guest(agent, system)
        }
        _ => false,
    }
}

/// But nobody behind its parenthesis, on a computer: `(compatible; MSIE 7.0; Windows NT 6.1) Name/1.0`.
fn is_an_explorer_with_a_guest(text: &[u8], knows: &impl Fn(&[u8]) -> bool) -> bool {
    let rest = [&b"Mozilla/4.0 "[..], b"Mozilla/5.0 "].iter().find_map(|begin| text.strip_prefix(*begin));
    let mut pieces = pieces(rest.unwrap_or_default());
    let behind = (pieces.next(), pieces.next(), pieces.next());
    let (Some(Piece::Aside(_)), Some(last @ Piece::Product(_)), None) = behind else { return false };
    matches!(Tail::of(last, knows), Tail::Program { .. })
}

fn parts(aside: &[u8]) -> impl Iterator<Item = &[u8]> {
    aside.split(|byte| *byte == b';').map(<[u8]>::trim_ascii)
}

/// Whether a part of the first parenthesis is the name of no system: `(Windows NT 6.1; WOW64; Some Name)`,
/// `(Name; Windows NT 6.1)`, `(X11; Linux x86_64; Name)`. On Windows one word behind the system marks an institution's
/// machines, and a part with digits is anything: a version, a locale, the number of a toolbar.
fn is_a_system_with_a_guest(aside: &[u8], knows: &impl Fn(&[u8]) -> bool) -> bool {
    let is_strange = |part: &[u8], least| is_a_name(part, least) && !knows(part);
    let windows = |part: &[u8]| part.starts_with(b"Windows NT ");
    let (first, second) = (parts(aside).next().unwrap_or_default(), parts(aside).nth(1).unwrap_or_default());
    match first {
        b"X11" => parts(aside).any(|part| part != b"X11" && is_strange(part, 1)),
        _ if windows(second) && is_strange(first, 1) => true,
        _ => parts(aside).any(windows) && parts(aside).any(|part| is_strange(part, 2)),
    }
}

/// An iPhone says what it is and which language it speaks. Android says what its maker likes.
fn is_an_iphone_with_a_guest(aside: &[u8], knows: &impl Fn(&[u8]) -> bool) -> bool {
    let mut parts = parts(aside).skip_while(|part| !part.ends_with(b" like Mac OS X")).skip(1);
    parts.any(|part| part.first().is_some_and(u8::is_ascii_uppercase) && is_a_name(part, 1) && !knows(part))
}

/// So many words of letters, the first of them long.
fn is_a_name(part: &[u8], least: usize) -> bool {
    let mut words = part.split(|byte| b" -".contains(byte));
    words.next().is_some_and(|first| first.len() > 3)
        && words.filter(|word| word.len() > 2).count() + 1 >= least
        && part.iter().all(|byte| byte.is_ascii_alphabetic() || b" -".contains(byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::agent::Headers;
    use crate::lexicon::words;

    const WINDOWS: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) ";
    const CHROME: &str = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";

    fn guest(user_agent: &str) -> bool {
        let agent = Agent::read(Headers { user_agent, ..Headers::default() });
        let knows = |part: &[u8]| words(part).any(|word| crate::agent::is_named(part, word));
        has_a_guest(user_agent.as_bytes(), &agent, knows)
    }

    #[test]
    fn a_name_behind_a_browser_is_a_programs_unless_it_counts_as_browsers_do() {
        for (tail, strange) in [
            ("", false),
            (" Edg/142.0.3595.53", false),
            (" NewBrowser/142.0.6099.71", false),
            (" NewBrowser/142.0.6099.71 (Some Edition)", false),
            (" OPR/124.0.0.0 (Edition Something)", false),
            (",gzip(gfe)", false),
            (" (10.1.20.20)", false),
            (" Something/2.0", true),
            (" Something/15.1", true),
            (" Something", true),
            (" Something 2.0", true),
            (" SOMETHING", false),
            (" something-x", false),
            (" SomeTool45", false),
            (" Something/1.0.0", true),
            (" Something/7.120.9", false),
            (" Something/1.0.0.1", false),
            (" UK/1", false),
            (" Chrome-Something", true),
            (" Xyz", false),
            (" (SomethingElse)", true),
            (" Something/1.0 (Somebody; x64-some)", true),
        ] {
            assert_eq!(guest(&format!("{WINDOWS}{CHROME}{tail}")), strange, "{tail}");
        }
        for (user_agent, strange) in [
            (format!("Mozilla/5.0 (X11; Linux x86_64) {CHROME} some-thing"), true),
            (format!("Mozilla/5.0 {CHROME} Some-Thing"), true),
            (format!("Mozilla/5.0 {CHROME}"), false),
            (format!("{WINDOWS}{}", CHROME.replace("Chrome", "Thing Chrome")), true),
            (format!("{WINDOWS}{}", CHROME.replace("Chrome", "Xyz Chrome")), true),
            (format!("{WINDOWS}{}", CHROME.replace("Chrome", "Thing/1.2.3 Chrome")), false),
            (format!("{WINDOWS}{}", CHROME.replace("Safari", "thing/1.0 Safari")), true),
            (format!("{WINDOWS}{}", CHROME.replace("Safari", "Thing/10.2.4 Safari")), false),
            (format!("{WINDOWS}Something/6.0 {CHROME}"), true),
            ("Mozilla/5.0 Chrome/10.0.613.0 Safari/534.15 Something/5.0.7".to_owned(), true),
            ("Mozilla/5.0 Linux; Android 14 AppleWebKit/537.36".to_owned(), false),
        ] {
            assert_eq!(guest(&user_agent), strange, "{user_agent}");
        }
        for (firefox, strange) in [
            ("145.0 Something/1.0", true),
            ("145.0 Something", true),
            ("145.0 Something/145.0", false),
            ("145.0 SOMETHING", false),
            ("145.0 (.NET CLR 3.5.30729)", false),
            ("3.6 Something/1.0", false),
        ] {
            let user_agent =
                format!("Mozilla/5.0 (Windows NT 10.0; rv:145.0) Gecko/20100101 Firefox/{firefox}");
            assert_eq!(guest(&user_agent), strange, "{user_agent}");
        }
    }

    #[test]
    fn behind_old_explorers_parenthesis_stands_nobody() {
        for (tail, strange) in [
            ("; Windows NT 6.1; Some Toolbar 1.0)", false),
            ("; Windows NT 6.1)", false),
            ("; Windows NT 6.1) Something/1.0", true),
            ("; Windows NT 6.1) Something/1.0 Something/2.0", false),
            ("; Windows NT 6.1) Opera 7.54 [en]", false),
            ("; Windows CE; IEMobile 7.6) SAMSUNG-SGH-i617/1.0", false),
        ] {
            let user_agent = format!("Mozilla/4.0 (compatible; MSIE 7.0{tail}");
            assert_eq!(guest(&user_agent), strange, "{user_agent}");
        }
    }

    #[test]
    fn on_a_telephone_a_browser_ends_with_itself() {
        const ANDROID: &str = "Mozilla/5.0 (Linux; Android 14; Pixel 8";
        let chrome = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36";
        let view = "AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/142.0.0.0 Mobile Safari/537.36";
        let safari = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
        for (user_agent, strange) in [
            (format!("{ANDROID}) {chrome}"), false),
            (format!("{ANDROID}) {chrome} Something"), true),
            (format!("{ANDROID}) {chrome} Chrome-Something"), true),
            (format!("{ANDROID}) {chrome} Some Thing"), false),
            (format!("{ANDROID}) {chrome} Something/1.0"), false),
            (format!("{ANDROID}; wv) {view} Something"), false),
            (format!("{ANDROID}) {view} Something"), false),
            (format!("{ANDROID}) {}", chrome.replace("Safari/537.36", "Safa")), false),
            (format!("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) {safari} Something"), true),
            (
                format!(
                    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) {}",
                    safari.replace("Version", "Something Version")
                ),
                true,
            ),
            (format!("Mozilla/5.0 SomeApp/7.8.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) {safari}"), false),
        ] {
            assert_eq!(guest(&user_agent), strange, "{user_agent}");
        }
    }

    #[test]
    fn a_system_has_no_room_for_a_name() {
        for (system, strange) in [
            ("Windows NT 6.1; WOW64", false),
            ("Windows; U; Windows NT 6.1; en-US", false),
            ("Macintosh; U; Intel Mac OS X; en", false),
            ("Windows NT 10.0; Win64; x64; Xbox; Xbox One", false),
            ("Windows NT 6.1; WOW64; TOOLBAR50_AAP79465A47544", false),
            ("X11; Some Linux; Linux x86_64", false),
            ("Windows NT 6.1; WOW64; Some Thing", true),
            ("Windows NT 6.1; WOW64; INSTITUTION", false),
            ("Some-Thing; Windows NT 6.3; WOW64", true),
            ("Something; Windows NT 6.3; WOW64", true),
            ("X11; Linux x86_64; Something", true),
            ("X11; Something; Linux x86_64", true),
            ("X11; CrOS x86_64 16328.55.0", false),
        ] {
            assert_eq!(guest(&format!("Mozilla/5.0 ({system}) {CHROME}")), strange, "{system}");
        }
        let phone = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
        assert!(!guest(&format!(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) {phone} SomeApp/1.0"
        )));
        for (inside, strange) in
            [("", false), ("; de_DE", false), ("; Some Thing", true), ("; Something/1.0", false)]
        {
            let system = format!("(iPhone; CPU iPhone OS 18_5 like Mac OS X{inside})");
            assert_eq!(guest(&format!("Mozilla/5.0 {system} {phone}")), strange, "{system}");
        }
    }

    #[test]
    fn an_engine_without_a_browser_draws_pages() {
        for (user_agent, strange) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) Something Safari/538.1",
                true,
            ),
            (
                "Mozilla/5.0 (Windows NT 6.1) AppleWebKit/538.1 (KHTML, like Gecko) Something/0.18.12 Safari/538.1",
                false,
            ),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X) Something/14.62.0", true),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) Arora/0.11 Safari/538.1",
                false,
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.0 Safari/605.1.15",
                false,
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) SomeApp/1.0",
                false,
            ),
            (
                "Mozilla/5.0 (Linux; armv7l) AppleWebKit/538.1 (KHTML, like Gecko) Something/1.0 Safari/538.1",
                false,
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Something/0.1 Safari/537.36",
                true,
            ),
            ("Mozilla/5.0 (some-linux-gnu) Something/4.0.4", true),
            ("Mozilla/5.0 (Windows NT 6.1; WOW64)", false),
        ] {
            assert_eq!(guest(user_agent), strange, "{user_agent}");
        }
    }

    proptest! {
        #[test]
        fn any_text_has_a_guest_or_none(text in "Mozilla/5.0 \\((Windows NT 1|X11; Linux|[a-z();/. ]|.){0,60}") {
            guest(&text);
        }
    }
}
