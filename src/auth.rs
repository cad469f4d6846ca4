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

#[derive(Deserialize)]
struct Key {
    scopes: String,
}

/// Whether the request's key has the scope. The secret `ADMIN_TOKEN` has every scope; other keys are looked up by
/// their hash, so that D1 holds none that could be used.
///
/// # Errors
/// No key, an unknown one, or one without the scope.
pub(crate) async fn allowed(request: &Request, env: &Env, scope: Scope) -> Result<(), Problem> {
    let edge = Edge::of(env)?;
    let header = request.headers().get("authorization")?.unwrap_or_default();
    let key = match header.split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => key.trim(),
        _ => return Err(Problem::Unauthenticated),
    };
    if !edge.admin_token.is_empty() && same(key, &edge.admin_token) {
        return Ok(());
    }
    let find = Statement::new(
        "SELECT scopes FROM keys WHERE hash = ?1 AND (expires_at_ms IS NULL OR expires_at_ms > ?2)",
        [KeyHash::of(key).to_string().into(), now_ms().into()],
    );
    let keys: Vec<Key> = read(&edge.db, find).await?;
    let Some(key) = keys.first() else { return Err(Problem::Unauthenticated) };
    if key.scopes.split(' ').any(|held| held == scope.name() || held == Scope::Admin.name()) {
        Ok(())
    } else {
        Err(Problem::Forbidden(scope.name()))
    }
}
