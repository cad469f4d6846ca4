//! With what the visitor came: device, browser and system, read from the user agent and its client hints.

mod cache;
mod model;
mod names;
mod seen;
mod system;

use std::borrow::Cow;

pub use cache::AgentCache;
pub use model::Span;
use seen::Seen;
use system::System;

use crate::lexicon::Word;
use crate::text::lowered;

/// The class of the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Device {
    /// A computer, laptops included.
    Desktop,
    /// A telephone, however clever.
    Smartphone,
    /// A tablet or an e-reader.
    Tablet,
    /// A television or a box at one.
    Tv,
    /// A games console.
    Console,
    /// A watch.
    Wearable,
    /// No device of a person's: a program.
    Bot,
    /// Not told.
    Other,
}

impl Device {
    /// Every device, in the order of its code.
    pub const ALL: [Self; 8] = [
        Self::Desktop,
        Self::Smartphone,
        Self::Tablet,
        Self::Tv,
        Self::Console,
        Self::Wearable,
        Self::Bot,
        Self::Other,
    ];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Desktop => "desktop",
            Self::Smartphone => "smartphone",
            Self::Tablet => "tablet",
            Self::Tv => "tv",
            Self::Console => "console",
            Self::Wearable => "wearable",
            Self::Bot => "bot",
            Self::Other => "other",
        }
    }
}

/// What a user agent says of device, browser and system. Empty means not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agent<'a> {
    /// The class of the device.
    pub device: Device,
    /// The browser's family; the app's name for a browser inside an app.
    pub browser: &'static str,
    /// Its major version.
    pub browser_version: &'a str,
    /// The system's family.
    pub os: &'static str,
    /// Its major version, as people name it (`11`, `8.1`, `Vista`).
    pub os_version: &'a str,
    /// Whether it is a browser inside an app: Instagram's, a mail program's.
    pub in_app: bool,
    /// Who made the device.
    pub brand: &'static str,
    /// Where in the user agent its model stands; see [`crate::TrackedEvent::model`].
    pub model: Span,
}

/// The headers that tell of the agent, as they were sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Headers<'h> {
    /// `User-Agent`
    pub user_agent: &'h str,
    /// `Sec-CH-UA`
    pub brands: &'h str,
    /// `Sec-CH-UA-Mobile`
    pub mobile: &'h str,
    /// `Sec-CH-UA-Platform`
    pub platform: &'h str,
    /// `Sec-CH-UA-Model`
    pub model: &'h str,
    /// `Sec-CH-UA-Platform-Version`
    pub platform_version: &'h str,
}

impl Agent<'static> {
    /// Reads the headers. Client hints outweigh the user agent, except that an app's own name outweighs the
    /// engine it is built on.
    pub fn read(headers: Headers<'_>) -> Self {
        let mut seen = Seen::of(headers.user_agent.as_bytes());
        seen.settle();
        let hinted = System::hinted(headers.platform.trim_matches('"')).on(seen.system.value);
        if hinted != System::Unknown && hinted != seen.system.value {
            seen.system.value = hinted;
            seen.system_version = (0, 0);
        }
        if seen.system.value == System::Mac && seen.is_ipad() {
            seen.system.value = System::IPad;
            seen.system_version = (0, 0);
        }
        let model = Span::of(headers.user_agent);
        if model.is_withheld() && seen.system.value == System::Android && seen.system_version.0 == 10 {
            // Chrome says so on every Android.
            seen.system_version = (0, 0);
        }
        if let Some(version) = seen.system.value.hinted_version(headers.platform_version.trim_matches('"')) {
            seen.system_version = version;
        }
        if !headers.model.is_empty() {
            seen.hear_model(headers.model.as_bytes());
        }
        let (browser, browser_version) = seen.browser(headers.brands);
        Self {
            device: seen.device(headers.mobile),
            browser,
            browser_version: number(browser_version),
            os: seen.system.value.name(),
            os_version: seen
                .system
                .value
                .version(seen.system_version)
                .unwrap_or(number(seen.system_version.0)),
            in_app: seen.browser.rank >= names::APP
                || matches!(browser, "iOS WebView" | "Android WebView")
                || seen.webview,
            brand: if seen.maker.is_empty() { seen.system.value.maker() } else { seen.maker },
            model,
        }
    }
}

/// The number as text, without allocating. Nothing has a major version over 999, and so nobody can fill the
/// reports with versions of their making.
fn number(value: u32) -> &'static str {
    #[allow(clippy::indexing_slicing)] // at compile time, where a panic is a compile error
    const DIGITS: [u8; 3000] = {
        let mut text = [b'0'; 3000];
        let mut at = 0;
        while at < 1000 {
            text[at * 3] = b'0' + (at / 100) as u8;
            text[at * 3 + 1] = b'0' + (at / 10 % 10) as u8;
            text[at * 3 + 2] = b'0' + (at % 10) as u8;
            at += 1;
        }
        text
    };
    static TEXT: [u8; 3000] = DIGITS;
    let skip = match value {
        1..=9 => 2,
        10..=99 => 1,
        100..=999 => 0,
        _ => return "",
    };
    let at = value as usize * 3;
    TEXT.get(at + skip..at + 3).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or_default()
}

/// Whether a browser, a system or a device is named by what begins with this word.
pub(crate) fn is_named(text: &[u8], word: Word) -> bool {
    names::marks().at(text, word).is_some()
}

/// Whether a system of that name, in lower case, can be told.
pub fn is_os(name: &str) -> bool {
    System::ALL.iter().any(|system| system.name().eq_ignore_ascii_case(name))
}

/// The primary language of `Accept-Language` in lower case: `pt-br`; empty if there is none.
pub fn language(accept: &str) -> Cow<'_, str> {
    let end = accept.bytes().position(|byte| byte == b',' || byte == b';').unwrap_or(accept.len());
    let valid = |tag: &&str| {
        (2..=35).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let tag = accept.get(..end).unwrap_or_default();
    let tag = Some(tag).filter(valid).or_else(|| Some(tag.trim()).filter(valid));
    tag.map_or(Cow::Borrowed(""), lowered)
}

#[cfg(test)]
mod tests;
