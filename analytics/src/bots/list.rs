//! The words of `data/bots.txt`, and what each says.

use super::Reason;

/// The list: `[reason]` or `[reason doubt]` begins a section, `[person]` what only looks like a bot,
/// `[generic]` words that mean `ua_list` unless a name says better, `[old_browser]` who may say `compatible`. How
/// a name is marked: see [`Lexicon::new`].
pub(super) const LIST: &str = include_str!("../../data/bots.txt");

/// Names that others have collected. Few are as odd as those of the list, so they are heard as [`Sign::Generic`] is: not where
/// a telephone says its own.
const NAMES: &str = include_str!("../../data/bot_names.txt");

/// What a word says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Named {
        reason: Reason,
        certain: bool,
    },
    Generic,
    /// As generic, but apps are called so, too.
    Trade,
    Person,
    /// The word `compatible`.
    Compatible,
    /// A browser that says `compatible`.
    OldBrowser,
    /// A telephone or television that names itself and nothing else.
    Device,
    /// What browsers are built on.
    Engine,
    /// `Android`: what follows up to the parenthesis' end is the device's name.
    Android,
    /// The last label of a domain.
    TopLevel,
    /// `Mozilla`.
    Mozilla,
    /// `Safari`.
    Safari,
}

pub(super) fn listed() -> impl Iterator<Item = (&'static str, Sign)> {
    let collected = NAMES.lines().filter(|line| !line.starts_with('#'));
    sections().chain(collected.map(|name| (name, Sign::Generic)))
}

fn sections() -> impl Iterator<Item = (&'static str, Sign)> {
    let mut section = Sign::Person;
    LIST.lines().filter_map(move |line| {
        if line.is_empty() || line.starts_with('#') {
            return None;
        }
        let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) else {
            return Some((line, section));
        };
        let (name, certain) = name.strip_suffix(" doubt").map_or((name, true), |name| (name, false));
        section = match Reason::ALL.into_iter().find(|reason| reason.name() == name) {
            Some(reason) => Sign::Named { reason, certain },
            None => match name {
                "generic" => Sign::Generic,
                "trade" => Sign::Trade,
                "compatible" => Sign::Compatible,
                "old_browser" => Sign::OldBrowser,
                "device" => Sign::Device,
                "engine" => Sign::Engine,
                "android" => Sign::Android,
                "mozilla" => Sign::Mozilla,
                "safari" => Sign::Safari,
                "top_level" => Sign::TopLevel,
                _ => Sign::Person,
            },
        };
        None
    })
}
