//! Who may do what.

use std::collections::HashMap;

use serde::Deserialize;
use worker::{Env, Method, Request};

use analytics::Statement;
use analytics::key::{KeyHash, same};
use analytics::session::Session;

use crate::clock::now_ms;
use crate::edge::Edge;
use crate::limits::{Limit, PERIOD_SECONDS};
use crate::problem::Problem;
use crate::session_routes::{cookie_name, is_secure};
use crate::sql::read;
use crate::visit::network_of;

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
pub(crate) struct Actor {
    name: String,
    writes: bool,
}

impl Actor {
    /// The name in the trail.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether they may change links and what belongs to them, whatever they came for.
    pub(crate) fn writes(&self) -> bool {
        self.writes
    }
}

#[derive(Deserialize)]
struct Key {
    name: String,
    scopes: String,
    last_used_at_ms: Option<i64>,
}

impl Key {
    fn has(&self, scope: Scope) -> bool {
        self.scopes.split(' ').any(|held| held == scope.name() || held == Scope::Admin.name())
    }
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

/// Keys that were found in force, by their hash: when, and whether they may send events. Whoever sends a thousand batches
/// a second is not looked up a thousand times.
#[derive(Default)]
pub(crate) struct Seen(HashMap<String, (i64, bool)>);

/// So long a key that was revoked is still trusted with sending events, which is not restricted at all by default.
const TRUSTED_MS: i64 = 5_000;
const MOST_SEEN: usize = 200;

/// The key of a request.
fn key_of(header: &str) -> Result<&str, Problem> {
    match header.split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => Ok(key.trim()),
        _ => Err(Problem::Unauthenticated),
    }
}

/// A key that is in force.
#[derive(Debug)]
pub(crate) struct Who {
    /// What it is called.
    pub(crate) name: String,
    /// Empty: the operator's own.
    hash: String,
    scopes: String,
}

impl Who {
    /// Whether the key has the scope; `admin` has all of them.
    pub(crate) fn may(&self, scope: Scope) -> bool {
        self.scopes.split(' ').any(|held| held == scope.name() || held == Scope::Admin.name())
    }

    /// Who it is for the audit trail, if the key has the scope.
    async fn acts(self, edge: &Edge, scope: Scope) -> Result<Actor, Problem> {
        if self.hash.is_empty() {
            return Ok(Actor { name: "admin".to_owned(), writes: true });
        }
        // Servers that pass events on have no limit, and the operator's own key has none either: it is for bad days.
        if scope != Scope::EventsWrite && !edge.limits.allow(Limit::Key, &self.hash).await {
            return Err(Problem::TooMany(PERIOD_SECONDS));
        }
        if !self.may(scope) {
            return Err(Problem::Forbidden(scope.name()));
        }
        let name = format!("key:{}#{}", self.name, self.hash.get(..8).unwrap_or_default());
        Ok(Actor { name, writes: self.may(Scope::LinksWrite) })
    }
}

/// Who the request comes from, if their key has the scope.
///
/// # Errors
/// No key, an unknown one, or one without the scope; too many requests; or a browser's cookie on a page that is not ours.
pub(crate) async fn allowed(request: &Request, env: &Env, scope: Scope) -> Result<Actor, Problem> {
    let edge = Edge::of(env)?;
    let (who, _) = identified(request, &edge).await?;
    who.acts(&edge, scope).await
}

/// Who has the key, if it has the scope.
///
/// # Errors
/// As [`allowed`].
pub(crate) async fn key_allowed(
    request: &Request,
    env: &Env,
    key: &str,
    scope: Scope,
) -> Result<Actor, Problem> {
    let edge = Edge::of(env)?;
    known(request, &edge, &KeyHash::of(key).to_string()).await?.acts(&edge, scope).await
}

/// The request's key: of its header, else of the session in the dashboard's cookie; and when the session ends.
///
/// A browser adds the cookie by itself, so that a page elsewhere could act in its owner's name. `SameSite=Strict` keeps other
/// sites out; the check of [`own_page`] also keeps out the neighbours under the same domain, and sockets, which no
/// rule about reading answers holds back.
pub(crate) async fn identified(request: &Request, edge: &Edge) -> Result<(Who, Option<i64>), Problem> {
    let headers = request.headers();
    if let Some(header) = headers.get("authorization")? {
        let hash = KeyHash::of(key_of(&header)?).to_string();
        return Ok((known(request, edge, &hash).await?, None));
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
    Ok((known(request, edge, &session.key).await?, Some(session.expires_ms)))
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
pub(crate) async fn known(request: &Request, edge: &Edge, hash: &str) -> Result<Who, Problem> {
    if !edge.admin_token.is_empty() && same(hash, &KeyHash::of(&edge.admin_token).to_string()) {
        let scopes = Scope::Admin.name().to_owned();
        return Ok(Who { name: "admin".to_owned(), hash: String::new(), scopes });
    }
    let key = held(request, edge, hash).await?;
    Ok(Who { name: key.name, hash: hash.to_owned(), scopes: key.scopes })
}

/// Whether the request has a key of scope `events:write`. One that is wrong is no better than none.
///
/// # Errors
/// Nobody can tell, or whoever asks has tried too many.
pub(crate) async fn is_trusted(request: &Request, edge: &Edge) -> Result<bool, Problem> {
    let header = request.headers().get("authorization")?.unwrap_or_default();
    let Ok(key) = key_of(&header) else { return Ok(false) };
    if is_admin(edge, key) {
        return Ok(true);
    }
    let hash = KeyHash::of(key).to_string();
    let trusted =
        || edge.seen.borrow().0.get(&hash).filter(|(at_ms, _)| now_ms() - at_ms < TRUSTED_MS).copied();
    if trusted().is_none() {
        match held(request, edge, &hash).await {
            Ok(_) | Err(Problem::Unauthenticated) => {}
            Err(problem) => return Err(problem),
        }
    }
    Ok(trusted().is_some_and(|(_, trusted)| trusted))
}

fn is_admin(edge: &Edge, key: &str) -> bool {
    !edge.admin_token.is_empty() && same(key, &edge.admin_token)
}

/// So long wrong keys of a network are remembered, and so many until its keys are not looked up any more.
const REFUSED_MS: i64 = 60_000;
const REFUSED_MOST: u32 = 60;

/// The key with this hash, if it is in force.
async fn held(request: &Request, edge: &Edge, hash: &str) -> Result<Key, Problem> {
    let now_ms = now_ms();
    let network = if edge.limits.are_on() { network_of(request.inner()) } else { String::new() };
    let wait = edge.tries.borrow().wait(&network, now_ms, REFUSED_MS, REFUSED_MOST);
    // Not for keys that were right a while ago: one broken script must not lock its whole office out.
    if let Some(seconds) = wait
        && !edge.seen.borrow().0.contains_key(hash)
    {
        return Err(Problem::TooMany(seconds));
    }
    let find = Statement::new(
        "SELECT name, scopes, last_used_at_ms FROM keys \
         WHERE hash = ?1 AND (expires_at_ms IS NULL OR expires_at_ms > ?2)",
        [hash.into(), now_ms.into()],
    );
    let keys: Vec<Key> = read(&edge.db, find).await?;
    let Some(key) = keys.into_iter().next() else {
        edge.seen.borrow_mut().0.remove(hash);
        if !edge.limits.are_on() {
            return Err(Problem::Unauthenticated);
        }
        edge.tries.borrow_mut().note(&network, now_ms, REFUSED_MS);
        let allowed = edge.limits.allow(Limit::Refusals, &network).await;
        return Err(if allowed { Problem::Unauthenticated } else { Problem::TooMany(PERIOD_SECONDS) });
    };
    let seen = &mut edge.seen.borrow_mut().0;
    if seen.len() >= MOST_SEEN {
        seen.clear();
    }
    seen.insert(hash.to_owned(), (now_ms, key.has(Scope::EventsWrite)));
    if key.last_used_at_ms.is_none_or(|at_ms| now_ms - at_ms >= USE_EVERY_MS) {
        edge.used.borrow_mut().0.push((hash.to_owned(), now_ms));
    }
    Ok(key)
}
