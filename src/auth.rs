//! Who may do what.

use serde::Deserialize;
use worker::{Env, Request};

use analytics::Statement;
use analytics::key::{KeyHash, same};

use crate::clock::now_ms;
use crate::edge::Edge;
use crate::problem::Problem;
use crate::sql::read;

/// What a key is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Reports.
    StatsRead,
    /// Links, to look at.
    LinksRead,
    /// Links, to change.
    LinksWrite,
    /// Events on behalf of others.
    EventsWrite,
    /// Keys, dead letters.
    Admin,
}

impl Scope {
    pub(crate) const ALL: [Self; 5] =
        [Self::StatsRead, Self::LinksRead, Self::LinksWrite, Self::EventsWrite, Self::Admin];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::StatsRead => "stats:read",
            Self::LinksRead => "links:read",
            Self::LinksWrite => "links:write",
            Self::EventsWrite => "events:write",
            Self::Admin => "admin",
        }
    }
}

/// Who acts, for the audit trail: `admin` for the secret `ADMIN_TOKEN`, else a key by its name and the first digits
/// of its hash, because names are not unique.
#[derive(Debug)]
pub(crate) struct Actor(String);

impl Actor {
    /// The name in the trail.
    pub(crate) fn name(&self) -> &str {
        &self.0
    }
}

#[derive(Deserialize)]
struct Key {
    name: String,
    scopes: String,
    last_used_at_ms: Option<i64>,
}

/// A key's last use is known to the hour: one row written an hour, however often it is used.
const USE_EVERY_MS: i64 = 3_600_000;

/// Keys whose use has to be noted.
#[derive(Default)]
pub(crate) struct Used(Vec<(String, i64)>);

impl Used {
    /// The statements that note them; they are the caller's to run, behind the answer.
    pub(crate) fn take(&mut self) -> Vec<Statement> {
        let note =
            "UPDATE keys SET last_used_at_ms = ?2 WHERE hash = ?1 AND coalesce(last_used_at_ms, 0) < ?2";
        let used = std::mem::take(&mut self.0).into_iter();
        used.map(|(hash, at_ms)| Statement::new(note, [hash.into(), at_ms.into()])).collect()
    }
}

/// Who the request comes from, if their key has the scope. The secret `ADMIN_TOKEN` has every scope; other keys are looked up by
/// their hash, so that D1 holds none that could be used.
///
/// # Errors
/// No key, an unknown one, or one without the scope.
pub(crate) async fn allowed(request: &Request, env: &Env, scope: Scope) -> Result<Actor, Problem> {
    let header = request.headers().get("authorization")?.unwrap_or_default();
    match header.split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => {
            key_allowed(env, key.trim(), scope).await
        }
        _ => Err(Problem::Unauthenticated),
    }
}

/// Who has the key, if it has the scope.
///
/// # Errors
/// As [`allowed`].
pub(crate) async fn key_allowed(env: &Env, key: &str, scope: Scope) -> Result<Actor, Problem> {
    let edge = Edge::of(env)?;
    if !edge.admin_token.is_empty() && same(key, &edge.admin_token) {
        return Ok(Actor("admin".to_owned()));
    }
    let (hash, now_ms) = (KeyHash::of(key).to_string(), now_ms());
    let find = Statement::new(
        "SELECT name, scopes, last_used_at_ms FROM keys \
         WHERE hash = ?1 AND (expires_at_ms IS NULL OR expires_at_ms > ?2)",
        [hash.as_str().into(), now_ms.into()],
    );
    let keys: Vec<Key> = read(&edge.db, find).await?;
    let Some(key) = keys.first() else { return Err(Problem::Unauthenticated) };
    if key.last_used_at_ms.is_none_or(|at_ms| now_ms - at_ms >= USE_EVERY_MS) {
        edge.used.borrow_mut().0.push((hash.clone(), now_ms));
    }
    if key.scopes.split(' ').any(|held| held == scope.name() || held == Scope::Admin.name()) {
        Ok(Actor(format!("key:{}#{}", key.name, hash.get(..8).unwrap_or_default())))
    } else {
        Err(Problem::Forbidden(scope.name()))
    }
}
