//! The record of a link, as KV and D1 hold it.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Destination, Rule, Social, Token, Variant};

/// How a redirect answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub enum Status {
    /// 301: browsers keep it and go straight to the target the next time; such clicks are never seen.
    Permanent,
    /// 302
    #[default]
    Found,
    /// 307: as 302, and the method stays.
    Temporary,
    /// 308: as 301, and the method stays.
    PermanentSameMethod,
}

impl Status {
    /// The HTTP status code.
    pub fn code(self) -> u16 {
        match self {
            Self::Permanent => 301,
            Self::Found => 302,
            Self::Temporary => 307,
            Self::PermanentSameMethod => 308,
        }
    }
}

impl From<Status> for u16 {
    fn from(status: Status) -> Self {
        status.code()
    }
}

impl TryFrom<u16> for Status {
    type Error = &'static str;
    fn try_from(code: u16) -> Result<Self, Self::Error> {
        let all = [Self::Permanent, Self::Found, Self::Temporary, Self::PermanentSameMethod];
        all.into_iter().find(|status| status.code() == code).ok_or("is none of 301, 302, 307, 308")
    }
}

/// What becomes of the visitor's query string.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassThrough {
    /// It is added to the destination's own (see [`crate::target`]).
    #[default]
    Append,
    /// It is added, and replaces parameters of the destination that have its names.
    Override,
    /// It is dropped.
    Off,
}

impl PassThrough {
    /// Every mode.
    pub const ALL: [Self; 3] = [Self::Append, Self::Override, Self::Off];

    /// The name in requests and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Override => "override",
            Self::Off => "off",
        }
    }
}

/// The parameters of [`Link::utm`], in its order.
pub const UTM: [&str; 5] = ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"];

/// A link. Empty text is absent text.
///
/// The JSON of this struct is the stored record. Records outlive the code that wrote them, so a field is only
/// ever added, with a default that means what its absence meant; names and meanings stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Its name.
    pub token: Token,
    /// The only host that it answers on; empty is every host. A link of one host has the token to itself there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub domain: String,
    /// Where it leads, unless a rule or a variant decides otherwise.
    pub url: Destination,
    /// How the redirect answers.
    #[serde(default, skip_serializing_if = "is_default")]
    pub status: Status,
    /// For people; the redirect does not use it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub title: String,
    /// For people, longer.
    #[serde(default, skip_serializing_if = "is_default")]
    pub note: String,
    /// For people: words to find it by.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tags: Vec<String>,
    /// For people: where it is kept.
    #[serde(default, skip_serializing_if = "is_default")]
    pub folder: String,
    /// Its name in the customer's own system; no two links share one.
    #[serde(default, skip_serializing_if = "is_default")]
    pub external_id: String,
    /// The campaign that its clicks count for.
    #[serde(default, skip_serializing_if = "is_default")]
    pub campaign_id: String,
    /// Who gets paid for its clicks.
    #[serde(default, skip_serializing_if = "is_default")]
    pub publisher_id: String,
    /// Medium of its clicks.
    #[serde(default, skip_serializing_if = "is_default")]
    pub medium: String,
    /// The creative it stands in.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ad_id: String,
    /// Before this moment it leads nowhere, epoch ms.
    #[serde(default, skip_serializing_if = "is_default")]
    pub starts_at_ms: Option<i64>,
    /// From this moment on it leads to `expired_url` or nowhere, epoch ms.
    #[serde(default, skip_serializing_if = "is_default")]
    pub expires_at_ms: Option<i64>,
    /// Where it leads once it has expired, or all its clicks are used up.
    #[serde(default, skip_serializing_if = "is_default")]
    pub expired_url: Option<Destination>,
    /// Where it leads if the app that `url` opens is not there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub fallback_url: Option<Destination>,
    /// Hash of the word that opens it (see the shell's `password`); empty asks for none.
    #[serde(default, skip_serializing_if = "is_default")]
    pub password: String,
    /// How many people it leads on, at most.
    #[serde(default, skip_serializing_if = "is_default")]
    pub max_clicks: Option<u64>,
    /// Values of [`UTM`] to put into the target's query, where it has none of its own.
    #[serde(default, skip_serializing_if = "is_default")]
    pub utm: [String; 5],
    /// Name of the parameter in which the target gets the click's id; empty is none.
    #[serde(default, skip_serializing_if = "is_default")]
    pub append_click_id: String,
    /// Who is sent elsewhere; the first that fits decides.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rules: Vec<Rule>,
    /// A/B: pages in place of `url`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub variants: Vec<Variant>,
    /// What preview bots are shown in place of the target's own card.
    #[serde(default, skip_serializing_if = "is_default")]
    pub social: Option<Social>,
    /// What becomes of the visitor's query string.
    #[serde(default, skip_serializing_if = "is_default")]
    pub query: PassThrough,
    /// A trap: it is hidden from people, and who follows it is a program.
    #[serde(default, skip_serializing_if = "is_default")]
    pub honeypot: bool,
    /// Taken out of service: leads nowhere, keeps its token and its statistics.
    #[serde(default, skip_serializing_if = "is_default")]
    pub archived: bool,
    /// When it was deleted, epoch ms; it can be restored until it is purged.
    #[serde(default, skip_serializing_if = "is_default")]
    pub deleted_at_ms: Option<i64>,
    /// When it was created, epoch ms.
    #[serde(default)]
    pub created_at_ms: i64,
    /// When it was changed last, epoch ms.
    #[serde(default)]
    pub updated_at_ms: i64,
    /// Counts the changes from 1; a change of a version that is no longer the latest is refused.
    #[serde(default = "first_version")]
    pub version: u32,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn first_version() -> u32 {
    1
}

/// A stored record that is none: written by something else, or by a later version with a meaning this one
/// does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable(String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a link's record: {}", self.0)
    }
}

impl std::error::Error for Unreadable {}

impl Link {
    /// Its name in statistics, KV and meters: the token, behind `host/` if it answers on one host only.
    pub fn key(&self) -> Cow<'_, str> {
        key(&self.domain, &self.token)
    }

    /// Whether the answer to a hit depends on who comes.
    pub fn is_plain(&self) -> bool {
        self.rules.is_empty()
            && self.variants.is_empty()
            && self.social.is_none()
            && self.password.is_empty()
            && self.max_clicks.is_none()
            && self.append_click_id.is_empty()
    }

    /// The stored record.
    pub fn to_record(&self) -> String {
        // No failing path: no map keys, no foreign `Serialize`.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a stored record. Fields of a later version are skipped, so that an isolate that is still old
    /// during a deploy goes on redirecting.
    ///
    /// # Errors
    /// [`Unreadable`]; never a panic, whatever the text.
    pub fn from_record(record: &str) -> Result<Self, Unreadable> {
        serde_json::from_str(record).map_err(|error| Unreadable(error.to_string()))
    }
}

/// See [`Link::key`]. A token holds no `/`.
pub fn key<'a>(domain: &str, token: &'a Token) -> Cow<'a, str> {
    if domain.is_empty() { token.as_str().into() } else { format!("{domain}/{token}").into() }
}

/// The KV key of a link's record.
pub fn kv_key(domain: &str, token: &Token) -> String {
    format!("link/{}", key(domain, token))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::Allowed;
    use proptest::prelude::*;

    pub(crate) fn destination(text: &str) -> Destination {
        Destination::parse("/url", text, &Allowed::default()).unwrap()
    }

    pub(crate) fn link(url: &str) -> Link {
        let mut link = Link::blank(Token::parse("demo").unwrap(), 1_790_000_000_000);
        (link.url, link.version) = (destination(url), 1);
        link
    }

    fn full() -> Link {
        Link {
            status: Status::Temporary,
            title: "Spring \"sale\"".into(),
            campaign_id: "c1".into(),
            publisher_id: "p1".into(),
            medium: "email".into(),
            ad_id: "a1".into(),
            expires_at_ms: Some(1_800_000_000_000),
            expired_url: Some(destination("https://example.com/over")),
            query: PassThrough::Off,
            archived: true,
            updated_at_ms: 1_790_000_000_001,
            version: 2,
            ..link("https://example.com/ä?a=1#top")
        }
    }

    /// A record that this test no longer reads is a printed link that leads nowhere. When the struct grows,
    /// add a record; never change one.
    #[test]
    fn records_are_pinned() {
        let least = r#"{"token":"demo","url":"https://example.com/","created_at_ms":1790000000000,"updated_at_ms":1790000000000,"version":1}"#;
        let most = concat!(
            r#"{"token":"demo","url":"https://example.com/%C3%A4?a=1#top","status":307,"title":"Spring \"sale\"","#,
            r#""campaign_id":"c1","publisher_id":"p1","medium":"email","ad_id":"a1","expires_at_ms":1800000000000,"#,
            r#""expired_url":"https://example.com/over","query":"off","archived":true,"#,
            r#""created_at_ms":1790000000000,"updated_at_ms":1790000000001,"version":2}"#,
        );
        for (link, record) in [(link("https://example.com"), least), (full(), most)] {
            assert_eq!(link.to_record(), record);
            assert_eq!(Link::from_record(record).unwrap(), link);
        }
    }

    #[test]
    fn a_record_may_lack_what_has_a_default_and_hold_what_is_not_known_yet() {
        let link =
            Link::from_record(r#"{"token":"api","url":"https://example.com/","later":[{"to":1}]}"#).unwrap();
        assert_eq!((link.status, link.version, link.query), (Status::Found, 1, PassThrough::Append));
    }

    #[test]
    fn a_key_is_the_token_behind_a_prefix() {
        let token = Token::parse("東京").unwrap();
        assert_eq!(kv_key("", &token), "link/東京");
        assert_eq!(kv_key("go.example", &token), "link/go.example/東京");
    }

    proptest! {
        #[test]
        fn records_are_read_back(
            random: u64, path in "\\PC{0,40}", title in any::<String>(), code in 0usize..4, off: bool,
            expires_at_ms: Option<i64>, version: u32,
        ) {
            let mut link = link("https://example.com/");
            if let Ok(url) = Destination::parse("/url", &format!("https://example.com/{path}"), &Allowed::default()) {
                link.url = url;
            }
            link.token = Token::generate(random);
            link.status = Status::try_from([301, 302, 307, 308][code]).unwrap();
            link.query = if off { PassThrough::Off } else { PassThrough::Append };
            (link.title, link.expires_at_ms, link.version) = (title, expires_at_ms, version);
            prop_assert_eq!(Link::from_record(&link.to_record()).unwrap(), link);
        }

        #[test]
        fn any_record_is_answered(record in any::<String>()) {
            let _ = Link::from_record(&record);
        }
    }
}
