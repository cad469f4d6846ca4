//! The list of links: which are asked for, in which order, and where a page begins.

mod sql;

use std::fmt;

use analytics::{Param, Reject, Statement};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::Token;
use sql::{BY_EXTERNAL_ID, sorted_by};

/// The states of [`crate::Link::state`] that a list can be of.
const STATES: [&str; 6] = ["active", "scheduled", "expired", "archived", "deleted", "all"];
const LIMIT_DEFAULT: u32 = 50;
const LIMIT_MAX: u32 = 500;
const SEARCH_MAX_CHARS: usize = 256;
/// As many as a link may have.
const TAGS_MAX: usize = 50;

/// More than any number in a row, and still exact as a JavaScript number.
const FAR: i64 = 1 << 53;
/// Behind every title by which rows are sorted: they have 64 characters at most.
const LAST_CHAR: char = char::MAX;

/// What a list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Created,
    Updated,
    Title,
    Token,
    Expires,
}

impl Sort {
    const ALL: [Self; 5] = [Self::Created, Self::Updated, Self::Title, Self::Token, Self::Expires];

    fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Title => "title",
            Self::Token => "token",
            Self::Expires => "expires",
        }
    }
}

/// Which links are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    search: String,
    tags: Vec<String>,
    folder: Option<String>,
    campaign_id: Option<String>,
    domain: Option<String>,
    external_id: Option<String>,
    /// Empty: all but the deleted.
    state: &'static str,
    sort: Sort,
    descending: bool,
    cursor: Option<String>,
    limit: u32,
}

impl Default for List {
    fn default() -> Self {
        Self {
            search: String::new(),
            tags: Vec::new(),
            folder: None,
            campaign_id: None,
            domain: None,
            external_id: None,
            state: "",
            sort: Sort::Created,
            descending: true,
            cursor: None,
            limit: LIMIT_DEFAULT,
        }
    }
}

impl List {
    /// Takes one parameter of the query.
    ///
    /// # Errors
    /// It is no parameter of the list, or has no such value.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), Reject> {
        let refuse = |detail: &'static str| Err(Reject::new(format!("/{name}"), detail));
        match name {
            "search" if value.chars().count() > SEARCH_MAX_CHARS => {
                return refuse("is longer than 256 characters");
            }
            "search" => self.search = value.trim().to_lowercase(),
            "tag" if self.tags.len() == TAGS_MAX => return refuse("is given more than 50 times"),
            "tag" => self.tags.push(value.to_owned()),
            "folder" => self.folder = Some(value.to_owned()),
            "campaign_id" => self.campaign_id = Some(value.to_owned()),
            "domain" => self.domain = Some(value.to_ascii_lowercase()),
            "external_id" => self.external_id = Some(value.to_owned()),
            "state" => match STATES.into_iter().find(|state| *state == value) {
                Some(state) => self.state = state,
                None => return refuse("is none of active, scheduled, expired, archived, deleted, all"),
            },
            "sort" => {
                let (descending, name) = value.strip_prefix('-').map_or((false, value), |name| (true, name));
                match Sort::ALL.into_iter().find(|sort| sort.name() == name) {
                    Some(sort) => (self.sort, self.descending) = (sort, descending),
                    None => {
                        return refuse(
                            "is none of created, updated, title, token, expires, with or without a `-`",
                        );
                    }
                }
            }
            "cursor" => self.cursor = Some(value.to_owned()),
            "limit" => match value.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit)) {
                Some(limit) => self.limit = limit,
                None => return refuse("is not a number from 1 to 500"),
            },
            _ => return refuse("is no parameter of this route"),
        }
        Ok(())
    }

    /// How many links a page holds.
    pub fn limit(&self) -> usize {
        self.limit as usize
    }

    /// The largest pages, for whoever wants all of them.
    #[must_use]
    pub fn in_large_pages(mut self) -> Self {
        self.limit = LIMIT_MAX;
        self
    }

    /// The same list from there on.
    #[must_use]
    pub fn behind(mut self, cursor: String) -> Self {
        self.cursor = Some(cursor);
        self
    }

    /// The cursor behind the link of `token` and `domain`, whose row has this `place`. It names a position, not a row:
    /// the page behind it is right even when the link is gone, and links that are created meanwhile do not shift it.
    pub fn cursor(&self, place: &str, token: &Token, domain: &str) -> String {
        let place = utf8_percent_encode(place, NON_ALPHANUMERIC);
        // No token holds a dot; a host does, and stands last.
        format!("{}.{place}.{}.{domain}", self.order(), token.to_segment())
    }

    fn order(&self) -> impl fmt::Display {
        let sign = if self.descending { "-" } else { "" };
        format!("{sign}{}", self.sort.name())
    }

    /// Place, token and host behind which the page begins: nothing is before the first, or behind the last.
    fn start(&self) -> Result<[Param; 3], Reject> {
        let numeric = !matches!(self.sort, Sort::Title | Sort::Token);
        let Some(cursor) = &self.cursor else {
            return Ok(match (numeric, self.descending) {
                (true, true) => [FAR.into(), "".into(), "".into()],
                (true, false) => [(-1).into(), "".into(), "".into()],
                (false, true) => {
                    let last = String::from_iter([LAST_CHAR; 65]);
                    [last.clone().into(), last.into(), "".into()]
                }
                (false, false) => ["".into(), "".into(), "".into()],
            });
        };
        let refuse = |detail: &'static str| Reject::new("/cursor", detail);
        let unknown = || refuse("is not one that a list of links returned");
        let mut parts = cursor.splitn(4, '.');
        let mut next = || parts.next().ok_or_else(unknown);
        let (order, place, token, domain) = (next()?, next()?, next()?, next()?);
        let place = percent_decode_str(place).decode_utf8().map_err(|_| unknown())?;
        let token = Token::from_segment(token).ok_or_else(unknown)?;
        let place = if numeric {
            let number = place.parse::<i64>().ok().filter(|number| (0..FAR).contains(number));
            number.ok_or_else(unknown)?.into()
        } else {
            place.into_owned().into()
        };
        if order != self.order().to_string() {
            return Err(refuse("is of a list in another order"));
        }
        Ok([place, token.as_str().into(), domain.into()])
    }

    /// The `record` and the `place` of each link, and one more link than the page holds if another page follows.
    ///
    /// Lists of everything and of one label (tag, folder, campaign), by age or, of everything, by change or token, are
    /// read from an index, row by row. Other orders sort what is found; a search reads on until the page is full.
    ///
    /// # Errors
    /// The cursor is of no such list.
    pub fn page(&self, now_ms: i64) -> Result<Statement, Reject> {
        let optional = |value: &Option<String>| value.as_deref().map_or(Param::Null, Param::from);
        let (label, tags) = self.label();
        let mut params = vec![
            self.search.as_str().into(),
            serde_json::json!(tags).to_string().into(),
            optional(&self.folder),
            optional(&self.campaign_id),
            optional(&self.domain),
            self.state.into(),
            now_ms.into(),
            (i64::from(self.limit) + 1).into(),
        ];
        let start = self.start()?;
        if let Some(external_id) = &self.external_id {
            params.push(external_id.as_str().into());
            return Ok(Statement::new(BY_EXTERNAL_ID, params));
        }
        params.extend(start);
        if let Some((kind, label)) = label {
            params.extend([kind.into(), label.into()]);
        }
        Ok(Statement::new(sorted_by(self.sort, self.descending, label.is_some()), params))
    }

    /// The label that leads to the links, and the tags that are left to check.
    fn label(&self) -> (Option<(&'static str, &str)>, &[String]) {
        if let Some((first, rest)) = self.tags.split_first() {
            return (Some(("tag", first)), rest);
        }
        let given = |value: &'_ Option<String>| value.as_ref().is_some_and(|value| !value.is_empty());
        let label = match (&self.folder, &self.campaign_id) {
            (Some(folder), _) if given(&self.folder) => Some(("folder", folder.as_str())),
            (_, Some(campaign)) if given(&self.campaign_id) => Some(("campaign", campaign.as_str())),
            _ => None,
        };
        (label, &[])
    }
}

#[cfg(test)]
mod tests;
