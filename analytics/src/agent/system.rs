//! Operating systems, what runs them and what their versions are called.

use super::Device;

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
}

impl System {
    /// Those that have a name of their own.
    pub(super) const ALL: [Self; 21] = [
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
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Unknown => "",
            Self::Windows | Self::OldWindows(_) => "Windows",
            Self::WindowsPhone => "Windows Phone",
            Self::Mac => "macOS",
            Self::IPhone => "iOS",
            Self::IPad => "iPadOS",
            Self::Android => "Android",
            Self::Linux => "Linux",
            Self::ChromeOs => "ChromeOS",
            Self::HarmonyOs => "HarmonyOS",
            Self::Tizen => "Tizen",
            Self::WebOs => "webOS",
            Self::KaiOs => "KaiOS",
            Self::TvOs => "tvOS",
            Self::WatchOs => "watchOS",
            Self::FireOs => "Fire OS",
            Self::BlackBerry => "BlackBerry",
            Self::Symbian => "Symbian",
            Self::PlayStation => "PlayStation",
            Self::Nintendo => "Nintendo",
            Self::Roku => "Roku",
            Self::Bsd => "BSD",
            Self::Java => "Java ME",
        }
    }

    /// The device that has this system, if nothing else was said.
    pub(super) fn device(self) -> Device {
        match self {
            Self::Unknown => Device::Other,
            Self::Windows | Self::OldWindows(_) | Self::Mac | Self::Linux | Self::ChromeOs | Self::Bsd => {
                Device::Desktop
            }
            Self::IPad | Self::FireOs => Device::Tablet,
            Self::WebOs | Self::TvOs | Self::Roku | Self::Tizen => Device::Tv,
            Self::WatchOs => Device::Wearable,
            Self::PlayStation | Self::Nintendo => Device::Console,
            _ => Device::Smartphone,
        }
    }

    /// The name of the version where it is not the number.
    pub(super) fn version(self, version: (u32, u32)) -> Option<&'static str> {
        match (self, version) {
            (Self::OldWindows(name), _) => Some(name),
            (Self::Windows, (6, 3)) => Some("8.1"),
            (Self::Windows, (6, 2)) => Some("8"),
            (Self::Windows, (6, 1)) => Some("7"),
            (Self::Windows, (6, 0)) => Some("Vista"),
            (Self::Windows, (5, 1 | 2)) => Some("XP"),
            (Self::Windows, (5, 0)) => Some("2000"),
            // The desktops' other numbers are of a kernel or of a processor (`X11; Linux armv7l`).
            (Self::Linux | Self::Bsd | Self::Java, _) => Some(""),
            _ => None,
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
}
