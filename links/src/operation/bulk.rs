//! Many operations in one body, and what is said of each.

use analytics::Reject;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::{Name, OnConflict, Operation, Outcome, Verb};
use crate::{Link, Token};

/// The most operations of a call.
pub const OPERATIONS_MAX: usize = 1_000;

/// An item is text until its turn comes: what is wrong with one is no matter of the others.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bulk<'a> {
    #[serde(borrow, default)]
    create: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    update: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    delete: Vec<&'a RawValue>,
}

impl Operation {
    /// The operations of a body `{"create": [..], "update": [..], "delete": [..]}`, in this order.
    ///
    /// # Errors
    /// The body as a whole is something else, or holds none or more than a thousand.
    pub fn bulk(body: &[u8]) -> Result<Vec<Self>, Reject> {
        let bulk: Bulk<'_> = serde_json::from_slice(body).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let detail = format!(
                "is not an object of lists `create`, `update`, `delete` (line {line}, column {column})"
            );
            Reject::new("", detail)
        })?;
        let count = bulk.create.len() + bulk.update.len() + bulk.delete.len();
        if !(1..=OPERATIONS_MAX).contains(&count) {
            return Err(Reject::new("", "has to hold 1 to 1,000 operations"));
        }
        let bytes = |item: &&RawValue| item.get().as_bytes().to_vec();
        let create = bulk.create.iter().map(|item| Self::new(Verb::Create, bytes(item)));
        let update = bulk.update.iter().map(|item| Self::in_body(Verb::Update, bytes(item)));
        let delete = bulk.delete.iter().map(|item| deletion(item));
        Ok(create.chain(update).chain(delete).collect())
    }

    /// What became of it, in an answer to many. Pointers are into the item.
    pub fn result(&self, outcome: &Outcome) -> Value {
        let status = outcome.status();
        let link = outcome.link();
        let mut result = Map::new();
        let mut put = |name: &str, value: Value| result.insert(name.to_owned(), value);
        if let Some(op) = self.op() {
            put("op", op.into());
        }
        put("status", status.into());
        let asked = if self.target == Name::default() { &self.wanted } else { &self.target };
        let token = link.map(|link| &link.token).or(asked.token.as_ref());
        put("token", token.map_or(Value::Null, |token| token.as_str().into()));
        let (domain, external_id) = match link {
            Some(link) => (&link.domain, &link.external_id),
            None => (&asked.domain, &asked.external_id),
        };
        for (name, value) in [("domain", domain), ("external_id", external_id)] {
            if !value.is_empty() {
                put(name, value.as_str().into());
            }
        }
        if let Some(link) = link {
            put("version", link.version.into());
        }
        let errors = outcome.errors();
        if !errors.is_empty() {
            put("errors", json!(errors));
        }
        result.into()
    }

    fn op(&self) -> Option<&'static str> {
        match self.verb {
            Verb::Create => Some("create"),
            Verb::Update => Some("update"),
            Verb::Delete => Some("delete"),
            Verb::Put | Verb::Restore | Verb::Purge | Verb::Import(_) => None,
        }
    }
}

/// A token, or an object that names the link.
fn deletion(item: &RawValue) -> Operation {
    match serde_json::from_str::<&str>(item.get()) {
        Ok(token) => match Token::from_segment(token) {
            Some(token) => {
                let target = Name { token: Some(token), ..Name::default() };
                Operation::on(target, Verb::Delete, Vec::new())
            }
            None => Operation::flawed(Verb::Delete, vec![Reject::new("", "is no token")]),
        },
        Err(_) => Operation::in_body(Verb::Delete, item.get().as_bytes().to_vec()),
    }
}

impl Outcome {
    /// What is said of it, in a word.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Change(change, _) => match change.action {
                analytics::audit::Action::Imported => "created",
                action => action.name(),
            },
            Self::Same(_) => "unchanged",
            Self::Skipped(_) => "skipped",
            Self::Invalid(_) => "invalid",
            Self::Taken(_) | Self::Twice | Self::Stale => "conflict",
            Self::NotFound => "not_found",
        }
    }

    /// The link, as it is now.
    pub fn link(&self) -> Option<&Link> {
        match self {
            Self::Change(change, _) => change.link(),
            Self::Same(link) | Self::Skipped(link) => Some(link),
            _ => None,
        }
    }

    /// What was wrong.
    pub fn errors(&self) -> Vec<Reject> {
        match self {
            Self::Invalid(rejects) => rejects.clone(),
            Self::Taken(reject) => vec![reject.clone()],
            Self::Twice => {
                vec![Reject::new("", "is about a link that another operation of this call changes")]
            }
            _ => Vec::new(),
        }
    }
}

impl OnConflict {
    /// Reads the name in a query.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "skip" => Some(Self::Skip),
            "update" => Some(Self::Update),
            "error" => Some(Self::Refuse),
            _ => None,
        }
    }
}
