//! Who may send events, and how often.
//!
//! A page is what a browser says it is, and a program may say it is any: a list of origins keeps other people's pages
//! out, and no more. A key is what a server has.

use worker::{Request, Result as WorkerResult};

use crate::auth::is_trusted;
use crate::config::{Senders, Unknown};
use crate::edge::Edge;
use crate::limits::{Limit, PERIOD_SECONDS};
use crate::problem::Problem;
use crate::redirect::host_of;
use crate::visit::Visit;

/// Whether the sender of a request is one that events are taken from; `true` if it has a key and so is believed. Nothing
/// is asked of D1 unless a key is needed, and then once in some seconds.
///
/// # Errors
/// The sender is on no list, has no key, or comes too often.
pub(crate) async fn admit(
    request: &Request,
    edge: &Edge,
    visit: &Visit,
    batch: bool,
) -> Result<bool, Problem> {
    let config = &edge.config;
    let listed = config.ingest_origins.is_empty() || comes_from(request, visit, &config.ingest_origins)?;
    let keys_only = config.ingest_from == Senders::Keys;
    let matters = keys_only || !listed || config.unknown_campaigns != Unknown::Count;
    if matters && is_trusted(request, edge).await? {
        return Ok(true);
    }
    if keys_only {
        return Err(Problem::Unauthenticated);
    }
    if !listed {
        return Err(Problem::Stranger);
    }
    if within(edge, visit, batch).await {
        return Ok(false);
    }
    if is_trusted(request, edge).await? { Ok(true) } else { Err(Problem::TooMany(PERIOD_SECONDS)) }
}

/// Whether a visitor and its network send as much as anybody may. One visitor who sends without end is stopped long
/// before the others of its office are.
pub(crate) async fn within(edge: &Edge, visit: &Visit, batch: bool) -> bool {
    let limits = &edge.limits;
    if !limits.are_on() {
        return true;
    }
    let (visitor, network) = (visit.key(), visit.network());
    limits.allow(Limit::Visitor, &visitor).await
        && limits.allow(if batch { Limit::Batches } else { Limit::Network }, &network).await
}

/// Whether the page that sends is of a listed host.
fn comes_from(request: &Request, visit: &Visit, hosts: &[String]) -> WorkerResult<bool> {
    let origin = request.headers().get("origin")?;
    // A browser that hides the origin says `null`, and then says nothing in `Referer` either.
    let page = origin.as_deref().unwrap_or_else(|| visit.referrer());
    Ok(is_listed(hosts, &host_of(page)))
}

/// Whether a host is listed; `.example.com` lists everything below `example.com`, and itself.
pub(crate) fn is_listed(hosts: &[String], host: &str) -> bool {
    hosts.iter().any(|listed| match listed.strip_prefix('.') {
        Some(parent) => host.strip_suffix(parent).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
        None => listed == host,
    })
}

#[cfg(test)]
mod tests {
    use super::is_listed;

    #[test]
    fn a_listed_host_is_not_its_lookalike() {
        let hosts = ["shop.example".to_owned(), ".brand.example".to_owned()];
        for good in ["shop.example", "brand.example", "a.brand.example"] {
            assert!(is_listed(&hosts, good), "{good}");
        }
        for bad in ["a.shop.example", "evilshop.example", "evilbrand.example", "shop.example.evil", ""] {
            assert!(!is_listed(&hosts, bad), "{bad}");
        }
    }
}
