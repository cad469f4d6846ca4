//! How often the same one may do the same: the platform's rate limits.
//!
//! A limit counts in one data centre, on the machine that the isolate runs on, and lets a few more through than it
//! says: it turns a flood into a trickle and is no meter. Asking adds neither time nor cost. `[[ratelimits]]` of
//! wrangler.toml says how much each allows.
//!
//! Whoever follows a link that there is meets none of them, and none is asked on that way: the click may be somebody's
//! money, and what looks like a flood may be a newsletter.

use std::cell::Cell;

use wasm_bindgen_futures::JsFuture;
use worker::js_sys::{Object, Promise};
use worker::wasm_bindgen;
use worker::wasm_bindgen::prelude::*;
use worker::web_sys::Request;
use worker::{Env, EnvBinding, Result};

use crate::edge::Edge;
use crate::problem::Problem;
use crate::visit::network_of;

#[wasm_bindgen(module = "/src/limits.js")]
extern "C" {
    fn within(limiter: &Limiter, key: &str) -> Promise;
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = Object)]
    type Limiter;
}

impl EnvBinding for Limiter {
    const TYPE_NAME: &'static str = "Ratelimit";

    /// Unchecked: the runtime's class has another name under local simulation.
    fn get(binding: JsValue) -> Result<Self> {
        Ok(binding.unchecked_into())
    }
}

/// The period of every limit: the longer of the two that the platform has. After it whoever was refused may come again.
pub(crate) const PERIOD_SECONDS: u32 = 60;

/// What is limited.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    /// Requests with events, of one address and browser.
    Visitor,
    /// The same, of a network: an office, or some customers of a provider.
    Network,
    /// Batches of events, of a network.
    Batches,
    /// Tokens that lead nowhere and signatures that are none, of a network: whoever guesses.
    Guesses,
    /// Passwords for one link, of a network.
    Passwords,
    /// API keys that are none, of a network.
    Refusals,
    /// Requests with one API key.
    Key,
}

/// Their bindings, in the same order.
pub(crate) const BINDINGS: [&str; 7] = [
    "LIMIT_VISITOR",
    "LIMIT_NETWORK",
    "LIMIT_BATCHES",
    "LIMIT_GUESSES",
    "LIMIT_PASSWORDS",
    "LIMIT_REFUSALS",
    "LIMIT_KEY",
];

/// The limiters; none where `rate_limits` is off.
pub(crate) struct Limits(Vec<Limiter>);

impl Limits {
    /// The limiters of this deployment.
    ///
    /// # Errors
    /// One has no binding.
    pub(crate) fn of(env: &Env, on: bool) -> Result<Self> {
        let names = if on { &BINDINGS[..] } else { &[] };
        let limiters: Result<Vec<_>> = names.iter().map(|name| env.get_binding(name)).collect();
        limiters.map(Self)
    }

    pub(crate) fn are_on(&self) -> bool {
        !self.0.is_empty()
    }

    /// Whether one more of `key` is within the limit.
    pub(crate) async fn allow(&self, limit: Limit, key: &str) -> bool {
        match self.0.get(limit as usize) {
            Some(limiter) => {
                JsFuture::from(within(limiter, key)).await.is_ok_and(|within| within.is_truthy())
            }
            None => true,
        }
    }
}

/// Somebody who may be guessing, counted at most once in a request, and only once there is reason to.
pub(crate) struct Guesser<'a> {
    request: &'a Request,
    allowed: Cell<Option<bool>>,
}

impl<'a> Guesser<'a> {
    pub(crate) fn new(request: &'a Request) -> Self {
        Self { request, allowed: Cell::new(None) }
    }

    /// Counts a guess that was wrong, or will be as far as can be told without asking D1.
    ///
    /// # Errors
    /// The network of the request has guessed too often.
    pub(crate) async fn guess(&self, edge: &Edge) -> std::result::Result<(), Problem> {
        let allowed = match self.allowed.get() {
            Some(allowed) => allowed,
            None if !edge.limits.are_on() => true,
            None => edge.limits.allow(Limit::Guesses, &network_of(self.request)).await,
        };
        self.allowed.set(Some(allowed));
        if allowed { Ok(()) } else { Err(Problem::TooMany(PERIOD_SECONDS)) }
    }
}
