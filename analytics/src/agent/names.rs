//! The names that stand in user agents and client hints, and what each says.

use std::sync::LazyLock;

use super::system::System;
use super::{Device, digits};
use crate::lexicon::Lexicon;

/// What a name in a user agent says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// A browser; of several the highest rank is meant, as each also claims to be those below it.
    Browser(u8, &'static str),
    /// A system, ranked likewise: an Android says that it is a Linux.
    System(u8, System),
    Device(Device),
    /// `Version/17.4`: Safari's, old Opera's.
    Version,
    /// The engine of Internet Explorer 11, which no longer says MSIE.
    Trident,
    Mobile,
    /// An app's network stack rather than a browser.
    AppStack,
    Mozilla,
    WebKit,
    WebView,
}

/// From this rank on it is an app with a browser in it.
pub(super) const APP: u8 = 90;
/// The rank of browsers' builds for iPhone and iPad.
pub(super) const IOS_ONLY: u8 = 60;

pub(super) fn marks() -> &'static Lexicon<Mark> {
    static MARKS: LazyLock<Lexicon<Mark>> = LazyLock::new(|| Lexicon::new(MARK_NAMES.iter().copied()));
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

use Mark::{AppStack, Browser, Mobile, Mozilla, Trident, Version, WebKit, WebView};

const MARK_NAMES: &[(&str, Mark)] = &[
    // Apps with a browser inside.
    ("Instagram", Browser(95, "Instagram")),
    ("Barcelona", Browser(95, "Threads")),
    ("MessengerForiOS", Browser(94, "Messenger")),
    ("MessengerLiteForiOS", Browser(94, "Messenger")),
    ("Orca-Android", Browser(94, "Messenger")),
    ("FBAV", Browser(93, "Facebook")),
    ("FBAN", Browser(93, "Facebook")),
    ("FB_IAB", Browser(93, "Facebook")),
    ("BytedanceWebview", Browser(92, "TikTok")),
    ("musical_ly*", Browser(92, "TikTok")),
    ("TikTok", Browser(92, "TikTok")),
    ("trill_*", Browser(92, "TikTok")),
    ("Snapchat", Browser(92, "Snapchat")),
    ("MicroMessenger", Browser(92, "WeChat")),
    ("Line/", Browser(92, "LINE")),
    ("KAKAOTALK", Browser(92, "KakaoTalk")),
    ("Pinterest", Browser(92, "Pinterest")),
    ("LinkedInApp", Browser(92, "LinkedIn")),
    ("TwitterAndroid", Browser(92, "Twitter")),
    ("Twitter for", Browser(92, "Twitter")),
    ("Telegram-Android", Browser(92, "Telegram")),
    ("Reddit/", Browser(92, "Reddit")),
    ("VKAndroidApp", Browser(92, "VK")),
    ("Weibo", Browser(92, "Weibo")),
    ("AlipayClient", Browser(92, "Alipay")),
    ("NAVER(inapp", Browser(92, "Naver")),
    ("Viber/", Browser(92, "Viber")),
    ("GSA", Browser(91, "Google App")),
    // Browsers, the more particular above.
    ("CriOS", Browser(60, "Chrome")),
    ("FxiOS", Browser(60, "Firefox")),
    ("EdgiOS", Browser(60, "Edge")),
    ("OPiOS", Browser(60, "Opera Mini")),
    ("OPT/", Browser(60, "Opera")),
    ("Focus/", Browser(60, "Firefox Focus")),
    ("Klar/", Browser(60, "Firefox Focus")),
    ("DuckDuckGo", Browser(50, "DuckDuckGo")),
    ("Ddg", Browser(50, "DuckDuckGo")),
    ("Brave", Browser(50, "Brave")),
    ("Vivaldi", Browser(50, "Vivaldi")),
    ("YaBrowser", Browser(50, "Yandex Browser")),
    ("SamsungBrowser", Browser(50, "Samsung Internet")),
    ("UCBrowser", Browser(50, "UC Browser")),
    ("UBrowser", Browser(50, "UC Browser")),
    ("UCWEB", Browser(49, "UC Browser")),
    ("MQQBrowser", Browser(50, "QQ Browser")),
    ("QQBrowser", Browser(50, "QQ Browser")),
    ("MiuiBrowser", Browser(50, "Mi Browser")),
    ("HuaweiBrowser", Browser(50, "Huawei Browser")),
    ("HeyTapBrowser", Browser(50, "OPPO Browser")),
    ("VivoBrowser", Browser(50, "vivo Browser")),
    ("baidubrowser", Browser(50, "Baidu")),
    ("baiduboxapp", Browser(50, "Baidu")),
    ("BIDUBrowser", Browser(50, "Baidu")),
    ("MetaSr", Browser(50, "Sogou Explorer")),
    ("Maxthon", Browser(50, "Maxthon")),
    ("Whale", Browser(50, "Whale")),
    ("coc_coc_browser", Browser(50, "Coc Coc")),
    ("Silk", Browser(50, "Silk")),
    ("Puffin", Browser(50, "Puffin")),
    ("Ecosia", Browser(50, "Ecosia")),
    ("Iron", Browser(50, "Iron")),
    ("CoolNovo", Browser(50, "CoolNovo")),
    ("OculusBrowser", Browser(50, "Oculus Browser")),
    ("Opera Mini", Browser(52, "Opera Mini")),
    ("Opera Mobi", Browser(52, "Opera")),
    ("OPR", Browser(51, "Opera")),
    ("OPX", Browser(51, "Opera")),
    ("Opera", Browser(51, "Opera")),
    ("Edg", Browser(51, "Edge")),
    ("EdgA", Browser(51, "Edge")),
    ("Edge", Browser(51, "Edge")),
    ("IEMobile", Browser(51, "Internet Explorer")),
    ("SeaMonkey", Browser(45, "SeaMonkey")),
    ("PaleMoon", Browser(45, "Pale Moon")),
    ("Waterfox", Browser(45, "Waterfox")),
    ("Iceweasel", Browser(45, "Firefox")),
    ("Thunderbird", Browser(45, "Thunderbird")),
    ("Konqueror", Browser(45, "Konqueror")),
    ("Epiphany", Browser(45, "GNOME Web")),
    ("Midori", Browser(45, "Midori")),
    ("Falkon", Browser(45, "Falkon")),
    ("conkeror", Browser(45, "Conkeror")),
    ("Camino", Browser(45, "Camino")),
    ("Galeon", Browser(45, "Galeon")),
    ("Lynx", Browser(45, "Lynx")),
    ("Links", Browser(45, "Links")),
    ("ELinks", Browser(45, "Links")),
    ("w3m", Browser(45, "w3m")),
    ("NetFront", Browser(45, "NetFront")),
    ("UP.Browser", Browser(45, "Openwave")),
    ("Openwave", Browser(45, "Openwave")),
    ("MSIE", Browser(40, "Internet Explorer")),
    ("Chromium", Browser(31, "Chromium")),
    ("Chrome", Browser(30, "Chrome")),
    ("Firefox", Browser(29, "Firefox")),
    ("Namoroka", Browser(29, "Firefox")),
    ("BonEcho", Browser(29, "Firefox")),
    ("Safari", Browser(10, "Safari")),
    ("Version/", Version),
    ("Trident", Trident),
    ("AppleWebKit", WebKit),
    ("wv", WebView),
    ("Mozilla", Mozilla),
    ("Mobile", Mobile),
    ("Mobi", Mobile),
    ("okhttp", AppStack),
    ("Dalvik", AppStack),
    ("CFNetwork", AppStack),
    // Systems.
    ("Windows Phone", Mark::System(50, System::WindowsPhone)),
    ("Windows Mobile", Mark::System(50, System::WindowsPhone)),
    ("Windows CE", Mark::System(50, System::WindowsPhone)),
    ("Windows NT", Mark::System(20, System::Windows)),
    ("Windows XP", Mark::System(20, System::OldWindows("XP"))),
    ("Windows 2000", Mark::System(20, System::OldWindows("2000"))),
    ("Windows 98", Mark::System(20, System::OldWindows("98"))),
    ("Windows 95", Mark::System(20, System::OldWindows("95"))),
    ("Win98", Mark::System(20, System::OldWindows("98"))),
    ("Windows", Mark::System(15, System::Windows)),
    ("Macintosh", Mark::System(15, System::Mac)),
    ("Mac OS X", Mark::System(16, System::Mac)),
    ("iPhone OS", Mark::System(42, System::IPhone)),
    ("iPhone", Mark::System(41, System::IPhone)),
    ("iPod", Mark::System(41, System::IPhone)),
    ("iPod touch", Mark::System(41, System::IPhone)),
    ("iOS", Mark::System(30, System::IPhone)),
    ("iPad", Mark::System(45, System::IPad)),
    ("CPU OS", Mark::System(45, System::IPad)),
    ("iPadOS", Mark::System(45, System::IPad)),
    ("Android", Mark::System(40, System::Android)),
    ("Adr", Mark::System(40, System::Android)),
    ("HarmonyOS", Mark::System(44, System::HarmonyOs)),
    ("OpenHarmony", Mark::System(44, System::HarmonyOs)),
    ("Tizen", Mark::System(44, System::Tizen)),
    ("Web0S", Mark::System(44, System::WebOs)),
    ("WebOS", Mark::System(44, System::WebOs)),
    ("KAIOS", Mark::System(44, System::KaiOs)),
    ("CrOS", Mark::System(44, System::ChromeOs)),
    ("Linux", Mark::System(10, System::Linux)),
    ("X11", Mark::System(5, System::Linux)),
    ("Ubuntu", Mark::System(10, System::Linux)),
    ("FreeBSD", Mark::System(12, System::Bsd)),
    ("OpenBSD", Mark::System(12, System::Bsd)),
    ("NetBSD", Mark::System(12, System::Bsd)),
    ("BlackBerry*", Mark::System(44, System::BlackBerry)),
    ("BB10", Mark::System(44, System::BlackBerry)),
    ("Symbian*", Mark::System(44, System::Symbian)),
    ("SymbOS", Mark::System(44, System::Symbian)),
    ("Series60", Mark::System(44, System::Symbian)),
    ("Series40", Mark::System(44, System::Symbian)),
    ("MIDP", Mark::System(3, System::Java)),
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
    // Devices that say so.
    ("Xbox", Mark::Device(Device::Console)),
    ("SmartTV", Mark::Device(Device::Tv)),
    ("SMART-TV", Mark::Device(Device::Tv)),
    ("TV", Mark::Device(Device::Tv)),
    ("GoogleTV", Mark::Device(Device::Tv)),
    ("HbbTV", Mark::Device(Device::Tv)),
    ("BRAVIA", Mark::Device(Device::Tv)),
    ("NetCast", Mark::Device(Device::Tv)),
    ("NETTV", Mark::Device(Device::Tv)),
    ("VIDAA", Mark::Device(Device::Tv)),
    ("Viera", Mark::Device(Device::Tv)),
    ("CrKey", Mark::Device(Device::Tv)),
    ("AFT*", Mark::Device(Device::Tv)),
    ("Watch", Mark::Device(Device::Wearable)),
    ("Wear OS", Mark::Device(Device::Wearable)),
    ("SM-R*", Mark::Device(Device::Wearable)),
    ("Tablet PC", Mozilla), // a tag of Windows 7 on any machine with a pen driver
    ("Tablet", Mark::Device(Device::Tablet)),
    ("PlayBook", Mark::Device(Device::Tablet)),
    ("Kindle", Mark::Device(Device::Tablet)),
    ("SM-T*", Mark::Device(Device::Tablet)),
    ("SM-X*", Mark::Device(Device::Tablet)),
];
