//! Headers that contradict each other. A browser writes all of them from the same facts; who copies a user agent
//! from a list often leaves the others as they are.

use crate::agent::Headers;

/// Whether the client hints tell of another browser than the user agent does.
///
/// That hints are missing proves nothing: Chrome sends none over http, and many web views send none at all.
pub(super) fn contradict(sent: &Headers<'_>) -> bool {
    if sent.platform.is_empty() && sent.brands.is_empty() && sent.mobile.is_empty() {
        return false;
    }
    let claimed = Claimed::of(sent.user_agent);
    !claimed.may_be(sent.platform.trim_matches('"'))
        || sent.mobile == "?1" && claimed.is_a_computer()
        || !sent.brands.is_empty() && !brands_agree(sent.user_agent, sent.brands)
}

/// The system in the user agent's first parenthesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claimed {
    Windows,
    Mac,
    IPhone,
    /// Android, Chrome OS or another Linux. A telephone that asks for the desktop's page says so of itself.
    Linux,
    Unknown,
}

impl Claimed {
    fn of(user_agent: &str) -> Self {
        let system = user_agent.split_once('(').map_or("", |(_, rest)| rest);
        let begins = |names: &[&str]| names.iter().any(|name| system.starts_with(name));
        if begins(&["Windows NT"]) {
            Self::Windows
        } else if begins(&["Macintosh"]) {
            Self::Mac
        } else if begins(&["iPhone", "iPad"]) {
            Self::IPhone
        } else if begins(&["Linux", "X11", "Android"]) {
            Self::Linux
        } else {
            Self::Unknown
        }
    }

    /// Whether `Sec-CH-UA-Platform` may be this beside it.
    fn may_be(self, platform: &str) -> bool {
        let told = match platform {
            "Windows" => Self::Windows,
            "macOS" => Self::Mac,
            "iOS" => Self::IPhone,
            "Android" | "Linux" | "Chrome OS" | "Chromium OS" => Self::Linux,
            _ => return true,
        };
        self == Self::Unknown || self == told
    }

    fn is_a_computer(self) -> bool {
        matches!(self, Self::Windows | Self::Mac)
    }
}

/// Whether the engine in `Sec-CH-UA` is the user agent's, in the same version; they have been kept in step since
/// there are hints. Firefox and Safari send none.
fn brands_agree(user_agent: &str, brands: &str) -> bool {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let chrome = user_agent.split(' ').find_map(|word| word.strip_prefix("Chrome/"));
    let Some(chrome) = chrome else {
        return !(user_agent.contains("Firefox/") || user_agent.contains("(iPhone"));
    };
    let Some((_, chromium)) = brands.split_once("\"Chromium\";v=\"") else { return true };
    chrome.get(..digits(chrome)) == chromium.get(..digits(chromium))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WINDOWS: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
    const ANDROID: &str = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36";
    const DESKTOP_SITE: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
    const FIREFOX: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0";
    const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
    const BRANDS: &str = r#""Chromium";v="142", "Google Chrome";v="142", "Not_A Brand";v="99""#;

    fn sent(user_agent: &str, platform: &str, mobile: &str, brands: &str) -> bool {
        contradict(&Headers { user_agent, brands, mobile, platform, ..Headers::default() })
    }

    #[test]
    fn a_browsers_headers_agree() {
        for (user_agent, platform, mobile, brands) in [
            (WINDOWS, "\"Windows\"", "?0", BRANDS),
            (WINDOWS, "", "", ""),
            (ANDROID, "\"Android\"", "?1", BRANDS),
            (DESKTOP_SITE, "\"Android\"", "?0", BRANDS),
            (DESKTOP_SITE, "\"Chrome OS\"", "?0", BRANDS),
            (WINDOWS, "\"Windows\"", "?0", r#""Microsoft Edge";v="142", "Not_A Brand";v="99""#),
            (WINDOWS, "\"Unknown\"", "?0", "nonsense"),
            (FIREFOX, "", "", ""),
            ("curl/8.5.0", "\"Windows\"", "?1", BRANDS),
        ] {
            assert!(!sent(user_agent, platform, mobile, brands), "{user_agent} {platform} {mobile} {brands}");
        }
    }

    #[test]
    fn a_copied_user_agent_does_not_agree_with_the_rest() {
        for (user_agent, platform, mobile, brands) in [
            (WINDOWS, "\"Linux\"", "?0", BRANDS),
            (WINDOWS, "\"Windows\"", "?1", BRANDS),
            (IPHONE, "\"macOS\"", "?1", BRANDS),
            (ANDROID, "\"Windows\"", "?1", BRANDS),
            (WINDOWS, "\"Windows\"", "?0", r#""Chromium";v="131", "Not_A Brand";v="24""#),
            (FIREFOX, "\"Windows\"", "?0", BRANDS),
        ] {
            assert!(sent(user_agent, platform, mobile, brands), "{user_agent} {platform} {mobile} {brands}");
        }
    }

    proptest! {
        #[test]
        fn any_headers_agree_or_do_not(texts in proptest::array::uniform4(".{0,60}")) {
            let [user_agent, platform, mobile, brands] = texts;
            let _ = sent(&user_agent, &platform, &mobile, &brands);
        }
    }
}
