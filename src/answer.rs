//! Answers that are not errors.

use serde_json::Value;
use worker::{Headers, Response, ResponseBuilder, Result};

/// JSON that nobody may keep.
pub(crate) fn json_response(body: &Value) -> Result<Response> {
    json_status(200, body)
}

/// The same with another status.
pub(crate) fn json_status(status: u16, body: &Value) -> Result<Response> {
    Ok(json_body(body.to_string())?.with_status(status))
}

/// The same that is text already.
pub(crate) fn json_body(text: String) -> Result<Response> {
    let headers = Headers::new();
    headers.set("content-type", "application/json")?;
    headers.set("cache-control", "no-store")?;
    Ok(ResponseBuilder::new().with_headers(headers).fixed(text.into_bytes()))
}

/// JSON that is text already.
pub(crate) fn json_text(text: String) -> Result<Response> {
    let headers = Headers::new();
    headers.set("content-type", "application/json")?;
    headers.set("cache-control", "no-store")?;
    headers.set("access-control-allow-origin", "*")?;
    Ok(ResponseBuilder::new().with_headers(headers).fixed(text.into_bytes()))
}

/// Nothing to say.
pub(crate) fn no_content() -> Result<Response> {
    let headers = Headers::new();
    headers.set("cache-control", "no-store")?;
    Ok(ResponseBuilder::new().with_status(204).with_headers(headers).empty())
}

/// What a browser asks before it sends an event from another site.
pub(crate) fn preflight() -> Result<Response> {
    let headers = Headers::new();
    headers.set("access-control-allow-methods", "POST, OPTIONS")?;
    headers.set("access-control-allow-headers", "content-type, content-encoding, authorization")?;
    headers.set("access-control-max-age", "86400")?;
    Ok(ResponseBuilder::new().with_status(204).with_headers(headers).empty())
}
