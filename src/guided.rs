//! Links whose answer depends on who comes: rules, variants, passwords, limits, cards.

use std::rc::Rc;

use analytics::capture::{self, FailedReason};
use analytics::click_id::ClickId;
use analytics::privacy::alone;
use analytics::{EventId, RawEvent};
use links::{Closed, Hit, Link, Outcome, Way, decide, target, way};
use worker::web_sys::{Request, Response};

use crate::body::bounded;
use crate::clock::now_ms;
use crate::edge::Edge;
use crate::limits::{Guesser, Limit, PERIOD_SECONDS};
use crate::meter;
use crate::page;
use crate::password;
use crate::problem::Problem;
use crate::redirect::{Asked, asks, facts_of, fail, host_of, keep, lookup, redirect, turn_away};
use crate::visit::Visit;
use crate::zone;

/// A form with one password.
const FORM_MAX_BYTES: usize = 4_096;

/// The header in which a program gives the password that a person types.
const PASSWORD_HEADER: &str = "x-link-password";

/// What was decided, without what it was decided on.
enum Answer {
    Go { url: String, fallback: Option<String>, variant: String, id: EventId },
    Ask { wrong: bool },
    Kept(Response),
    Closed(Closed),
}

/// Follows a link that is not the same for everybody.
pub(crate) async fn follow(asked: &Asked<'_>, link: Rc<Link>) -> Result<Response, Problem> {
    let visit = Visit::of(asked.request, asked.edge, None, asked.query);
    let key = link.key().into_owned();
    let word = if link.password.is_empty() { None } else { given_word(asked.request).await? };
    let unlocked = match &word {
        Some(word) => try_word(asked.edge, &visit, &key, word, &link.password).await?,
        None => false,
    };
    let answer = {
        let facts = visit.facts();
        let event = capture::redirect(&facts_of(&link, &key, ""), asked.query, &facts);
        let hit = Hit::new(&event, &zone::local);
        match decide(&link, &hit, unlocked) {
            Outcome::Go(way) => {
                let visitor = if visit.is_known() { event.visitor } else { alone(&event) };
                go(asked, &link, &way, &event, visitor)
            }
            Outcome::Ask => Answer::Ask { wrong: word.is_some() },
            Outcome::Card(card) => Answer::Kept(page::card(card)),
            Outcome::Withheld => Answer::Kept(page::withheld()),
            Outcome::Closed(why, _) => Answer::Closed(why),
        }
    };
    match answer {
        Answer::Go { url, fallback, variant, id } => {
            if let Some(most) = link.max_clicks
                && !meter::take(asked.edge, &meter_key(&link), id, most).await?.granted
            {
                return turn_away(asked, &link, Closed::LimitReached);
            }
            // After a form the browser is to ask for the target with GET, whatever the link says.
            let status = if asked.request.method() == "POST" { 303 } else { link.status.code() };
            let asks = asks(asked.edge, &visit);
            keep(asked, visit, link, variant).await;
            Ok(match fallback {
                Some(fallback) => page::open_app(&url, &fallback),
                None => redirect(status, &url, asks),
            })
        }
        Answer::Ask { wrong } => {
            if wrong {
                fail(asked, Some(&link), FailedReason::WrongPassword);
            }
            Ok(Problem::ask(wrong))
        }
        Answer::Kept(response) => {
            keep(asked, visit, link, String::new()).await;
            Ok(response)
        }
        Answer::Closed(why) => turn_away(asked, &link, why),
    }
}

/// The name of a link's count. With the time of its creation, so that a token that is given again starts anew.
pub(crate) fn meter_key(link: &Link) -> String {
    format!("{} {}", link.key(), link.created_at_ms)
}

/// `visitor` is who the click is recorded as: what a conversion says of its click leads nowhere else.
fn go(asked: &Asked<'_>, link: &Link, way: &Way<'_>, event: &RawEvent<'_>, visitor: u64) -> Answer {
    let click_id = if link.append_click_id.is_empty() {
        String::new()
    } else {
        let id = ClickId {
            link: &event.link,
            campaign_id: &event.campaign_id,
            variant: way.variant,
            time_ms: event.received_at_ms,
            visitor,
        };
        id.encode(&asked.edge.signer)
    };
    let to = |url| target(link, url, asked.query, &click_id).into_owned();
    Answer::Go {
        url: to(way.url),
        fallback: way.fallback_url.map(to),
        variant: way.variant.to_owned(),
        id: event.id,
    }
}

/// How long wrong words are remembered. Twenty a minute would be 28,800 a day: every number of four digits.
const WORDS_MS: i64 = 3_600_000;

/// Whether the word opens the link; each try of a network counts, right or wrong, before it costs 100,000 rounds of
/// SHA-256.
async fn try_word(edge: &Edge, visit: &Visit, key: &str, word: &str, hash: &str) -> Result<bool, Problem> {
    if !edge.limits.are_on() {
        return Ok(password::fits(word, hash).await?);
    }
    let (who, now_ms) = (format!("{key} {}", visit.network()), now_ms());
    let wait = edge.tries.borrow().wait(&who, now_ms, WORDS_MS, edge.config.passwords_per_hour);
    if let Some(seconds) = wait {
        return Err(Problem::TooMany(seconds));
    }
    if !edge.limits.allow(Limit::Passwords, &who).await {
        return Err(Problem::TooMany(PERIOD_SECONDS));
    }
    let fits = password::fits(word, hash).await?;
    if !fits {
        edge.tries.borrow_mut().note(&who, now_ms, WORDS_MS);
    }
    Ok(fits)
}

/// The password of a request: of the form that [`page::ask`] shows, or of the header.
async fn given_word(request: &Request) -> Result<Option<String>, Problem> {
    if request.method() == "POST" {
        let too_large = Problem::TooLarge("the form is larger than 4 KiB".into());
        let form = bounded(&mut Clone::clone(request).into(), FORM_MAX_BYTES).await?.ok_or(too_large)?;
        let mut fields = form_urlencoded::parse(&form);
        return Ok(Some(
            fields.find(|(name, _)| name == "password").map_or(String::new(), |(_, word)| word.into_owned()),
        ));
    }
    Ok(request.headers().get(PASSWORD_HEADER).map_err(worker::Error::from)?)
}

/// `GET /r/{token}+`, `GET /{token}+`: where a link leads, without following it. Not counted.
pub(crate) async fn inspect(asked: &Asked<'_>, segment: &str) -> Result<Response, Problem> {
    let link = lookup(asked, segment, &Guesser::new(asked.request))
        .await?
        .filter(|link| link.deleted_at_ms.is_none());
    let Some(link) = link else { return Err(Problem::NotFound("There is no such link")) };
    let visit = Visit::of(asked.request, asked.edge, None, asked.query);
    let facts = visit.facts();
    let key = link.key();
    let event = capture::redirect(&facts_of(&link, &key, ""), asked.query, &facts);
    let hit = Hit::new(&event, &zone::local);
    let url = asked.request.url();
    let scheme = url.split_once("://").map_or("https", |(scheme, _)| scheme);
    let authority = url.split('/').nth(2).map_or(host_of(&url), Into::into);
    let short_url = link.short_url(&format!("{scheme}://{authority}"));
    let closed = link.closed(facts.received_at_ms);
    Ok(page::inspect(&link, &short_url, &way(&link, &hit), closed, facts.received_at_ms))
}
