//! What the URL says of the campaign: UTM tags, and the click ids that ad networks append.

use std::borrow::Cow;

use crate::Channel;
use crate::text::{cut, lowered};

/// The five UTM tags; empty means absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Utm<'a> {
    /// Who sent the visitor: lower case.
    pub source: Cow<'a, str>,
    /// By what means: lower case.
    pub medium: Cow<'a, str>,
    /// For which campaign.
    pub campaign: Cow<'a, str>,
    /// The paid keyword.
    pub term: Cow<'a, str>,
    /// Which of several ads or links.
    pub content: Cow<'a, str>,
}

/// A click id's network, and what following such a link was.
///
/// Meta, Instagram and Mailchimp mark every outgoing link, paid or not; their ids prove where the visitor came
/// from but not that somebody paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClickId {
    /// The network's name.
    pub network: &'static str,
    /// What the id proves.
    pub channel: Channel,
}

/// Parameters that carry a click id, without regard to case.
const CLICK_IDS: [(&str, &str, Channel); 32] = [
    ("gclid", "google", Channel::Ad),
    ("gbraid", "google", Channel::Ad),
    ("wbraid", "google", Channel::Ad),
    ("gclsrc", "google", Channel::Ad),
    ("gad_source", "google", Channel::Ad),
    ("dclid", "google", Channel::Ad), // Display & Video 360
    ("msclkid", "microsoft", Channel::Ad),
    ("ttclid", "tiktok", Channel::Ad),
    ("twclid", "x", Channel::Ad),
    ("li_fat_id", "linkedin", Channel::Ad),
    ("rdt_cid", "reddit", Channel::Ad),
    ("sccid", "snapchat", Channel::Ad),
    ("epik", "pinterest", Channel::Ad),
    ("yclid", "yandex", Channel::Ad),
    ("qclid", "quora", Channel::Ad),
    ("qhclickid", "360", Channel::Ad),
    ("bd_vid", "baidu", Channel::Ad),
    ("tblci", "taboola", Channel::Ad),
    ("obclid", "outbrain", Channel::Ad),
    ("dicbo", "outbrain", Channel::Ad),
    ("vmcid", "yahoo", Channel::Ad),
    ("irclickid", "impact", Channel::Ad),
    ("cjevent", "cj", Channel::Ad),
    ("awc", "awin", Channel::Ad),
    ("ranmid", "rakuten", Channel::Ad),
    ("s_kwcid", "adobe", Channel::Ad),
    ("wickedid", "wicked", Channel::Ad),
    ("fbclid", "meta", Channel::Social),
    ("igshid", "meta", Channel::Social),
    ("igsh", "meta", Channel::Social),
    ("mc_eid", "mailchimp", Channel::Email),
    ("mc_cid", "mailchimp", Channel::Email),
];

/// The UTM tags and the click id of a query string.
///
/// Of a tag given twice the first counts; of several click ids the one that proves an ad.
pub fn scan(query: &str) -> (Utm<'_>, Option<ClickId>) {
    let (mut utm, mut click_id) = (Utm::default(), None::<ClickId>);
    let mut rest = query;
    while !rest.is_empty() {
        let pair;
        (pair, rest) = cut(rest, b'&');
        let (key, value) = cut(pair, b'=');
        if value.is_empty() {
            continue;
        }
        // A link copied out of HTML source keeps its `&amp;`.
        let key = lowered(key.strip_prefix("amp;").unwrap_or(key));
        if key.starts_with("utm_") {
            utm.take(&key, value);
        } else if click_id.is_none_or(|known| known.channel != Channel::Ad) {
            let found = click_id_of(&key);
            click_id = found.filter(|found| found.channel == Channel::Ad).or(click_id).or(found);
        }
    }
    (utm, click_id)
}

/// The query of a URL: what stands between the question mark and the fragment.
pub fn query_of(url: &str) -> &str {
    let (url, _fragment) = cut(url, b'#');
    let (_path, query) = cut(url, b'?');
    query
}

impl<'a> Utm<'a> {
    /// The same tags, owning their texts.
    pub(crate) fn into_owned(self) -> Utm<'static> {
        let own = |tag: Cow<'_, str>| Cow::Owned(tag.into_owned());
        Utm {
            source: own(self.source),
            medium: own(self.medium),
            campaign: own(self.campaign),
            term: own(self.term),
            content: own(self.content),
        }
    }

    /// Whether no tag is present.
    pub fn is_empty(&self) -> bool {
        [&self.source, &self.medium, &self.campaign, &self.term, &self.content]
            .iter()
            .all(|tag| tag.is_empty())
    }

    fn take(&mut self, key: &str, value: &'a str) {
        let (slot, lower) = match key {
            "utm_source" => (&mut self.source, true),
            "utm_medium" => (&mut self.medium, true),
            "utm_campaign" => (&mut self.campaign, false),
            "utm_term" => (&mut self.term, false),
            "utm_content" => (&mut self.content, false),
            _ => return,
        };
        if slot.is_empty() {
            *slot = normalised(value, lower);
        }
    }
}

fn normalised(value: &str, lower: bool) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'%' && byte != b'+';
    if value.bytes().all(|byte| plain(byte) && !(lower && byte.is_ascii_uppercase())) {
        return Cow::Borrowed(value);
    }
    let decoded = if value.bytes().any(|byte| byte == b'%' || byte == b'+') {
        form_urlencoded::parse(&[b"=", value.as_bytes()].concat()).next().map(|(_, value)| value.into_owned())
    } else {
        None
    };
    let value = decoded.as_deref().unwrap_or(value).trim();
    Cow::Owned(if lower { value.to_lowercase() } else { value.to_owned() })
}

/// Whether a parameter carries a network's click id.
pub(crate) fn is_click_id(name: &str) -> bool {
    click_id_of(&lowered(name)).is_some()
}

fn click_id_of(key: &str) -> Option<ClickId> {
    let (_, network, channel) = CLICK_IDS.iter().find(|(name, ..)| *name == key)?;
    Some(ClickId { network, channel: *channel })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tags_are_decoded_trimmed_and_source_and_medium_lowered() {
        let (utm, click_id) = scan(
            "x=1&utm_source=%20Google%20&UTM_Medium=CPC&utm_campaign=Sommer+%C3%9C&amp;utm_term=a&utm_source=b",
        );
        assert_eq!((&*utm.source, &*utm.medium), ("google", "cpc"));
        assert_eq!((&*utm.campaign, &*utm.term, &*utm.content), ("Sommer Ü", "a", ""));
        assert_eq!(click_id, None);
    }

    #[test]
    fn a_click_id_names_its_network_and_an_ad_outweighs_a_share() {
        for (query, network, channel) in [
            ("gclid=a", "google", Channel::Ad),
            ("WBRAID=a", "google", Channel::Ad),
            ("ScCid=a", "snapchat", Channel::Ad),
            ("fbclid=a", "meta", Channel::Social),
            ("fbclid=a&gclid=b", "google", Channel::Ad),
            ("gclid=b&fbclid=a", "google", Channel::Ad),
            ("mc_eid=a&fbclid=b", "mailchimp", Channel::Email),
        ] {
            assert_eq!(scan(query).1, Some(ClickId { network, channel }), "{query}");
        }
        for query in ["gclid=", "gclid", "xgclid=a", ""] {
            assert_eq!(scan(query).1, None, "{query}");
        }
    }

    #[test]
    fn the_query_ends_at_the_fragment() {
        assert_eq!(query_of("https://a.example/p?x=1#y?z"), "x=1");
        assert_eq!(query_of("https://a.example/p#y?z"), "");
    }

    proptest! {
        #[test]
        fn any_query_is_read(query in "(utm_[a-z]{0,8}=|%[0-9A-F]{0,2}|&|=|.){0,80}") {
            let (utm, _) = scan(&query);
            let lower = utm.source.to_lowercase();
            prop_assert_eq!(lower.trim(), &*utm.source);
            let _ = query_of(&query);
        }
    }
}
