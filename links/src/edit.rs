//! What a customer may write into a link: `POST`, `PUT` and `PATCH /api/links`.

mod routing;
#[cfg(test)]
mod tests;

use analytics::fields::{Fields, pointer, string, text};
use analytics::{Reject, moment};
use serde_json::Value;

use crate::import::{Word, adopt};
use crate::link::UTM;
use crate::{Allowed, Destination, Link, PassThrough, Status, Token};

/// Version of a link that was never stored; the first that is stored is 1.
const UNBORN: u32 = 0;
/// The longest title, in characters, and what is said about a longer one.
const TITLE_MAX: (usize, &str) = (512, "is longer than 512 characters");
/// The same for a note.
const NOTE_MAX: (usize, &str) = (4_096, "is longer than 4096 characters");
/// The same for an id, a medium or a folder.
const NAME_MAX: (usize, &str) = (128, "is longer than 128 characters");
/// The same for a UTM value.
const UTM_MAX: (usize, &str) = (256, "is longer than 256 characters");
/// The same for a tag, and how many there may be.
const TAG_MAX: (usize, &str) = (64, "is longer than 64 characters");
const TAGS_MAX: usize = 50;
/// Passwords, in bytes: what is longer is a mistake, and costs time to hash.
const PASSWORD_BYTES: std::ops::RangeInclusive<usize> = 1..=128;
/// More clicks than any link gets, and still exact as a JavaScript number.
const CLICKS_MAX: u64 = 1 << 53;

/// A link as somebody wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The link; its `password` is still the old hash.
    pub link: Link,
    /// The word that is to open it, where a new one was given: hashing it is the shell's.
    pub password: Option<String>,
}

impl Link {
    /// The link that a `POST` asks for. It gets the token `fresh` unless the body chooses one.
    ///
    /// # Errors
    /// Everything that is wrong with the body, field by field. A field that links do not have is an error: a
    /// misspelt `expires_at` must not make a link that lives for ever.
    pub fn create(
        body: &[u8],
        fresh: Token,
        now_ms: i64,
        allowed: &Allowed<'_>,
    ) -> Result<Written, Vec<Reject>> {
        Self::blank(fresh, now_ms).rewritten(body, now_ms, allowed)
    }

    /// The link after a `PATCH` (JSON merge patch, RFC 7396): what the body leaves out stays, null clears.
    ///
    /// A patch that changes nothing gives the same link with the same version: a client's retry costs no write.
    ///
    /// # Errors
    /// As [`Link::create`].
    pub fn edit(&self, body: &[u8], now_ms: i64, allowed: &Allowed<'_>) -> Result<Written, Vec<Reject>> {
        self.clone().rewritten(body, now_ms, allowed)
    }

    /// The link after a `PUT`: as if it were created by the body, except that it stays the same link, by all its names.
    ///
    /// # Errors
    /// As [`Link::create`].
    pub fn replace(&self, body: &[u8], now_ms: i64, allowed: &Allowed<'_>) -> Result<Written, Vec<Reject>> {
        let blank = Self {
            domain: self.domain.clone(),
            external_id: self.external_id.clone(),
            // Nobody can read it to send it again; null takes it away.
            password: self.password.clone(),
            created_at_ms: self.created_at_ms,
            updated_at_ms: self.updated_at_ms,
            version: self.version,
            ..Self::blank(self.token.clone(), now_ms)
        };
        let written = blank.rewritten(body, now_ms, allowed)?;
        let (before, mut link) = (self, written.link);
        (link.version, link.updated_at_ms) = (before.version, before.updated_at_ms);
        Ok(Written { link, ..written }.counted(before, now_ms))
    }

    fn rewritten(self, body: &[u8], now_ms: i64, allowed: &Allowed<'_>) -> Result<Written, Vec<Reject>> {
        let mut written = Written { link: self.clone(), password: None };
        let rejects = written.write(&adopt(&Fields::read(body)?, now_ms)?, allowed);
        if rejects.is_empty() { Ok(written.counted(&self, now_ms)) } else { Err(rejects) }
    }

    /// A link that leads nowhere yet.
    pub(crate) fn blank(token: Token, now_ms: i64) -> Self {
        Self {
            token,
            domain: String::new(),
            url: Destination::nowhere(),
            status: Status::default(),
            title: String::new(),
            note: String::new(),
            tags: Vec::new(),
            folder: String::new(),
            external_id: String::new(),
            campaign_id: String::new(),
            publisher_id: String::new(),
            medium: String::new(),
            ad_id: String::new(),
            starts_at_ms: None,
            expires_at_ms: None,
            expired_url: None,
            fallback_url: None,
            password: String::new(),
            max_clicks: None,
            utm: Default::default(),
            append_click_id: String::new(),
            rules: Vec::new(),
            variants: Vec::new(),
            social: None,
            query: PassThrough::default(),
            honeypot: false,
            archived: false,
            deleted_at_ms: None,
            created_at_ms: now_ms,
            updated_at_ms: now_ms,
            version: UNBORN,
        }
    }
}

impl Written {
    /// A change is a new version.
    fn counted(mut self, before: &Link, now_ms: i64) -> Self {
        if self.link != *before || self.password.is_some() || before.version == UNBORN {
            self.link.updated_at_ms = now_ms;
            self.link.version = before.version.saturating_add(1);
        }
        self
    }

    /// Writes the body's fields, and gives everything that is wrong with them.
    fn write(&mut self, words: &[Word<'_>], allowed: &Allowed<'_>) -> Vec<Reject> {
        let mut rejects = Vec::new();
        for Word { written, field, value } in words {
            rejects.extend(self.write_field(written, field, value, allowed).err().into_iter().flatten());
        }
        let link = &self.link;
        if link.url.is_nowhere() && !words.iter().any(|word| word.field == "url") {
            rejects.push(Reject::new("/url", "is missing"));
        }
        if let (Some(start), Some(end)) = (link.starts_at_ms, link.expires_at_ms)
            && start >= end
        {
            rejects.push(Reject::new("/expires_at", "is not after starts_at"));
        }
        rejects
    }

    /// `name` is what the body calls the field: an error points there.
    fn write_field(
        &mut self,
        name: &str,
        field: &str,
        value: &Value,
        allowed: &Allowed<'_>,
    ) -> Result<(), Vec<Reject>> {
        let link = &mut self.link;
        let given = (!value.is_null()).then_some(value);
        let say = |detail: &'static str| vec![Reject::new(pointer(name), detail)];
        let url = |value: &Value| {
            let text = string(value).map_err(say)?;
            Destination::parse(pointer(name), text, allowed).map_err(|reject| vec![reject])
        };
        match field {
            "token" => {
                let token = link.renamed(given);
                link.token = token.map_err(|detail| vec![Reject::new(pointer(name), detail)])?;
            }
            "domain" => link.domain = link.moved(given, allowed).map_err(say)?,
            "url" => link.url = url(given.ok_or_else(|| say("must be a URL"))?)?,
            "expired_url" => link.expired_url = given.map(url).transpose()?,
            "fallback_url" => link.fallback_url = given.map(url).transpose()?,
            "status" => link.status = given.map_or(Ok(Status::default()), status).map_err(say)?,
            "query" => link.query = given.map_or(Ok(PassThrough::default()), pass_through).map_err(say)?,
            "archived" | "honeypot" => {
                let flag = given.map_or(Some(false), Value::as_bool);
                let flag = flag.ok_or_else(|| say("is neither true nor false"))?;
                *if field == "archived" { &mut link.archived } else { &mut link.honeypot } = flag;
            }
            "starts_at" => link.starts_at_ms = given.map(moment::parse).transpose().map_err(say)?,
            "expires_at" => link.expires_at_ms = given.map(moment::parse).transpose().map_err(say)?,
            "title" => link.title = text(given, TITLE_MAX).map_err(say)?,
            "note" => link.note = note(given).map_err(say)?,
            "folder" => link.folder = text(given, NAME_MAX).map_err(say)?,
            "external_id" => link.external_id = text(given, NAME_MAX).map_err(say)?,
            "campaign_id" => link.campaign_id = text(given, NAME_MAX).map_err(say)?,
            "publisher_id" => link.publisher_id = text(given, NAME_MAX).map_err(say)?,
            "medium" => link.medium = text(given, NAME_MAX).map_err(say)?,
            "ad_id" => link.ad_id = text(given, NAME_MAX).map_err(say)?,
            "tags" => link.tags = given.map_or(Ok(Vec::new()), |value| tags(name, value))?,
            "max_clicks" => {
                let number = |value: &Value| value.as_u64().filter(|most| (1..=CLICKS_MAX).contains(most));
                let most = given.map(|value| number(value).ok_or("is not a whole number from 1")).transpose();
                link.max_clicks = most.map_err(say)?;
            }
            "password" => {
                let word = given.map(string).transpose().map_err(say)?;
                if word.is_some_and(|word| !PASSWORD_BYTES.contains(&word.len())) {
                    return Err(say("has to have 1 to 128 bytes"));
                }
                if word.is_none() {
                    link.password.clear();
                }
                self.password = word.map(str::to_owned);
            }
            "append_click_id" => link.append_click_id = parameter_name(given).map_err(say)?,
            "rules" => link.rules = routing::rules(given, allowed)?,
            "variants" => link.variants = routing::variants(given, allowed)?,
            "social" => link.social = routing::social(given, allowed)?,
            "short_url" | "created_at" | "updated_at" | "deleted_at" | "version" | "protected" | "state"
            | "clicks_used" | "warnings" => {
                return Err(say("is set by the service"));
            }
            _ => match UTM.iter().position(|utm| *utm == field).and_then(|place| link.utm.get_mut(place)) {
                Some(utm) => *utm = text(given, UTM_MAX).map_err(say)?,
                None => return Err(say("is not a field of a link")),
            },
        }
        Ok(())
    }
}

impl Link {
    /// The token after a body that names one. A link that exists keeps its own: it is printed somewhere.
    fn renamed(&self, given: Option<&Value>) -> Result<Token, std::borrow::Cow<'static, str>> {
        let Some(value) = given else { return Ok(self.token.clone()) };
        let text = string(value)?;
        if text == self.token.as_str() {
            return Ok(self.token.clone());
        }
        if self.version != UNBORN {
            return Err("cannot be changed; create another link".into());
        }
        Token::parse(text).map_err(|reject| reject.detail)
    }

    /// Likewise the host.
    fn moved(&self, given: Option<&Value>, allowed: &Allowed<'_>) -> Result<String, &'static str> {
        let host = given.map_or(Ok(""), string)?.to_ascii_lowercase();
        if host != self.domain && self.version != UNBORN {
            return Err("cannot be changed; create another link");
        }
        if host.is_empty() || allowed.domains.contains(&host) {
            return Ok(host);
        }
        Err("is none of the hosts in the setting `domains`")
    }
}

fn status(value: &Value) -> Result<Status, &'static str> {
    let code = value.as_u64().and_then(|code| u16::try_from(code).ok()).unwrap_or_default();
    Status::try_from(code)
}

fn pass_through(value: &Value) -> Result<PassThrough, &'static str> {
    let mode = PassThrough::ALL.into_iter().find(|mode| value == mode.name());
    mode.ok_or("is none of \"append\", \"override\", \"off\"")
}

/// A text of several lines.
fn note(given: Option<&Value>) -> Result<String, &'static str> {
    let text = given.map_or(Ok(""), string)?.trim();
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err("holds a control character");
    }
    if text.chars().count() > NOTE_MAX.0 {
        return Err(NOTE_MAX.1);
    }
    Ok(text.to_owned())
}

fn tags(name: &str, value: &Value) -> Result<Vec<String>, Vec<Reject>> {
    let say = |detail: &'static str| vec![Reject::new(pointer(name), detail)];
    let given = value.as_array().ok_or_else(|| say("is not a list"))?;
    if given.len() > TAGS_MAX {
        return Err(say("has more than 50 tags"));
    }
    let mut tags: Vec<String> = Vec::with_capacity(given.len());
    let mut rejects = Vec::new();
    for (place, value) in given.iter().enumerate() {
        match text(Some(value), TAG_MAX) {
            Ok(tag) if tag.is_empty() || tags.contains(&tag) => {}
            Ok(tag) => tags.push(tag),
            Err(detail) => rejects.push(Reject::new(format!("{}/{place}", pointer(name)), detail)),
        }
    }
    if rejects.is_empty() { Ok(tags) } else { Err(rejects) }
}

fn parameter_name(given: Option<&Value>) -> Result<String, &'static str> {
    let name = given.map_or(Ok(""), string)?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if name.len() > 32 || !name.bytes().all(fits) {
        return Err("is not a parameter's name: up to 32 of letters, digits, '-', '_' and '.'");
    }
    Ok(name.to_owned())
}
