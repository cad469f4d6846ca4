//! `GET /tag.js`: the browser tag of tag/, made for this service's settings.

use worker::js_sys::Promise;
use worker::wasm_bindgen;
use worker::wasm_bindgen::prelude::*;
use worker::{Env, Request, Response, web_sys};

use crate::edge::Edge;
use crate::problem::Problem;

#[wasm_bindgen(module = "/src/tag.js")]
extern "C" {
    fn tag(request: &web_sys::Request, signals: &str) -> Promise;
}

/// The script, which a browser may keep for an hour.
pub(crate) async fn show(request: &Request, env: &Env) -> Result<Response, Problem> {
    let signals = Edge::of(env)?.config.do_not_track.name();
    let response = wasm_bindgen_futures::JsFuture::from(tag(request.inner(), signals)).await;
    Ok(response.map_err(worker::Error::from)?.unchecked_into::<web_sys::Response>().into())
}
