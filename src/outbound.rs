//! Requests to servers of customers.
//!
//! Where they lead is judged by the host in the address, each time. A public name that resolves to a private address is
//! not seen: a Worker cannot resolve a name and then connect to what it got. On the platform there is nothing
//! private to reach from a Worker's `fetch`; who runs this elsewhere has to see to it in the network.

use queues::delivery::{Answer, Request, TIMEOUT_MS};
use serde_json::{Value, json};
use wasm_bindgen_futures::JsFuture;
use worker::js_sys::Promise;
use worker::wasm_bindgen;
use worker::wasm_bindgen::prelude::*;

use crate::edge::Edge;

/// What is kept of an answer, for the log.
const ANSWER_MAX: usize = 500;

#[wasm_bindgen(module = "/src/outbound.js")]
extern "C" {
    #[wasm_bindgen(js_name = sendAll)]
    fn js_send_all(requests: &str, timeout_ms: f64, most_chars: usize) -> Promise;
}

/// Sends requests with their bodies, all at once. What came of each: the answer, and why it is no good if it is not.
pub(crate) async fn send_all(edge: &Edge, requests: &[(Request, &str)]) -> Vec<(Answer, Option<String>)> {
    let mut calls = Vec::new();
    for (request, body) in requests {
        calls.push(match links::may_be_called(&request.url, request.plain, edge.config.webhook_private) {
            Ok(()) => json!([request.url, request.method, request.headers, body]),
            Err(why) => json!(["", format!("not sent: the address {why}")]),
        });
    }
    let sent = js_send_all(&Value::Array(calls).to_string(), TIMEOUT_MS as f64, ANSWER_MAX);
    let answers = JsFuture::from(sent).await.ok().and_then(|answers| answers.as_string());
    let answers: Value = serde_json::from_str(&answers.unwrap_or_default()).unwrap_or_default();
    (0..requests.len()).map(|place| read(answers.get(place))).collect()
}

fn read(answer: Option<&Value>) -> (Answer, Option<String>) {
    let part = |place: usize| answer.and_then(|answer| answer.get(place));
    let said = || part(2).and_then(Value::as_str).unwrap_or("no answer").to_owned();
    let status = part(0).and_then(Value::as_u64).unwrap_or(0) as u16;
    let why = match status {
        0 => return (Answer::None(said()), Some(said())),
        200..=299 => None,
        300..=399 => Some("redirects are not followed".to_owned()),
        _ => Some(said()),
    };
    (Answer::Status(status, part(1).and_then(Value::as_i64)), why)
}
