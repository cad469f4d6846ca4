//! How a browser's user agent is built, and what no browser would write into it.
//!
//! `Mozilla/5.0 (system) engine (KHTML, like Gecko) products`: browsers have kept to it for twenty years. A program
//! that drives a browser, or copies one, names itself where the grammar has no place for a name. Where toolbars, makers
//! and derived browsers wrote theirs is left alone, and so are apps on telephones, which write anywhere.

use super::shape;
use crate::lexicon::words;
use crate::{Agent, Device};

/// A piece of a user agent.
#[derive(Debug, Clone, Copy)]
enum Piece<'t> {
    Product(&'t [u8]),
    /// What stands in parentheses, others in it included.
    Aside(&'t [u8]),
}

/// Whether a program has put its name into a browser's user agent; `knows` a browser, a system, a device or a toolbar by
/// a word of its name.
pub(super) fn has_a_guest(text: &[u8], agent: &Agent<'_>, knows: impl Fn(&[u8]) -> bool) -> bool {
    // Into Internet Explorer's name everybody wrote what he liked.
    if shape::is_old_explorer(text) {
        return false;
    }
    let mut pieces = pieces(text.strip_prefix(b"Mozilla/5.0 ").unwrap_or_default()).peekable();
    let system = match pieces.peek() {
        Some(&Piece::Aside(system)) => system,
        // None but a robot leaves it out, and those who copy one to the letter are left alone.
        Some(Piece::Product(engine)) if engine.starts_with(b"AppleWebKit/") => b"",
        _ => return false,
    };
    match agent.device {
        Device::Smartphone | Device::Tablet => is_an_iphone_with_a_guest(system, &knows),
        Device::Desktop => {
            is_a_system_with_a_guest(system, &knows)
                || Products::of(pieces, &knows).have_a_guest(agent, system)
        }
        Device::Other if system.is_empty() => Products::of(pieces, &knows).have_a_guest(agent, system),
        _ => false,
    }
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

/// What the products behind the system are, together.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // each is a product that was there or not
struct Products {
    engine: bool,
    webkit: bool,
    /// Chrome, or `Version/` in its place.
    named: bool,
    stranger: bool,
    /// A name without a version between the engine and the browser.
    between: bool,
    /// What follows the browser's last product; only its first piece tells.
    tail: Option<Tail>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tail {
    /// Nobody's in particular.
    Any,
    /// A product as programs have them.
    Program,
    /// A name without a version.
    Name { is_a_brand: bool },
}

impl Products {
    fn of<'t>(pieces: impl Iterator<Item = Piece<'t>>, knows: &impl Fn(&[u8]) -> bool) -> Self {
        let (mut seen, mut complete, mut bare) = (Self::default(), false, false);
        for piece in pieces.skip_while(|piece| matches!(piece, Piece::Aside(_))) {
            let (name, tail) = match piece {
                Piece::Product(product) => {
                    let (name, version) = name_and_version(product);
                    (name, if knows(product) { Tail::Any } else { Tail::of(name, version) })
                }
                Piece::Aside(aside) if has_a_word(aside) && !knows(aside) => (&b""[..], Tail::Program),
                Piece::Aside(_) => (&b""[..], Tail::Any),
            };
            match name {
                b"Chrome" | b"Safari" => {
                    seen.between |= bare && !complete && name == b"Chrome";
                    (complete, seen.tail) = (true, None);
                    seen.named |= name == b"Chrome";
                    continue;
                }
                b"Version" => seen.named = true,
                b"AppleWebKit" => (seen.engine, seen.webkit) = (true, true),
                b"Gecko" | b"Goanna" | b"Servo" | b"KHTML" => seen.engine = true,
                [first, ..] if first.is_ascii_alphabetic() && name != b"Qt" => seen.stranger |= !knows(name),
                _ => {}
            }
            bare = matches!(tail, Tail::Name { .. });
            if complete {
                seen.tail.get_or_insert(tail);
            }
        }
        seen
    }

    /// Behind the browser; between it and its engine; in the place of an engine; or in that of the browser, for on Linux
    /// none is built on `WebKit` that gives neither a name that is known nor `Version/`. Programs that draw pages are, and
    /// televisions, on processors of their own. Behind Firefox everything may stand: its settings offer to add it.
    fn have_a_guest(&self, agent: &Agent<'_>, system: &[u8]) -> bool {
        let windows = agent.os == "Windows";
        let unnamed = matches!(agent.browser, "" | "Safari");
        let drawn = self.webkit && !self.named && agent.os != "macOS" && !windows && !is_embedded(system);
        let followed = match self.tail {
            Some(Tail::Program) => true,
            // On Windows institutions mark their machines so.
            Some(Tail::Name { is_a_brand }) => is_a_brand || !windows,
            _ => false,
        };
        followed || self.between || self.stranger && unnamed && (drawn || !self.engine)
    }
}

impl Tail {
    /// Derived browsers count on from what they are derived from (`Name/120.0.6099.71`); programs begin at 1.0.
    fn of(name: &[u8], version: Option<&[u8]>) -> Self {
        let Some(version) = version else {
            let letters = name.iter().all(|byte| byte.is_ascii_alphabetic() || b".-".contains(byte));
            let lower = |byte: &u8| byte.is_ascii_lowercase();
            let is_a_brand = name.first().is_some_and(u8::is_ascii_uppercase) && name.iter().any(lower);
            return if letters && name.len() > 3 { Self::Name { is_a_brand } } else { Self::Any };
        };
        let short = |part: &[u8]| (1..=2).contains(&part.len()) && part.iter().all(u8::is_ascii_digit);
        let is_a_programs = name.first().is_some_and(u8::is_ascii_alphabetic)
            && version.len() <= 4
            && version.split(|byte| *byte == b'.').all(short);
        if is_a_programs { Self::Program } else { Self::Any }
    }
}

/// Whether the processor is no computer's.
fn is_embedded(system: &[u8]) -> bool {
    ["arm", "mips", "stb", "opentv", "qtembedded", "directfb", "screen"]
        .iter()
        .any(|name| system.windows(name.len()).any(|window| window.eq_ignore_ascii_case(name.as_bytes())))
}

fn name_and_version(product: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut parts = product.splitn(2, |byte| *byte == b'/');
    (parts.next().unwrap_or_default(), parts.next())
}

fn has_a_word(aside: &[u8]) -> bool {
    words(aside).any(|word| {
        let word = aside.get(word.start..word.end).unwrap_or_default();
        word.len() > 3 && word.iter().all(u8::is_ascii_alphabetic)
    })
}

fn pieces(text: &[u8]) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_ascii_start();
        let (first, inside) = rest.split_first()?;
        if *first != b'(' {
            let (product, after) =
                rest.split_at(rest.iter().position(|byte| b" (".contains(byte)).unwrap_or(rest.len()));
            rest = after;
            return Some(Piece::Product(product));
        }
        let mut depth = 1;
        let end = inside.iter().position(|byte| {
            depth += i32::from(*byte == b'(') - i32::from(*byte == b')');
            depth == 0
        });
        let (aside, after) = inside.split_at(end.unwrap_or(inside.len()));
        rest = after.get(1..).unwrap_or_default();
        Some(Piece::Aside(aside))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::agent::Headers;

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
            (" Something/7.20.9", false),
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
            (format!("{WINDOWS}{}", CHROME.replace("Chrome", "Thing/1.2.3 Chrome")), false),
        ] {
            assert_eq!(guest(&user_agent), strange, "{user_agent}");
        }
        assert!(!guest("Mozilla/5.0 (Windows NT 10.0; rv:145.0) Gecko/20100101 Firefox/145.0 Something/1.0"));
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
                "Mozilla/5.0 (Windows NT 6.1) AppleWebKit/538.1 (KHTML, like Gecko) Something/0.18 Safari/538.1",
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
            ("Mozilla/5.0 (Windows NT 6.1; WOW64)", false),
        ] {
            assert_eq!(guest(user_agent), strange, "{user_agent}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_in_pieces(text in "Mozilla/5.0 \\((Windows NT 1|X11; Linux|[a-z();/. ]|.){0,60}") {
            guest(&text);
            let held: usize = pieces(text.as_bytes())
                .map(|piece| match piece {
                    Piece::Product(text) | Piece::Aside(text) => text.len(),
                })
                .sum();
            prop_assert!(held <= text.len());
        }
    }
}
