//! The request that a delivery is.

use analytics::catalog::{Item, Sort};
use analytics::signature::{Signer, WebhookSecret};
use serde_json::Value;

use super::hook::{Hook, ROTATION_MS};

/// A request to a server that is not ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Absolute.
    pub url: String,
    /// The method.
    pub method: String,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// It may go over plain http: it carries no signature that is worth anything, and many networks have nothing else.
    pub plain: bool,
}

/// What is wanted of a delivery that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Want {
    /// It is sent.
    Send(Request),
    /// Its webhook is paused: later, perhaps.
    Wait,
    /// Its webhook is gone, or it never had one.
    Nothing,
}

const AGENT: (&str, &str) = ("user-agent", "clicktrail/1 (+webhook)");

impl Hook {
    /// The request that brings a message to it, signed as Standard Webhooks says: over the id, the time of this very try
    /// and the body. For a day after a rotation with the old secret too, so that a receiver may change over when it likes.
    pub fn request(&self, signer: &Signer, id: &str, body: &str, now_ms: i64) -> Request {
        let seconds = now_ms / 1_000;
        let sign = |version| WebhookSecret::of(signer, &self.id, version).sign(id, seconds, body);
        let mut signature = sign(self.secret_version);
        if self.secret_version > 1 && now_ms < self.rotated_at_ms + ROTATION_MS {
            signature = signature + " " + &sign(self.secret_version - 1);
        }
        let content = if self.sink { "application/x-ndjson" } else { "application/json" };
        let seconds = seconds.to_string();
        let headers = [
            ("content-type", content),
            AGENT,
            ("webhook-id", id),
            ("webhook-timestamp", &seconds),
            ("webhook-signature", &signature),
        ];
        Request {
            url: self.url.clone(),
            method: "POST".to_owned(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            plain: false,
        }
    }
}

/// The request of a delivery, from the columns of its row.
pub fn request(
    id: &str,
    target: Option<&str>,
    hook: Option<&str>,
    body: &str,
    signer: &Signer,
    now_ms: i64,
) -> Want {
    if let Some(target) = target {
        return read(target).map_or(Want::Nothing, Want::Send);
    }
    match hook.and_then(|record| Item::from_record(Sort::Webhook, record)) {
        Some(item) if item.is_deleted() => Want::Nothing,
        Some(item) if item.state() == "active" => {
            Want::Send(Hook::of(&item).request(signer, id, body, now_ms))
        }
        Some(_) => Want::Wait,
        None => Want::Nothing,
    }
}

/// The request of a delivery with an address of its own, from its column.
fn read(target: &str) -> Option<Request> {
    let target: Value = serde_json::from_str(target).ok()?;
    let text = |value: &Value, place: usize| value.get(place)?.as_str().map(str::to_owned);
    let mut headers = Vec::new();
    for header in target.get(2)?.as_array()? {
        headers.push((text(header, 0)?, text(header, 1)?));
    }
    Some(own(text(&target, 0)?, text(&target, 1)?, headers))
}

/// A request to an address of its own.
pub(super) fn own(url: String, method: String, more: impl IntoIterator<Item = (String, String)>) -> Request {
    let headers = [(AGENT.0.to_owned(), AGENT.1.to_owned())].into_iter().chain(more).collect();
    Request { url, method, headers, plain: true }
}
