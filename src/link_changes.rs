//! Carries out operations on links: reads what they are about, plans, writes it all at once, and tells the edge.

use std::rc::Rc;

use analytics::idempotency;
use futures_util::StreamExt;
use futures_util::stream::iter;
use links::change::{self, Change};
use links::operation::{Name, Operation, Outcome, plan};
use links::{Allowed, Link, Token, kv_key, statements};
use queues::delivery::statements::any_hook;
use worker::D1Result;

use crate::auth::Actor;
use crate::clock::now_ms;
use crate::edge::Edge;
use crate::guided::meter_key;
use crate::lookup::Record;
use crate::meter;
use crate::notice;
use crate::password;
use crate::problem::Problem;
use crate::random::random_bits;
use crate::sql::transact;
use crate::zone;

/// A plan that others overtake three times in a row is about links that somebody writes all the time.
const ATTEMPTS: usize = 3;

/// A Worker has six connections at a time.
const PUTS_AT_ONCE: usize = 6;

/// KV keeps a copy in each data centre this long, so that a change is seen everywhere after it.
const KV_SECONDS: f64 = 60.0;

/// More new links than these are not copied to KV one by one: the first who follows one fetches it from D1, which
/// puts the copy there. A free plan has 50 calls for a request.
const COPIES_MAX: usize = 20;

/// Hashing a password takes some 20 ms of CPU.
const PASSWORDS_MAX: usize = 100;

/// Who wants something, and where.
pub(crate) struct Wish<'a> {
    pub(crate) actor: &'a Actor,
    /// The host that the service answers on.
    pub(crate) host: &'a str,
    /// Judges the version of the link that an operation is about.
    pub(crate) holds: &'a dyn Fn(Option<u32>) -> bool,
    /// The key under which the answer is kept, in the transaction of what it answers, and the answer.
    pub(crate) keep: Option<(&'a idempotency::Request, Answer<'a>)>,
}

/// Status and body of the answer to what became of operations.
pub(crate) type Answer<'a> = &'a dyn Fn(&[Outcome]) -> (u16, String);

/// Makes the plan, and does nothing.
///
/// # Errors
/// D1 is down.
pub(crate) async fn rehearse(
    edge: &Edge,
    wish: &Wish<'_>,
    operations: &[Operation],
) -> Result<Vec<Outcome>, Problem> {
    let stored = stored(edge, operations).await?;
    let mut fresh = || Token::generate(random_bits() as u64);
    Ok(plan(operations, &stored, now_ms(), &rules(edge, wish.host), wish.holds, &mut fresh))
}

/// Carries out operations: each that can be done is done when this returns, and none if it fails.
///
/// # Errors
/// D1 is down, or others change the same links all the time.
pub(crate) async fn carry_out(
    edge: &Edge,
    wish: &Wish<'_>,
    operations: &[Operation],
) -> Result<Vec<Outcome>, Problem> {
    for _ in 0..ATTEMPTS {
        let mut outcomes = rehearse(edge, wish, operations).await?;
        seal(&mut outcomes).await?;
        let now_ms = now_ms();
        let mut statements = change::statements(changes(&outcomes), wish.actor.name(), now_ms);
        if statements.is_empty() {
            return Ok(outcomes);
        }
        if let Some((request, answer)) = wish.keep {
            let (status, body) = answer(&outcomes);
            statements.extend(request.keep(status, body, now_ms));
        }
        statements.push(any_hook());
        match transact(&edge.db, statements).await {
            Ok(results) => {
                let hooks = results.last().map_or(Ok(Vec::new()), D1Result::results::<Record>);
                edge.poke.set(edge.poke.get() || hooks.is_ok_and(|hooks| !hooks.is_empty()));
                publish(edge, &outcomes).await;
                return Ok(outcomes);
            }
            Err(error) => {
                let error = error.to_string();
                if error.contains("answered.") {
                    return Err(Problem::Conflict(
                        "A request with this Idempotency-Key is being carried out",
                    ));
                }
                if !error.contains("constraint failed") {
                    return Err(worker::Error::RustError(error).into());
                }
            }
        }
    }
    Err(Problem::Conflict("Somebody else changes these links right now; try again"))
}

fn changes(outcomes: &[Outcome]) -> impl Iterator<Item = &Change> {
    outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Change(change, _) => Some(&**change),
        _ => None,
    })
}

/// The links that the operations name, read at once.
async fn stored(edge: &Edge, operations: &[Operation]) -> Result<Vec<Link>, Problem> {
    let names: Vec<&Name> = operations.iter().flat_map(Operation::names).collect();
    let tokens = names.iter().filter_map(|name| Some((&*name.domain, name.token.as_ref()?)));
    let external_ids = names.iter().map(|name| &*name.external_id).filter(|id| !id.is_empty());
    if tokens.clone().next().is_none() && external_ids.clone().next().is_none() {
        return Ok(Vec::new());
    }
    let results = transact(&edge.db, [statements::named(tokens, external_ids)]).await?;
    let records = results.first().map_or(Ok(Vec::new()), D1Result::results::<Record>)?;
    let links: worker::Result<Vec<Link>> = records.iter().map(Record::link).collect();
    Ok(links?)
}

/// Hashes the new passwords.
async fn seal(outcomes: &mut [Outcome]) -> Result<(), Problem> {
    let mut hashed = 0;
    for outcome in outcomes {
        let Outcome::Change(change, Some(word)) = outcome else { continue };
        hashed += 1;
        if hashed > PASSWORDS_MAX {
            return Err(Problem::TooLarge("a call may set 100 passwords".into()));
        }
        if let Some(link) = &mut change.after {
            link.password = password::hash(word).await?;
        }
    }
    Ok(())
}

/// Lets the edge know: this isolate at once, KV before the answer. D1 has it already, so a KV that is down costs
/// freshness and nothing else.
async fn publish(edge: &Edge, outcomes: &[Outcome]) {
    let new = changes(outcomes).filter(|change| change.before.is_none()).count();
    let puts = changes(outcomes).filter_map(|change| {
        let link = change.link()?;
        edge.known.borrow_mut().learn(link.key().into_owned(), change.after.clone().map(Rc::new));
        let copied = change.before.is_some() || new <= COPIES_MAX;
        copied.then(|| tell(edge, kv_key(&link.domain, &link.token), change.after.as_ref()))
    });
    iter(puts).buffer_unordered(PUTS_AT_ONCE).collect::<()>().await;
    for link in changes(outcomes).filter(|change| change.after.is_none()).filter_map(Change::link) {
        if link.max_clicks.is_some()
            && let Err(error) = meter::forget(edge, &meter_key(link)).await
        {
            // A count that nobody asks for any more: a row, and no link's.
            notice::warn("meter", "not_forgotten", &link.key(), &error);
        }
    }
}

async fn tell(edge: &Edge, key: String, link: Option<&Link>) {
    let told = match link {
        Some(link) => match edge.links.put(&key, link.to_record()) {
            Ok(put) => put.execute().await,
            Err(error) => Err(error),
        },
        None => edge.links.delete(&key).await,
    };
    if let Err(error) = told {
        notice::warn("kv", "not_told", &key, &error);
    }
}

/// In how many seconds everybody sees what was done. A new link is looked up where nobody knows it, unless somebody
/// asked in vain a moment ago. A change is heard of by whoever watches; without that, a link that was known may stand
/// in an isolate and, behind it, in a copy of KV's.
pub(crate) fn live_within_seconds(edge: &Edge, outcomes: &[Outcome]) -> Option<u64> {
    let config = &edge.config;
    let watched = config.link_watch_seconds > 0.0;
    let seconds = |change: &Change| match change.before {
        _ if watched => config.link_watch_seconds.max(config.link_fresh_seconds),
        None => config.unknown_fresh_seconds,
        Some(_) => config.link_fresh_seconds + KV_SECONDS,
    };
    changes(outcomes).map(seconds).reduce(f64::max).map(|seconds| seconds.ceil() as u64)
}

/// What links may be, at a service that answers on `host`.
fn rules<'a>(edge: &'a Edge, host: &'a str) -> Allowed<'a> {
    Allowed {
        app_schemes: &edge.config.app_schemes,
        domains: &edge.config.domains,
        own_host: host,
        is_zone: zone::is_zone,
    }
}
