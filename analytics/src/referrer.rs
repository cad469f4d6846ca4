//! Where the visitor came from: the referrer's host, and the channel it belongs to.

use std::borrow::Cow;

use crate::text::lowered;

/// How a visitor found the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Channel {
    /// No referrer and no tag: typed, bookmarked, or an app that does not tell.
    Direct,
    /// A search engine's unpaid results.
    Search,
    /// A social network or a messenger.
    Social,
    /// A mail or a newsletter.
    Email,
    /// An AI assistant's answer.
    Ai,
    /// Somebody paid for it.
    Ad,
    /// Another page of the same site.
    Internal,
    /// Any other site.
    Referral,
}

impl Channel {
    /// Every channel, in the order of its code.
    pub const ALL: [Self; 8] = [
        Self::Direct,
        Self::Search,
        Self::Social,
        Self::Email,
        Self::Ai,
        Self::Ad,
        Self::Internal,
        Self::Referral,
    ];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Search => "search",
            Self::Social => "social",
            Self::Email => "email",
            Self::Ai => "ai",
            Self::Ad => "ad",
            Self::Internal => "internal",
            Self::Referral => "referral",
        }
    }
}

/// `host<space>channel` a line, sorted by host; `google.*` stands for the name under any country's domain.
const HOSTS: &str = include_str!("../data/referrers.txt");

/// The host of a URL in lower case, without `www.`, port and user; an Android app's package name for
/// `android-app://`. Empty if there is none.
pub fn host_of(url: &str) -> Cow<'_, str> {
    lowered(raw_host(url))
}

/// Whether a URL leads to this host.
pub(crate) fn leads_to(host: &str, url: &str) -> bool {
    !host.is_empty() && raw_host(url).eq_ignore_ascii_case(host)
}

/// The channel of a known host, looked up under itself and under each domain above it.
pub fn channel_of(host: &str) -> Option<Channel> {
    let mut name = host;
    loop {
        let (_, above) = name.split_once('.')?;
        if let Some(channel) = listed(name) {
            return Some(channel);
        }
        name = above;
    }
}

/// The channel that a medium (`utm_medium`, or the caller's own) names.
///
/// Bought comes first: `paid_social` is an ad.
pub fn channel_of_medium(medium: &str) -> Option<Channel> {
    let medium = medium.trim();
    if medium.is_empty() {
        return None;
    }
    let medium = lowered(medium);
    let words = medium.split(|c: char| !c.is_ascii_alphanumeric());
    let named = words.filter_map(channel_of_word).min_by_key(|(weight, _)| *weight);
    named.map(|(_, channel)| channel).or_else(|| (medium == "e-mail").then_some(Channel::Email))
}

/// What one word of a medium names; of several words the least counts.
fn channel_of_word(word: &str) -> Option<(u8, Channel)> {
    Some(match word {
        "cpc" | "ppc" | "cpm" | "cpa" | "cpv" | "cpp" | "cpl" | "display" | "banner" | "affiliate"
        | "affiliates" | "ad" | "ads" | "retargeting" | "remarketing" | "sponsored" | "programmatic"
        | "interstitial" => (0, Channel::Ad),
        _ if word.starts_with("paid") => (0, Channel::Ad),
        "email" | "mail" | "newsletter" => (1, Channel::Email),
        "social" | "sm" | "socialmedia" | "smm" => (2, Channel::Social),
        "organic" | "search" | "seo" => (3, Channel::Search),
        "ai" | "llm" | "chatbot" => (4, Channel::Ai),
        "referral" => (5, Channel::Referral),
        _ => return None,
    })
}

/// The authority's host as it stands in the URL; a bare `host/path` is one too if it looks like a host.
fn raw_host(url: &str) -> &str {
    let url = url.trim();
    let (authority, certain) = match url.strip_prefix("https://").or_else(|| behind_scheme(url)) {
        Some(rest) => (rest, true),
        None => (url.strip_prefix("//").unwrap_or(url), false),
    };
    // Byte by byte: to set up a search costs more than these few bytes.
    let (mut end, mut seen) = (0, 0);
    for class in authority.bytes().map(class).take_while(|class| *class != END) {
        end += 1;
        seen |= class;
    }
    let host = authority.get(..end).unwrap_or_default();
    let host = if seen & AROUND == 0 { host.trim_end_matches('.') } else { within(host) };
    let www = host.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("www."));
    let host = host.get(if www { 4 } else { 0 }..).unwrap_or_default();
    let valid = seen & NEVER == 0 || host.bytes().all(|byte| class(byte) != NEVER);
    if valid && host.len() <= 253 && (certain || host.contains('.')) { host } else { "" }
}

fn behind_scheme(url: &str) -> Option<&str> {
    let scheme = url.bytes().take_while(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b)).count();
    url.get(scheme..)?.strip_prefix("://")
}

/// The host between a user and a port.
fn within(authority: &str) -> &str {
    let user = authority.bytes().rposition(|b| b == b'@').map_or(0, |at| at + 1);
    let host = authority.get(user..).unwrap_or_default();
    if host.starts_with('[') {
        return host.split_inclusive(']').next().unwrap_or_default();
    }
    let end = host.bytes().position(|b| b == b':').unwrap_or(host.len());
    host.get(..end).unwrap_or_default().trim_end_matches('.')
}

/// Behind the authority.
const END: u8 = 1;
/// Between the host and what may stand around it.
const AROUND: u8 = 2;
/// In no host.
const NEVER: u8 = 4;

fn class(byte: u8) -> u8 {
    #[allow(clippy::indexing_slicing)] // at compile time, where a panic is a compile error
    const CLASSES: [u8; 256] = {
        let mut classes = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            classes[byte] = match byte as u8 {
                b'/' | b'?' | b'#' | b'\\' => END,
                b'@' | b':' | b'[' => AROUND,
                0..=b' ' | 0x7f | b'<' | b'>' | b'"' | b'\'' | b'%' => NEVER,
                _ => 0,
            };
            byte += 1;
        }
        classes
    };
    static TABLE: [u8; 256] = CLASSES;
    TABLE.get(usize::from(byte)).copied().unwrap_or_default()
}

fn listed(name: &str) -> Option<Channel> {
    let table = &*TABLE;
    let find = |key: &str| {
        let at = table.binary_search_by_key(&key, |(host, _)| host).ok()?;
        table.get(at).map(|(_, channel)| *channel)
    };
    find(name).or_else(|| {
        let (label, domain) = name.split_once('.')?;
        // `google.com`, `google.co.uk`; not `google.attacker.example`, whose last labels are longer.
        let country = domain.len() <= 6 && domain.split('.').all(|label| (2..=3).contains(&label.len()));
        if country {
            COUNTRY.iter().find(|(known, _)| *known == label).map(|(_, channel)| *channel)
        } else {
            None
        }
    })
}

type Hosts = Vec<(&'static str, Channel)>;

static TABLE: std::sync::LazyLock<Hosts> = std::sync::LazyLock::new(|| {
    let hosts: Hosts = lines().filter(|(host, _)| !host.ends_with(".*")).collect();
    let order = crate::rank::order(hosts.iter().map(|(host, _)| (0, 0, *host)));
    order.into_iter().filter_map(|place| hosts.get(place).copied()).collect()
});

static COUNTRY: std::sync::LazyLock<Hosts> = std::sync::LazyLock::new(|| {
    lines().filter_map(|(host, channel)| Some((host.strip_suffix(".*")?, channel))).collect()
});

fn lines() -> impl Iterator<Item = (&'static str, Channel)> {
    HOSTS.lines().filter_map(|line| {
        let (host, name) = line.split_once(' ')?;
        Some((host, Channel::ALL.into_iter().find(|channel| channel.name() == name)?))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_comment_or_a_known_channel() {
        let rows = HOSTS.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        assert_eq!(rows.count(), lines().count());
        let hosts: Vec<_> = lines().map(|(host, _)| host).collect();
        assert!(hosts.is_sorted_by(|a, b| a < b), "sorted, and nothing twice");
    }

    #[test]
    fn the_host_is_what_it_is_in_any_spelling() {
        for (url, host) in [
            ("https://WWW.Google.com/search?q=a", "google.com"),
            ("http://user:pw@News.Example:8080/x", "news.example"),
            ("android-app://com.google.android.gm/", "com.google.android.gm"),
            ("//t.co/abc", "t.co"),
            ("t.co/abc", "t.co"),
            ("https://[2001:db8::1]:8443/", "[2001:db8::1]"),
            ("http://localhost/", "localhost"),
            ("about:blank", ""),
            ("-", ""),
            ("no host. at all", ""),
            ("", ""),
        ] {
            assert_eq!(host_of(url), host, "{url}");
        }
    }

    #[test]
    fn hosts_have_their_channel() {
        for (host, channel) in [
            ("google.com", Some(Channel::Search)),
            ("google.co.uk", Some(Channel::Search)),
            ("news.google.com", Some(Channel::Search)),
            ("google.attacker.example", None),
            ("mail.google.com", Some(Channel::Email)),
            ("com.google.android.gm", Some(Channel::Email)),
            ("l.facebook.com", Some(Channel::Social)),
            ("t.co", Some(Channel::Social)),
            ("chatgpt.com", Some(Channel::Ai)),
            ("gemini.google.com", Some(Channel::Ai)),
            ("search.yahoo.com", Some(Channel::Search)),
            ("notfacebook.com", None),
            ("", None),
        ] {
            assert_eq!(channel_of(host), channel, "{host}");
        }
    }

    #[test]
    fn media_have_their_channel() {
        for (medium, channel) in [
            ("CPC", Some(Channel::Ad)),
            ("paid_social", Some(Channel::Ad)),
            ("paidsearch", Some(Channel::Ad)),
            ("social-media", Some(Channel::Social)),
            ("Newsletter", Some(Channel::Email)),
            ("e-mail", Some(Channel::Email)),
            ("organic", Some(Channel::Search)),
            ("qr", None),
            ("", None),
        ] {
            assert_eq!(channel_of_medium(medium), channel, "{medium}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in ".{0,80}", url in "[a-z:/@.?#\\[\\]A-ZÄ€]{0,40}") {
            for text in [text, url] {
                let host = host_of(&text);
                prop_assert_eq!(host.to_ascii_lowercase(), &*host);
                channel_of(&host);
                channel_of_medium(&text);
                prop_assert!(host.is_empty() || leads_to(&host, &text));
            }
        }
    }
}
