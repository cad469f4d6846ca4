//! Request bodies, up to a bound, and not for ever.

use wasm_bindgen_futures::JsFuture;
use worker::js_sys::{Promise, Uint8Array};
use worker::wasm_bindgen;
use worker::wasm_bindgen::prelude::*;
use worker::{Request, web_sys};

use crate::edge::Edge;
use crate::problem::Problem;

#[wasm_bindgen(module = "/src/body.js")]
extern "C" {
    #[wasm_bindgen(js_name = read)]
    fn js_read(request: &web_sys::Request, most: usize, ms: f64) -> Promise;
}

/// Reads the body; `None` if it is larger than `most`.
///
/// # Errors
/// It was not there after `body_seconds`, or broke off. Whoever sends a byte a second gets no more of the isolate than that.
pub(crate) async fn bounded(request: &mut Request, most: usize) -> Result<Option<Vec<u8>>, Problem> {
    let read = JsFuture::from(js_read(request.inner(), most, Edge::body_ms())).await;
    let Some(read) = read.ok().filter(|read| !read.is_undefined()) else { return Err(Problem::Slow) };
    Ok(read.dyn_into::<Uint8Array>().ok().map(|bytes| bytes.to_vec()))
}
