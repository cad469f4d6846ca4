//! The record of a link, as KV and D1 hold it.

#[cfg(test)]
pub(crate) mod tests;

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
