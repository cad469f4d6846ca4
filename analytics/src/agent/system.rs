//! Operating systems, what runs them and what their versions are called.

use super::Device;
use super::seen::digits;

/// Systems that are told apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum System {
    #[default]
    Unknown,
    Windows,
    OldWindows(&'static str),
    WindowsPhone,
    Mac,
    IPhone,
    IPad,
    Android,
    Linux,
    ChromeOs,
    HarmonyOs,
    Tizen,
    WebOs,
    KaiOs,
    TvOs,
    WatchOs,
    FireOs,
    BlackBerry,
    Symbian,
    PlayStation,
    Nintendo,
    Roku,
    Bsd,
    Java,
    WindowsCe,
    AndroidTv,
    PalmWebOs,
    WebTv,
    Chromecast,
    Kindle,
    PlayBook,
    FirefoxOs,
    Solaris,
    SerenityOs,
    MeeGo,
    Sailfish,
    Bada,
    Brew,
    Series40,
}

impl System {
    /// Those that have a name of their own.
    pub(super) const ALL: [Self; 32] = [
        Self::Windows,
        Self::WindowsPhone,
        Self::Mac,
        Self::IPhone,
        Self::IPad,
        Self::Android,
        Self::Linux,
        Self::ChromeOs,
        Self::HarmonyOs,
        Self::Tizen,
        Self::WebOs,
        Self::KaiOs,
        Self::TvOs,
        Self::WatchOs,
        Self::FireOs,
        Self::BlackBerry,
        Self::Symbian,
        Self::PlayStation,
        Self::Nintendo,
        Self::Roku,
        Self::Bsd,
        Self::WebTv,
        Self::Chromecast,
        Self::Kindle,
        Self::FirefoxOs,
        Self::Solaris,
        Self::SerenityOs,
        Self::MeeGo,
        Self::Sailfish,
        Self::Bada,
        Self::Brew,
        Self::Series40,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Unknown => "",
            Self::Windows | Self::OldWindows(_) | Self::WindowsCe => "Windows",
            Self::WindowsPhone => "Windows Phone",
            Self::Mac => "macOS",
            Self::IPhone => "iOS",
            Self::IPad => "iPadOS",
            Self::Android | Self::AndroidTv => "Android",
            Self::Linux => "Linux",
            Self::ChromeOs => "ChromeOS",
            Self::HarmonyOs => "HarmonyOS",
            Self::Tizen => "Tizen",
            Self::WebOs | Self::PalmWebOs => "webOS",
            Self::KaiOs => "KaiOS",
            Self::TvOs => "tvOS",
            Self::WatchOs => "watchOS",
            Self::FireOs => "Fire OS",
            Self::BlackBerry | Self::PlayBook => "BlackBerry",
            Self::Symbian => "Symbian",
            Self::PlayStation => "PlayStation",
            Self::Nintendo => "Nintendo",
            Self::Roku => "Roku",
            Self::Bsd => "BSD",
            Self::Java => "Java ME",
            Self::WebTv => "WebTV",
            Self::Chromecast => "Chromecast",
            Self::Kindle => "Kindle",
            Self::FirefoxOs => "Firefox OS",
            Self::Solaris => "Solaris",
            Self::SerenityOs => "SerenityOS",
            Self::MeeGo => "MeeGo",
            Self::Sailfish => "Sailfish OS",
            Self::Bada => "Bada",
            Self::Brew => "BREW",
            Self::Series40 => "Series 40",
        }
    }

    /// The device that has this system, if nothing else was said.
    pub(super) fn device(self) -> Device {
        match self {
            Self::Unknown => Device::Other,
            Self::Windows
            | Self::OldWindows(_)
            | Self::Mac
            | Self::Linux
            | Self::ChromeOs
            | Self::Bsd
            | Self::Solaris
            | Self::SerenityOs => Device::Desktop,
            Self::IPad | Self::FireOs | Self::Kindle | Self::PlayBook => Device::Tablet,
            Self::WebOs
            | Self::TvOs
            | Self::Roku
            | Self::Tizen
            | Self::AndroidTv
            | Self::WebTv
            | Self::Chromecast => Device::Tv,
            Self::WatchOs => Device::Wearable,
            Self::PlayStation | Self::Nintendo => Device::Console,
            _ => Device::Smartphone,
        }
    }

    /// The name of the version where it is not the number.
    pub(super) fn version(self, version: (u32, u32)) -> Option<&'static str> {
        match (self, version) {
            (Self::OldWindows(name), _) => Some(name),
            (Self::WindowsCe, _) => Some("CE"),
            (Self::Windows, (6, 3)) => Some("8.1"),
            (Self::Windows, (6, 2)) => Some("8"),
            (Self::Windows, (6, 1)) => Some("7"),
            (Self::Windows, (6, 0)) => Some("Vista"),
            (Self::Windows, (5, 1 | 2)) => Some("XP"),
            (Self::Windows, (5, 0)) => Some("2000"),
            // The desktops' other numbers are of a kernel or of a processor (`X11; Linux armv7l`).
            (Self::Linux | Self::Bsd | Self::Java | Self::Solaris | Self::SerenityOs, _) => Some(""),
            _ => None,
        }
    }

    /// Who makes what has this system; empty if many do.
    pub(super) fn maker(self) -> &'static str {
        match self {
            Self::Mac | Self::IPhone | Self::IPad | Self::TvOs | Self::WatchOs => "Apple",
            Self::FireOs | Self::Kindle => "Amazon",
            Self::BlackBerry | Self::PlayBook => "BlackBerry",
            Self::PlayStation => "Sony",
            Self::Nintendo => "Nintendo",
            Self::Roku => "Roku",
            Self::Chromecast => "Google",
            Self::Bada => "Samsung",
            Self::Series40 => "Nokia",
            _ => "",
        }
    }

    /// The version of Apple's system that has this kernel.
    pub(super) fn of_darwin(self, kernel: u32) -> (u32, u32) {
        match (self, kernel) {
            (_, 25..) => (kernel + 1, 0), // all numbers became the year's in autumn 2025
            (Self::IPhone | Self::IPad, 13..) => (kernel - 6, 0),
            (Self::Mac, 20..) => (kernel - 9, 0),
            (Self::Mac, 1..) => (10, 0),
            _ => (0, 0),
        }
    }

    /// The system that `Sec-CH-UA-Platform` names.
    pub(super) fn hinted(platform: &str) -> Self {
        match platform {
            "Windows" => Self::Windows,
            "macOS" => Self::Mac,
            "Android" => Self::Android,
            "Linux" => Self::Linux,
            "Chrome OS" | "Chromium OS" => Self::ChromeOs,
            "iOS" => Self::IPhone,
            _ => Self::Unknown,
        }
    }

    /// The hinted system, where the user agent says this one: an iPad's browser hints at iOS, and claims to be on a Mac.
    pub(super) fn on(self, said: Self) -> Self {
        if self == Self::IPhone && matches!(said, Self::Mac | Self::IPad) { Self::IPad } else { self }
    }

    /// The version that `Sec-CH-UA-Platform-Version` names; user agents have been frozen at Windows 10, macOS 10.15
    /// and Android 10. Windows counts its own way: 13 and more is Windows 11, 0.1 is Windows 7.
    pub(super) fn hinted_version(self, sent: &str) -> Option<(u32, u32)> {
        let (major, rest) = digits(sent.as_bytes());
        let (minor, _) = digits(rest.get(1..).unwrap_or_default());
        match (self, major, minor) {
            _ if sent.is_empty() => None,
            (Self::Windows, 13.., _) => Some((11, 0)),
            (Self::Windows, 1.., _) => Some((10, 0)),
            (Self::Windows, 0, 1..=3) => Some((6, minor)),
            (_, 0, _) => None,
            _ => Some((major, minor)),
        }
    }
}
