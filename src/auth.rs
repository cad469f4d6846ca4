//! Who may do what.

use serde::Deserialize;
use worker::{Env, Method, Request};

use analytics::Statement;
use analytics::key::{KeyHash, same};
use analytics::session::Session;

use crate::clock::now_ms;
use crate::edge::Edge;
use crate::problem::Problem;
use crate::session_routes::{cookie_name, is_secure};
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

/// A key that is in force.
#[derive(Debug)]
pub(crate) struct Who {
    /// What it is called.
    pub(crate) name: String,
    hash: String,
    scopes: String,
}

impl Who {
    /// Whether the key has the scope; `admin` has all of them.
    pub(crate) fn may(&self, scope: Scope) -> bool {
        self.scopes.split(' ').any(|held| held == scope.name() || held == Scope::Admin.name())
    }
}

/// Who the request comes from, if their key has the scope.
///
/// # Errors
/// No key, an unknown one, or one without the scope; or a browser's cookie on a page that is not ours.
pub(crate) async fn allowed(request: &Request, env: &Env, scope: Scope) -> Result<Actor, Problem> {
    let (who, _) = identified(request, &*Edge::of(env)?).await?;
    if !who.may(scope) {
        return Err(Problem::Forbidden(scope.name()));
    }
    if who.hash.is_empty() {
        return Ok(Actor("admin".to_owned()));
    }
    Ok(Actor(format!("key:{}#{}", who.name, who.hash.get(..8).unwrap_or_default())))
}

/// The request's key: of its header, else of the session in the dashboard's cookie; and when the session ends.
///
/// A browser adds the cookie by itself, so that a page elsewhere could act in its owner's name. `SameSite=Strict` keeps other
/// sites out; the check of [`own_page`] also keeps out the neighbours under the same domain, and sockets, which no
/// rule about reading answers holds back.
pub(crate) async fn identified(request: &Request, edge: &Edge) -> Result<(Who, Option<i64>), Problem> {
    let headers = request.headers();
    if let Some(header) = headers.get("authorization")? {
        let key = match header.split_once(' ') {
            Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => key.trim(),
            _ => return Err(Problem::Unauthenticated),
        };
        return Ok((known(edge, &KeyHash::of(key).to_string()).await?, None));
    }
    let name = cookie_name(is_secure(&request.inner().url()));
    let cookies = headers.get("cookie")?.unwrap_or_default();
    let value = cookies.split(';').filter_map(|cookie| cookie.trim().split_once('='));
    let value = value.filter(|(cookie, _)| *cookie == name).map(|(_, value)| value).next();
    let session = value.and_then(|value| Session::decode(value, &edge.signer, now_ms()));
    let session = session.ok_or(Problem::Unauthenticated)?;
    let reads = matches!(request.method(), Method::Get | Method::Head) && headers.get("upgrade")?.is_none();
    if !reads {
        own_page(request, true)?;
    }
    Ok((known(edge, &session.key).await?, Some(session.expires_ms)))
}

/// Refuses what a page of another origin sends, as far as the browser says so; with `strictly`, also what does not say.
pub(crate) fn own_page(request: &Request, strictly: bool) -> Result<(), Problem> {
    let headers = request.headers();
    let ours = match (headers.get("sec-fetch-site")?, headers.get("origin")?) {
        (Some(site), _) => site == "same-origin" || (site == "none" && !strictly),
        (None, Some(origin)) => {
            let url = request.inner().url();
            url.strip_prefix(origin.as_str()).is_some_and(|rest| rest.starts_with('/'))
        }
        (None, None) => !strictly,
    };
    if ours { Ok(()) } else { Err(Problem::CrossSite) }
}

/// The key of this hash, if it is in force. The secret `ADMIN_TOKEN` has every scope; other keys are looked up by their
/// hash, so that D1 holds none that could be used.
pub(crate) async fn known(edge: &Edge, hash: &str) -> Result<Who, Problem> {
    if !edge.admin_token.is_empty() && same(hash, &KeyHash::of(&edge.admin_token).to_string()) {
        let scopes = Scope::Admin.name().to_owned();
        return Ok(Who { name: "admin".to_owned(), hash: String::new(), scopes });
    }
    let now_ms = now_ms();
    let find = Statement::new(
        "SELECT name, scopes, last_used_at_ms FROM keys \
         WHERE hash = ?1 AND (expires_at_ms IS NULL OR expires_at_ms > ?2)",
        [hash.into(), now_ms.into()],
    );
    let keys: Vec<Key> = read(&edge.db, find).await?;
    let Some(key) = keys.into_iter().next() else { return Err(Problem::Unauthenticated) };
    if key.last_used_at_ms.is_none_or(|at_ms| now_ms - at_ms >= USE_EVERY_MS) {
        edge.used.borrow_mut().0.push((hash.to_owned(), now_ms));
    }
    Ok(Who { name: key.name, hash: hash.to_owned(), scopes: key.scopes })
}
