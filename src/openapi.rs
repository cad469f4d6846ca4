//! `GET /openapi.json`: what docs/openapi.json says, without its white space.

use worker::js_sys::Promise;
use worker::wasm_bindgen;
use worker::wasm_bindgen::prelude::*;
use worker::{Response, web_sys};

use crate::problem::Problem;

#[wasm_bindgen(module = "/src/openapi.js")]
extern "C" {
    fn openapi() -> Promise;
}

/// The description, which anybody may read and keep for an hour.
pub(crate) async fn show() -> Result<Response, Problem> {
    let response = wasm_bindgen_futures::JsFuture::from(openapi()).await.map_err(worker::Error::from)?;
    Ok(response.unchecked_into::<web_sys::Response>().into())
}
