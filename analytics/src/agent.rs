//! With what the visitor came: device, browser and system, read from the user agent and its client hints.

mod cache;
mod names;
mod system;

use std::borrow::Cow;

use crate::lexicon::words;
pub use cache::AgentCache;
use names::{Mark, brands, marks};
use system::System;

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
}

/// Everything the words of a user agent say, before it is weighed.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // each is a word that was there or not
struct Seen {
    browser: Ranked<&'static str>,
    browser_version: u32,
    system: Ranked<System>,
    system_version: (u32, u32),
    device: Option<Device>,
    phone: bool,
    of_maker: bool,
    maker: &'static str,
    version: u32,
    trident: u32,
    darwin: u32,
    intel: bool,
    mobile: bool,
    app_stack: bool,
    mozilla: bool,
    webkit: bool,
    webview: bool,
}

#[derive(Debug, Default)]
struct Ranked<T> {
    rank: u8,
    value: T,
}

impl Agent<'static> {
    /// Reads the headers. Client hints outweigh the user agent, except that an app's own name outweighs the
    /// engine it is built on.
    pub fn read(headers: Headers<'_>) -> Self {
        let mut seen = Seen::of(headers.user_agent.as_bytes());
        seen.settle();
        let hinted = System::hinted(headers.platform.trim_matches('"'));
        if hinted != System::Unknown && hinted != seen.system.value {
            seen.system.value = hinted;
            seen.system_version = (0, 0);
        }
        if seen.system.value == System::Mac && seen.is_ipad() {
            seen.system.value = System::IPad;
            seen.system_version = (0, 0);
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
        }
    }
}

impl Seen {
    fn of(text: &[u8]) -> Self {
        let (marks, mut seen) = (marks(), Self::default());
        for word in words(text) {
            if word.is_number(text) {
                continue;
            }
            let Some(found) = marks.at(text, word) else { continue };
            let (major, minor) = version(text.get(found.end..).unwrap_or_default());
            match *found.value {
                Mark::Browser(rank, name) => {
                    let same = name == seen.browser.value && seen.browser_version == 0;
                    if rank > seen.browser.rank || same {
                        seen.browser = Ranked { rank: rank.max(seen.browser.rank), value: name };
                        seen.browser_version = major;
                    }
                }
                Mark::System(rank, system) if rank > seen.system.rank => {
                    seen.system = Ranked { rank, value: system };
                    seen.system_version = (major, minor);
                }
                Mark::System(rank, _) if rank == seen.system.rank && seen.system_version.0 == 0 => {
                    seen.system_version = (major, minor);
                }
                // `iPad; CPU OS 17_4`: the lesser name has the version.
                Mark::System(_, system) if seen.system_version.0 == 0 && system.maker() == "Apple" => {
                    if seen.system.value.maker() == "Apple" {
                        seen.system_version = (major, minor);
                    }
                }
                Mark::System(..) => {}
                Mark::Device(Device::Smartphone, maker) => {
                    seen.phone = true;
                    seen.made_by(maker);
                }
                Mark::Device(device, maker) => {
                    seen.device = Some(seen.device.unwrap_or(device));
                    seen.made_by(maker);
                }
                Mark::Maker(maker) => {
                    seen.of_maker = true;
                    seen.made_by(maker);
                }
                Mark::Darwin => seen.darwin = major,
                Mark::Intel => seen.intel = true,
                Mark::Version => seen.version = major,
                Mark::Trident => seen.trident = major,
                Mark::Mobile => seen.mobile = true,
                Mark::AppStack => seen.app_stack = true,
                Mark::Mozilla => seen.mozilla = true,
                Mark::WebKit => seen.webkit = true,
                Mark::WebView => seen.webview = true,
            }
        }
        seen
    }

    fn made_by(&mut self, maker: &'static str) {
        if self.maker.is_empty() {
            self.maker = maker;
        }
    }

    /// What only several words together tell.
    fn settle(&mut self) {
        // An Apple app's network stack names no system, but the kernel; only a Mac's names its processor.
        if self.system.value == System::Unknown && self.darwin > 0 && self.intel {
            self.system.value = System::Mac;
        }
        if self.system.rank == names::NETWORK_STACK {
            if self.intel {
                self.system.value = System::Mac;
            }
            self.system_version = self.system.value.of_darwin(self.darwin);
        }
        if self.system.value == System::Unknown && self.browser.value == "Firefox" && self.is_handheld() {
            self.system.value = System::FirefoxOs;
        }
    }

    fn is_handheld(&self) -> bool {
        self.mobile || self.phone || self.device == Some(Device::Tablet)
    }

    /// iPads claim to be Macs so as to get the desktop's pages; no Mac has these browsers or this word.
    fn is_ipad(&self) -> bool {
        self.mobile || self.browser.rank == names::IOS_ONLY
    }

    fn browser(&self, sent_brands: &str) -> (&'static str, u32) {
        if self.browser.rank >= names::APP {
            return (self.browser.value, self.browser_version);
        }
        if let Some(brand) = brands(sent_brands) {
            return brand;
        }
        match (self.browser.value, self.system.value) {
            ("Safari" | "", System::BlackBerry | System::PlayBook) => ("BlackBerry Browser", self.version),
            ("Safari", System::Symbian | System::Series40) => ("Nokia Browser", 0),
            ("Safari", System::MeeGo) if self.maker == "Nokia" => ("Nokia Browser", 0),
            ("Safari", System::Kindle) => ("Kindle", 0),
            ("", System::WatchOs) => ("Apple Watch App", 0),
            ("Safari" | "", System::PalmWebOs) => ("webOS Browser", 0),
            ("Silk" | "", System::PlayStation) if self.system_version.0 < 4 => ("NetFront", 0),
            ("", System::Nintendo) => ("NetFront", 0),
            ("Safari", System::Android) => ("Android Browser", self.version),
            ("Safari", _) => ("Safari", self.version),
            ("", System::IPhone | System::IPad) if self.webkit || self.mozilla => ("iOS WebView", 0),
            ("", System::Mac) if self.webkit => ("Apple Mail", 0),
            ("" | "Firefox", System::Windows) if self.trident > 0 => ("Internet Explorer", self.trident + 4),
            ("", System::Roku) => ("Roku", 0),
            ("", _) if self.maker == "Nokia" => ("Nokia Browser", 0),
            ("Chrome", System::Android) if self.webview || self.version > 0 => {
                ("Android WebView", self.browser_version)
            }
            ("Opera", _) if self.version > 0 => ("Opera", self.version),
            (name, _) => (name, self.browser_version),
        }
    }

    fn device(&self, mobile_hint: &str) -> Device {
        let of_system = self.system.value.device();
        match self.device {
            // A console that says it hangs at a SmartTV is still one.
            Some(_) if of_system == Device::Console => return Device::Console,
            Some(device) => return device,
            None if self.browser.value == "HbbTV" => return Device::Tv,
            None => {}
        }
        match (self.system.value, mobile_hint) {
            (_, "?1") => Device::Smartphone,
            (System::IPad, _) | (System::Android, "?0") => Device::Tablet,
            // A telephone is one even when it asks for the desktop's page.
            _ if self.phone && matches!(of_system, Device::Desktop | Device::Smartphone | Device::Other) => {
                Device::Smartphone
            }
            // Browsers on Android say `Mobile` on telephones; apps' own network stacks never do.
            (System::Android, _) if self.mozilla && !self.mobile && !self.app_stack => Device::Tablet,
            _ if of_system == Device::Other
                && (self.mobile || self.of_maker || names::is_pocket(self.browser.value)) =>
            {
                Device::Smartphone
            }
            // Tizen and the like on a telephone.
            _ if of_system == Device::Tv && self.mobile => Device::Smartphone,
            _ => of_system,
        }
    }
}

/// The version after a name: `/120.0`, ` 10_15_7`; (0, 0) if none stands there.
fn version(rest: &[u8]) -> (u32, u32) {
    let skipped = rest.iter().take(2).take_while(|byte| b"/ :-v".contains(byte)).count();
    let (major, rest) = digits(rest.get(skipped..).unwrap_or_default());
    let (minor, _) = match rest.split_first() {
        Some((b'.' | b'_', rest)) => digits(rest),
        _ => (0, rest),
    };
    (major, minor)
}

fn digits(text: &[u8]) -> (u32, &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let value =
        digits.iter().fold(0u32, |sum, digit| sum.saturating_mul(10).saturating_add(u32::from(digit - b'0')));
    (value, rest)
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

/// Whether a system of that name, in lower case, can be told.
pub fn is_os(name: &str) -> bool {
    System::ALL.iter().any(|system| system.name().eq_ignore_ascii_case(name))
}

/// The primary language of `Accept-Language` in lower case: `pt-br`; empty if there is none.
pub fn language(accept: &str) -> Cow<'static, str> {
    let tag = accept.split([',', ';']).next().unwrap_or_default().trim();
    let valid = (2..=35).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if valid { Cow::Owned(tag.to_ascii_lowercase()) } else { Cow::Borrowed("") }
}

#[cfg(test)]
mod tests;
