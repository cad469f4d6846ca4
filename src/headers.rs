//! What every answer says besides what it is: who may read, frame and keep it, and over what it may come.

use worker::wasm_bindgen;
use worker::wasm_bindgen::prelude::*;
use worker::web_sys::{Request, Response};
use worker::{Env, Result};

use crate::edge::Edge;

#[wasm_bindgen(module = "/src/headers.js")]
extern "C" {
    #[wasm_bindgen(catch)]
    fn finish(
        request: &Request,
        response: Response,
        is_public: bool,
        readers: &str,
        hsts: u32,
    ) -> Result<Response, JsValue>;

    /// The answer to a hit: its body, what that is, who may keep it, and what the pixel says of itself, if it is one.
    #[wasm_bindgen(js_name = hit)]
    pub(crate) fn answer(body: &[u8], content_type: &str, cache: &str, said: &str) -> Response;
}

/// Routes for any page on the web: what they answer tells nothing that their caller did not say.
fn is_public(path: &str) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    matches!(path, "/events" | "/tag.js" | "/postback" | "/openapi.json")
        || path.starts_with("/events/")
        || path.starts_with("/1x1.")
        || path.starts_with("/1%")
}

/// Puts the headers on an answer. A redirect of the hot path has its own already, and costs nothing more unless it comes
/// over TLS.
pub(crate) fn finished(
    request: &Request,
    env: &Env,
    (url, path): (&str, &str),
    response: Response,
) -> Result<Response> {
    let is_secure = url.starts_with("https:");
    if !is_secure && matches!(response.status(), 301..=308 if path.starts_with("/r/")) {
        return Ok(response);
    }
    let edge = Edge::of(env).ok();
    let config = edge.as_ref().map(|edge| &edge.config);
    let hsts = config.filter(|_| is_secure).map_or(0, |config| config.hsts_seconds);
    let origins = config.map(|config| config.cors_origins.join(" ")).unwrap_or_default();
    Ok(finish(request, response, is_public(path), &origins, hsts)?)
}

#[cfg(test)]
mod tests {
    use super::is_public;

    #[test]
    fn what_needs_a_key_is_not_for_any_page() {
        for path in ["/events", "/events/click", "/1x1.gif", "/1%C3%971.gif", "/tag.js", "/postback"] {
            assert!(is_public(path), "{path}");
        }
        for path in
            ["/", "/stats/clicks", "/api/links", "/api/events", "/eventsx", "/r/demo", "/healthz", "/1"]
        {
            assert!(!is_public(path), "{path}");
        }
    }
}
