//! Token to link: the isolate's own map, then KV, then D1.

use std::collections::HashMap;
use std::rc::Rc;

use futures_util::future::join;
use links::{Link, Token, key, kv_key, statements};
use serde::Deserialize;
use worker::{Context, Result};

use crate::clock::now_ms;
use crate::edge::Edge;
use crate::limits::Guesser;
use crate::notice;
use crate::problem::Problem;
use crate::sql::read;
use crate::watch;

/// KV keeps a copy in each data centre at least this long, seconds.
const KV_CACHE_SECONDS: u64 = 60;

/// A copy that was put into KV by whoever missed one there. It could overwrite a newer one, and so it does not stay.
const LAZY_COPY_SECONDS: u64 = 3_600;

/// So long a link is used without asking for it, while the isolate hears of changes.
const KEPT_MS: i64 = 600_000;

/// An isolate has 128 MB; a link takes about 1 KB.
const MOST_KNOWN: usize = 10_000;

/// What the isolate remembers of links, and of tokens that lead nowhere.
#[derive(Default)]
pub(crate) struct Known(HashMap<String, (Option<Rc<Link>>, i64)>);

impl Known {
    /// Remembers what is behind a link's key as of now.
    pub(crate) fn learn(&mut self, key: String, link: Option<Rc<Link>>) {
        if self.0.len() >= MOST_KNOWN {
            // Whoever guesses tokens fills the map: what is not in use goes, and what is comes back.
            self.0.clear();
        }
        self.0.insert(key, (link, now_ms()));
    }

    /// Trusts no longer what changed elsewhere, but keeps it for when nobody can be asked.
    pub(crate) fn doubt(&mut self, key: &str) {
        if let Some((_, learned_ms)) = self.0.get_mut(key) {
            *learned_ms = 0;
        }
    }
}

/// The link of a token on a host, or on every host if `domain` is empty. A change elsewhere is seen within
/// `link_watch_seconds`, as long as D1 answers; without that, after `link_fresh_seconds` and, where KV holds an old copy,
/// a minute more.
///
/// # Errors
/// KV and D1 are both down, and the isolate does not know the token; or KV does not know it, and its network has guessed
/// too often for D1 to be asked.
pub(crate) async fn find(
    edge: &Rc<Edge>,
    ctx: &Context,
    domain: &str,
    token: &Token,
    guesser: &Guesser<'_>,
) -> std::result::Result<Option<Rc<Link>>, Problem> {
    watch::keep_up(edge, ctx);
    let key = key(domain, token);
    let known = edge.known.borrow().0.get(&*key).cloned();
    if let Some((link, learned_ms)) = &known {
        let fresh = match link {
            Some(_) => edge.config.link_fresh_seconds,
            None => edge.config.unknown_fresh_seconds,
        };
        let now_ms = now_ms();
        let age_ms = now_ms - learned_ms;
        // Whoever hears of every change need not ask whether there was one.
        let watched = || link.is_some() && age_ms < KEPT_MS && edge.watch.borrow().is_current(edge, now_ms);
        if age_ms as f64 <= fresh * 1e3 || watched() {
            return Ok(link.clone());
        }
    }
    match fetch(edge, ctx, domain, token, guesser).await {
        Ok(link) => {
            edge.known.borrow_mut().learn(key.into_owned(), link.clone());
            Ok(link)
        }
        Err(error) => match known {
            // A link that was right a moment ago is better than none.
            Some((Some(link), _)) => Ok(Some(link)),
            _ => Err(error),
        },
    }
}

async fn fetch(
    edge: &Edge,
    ctx: &Context,
    domain: &str,
    token: &Token,
    guesser: &Guesser<'_>,
) -> std::result::Result<Option<Rc<Link>>, Problem> {
    let kv_key = kv_key(domain, token);
    let copy = edge.links.get(&kv_key).cache_ttl(KV_CACHE_SECONDS).text();
    // An isolate that was idle learns what changed meanwhile as it asks for the copy.
    let current = edge.watch.borrow().is_current(edge, now_ms());
    let copy = if current { copy.await } else { join(copy, watch::look(edge)).await.0 };
    let copy = match copy {
        Ok(Some(record)) => Link::from_record(&record)
            .inspect_err(|unreadable| {
                notice::warn("kv", "record_unreadable", &kv_key, &format_args!("{unreadable:?}"));
            })
            .ok()
            .map(Rc::new),
        Ok(None) => None,
        Err(error) => {
            notice::warn("kv", "no_answer", &"", &error);
            None
        }
    };
    let is_new = edge.watch.borrow().is_new(&key(domain, token), now_ms());
    if copy.is_some() && !is_new {
        return Ok(copy);
    }
    // KV takes any load, D1 one query at a time: it is not for guessers. Every link is in KV a minute after it was made.
    if copy.is_none() {
        guesser.guess(edge).await?;
    }
    // KV tells what was true a minute ago, of absence too; D1 tells what is.
    let link = match (from_d1(edge, domain, token).await, copy) {
        (Ok(link), _) => link,
        // An old copy is better than none.
        (Err(_), Some(copy)) => return Ok(Some(copy)),
        (Err(error), None) => return Err(error.into()),
    };
    let Some(link) = link else { return Ok(None) };
    if !is_new && let Ok(put) = edge.links.put(&kv_key, link.to_record()) {
        ctx.wait_until(async move {
            if let Err(error) = put.expiration_ttl(LAZY_COPY_SECONDS).execute().await {
                notice::warn("kv", "copy_refused", &"", &error);
            }
        });
    }
    Ok(Some(Rc::new(link)))
}

/// The link as D1 has it.
///
/// # Errors
/// D1 is down, or the record is damaged.
pub(crate) async fn from_d1(edge: &Edge, domain: &str, token: &Token) -> Result<Option<Link>> {
    let rows: Vec<Record> = read(&edge.db, statements::by_token(domain, token)).await?;
    rows.first().map(Record::link).transpose()
}

/// A row of D1 that holds a record: a link's, or another's.
#[derive(Deserialize)]
pub(crate) struct Record {
    record: String,
    #[serde(default)]
    place: String,
}

impl Record {
    pub(crate) fn text(&self) -> &str {
        &self.record
    }

    /// Where a list that is sorted has it.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    pub(crate) fn link(&self) -> Result<Link> {
        Link::from_record(&self.record).map_err(|unreadable| {
            worker::Error::RustError(format!("a link's record is damaged: {unreadable:?}"))
        })
    }
}
