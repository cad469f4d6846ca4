//! `POST /api/links/{name}/try`: where a link would lead a visitor that somebody describes. Nothing is counted.

use analytics::capture::{self, Facts};
use analytics::{EventId, RawEvent, Reject, enrich};
use links::operation::Name;
use links::{Closed, Hit, Link, Outcome, decide, target};
use serde_json::{Value, json};
use worker::{Env, Method, Request, Response};

use crate::answer::json_response;
use crate::auth::{Scope, allowed};
use crate::body::bounded;
use crate::clock::now_ms;
use crate::edge::Edge;
use crate::link_routes::{NO_LINK, find};
use crate::problem::Problem;
use crate::redirect::facts_of;
use crate::zone;

/// A visitor who is not there. What is not said is unknown, as it is of real ones.
#[derive(Debug, Default)]
struct Visitor {
    user_agent: String,
    country: String,
    region: String,
    city: String,
    continent: String,
    language: String,
    referrer: String,
    query: String,
    time: String,
    /// Anything that tells this visitor from others: it chooses the variant.
    id: String,
    /// Whether the link's password was given.
    unlocked: bool,
}

impl Visitor {
    fn read(body: &[u8]) -> Result<Self, Reject> {
        let body: Value =
            serde_json::from_slice(body).map_err(|error| Reject::new("", format!("is no JSON: {error}")))?;
        let Value::Object(fields) = body else { return Err(Reject::new("", "is no object")) };
        let mut visitor = Self::default();
        for (name, value) in fields {
            match (visitor.text(&name), value) {
                (Some(slot), Value::String(text)) => *slot = text,
                (Some(_), _) => return Err(Reject::new(format!("/{name}"), "has to be a text")),
                (None, Value::Bool(unlocked)) if name == "unlocked" => visitor.unlocked = unlocked,
                (None, _) if name == "unlocked" => {
                    return Err(Reject::new("/unlocked", "has to be true or false"));
                }
                (None, _) => return Err(Reject::new(format!("/{name}"), "is nothing that a visitor has")),
            }
        }
        Ok(visitor)
    }

    fn text(&mut self, name: &str) -> Option<&mut String> {
        Some(match name {
            "user_agent" => &mut self.user_agent,
            "country" => &mut self.country,
            "region" => &mut self.region,
            "city" => &mut self.city,
            "continent" => &mut self.continent,
            "language" => &mut self.language,
            "referrer" => &mut self.referrer,
            "query" => &mut self.query,
            "time" => &mut self.time,
            "id" => &mut self.id,
            _ => return None,
        })
    }
}

/// Decides as a redirect would.
pub(crate) async fn run(
    request: &mut Request,
    env: &Env,
    segment: &str,
    query: &str,
) -> Result<Response, Problem> {
    if request.method() != Method::Post {
        return Err(Problem::MethodNotAllowed("POST"));
    }
    allowed(request, env, Scope::LinksRead).await?;
    let domain = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "domain");
    let name = Name::of_path(segment, &domain.map(|(_, value)| value).unwrap_or_default()).ok_or(NO_LINK)?;
    let body =
        bounded(request, 16_384).await?.ok_or(Problem::TooLarge("the body is larger than 16 KiB".into()))?;
    let visitor = Visitor::read(&body)?;
    let at_ms = match visitor.time.as_str() {
        "" => now_ms(),
        time => analytics::time::parse_time(time).map_err(|detail| Reject::new("/time", detail))?,
    };
    let link = find(&*Edge::of(env)?, &name).await?.ok_or(NO_LINK)?;
    Ok(json_response(&told(&link, &visitor, at_ms))?)
}

fn told(link: &Link, visitor: &Visitor, at_ms: i64) -> Value {
    let id = EventId::parse(&visitor.id).unwrap_or(EventId::from_bytes([0; 16]));
    let (high, _) = id.as_bytes().split_at(8);
    let facts = Facts {
        received_at_ms: at_ms,
        visitor: high.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
        user_agent: &visitor.user_agent,
        referrer: &visitor.referrer,
        language: &visitor.language,
        country: &visitor.country,
        region: &visitor.region,
        city: &visitor.city,
        continent: &visitor.continent,
        ..Facts::default()
    };
    let key = link.key();
    let event = capture::redirect(&facts_of(link, &key, ""), &visitor.query, &facts);
    let outcome = outcome(link, &event, visitor);
    let seen = enrich(event);
    json!({
        "outcome": outcome,
        "visitor": {
            "device": seen.agent.device.name(),
            "browser": seen.agent.browser,
            "os": seen.agent.os,
            "verdict": seen.bot.verdict.name(),
            "reasons": seen.bot.reasons.iter().collect::<Vec<_>>(),
            "channel": seen.channel.name(),
        },
    })
}

fn outcome(link: &Link, event: &RawEvent<'_>, visitor: &Visitor) -> Value {
    match decide(link, &Hit::new(event, &zone::local), visitor.unlocked) {
        Outcome::Go(way) => {
            // The way borrows from the rule that made it: which one is told by where it lies.
            let rule = link.rules.iter().position(|rule| std::ptr::eq(&raw const rule.url, way.url));
            json!({
                "kind": "go",
                "status": way.status.code(),
                "url": target(link, way.url, &visitor.query, "CLICK_ID"),
                "fallback_url": way.fallback_url.map(|url| target(link, url, &visitor.query, "CLICK_ID")),
                "variant": way.variant,
                "rule": rule,
            })
        }
        Outcome::Ask => json!({ "kind": "password" }),
        Outcome::Card(_) => json!({ "kind": "card" }),
        Outcome::Withheld => json!({ "kind": "withheld" }),
        Outcome::Closed(why, url) => {
            let reason = match why {
                Closed::Deleted => "deleted",
                Closed::Archived => "archived",
                Closed::NotStarted => "not_started",
                Closed::Expired => "expired",
                Closed::LimitReached => "limit_reached",
            };
            json!({ "kind": "closed", "reason": reason, "url": url })
        }
    }
}
