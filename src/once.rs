//! `Idempotency-Key`: a request that is sent again gets the answer again.

use analytics::idempotency;
use serde::Deserialize;
use worker::{Headers, Request, Response, ResponseBuilder};

use crate::auth::Actor;
use crate::clock::now_ms;
use crate::edge::Edge;
use crate::problem::Problem;
use crate::sql::read;

#[derive(Deserialize)]
struct Answered {
    request: String,
    status: u16,
    answer: String,
}

/// What a request's key leads to.
pub(crate) enum Once {
    /// It has none.
    Unkeyed,
    /// Nobody was answered yet.
    First(idempotency::Request),
    /// The answer of the first time.
    Again(Response),
}

impl Once {
    /// Looks the request's key up. Where there is none, this costs one header.
    ///
    /// # Errors
    /// The key is none, or was another request's; or D1 is down.
    pub(crate) async fn of(
        request: &Request,
        edge: &Edge,
        actor: &Actor,
        body: &[u8],
    ) -> Result<Self, Problem> {
        let Some(key) = request.headers().get("idempotency-key")? else { return Ok(Self::Unkeyed) };
        // The draft's form is a string in quotes; most send it bare.
        let key = key.trim().trim_matches('"');
        let keyed = idempotency::Request::new(actor.name(), key, &request.path(), body)?;
        let rows: Vec<Answered> = read(&edge.db, keyed.find(now_ms())).await?;
        let Some(first) = rows.first() else { return Ok(Self::First(keyed)) };
        if !keyed.is(&first.request) {
            return Err(Problem::KeyReused);
        }
        let headers = Headers::new();
        headers.set("content-type", "application/json")?;
        headers.set("cache-control", "no-store")?;
        headers.set("idempotent-replayed", "true")?;
        let builder = ResponseBuilder::new().with_status(first.status).with_headers(headers);
        Ok(Self::Again(builder.fixed(first.answer.clone().into_bytes())))
    }
}
