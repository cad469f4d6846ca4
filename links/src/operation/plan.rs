//! From operations and what is stored to what becomes of each.

use std::collections::HashMap;

use analytics::Reject;
use analytics::audit::Action;

use super::{Name, OnConflict, Operation, Verb};
use crate::change::Change;
use crate::{Allowed, Link, Token, Written, key};

/// What becomes of an operation.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// A change, and the word that is to open the link where a new one was given: hashing it is the shell's.
    Change(Box<Change>, Option<String>),
    /// The link is as it was asked to be.
    Same(Box<Link>),
    /// A line of a file whose link is there, and stays as it is.
    Skipped(Box<Link>),
    /// What is wrong with the body.
    Invalid(Vec<Reject>),
    /// Somebody else has the name that the field wants.
    Taken(Reject),
    /// Another operation of this call is about the same link.
    Twice,
    /// There is no such link, or it is deleted.
    NotFound,
    /// The link is not of the version that was asked for.
    Stale,
}

/// Plans the operations in order. `stored` are the links that they name (see [`Operation::names`]), `holds` judges the
/// version of the link that an operation is about, `fresh` draws tokens.
pub fn plan(
    operations: &[Operation],
    stored: &[Link],
    now_ms: i64,
    allowed: &Allowed<'_>,
    holds: &dyn Fn(Option<u32>) -> bool,
    fresh: &mut dyn FnMut() -> Token,
) -> Vec<Outcome> {
    let mut known = Known::default();
    for link in stored {
        known.put(link, false);
    }
    let mut planner = Planner { known, now_ms, allowed, holds, fresh };
    operations.iter().map(|operation| planner.step(operation).unwrap_or_else(|outcome| outcome)).collect()
}

/// The links that were read or are planned, by all their names.
#[derive(Default)]
struct Known {
    links: Vec<Slot>,
    places: HashMap<String, usize>,
}

struct Slot {
    link: Link,
    /// An operation of this call changes it.
    touched: bool,
}

impl Known {
    fn by_token(&self, domain: &str, token: &Token) -> Option<&Slot> {
        self.at(&key(domain, token))
    }

    /// No key of a token holds a line break.
    fn by_external_id(&self, external_id: &str) -> Option<&Slot> {
        self.at(&format!("\n{external_id}"))
    }

    fn find(&self, name: &Name) -> Option<&Slot> {
        match &name.token {
            Some(token) => self.by_token(&name.domain, token),
            None => self.by_external_id(&name.external_id),
        }
    }

    fn at(&self, name: &str) -> Option<&Slot> {
        self.places.get(name).and_then(|place| self.links.get(*place))
    }

    /// The name that a link had before goes on being its own until the call is over.
    fn put(&mut self, link: &Link, touched: bool) {
        let slot = Slot { link: link.clone(), touched };
        let name = link.key().into_owned();
        let place = self.places.get(&name).copied().unwrap_or(self.links.len());
        match self.links.get_mut(place) {
            Some(old) => *old = slot,
            None => self.links.push(slot),
        }
        self.places.insert(name, place);
        if !link.external_id.is_empty() {
            self.places.insert(format!("\n{}", link.external_id), place);
        }
    }
}

struct Planner<'a, 'b> {
    known: Known,
    now_ms: i64,
    allowed: &'a Allowed<'b>,
    holds: &'a dyn Fn(Option<u32>) -> bool,
    fresh: &'a mut dyn FnMut() -> Token,
}

impl Planner<'_, '_> {
    /// One outcome or the other: an early one ends the look at the operation.
    fn step(&mut self, operation: &Operation) -> Result<Outcome, Outcome> {
        if !operation.flaws.is_empty() {
            return Err(Outcome::Invalid(operation.flaws.clone()));
        }
        let found = match operation.verb {
            Verb::Create => None,
            // A line's link may be there under either of its names.
            Verb::Import(_) => {
                let Name { token, domain, external_id } = &operation.wanted;
                let by_token = token.as_ref().and_then(|token| self.known.by_token(domain, token));
                by_token.or_else(|| self.known.by_external_id(external_id))
            }
            _ => self.known.find(&operation.target),
        };
        if found.is_some_and(|slot| slot.touched) {
            return Err(Outcome::Twice);
        }
        let found = found.map(|slot| slot.link.clone());
        let alive = found.as_ref().filter(|link| link.deleted_at_ms.is_none());
        match operation.verb {
            Verb::Create => self.create(operation, Action::Created),
            Verb::Update => {
                let link = alive.ok_or(Outcome::NotFound)?;
                self.must_hold(Some(link))?;
                let written = link.edit(&operation.body, self.now_ms, self.allowed);
                self.rewrite(link, written.map_err(Outcome::Invalid)?)
            }
            Verb::Put => {
                self.must_hold(alive)?;
                let Some(link) = &found else { return self.create(operation, Action::Created) };
                let written = link.replace(&operation.body, self.now_ms, self.allowed);
                self.rewrite(link, written.map_err(Outcome::Invalid)?)
            }
            Verb::Delete => {
                let link = alive.ok_or(Outcome::NotFound)?;
                self.must_hold(Some(link))?;
                let deleted = Link { deleted_at_ms: Some(self.now_ms), ..link.clone() };
                self.rewrite(link, next(deleted, self.now_ms))
            }
            Verb::Restore => {
                let link = found.as_ref().ok_or(Outcome::NotFound)?;
                self.must_hold(Some(link))?;
                if alive.is_some() {
                    return Err(Outcome::Same(Box::new(link.clone())));
                }
                self.rewrite(link, next(Link { deleted_at_ms: None, ..link.clone() }, self.now_ms))
            }
            Verb::Purge => {
                let link = found.ok_or(Outcome::NotFound)?;
                self.must_hold(Some(&link))?;
                self.known.put(&link, true);
                let change = Change { before: Some(link), after: None, action: Action::Purged };
                Ok(Outcome::Change(Box::new(change), None))
            }
            Verb::Import(on_conflict) => match (&found, on_conflict) {
                (None, _) => self.create(operation, Action::Imported),
                (Some(link), OnConflict::Skip) => Err(Outcome::Skipped(Box::new(link.clone()))),
                (Some(link), OnConflict::Refuse) => Err(taken(link, operation.wanted.token.as_ref())),
                (Some(link), OnConflict::Update) => {
                    let written = link.edit(&operation.body, self.now_ms, self.allowed);
                    let mut written = written.map_err(Outcome::Invalid)?;
                    if written.link.deleted_at_ms.take().is_some() && written.link.version == link.version {
                        written.link = next(written.link, self.now_ms).link;
                    }
                    self.rewrite(link, written)
                }
            },
        }
    }

    fn must_hold(&self, link: Option<&Link>) -> Result<(), Outcome> {
        if (self.holds)(link.map(|link| link.version)) { Ok(()) } else { Err(Outcome::Stale) }
    }

    fn create(&mut self, operation: &Operation, action: Action) -> Result<Outcome, Outcome> {
        let target = &operation.target;
        let invalid = |reject: Reject| Outcome::Invalid(vec![reject]);
        let token = match &target.token {
            // It may be a name that links no longer get.
            Some(token) => Token::parse(token.as_str()).map_err(invalid)?,
            None => (self.fresh)(),
        };
        let written = Link::create(&operation.body, token, self.now_ms, self.allowed);
        let Written { mut link, password } = written.map_err(Outcome::Invalid)?;
        if target.token.as_ref().is_some_and(|token| *token != link.token) {
            return Err(invalid(Reject::new("/token", "is not the one in the address")));
        }
        if !target.domain.is_empty() && link.domain != target.domain {
            if !link.domain.is_empty() {
                return Err(invalid(Reject::new("/domain", "is not the one in the address")));
            }
            if !self.allowed.domains.contains(&target.domain) {
                return Err(invalid(Reject::new("/domain", "is none of the hosts in the setting `domains`")));
            }
            link.domain.clone_from(&target.domain);
        }
        if !target.external_id.is_empty() && link.external_id != target.external_id {
            if !link.external_id.is_empty() {
                return Err(invalid(Reject::new("/external_id", "is not the one in the address")));
            }
            link.external_id.clone_from(&target.external_id);
        }
        if let Some(owner) = self.known.by_token(&link.domain, &link.token) {
            return Err(taken(&owner.link, Some(&link.token)));
        }
        self.keep(Change { before: None, after: Some(link), action }, password)
    }

    fn rewrite(&mut self, before: &Link, Written { link, password }: Written) -> Result<Outcome, Outcome> {
        if link == *before && password.is_none() {
            return Err(Outcome::Same(Box::new(link)));
        }
        let action = match (before.deleted_at_ms, link.deleted_at_ms) {
            (Some(_), None) => Action::Restored,
            (None, Some(_)) => Action::Deleted,
            _ => Action::Updated,
        };
        self.keep(Change { before: Some(before.clone()), after: Some(link), action }, password)
    }

    /// Takes a change into the plan, unless somebody has the external id that it wants.
    fn keep(&mut self, change: Change, password: Option<String>) -> Result<Outcome, Outcome> {
        if let Some(link) = &change.after {
            let owner =
                self.known.by_external_id(&link.external_id).filter(|owner| owner.link.key() != link.key());
            if let Some(owner) = owner.filter(|_| !link.external_id.is_empty()) {
                return Err(taken(&owner.link, None));
            }
            self.known.put(link, true);
        }
        Ok(Outcome::Change(Box::new(change), password))
    }
}

/// The next version of a link.
fn next(mut link: Link, now_ms: i64) -> Written {
    (link.version, link.updated_at_ms) = (link.version.saturating_add(1), now_ms);
    Written { link, password: None }
}

/// The name is another link's.
fn taken(owner: &Link, token: Option<&Token>) -> Outcome {
    let deleted = owner.deleted_at_ms.is_some();
    Outcome::Taken(match (token == Some(&owner.token), deleted) {
        (true, false) => Reject::new("/token", "is that of another link"),
        (true, true) => Reject::new("/token", "is that of a deleted link; restore it or purge it"),
        (false, false) => Reject::new("/external_id", "is that of another link"),
        (false, true) => Reject::new("/external_id", "is that of a deleted link; restore it or purge it"),
    })
}
