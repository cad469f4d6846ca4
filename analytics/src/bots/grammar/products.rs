//! What stands behind the system, one product after the other.

use super::parts;
use super::pieces::{Piece, name_and_version};
use crate::Agent;
use crate::lexicon::words;

/// What the products behind the system are, together.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // each is a product that was there or not
pub(super) struct Products {
    engine: bool,
    webkit: bool,
    /// Chrome, or `Version/` in its place.
    named: bool,
    /// Safari, so that nothing was cut off.
    whole: bool,
    versioned: bool,
    /// Chrome behind `Version/`: Android's view of a page in an app.
    view: bool,
    stranger: bool,
    program: bool,
    /// A name without a version between the engine and the browser.
    between: bool,
    /// A program in front of the engine, or alone between Chrome and Safari.
    inside: bool,
    /// Alone between the engine and Safari, where Chrome would be.
    in_place: bool,
    pieces: usize,
    /// How many stand behind the engine or the browser's last product, and what the first behind the browser is.
    behind: usize,
    tail: Option<Tail>,
}

/// A product as it tells of who put it there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    /// Nobody in particular.
    Any,
    /// As programs have them.
    Program { numbers: usize },
    /// A name without a version.
    Name { is_a_brand: bool },
}

impl Products {
    pub(super) fn of<'t>(pieces: impl Iterator<Item = Piece<'t>>, knows: &impl Fn(&[u8]) -> bool) -> Self {
        let (mut seen, mut complete, mut last, mut firefox) = (Self::default(), false, Tail::Any, &b""[..]);
        for piece in pieces.skip_while(|piece| matches!(piece, Piece::Aside(_))) {
            let name = match piece {
                Piece::Product(product) => name_and_version(product).0,
                Piece::Aside(_) => b"",
            };
            seen.pieces += 1;
            let bare = matches!(last, Tail::Name { .. });
            match name {
                b"Chrome" | b"Safari" => {
                    seen.between |= bare && !complete && name == b"Chrome";
                    let lone = name == b"Safari"
                        && seen.behind == 1
                        && matches!(last, Tail::Program { numbers: ..3 });
                    seen.inside |= lone && complete;
                    seen.in_place |= lone && !complete;
                    seen.view |= name == b"Chrome" && seen.versioned;
                    (seen.named, seen.whole) = (seen.named || name == b"Chrome", name == b"Safari");
                    complete = true;
                }
                b"Firefox" => {
                    firefox = piece.major();
                    // Up to the fourth, toolbars wrote behind it. Since then it takes a hand, or a browser made of it.
                    complete |= firefox.len() > 1 || matches!(firefox, [b'5'..=b'9']);
                }
                b"Version" => {
                    seen.between |= bare && !complete;
                    (seen.named, seen.versioned) = (true, true);
                }
                b"AppleWebKit" => {
                    seen.inside |= seen.program && !seen.engine;
                    (seen.engine, seen.webkit) = (true, true);
                }
                b"Gecko" | b"Goanna" | b"Servo" | b"KHTML" => seen.engine = true,
                [first, ..] if first.is_ascii_alphabetic() && name != b"Qt" => seen.stranger |= !knows(name),
                _ => {}
            }
            last = match Tail::of(piece, knows) {
                // It counts on from what it is made of.
                Tail::Program { .. } if !firefox.is_empty() && piece.major() == firefox => Tail::Any,
                tail => tail,
            };
            seen.program |= matches!(last, Tail::Program { .. }) && !name.is_empty();
            match (name, piece) {
                (b"Chrome" | b"Safari" | b"Firefox", _) => (seen.tail, seen.behind) = (None, 0),
                (b"AppleWebKit", _) | (_, Piece::Aside(_)) if !complete => seen.behind = 0,
                _ => seen.behind += 1,
            }
            if complete && seen.behind > 0 {
                // Three letters may be anybody's mark there.
                let is_a_mark = name.len() == 3 && matches!(last, Tail::Name { .. });
                seen.tail.get_or_insert(if is_a_mark { Tail::Any } else { last });
            }
        }
        seen
    }

    /// Behind the browser; between it and its engine; in the place of an engine; or in that of the browser, for on Linux
    /// none is built on `WebKit` that gives neither a name that is known nor `Version/`. Programs that draw pages are, and
    /// televisions, on processors of their own.
    pub(super) fn have_a_guest(&self, agent: &Agent<'_>, system: &[u8]) -> bool {
        let windows = agent.os == "Windows";
        let unnamed = matches!(agent.browser, "" | "Safari");
        let computer = !is_embedded(system);
        let drawn = self.webkit && !self.named && agent.os != "macOS" && !windows && computer;
        let followed = match self.tail {
            Some(Tail::Program { .. }) => true,
            // On Windows institutions mark their machines so.
            Some(Tail::Name { is_a_brand }) => is_a_brand || !windows,
            _ => false,
        };
        followed
            || self.between
            || self.inside
            || self.in_place && computer
            || self.stranger && unnamed && (drawn || !self.engine)
    }

    /// On telephones apps write behind the browser what they like, `wv` in the system or `Version/` before Chrome beside it.
    /// Where the browser is nobody's view of a page it ends with itself, not with a name.
    pub(super) fn have_a_guest_on_the_road(&self, system: &[u8]) -> bool {
        let view = self.view || parts(system).any(|part| part == b"wv");
        let named = self.behind == 1 && self.tail == Some(Tail::Name { is_a_brand: true });
        self.between || self.whole && !view && named
    }

    /// One product, as programs have them.
    pub(super) fn are_a_program(&self) -> bool {
        self.pieces == 1 && self.program
    }
}

impl Tail {
    /// Derived browsers count on from what they are derived from (`Name/120.0.6099.71`); programs begin at 1.0.
    pub(super) fn of(piece: Piece<'_>, knows: &impl Fn(&[u8]) -> bool) -> Self {
        let product = match piece {
            Piece::Product(product) => product,
            Piece::Aside(aside) if has_a_word(aside) && !knows(aside) => return Self::Program { numbers: 3 },
            Piece::Aside(_) => return Self::Any,
        };
        let (name, version) = name_and_version(product);
        let Some(version) = version else {
            let letters = name.iter().all(|byte| byte.is_ascii_alphabetic() || b".-".contains(byte));
            let lower = |byte: &u8| byte.is_ascii_lowercase();
            let is_a_brand = name.first().is_some_and(u8::is_ascii_uppercase) && name.iter().any(lower);
            // A program is called after the browser that it drives: what is not known of it tells.
            let is_known = name.split(|byte| *byte == b'-').all(knows);
            return if letters && name.len() > 2 && !is_known {
                Self::Name { is_a_brand }
            } else {
                Self::Any
            };
        };
        let short = |part: &[u8]| (1..=2).contains(&part.len()) && part.iter().all(u8::is_ascii_digit);
        let numbers = version.split(|byte| *byte == b'.').count();
        let is_a_programs = name.len() > 2
            && name.first().is_some_and(u8::is_ascii_alphabetic)
            && numbers <= 3
            && version.split(|byte| *byte == b'.').all(short);
        if is_a_programs && !knows(product) { Self::Program { numbers } } else { Self::Any }
    }
}

/// Whether the processor is no computer's.
fn is_embedded(system: &[u8]) -> bool {
    ["arm", "mips", "stb", "opentv", "qtembedded", "directfb", "screen"]
        .iter()
        .any(|name| system.windows(name.len()).any(|window| window.eq_ignore_ascii_case(name.as_bytes())))
}

fn has_a_word(aside: &[u8]) -> bool {
    words(aside).any(|word| {
        let word = aside.get(word.start..word.end).unwrap_or_default();
        word.len() > 3 && word.iter().all(u8::is_ascii_alphabetic)
    })
}
