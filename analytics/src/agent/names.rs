//! The names that stand in user agents and client hints, and what each says.

use std::sync::LazyLock;

use super::Device;
use super::seen::digits;
use super::system::System;
use crate::lexicon::Lexicon;

/// Browsers and makers; the file says how it is written.
const LIST: &str = include_str!("../../data/agents.txt");

/// What a name in a user agent says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// A browser; of several the highest rank is meant, as each also claims to be those below it.
    Browser(u8, &'static str),
    /// A system, ranked likewise: an Android says that it is a Linux.
    System(u8, System),
    /// A class of device by its word, or by a model and its maker.
    Device(Device, &'static str),
    /// Who made it, whatever it is.
    Maker(&'static str),
    /// `Version/17.4`: Safari's, old Opera's.
    Version,
    /// The engine of Internet Explorer 11, which no longer says MSIE.
    Trident,
    /// The kernel of Apple's systems; its version tells theirs.
    Darwin,
    /// The processor of a Mac, beside its kernel.
    Intel,
    Mobile,
    /// An app's network stack rather than a browser.
    AppStack,
    Mozilla,
    WebKit,
    WebView,
}

/// From this rank on it is an app with a browser in it.
pub(super) const APP: u8 = 90;
/// The rank of Apple's network stack, through which apps ask.
pub(super) const NETWORK_STACK: u8 = 17;
/// The rank of browsers' builds for iPhone and iPad.
pub(super) const IOS_ONLY: u8 = 60;

pub(super) fn marks() -> &'static Lexicon<Mark> {
    static MARKS: LazyLock<Lexicon<Mark>> =
        LazyLock::new(|| Lexicon::new(listed().chain(MARK_NAMES.iter().copied())));
    &MARKS
}

/// The browser and its version among the brands of `Sec-CH-UA`, unless they name no more than the engine.
pub(super) fn brands(sent: &str) -> Option<(&'static str, u32)> {
    let mut quoted = sent.split('"').skip(1).step_by(2).peekable();
    while let Some(brand) = quoted.next() {
        let known = BRANDS.iter().find(|(name, _)| *name == brand);
        if let (Some((_, browser)), Some(version)) = (known, quoted.peek()) {
            return Some((browser, digits(version.as_bytes()).0));
        }
    }
    None
}

/// Whether the browser was made for telephones alone.
pub(super) fn is_pocket(browser: &str) -> bool {
    const POCKET: [&str; 10] = [
        "Opera Mini",
        "UC Browser",
        "QQ Browser",
        "ONE Browser",
        "Obigo",
        "Polaris",
        "Openwave",
        "Teleca Browser",
        "NetFront",
        "Nokia Browser",
    ];
    POCKET.contains(&browser)
}

/// The names of [`LIST`]. A line that makes no sense says nothing; that none does is tested.
fn listed() -> impl Iterator<Item = (&'static str, Mark)> {
    let (mut kind, mut of) = ("", "");
    LIST.lines().filter_map(move |line| {
        if line.is_empty() || line.starts_with('#') {
            return None;
        }
        if let Some(section) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            (kind, of) = section.split_once(' ').unwrap_or((section, ""));
            return None;
        }
        let (name, family) = line.split_once('\t').unwrap_or((line, line.trim_matches(['^', '*', '/'])));
        let mark = match kind {
            "browser" => Mark::Browser(of.parse().ok()?, family),
            "phone" => Mark::Device(Device::Smartphone, of),
            "tablet" => Mark::Device(Device::Tablet, of),
            "tv" => Mark::Device(Device::Tv, of),
            "wearable" => Mark::Device(Device::Wearable, of),
            "maker" => Mark::Maker(of),
            _ => return None,
        };
        Some((name, mark))
    })
}

const BRANDS: [(&str, &str); 14] = [
    ("Google Chrome", "Chrome"),
    ("Microsoft Edge", "Edge"),
    ("Opera", "Opera"),
    ("Opera GX", "Opera"),
    ("Samsung Internet", "Samsung Internet"),
    ("Brave", "Brave"),
    ("Vivaldi", "Vivaldi"),
    ("YaBrowser", "Yandex Browser"),
    ("Yandex", "Yandex Browser"),
    ("DuckDuckGo", "DuckDuckGo"),
    ("Whale", "Whale"),
    ("CocCoc", "Coc Coc"),
    ("HeadlessChrome", "Chrome"),
    ("Android WebView", "Android WebView"),
];

use Mark::{AppStack, Darwin, Intel, Mobile, Mozilla, Trident, Version, WebKit, WebView};

const MARK_NAMES: &[(&str, Mark)] = &[
    ("Version/", Version),
    ("Trident", Trident),
    ("AppleWebKit", WebKit),
    ("wv", WebView),
    ("Mozilla", Mozilla),
    ("Mobile", Mobile),
    ("Mobi", Mobile),
    ("okhttp", AppStack),
    ("Dalvik", AppStack),
    ("Darwin/", Darwin),
    ("x86_64", Intel),
    ("i386", Intel),
    ("Power Macintosh", Intel),
    // A tag of Windows 7 on any machine with a pen driver.
    ("Tablet PC", Mozilla),
    ("Xbox", Mark::Device(Device::Console, "Microsoft")),
    // Systems.
    ("Windows Phone", Mark::System(50, System::WindowsPhone)),
    ("WindowsPhone", Mark::System(50, System::WindowsPhone)),
    ("WindowsMobile", Mark::System(50, System::WindowsPhone)),
    ("Windows Mobile", Mark::System(50, System::WindowsPhone)),
    ("XBLWP7", Mark::System(50, System::WindowsPhone)),
    ("wds", Mark::System(50, System::WindowsPhone)),
    ("Windows CE", Mark::System(49, System::WindowsCe)),
    ("WinCE", Mark::System(49, System::WindowsCe)),
    ("WindowsCE", Mark::System(49, System::WindowsCe)),
    ("Windows NT", Mark::System(20, System::Windows)),
    ("Win32NT/", Mark::System(20, System::Windows)),
    ("Windows XP", Mark::System(20, System::OldWindows("XP"))),
    ("Windows 2000", Mark::System(20, System::OldWindows("2000"))),
    ("Windows 98", Mark::System(20, System::OldWindows("98"))),
    ("Windows 95", Mark::System(20, System::OldWindows("95"))),
    ("Win98", Mark::System(20, System::OldWindows("98"))),
    ("Win95", Mark::System(20, System::OldWindows("95"))),
    ("WinNT*", Mark::System(20, System::OldWindows("NT"))),
    ("WinXP", Mark::System(20, System::OldWindows("XP"))),
    ("Win2000", Mark::System(20, System::OldWindows("2000"))),
    ("Win 9x", Mark::System(21, System::OldWindows("ME"))),
    ("Windows ME", Mark::System(20, System::OldWindows("ME"))),
    ("Windows Vista", Mark::System(20, System::OldWindows("Vista"))),
    ("Win16", Mark::System(14, System::OldWindows("3.1"))),
    ("Win32", Mark::System(14, System::Windows)),
    ("Windows", Mark::System(15, System::Windows)),
    ("Macintosh", Mark::System(15, System::Mac)),
    ("Mac_PowerPC", Mark::System(15, System::Mac)),
    ("Mac OS X", Mark::System(16, System::Mac)),
    ("Mac OS", Mark::System(16, System::Mac)),
    ("macOS", Mark::System(16, System::Mac)),
    ("CFNetwork", Mark::System(NETWORK_STACK, System::IPhone)),
    ("iPhone OS", Mark::System(42, System::IPhone)),
    ("iPhone*", Mark::System(41, System::IPhone)),
    ("iPod*", Mark::System(41, System::IPhone)),
    ("iOS", Mark::System(30, System::IPhone)),
    ("iPad*", Mark::System(45, System::IPad)),
    ("CPU OS", Mark::System(40, System::IPad)),
    ("iPadOS", Mark::System(45, System::IPad)),
    ("Android*", Mark::System(40, System::Android)),
    ("Adr", Mark::System(40, System::Android)),
    ("^JUC", Mark::System(40, System::Android)),
    ("GoogleTV", Mark::System(40, System::AndroidTv)),
    ("Silk-Accelerated", Mark::System(43, System::FireOs)),
    ("HarmonyOS", Mark::System(44, System::HarmonyOs)),
    ("OpenHarmony", Mark::System(44, System::HarmonyOs)),
    ("Tizen", Mark::System(44, System::Tizen)),
    ("Web0S", Mark::System(44, System::WebOs)),
    ("WebOS", Mark::System(44, System::WebOs)),
    ("webOS/", Mark::System(44, System::PalmWebOs)),
    ("hpwOS", Mark::System(44, System::PalmWebOs)),
    ("WebTV", Mark::System(44, System::WebTv)),
    ("KAIOS", Mark::System(44, System::KaiOs)),
    ("CrOS", Mark::System(44, System::ChromeOs)),
    ("ChromeOS", Mark::System(44, System::ChromeOs)),
    ("Chrome OS", Mark::System(44, System::ChromeOs)),
    ("CitrixChromeApp", Mark::System(44, System::ChromeOs)),
    ("CrKey", Mark::System(47, System::Chromecast)),
    ("Linux*", Mark::System(10, System::Linux)),
    ("X11", Mark::System(5, System::Linux)),
    ("Ubuntu", Mark::System(10, System::Linux)),
    ("Debian", Mark::System(10, System::Linux)),
    ("redhat", Mark::System(10, System::Linux)),
    ("CentOS", Mark::System(10, System::Linux)),
    ("Fedora", Mark::System(10, System::Linux)),
    ("Gentoo", Mark::System(10, System::Linux)),
    ("Slackware", Mark::System(10, System::Linux)),
    ("SUSE", Mark::System(10, System::Linux)),
    ("openSUSE", Mark::System(10, System::Linux)),
    ("Mandriva", Mark::System(10, System::Linux)),
    ("Mageia", Mark::System(10, System::Linux)),
    ("PCLinuxOS", Mark::System(10, System::Linux)),
    ("Red Hat", Mark::System(10, System::Linux)),
    ("Arch Linux", Mark::System(10, System::Linux)),
    ("Kubuntu", Mark::System(10, System::Linux)),
    ("Lubuntu", Mark::System(10, System::Linux)),
    ("BackTrack", Mark::System(10, System::Linux)),
    ("Puppy/", Mark::System(10, System::Linux)),
    ("Kindle", Mark::System(39, System::Kindle)),
    ("FreeBSD*", Mark::System(12, System::Bsd)),
    ("OpenBSD", Mark::System(12, System::Bsd)),
    ("NetBSD", Mark::System(12, System::Bsd)),
    ("BSD", Mark::System(12, System::Bsd)),
    ("SunOS", Mark::System(12, System::Solaris)),
    ("SerenityOS", Mark::System(12, System::SerenityOs)),
    ("Maemo", Mark::System(44, System::MeeGo)),
    ("MeeGo", Mark::System(44, System::MeeGo)),
    ("WeTab", Mark::System(44, System::MeeGo)),
    ("Sailfish", Mark::System(44, System::Sailfish)),
    ("Bada", Mark::System(44, System::Bada)),
    ("BREW", Mark::System(43, System::Brew)),
    ("Brew MP", Mark::System(43, System::Brew)),
    ("BMP", Mark::System(43, System::Brew)),
    ("BlackBerry*", Mark::System(44, System::BlackBerry)),
    ("BB10", Mark::System(44, System::BlackBerry)),
    ("RIM Tablet OS", Mark::System(44, System::BlackBerry)),
    ("PlayBook", Mark::System(44, System::PlayBook)),
    ("Symbian*", Mark::System(44, System::Symbian)),
    ("SymbOS", Mark::System(44, System::Symbian)),
    ("Series60", Mark::System(44, System::Symbian)),
    ("Series 60", Mark::System(44, System::Symbian)),
    ("S60*", Mark::System(44, System::Symbian)),
    ("Series40", Mark::System(44, System::Series40)),
    ("Series30Plus", Mark::System(44, System::Series40)),
    ("MIDP*", Mark::System(3, System::Java)),
    ("J2ME", Mark::System(3, System::Java)),
    ("tvOS", Mark::System(46, System::TvOs)),
    ("AppleTV*", Mark::System(46, System::TvOs)),
    ("Apple TV", Mark::System(46, System::TvOs)),
    ("watchOS", Mark::System(46, System::WatchOs)),
    ("Watch OS", Mark::System(46, System::WatchOs)),
    ("PlayStation", Mark::System(46, System::PlayStation)),
    ("Nintendo", Mark::System(46, System::Nintendo)),
    ("Roku*", Mark::System(46, System::Roku)),
    ("KFAPWI", Mark::System(46, System::FireOs)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_list_says_something() {
        let lines = LIST.lines().filter(|line| !line.is_empty() && !line.starts_with(['#', '['])).count();
        assert_eq!(listed().count(), lines);
        assert!(lines > 500, "{lines}");
    }
}
