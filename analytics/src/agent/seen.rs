//! What the words of a user agent say, each by itself and weighed together.

use super::Device;
use super::names::{self, Mark, brands, marks};
use super::system::System;
use crate::lexicon::words;

/// Everything the words of a user agent say, before it is weighed.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // each is a word that was there or not
pub(super) struct Seen {
    pub(super) browser: Ranked<&'static str>,
    browser_version: u32,
    pub(super) system: Ranked<System>,
    pub(super) system_version: (u32, u32),
    device: Option<Device>,
    phone: bool,
    of_maker: bool,
    pub(super) maker: &'static str,
    version: u32,
    trident: u32,
    darwin: u32,
    intel: bool,
    mobile: bool,
    app_stack: bool,
    mozilla: bool,
    webkit: bool,
    pub(super) webview: bool,
}

#[derive(Debug, Default)]
pub(super) struct Ranked<T> {
    pub(super) rank: u8,
    pub(super) value: T,
}

impl Seen {
    pub(super) fn of(text: &[u8]) -> Self {
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

    /// What the model's own name tells, which browsers no longer put into the user agent.
    pub(super) fn hear_model(&mut self, model: &[u8]) {
        let told = Self::of(model);
        self.device = told.device.or(self.device);
        self.phone |= told.phone;
        self.of_maker |= told.of_maker;
        if !told.maker.is_empty() {
            self.maker = told.maker;
        }
    }

    fn made_by(&mut self, maker: &'static str) {
        if self.maker.is_empty() {
            self.maker = maker;
        }
    }

    /// What only several words together tell.
    pub(super) fn settle(&mut self) {
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
    pub(super) fn is_ipad(&self) -> bool {
        self.mobile || self.browser.rank == names::IOS_ONLY
    }

    pub(super) fn browser(&self, sent_brands: &str) -> (&'static str, u32) {
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

    pub(super) fn device(&self, mobile_hint: &str) -> Device {
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

pub(super) fn digits(text: &[u8]) -> (u32, &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let value =
        digits.iter().fold(0u32, |sum, digit| sum.saturating_mul(10).saturating_add(u32::from(digit - b'0')));
    (value, rest)
}
