//! What is asked of links, one operation to a link, and the plan that comes of it.
//!
//! One link or a thousand: the links that the operations name are read at once, the plan is made from them, and
//! [`crate::change`] carries it out as a whole. An operation that cannot be done has no change and costs its
//! neighbours nothing.

mod bulk;
mod plan;
#[cfg(test)]
mod tests;

use analytics::Reject;
use analytics::fields::{Fields, pointer, string};
use serde_json::Value;

use crate::Token;
use crate::import::alias;

pub use bulk::OPERATIONS_MAX;
pub use plan::{Outcome, plan};

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Make a link.
    Create,
    /// Change what the body names.
    Update,
    /// Make it what the body says, or make it.
    Put,
    /// Take it out of sight; it keeps its token and can be restored.
    Delete,
    /// Bring it back.
    Restore,
    /// Erase it for good.
    Purge,
    /// Make a link that stood in a file.
    Import(OnConflict),
}

/// What becomes of a line of a file whose link is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnConflict {
    /// The link stays as it is.
    Skip,
    /// The link becomes what the line says; what the line does not say stays.
    Update,
    /// The line is an error.
    Refuse,
}

/// The links that an operation is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Name {
    /// The token, if one is named,
    pub token: Option<Token>,
    /// and the host that goes with it; empty is every host.
    pub domain: String,
    /// The name in the customer's own system, or empty.
    pub external_id: String,
}

impl Name {
    /// The link that a path's segment and the query's host name: a token, or `ext:` and an external id.
    pub fn of_path(segment: &str, domain: &str) -> Option<Self> {
        let domain = domain.to_ascii_lowercase();
        if let Some(rest) = segment.strip_prefix("ext:").or_else(|| segment.strip_prefix("ext%3A")) {
            let external_id = percent_encoding::percent_decode_str(rest).decode_utf8().ok()?.into_owned();
            return (!external_id.is_empty()).then_some(Self { token: None, domain, external_id });
        }
        Some(Self { token: Some(Token::from_segment(segment)?), domain, external_id: String::new() })
    }

    /// The names that a body mentions. What is wrong with them is found when the body is read as a link.
    fn of_body(fields: &Fields) -> Self {
        let mut name = Self::default();
        for (field, value) in fields.iter() {
            let Some(text) = value.as_str() else { continue };
            match alias(field) {
                "token" => name.token = Token::parse(text).ok(),
                "domain" => name.domain = text.to_ascii_lowercase(),
                "external_id" => text.trim().clone_into(&mut name.external_id),
                _ => {}
            }
        }
        name
    }
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    verb: Verb,
    /// The link that has to be there, or that is to be put there.
    target: Name,
    /// What the body calls it, and wants it to be called.
    wanted: Name,
    body: Vec<u8>,
    /// What is wrong with it before anything is looked up.
    flaws: Vec<Reject>,
}

impl Operation {
    /// An operation on the link of this name.
    pub fn on(target: Name, verb: Verb, body: Vec<u8>) -> Self {
        let fields = if body.is_empty() { None } else { Fields::read(&body).ok() };
        let wanted = fields.as_ref().map(Name::of_body).unwrap_or_default();
        Self { verb, target, wanted, body, flaws: Vec::new() }
    }

    /// An operation that makes a link.
    pub fn new(verb: Verb, body: Vec<u8>) -> Self {
        Self::on(Name::default(), verb, body)
    }

    /// An operation whose body names the link, by token (and host) or, without one, by external id.
    pub fn in_body(verb: Verb, body: Vec<u8>) -> Self {
        let target = |fields: &Fields| match stray(fields) {
            // A misspelt `domain` would delete the link of every host.
            Some(reject) if verb == Verb::Delete => Err(reject),
            _ => named(fields),
        };
        let read = Fields::read(&body).map(|fields| (target(&fields), Name::of_body(&fields)));
        let (target, wanted, flaws) = match read {
            Ok((Ok(target), wanted)) => (target, wanted, Vec::new()),
            Ok((Err(reject), wanted)) => (Name::default(), wanted, vec![reject]),
            Err(rejects) => (Name::default(), Name::default(), rejects),
        };
        Self { verb, target, wanted, body, flaws }
    }

    /// An operation that cannot be done.
    pub fn flawed(verb: Verb, flaws: Vec<Reject>) -> Self {
        Self { flaws, ..Self::new(verb, Vec::new()) }
    }

    /// The names to look up before the plan is made.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        [&self.target, &self.wanted].into_iter()
    }
}

/// The first member that names no link.
fn stray(fields: &Fields) -> Option<Reject> {
    let mut strays = fields.iter().map(|(field, _)| field);
    let field = strays.find(|field| !matches!(alias(field), "token" | "domain" | "external_id"))?;
    Some(Reject::new(pointer(field), "is none of token, domain, external_id"))
}

/// The link that an item of a list names.
fn named(fields: &Fields) -> Result<Name, Reject> {
    let mut name = Name::default();
    for (field, value) in fields.iter() {
        let say = |detail: &'static str| Reject::new(pointer(field), detail);
        let text = |value: &Value| string(value).map(str::to_owned).map_err(say);
        match (alias(field), value) {
            ("token", value) => {
                let token = Token::from_segment(&text(value)?);
                name.token = Some(token.ok_or_else(|| say("may hold letters, digits, '-' and '_' only"))?);
            }
            ("domain", value) if !value.is_null() => name.domain = text(value)?.to_ascii_lowercase(),
            ("external_id", value) if !value.is_null() => {
                text(value)?.trim().clone_into(&mut name.external_id);
            }
            _ => {}
        }
    }
    if name.token.is_some() {
        name.external_id.clear(); // what the link is to be called, not what it is called
    } else if name.external_id.is_empty() {
        return Err(Reject::new("/token", "is missing, and so is external_id: one of them says which link"));
    }
    Ok(name)
}
