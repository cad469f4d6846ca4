//! Compressed bodies, unpacked up to a bound.

use analytics::Reject;
use worker::js_sys::{Promise, Uint8Array};
use worker::wasm_bindgen;
use worker::wasm_bindgen::prelude::*;

use crate::problem::Problem;

/// The largest body after decompression: eight times the largest before it.
const UNZIPPED_MAX_BYTES: usize = 8 << 20;

#[wasm_bindgen(module = "/src/unzip.js")]
extern "C" {
    #[wasm_bindgen(js_name = unzip)]
    fn js_unzip(body: &Uint8Array, most: usize) -> Promise;
}

/// Unpacks gzip. Stops soon after the bound, so that a bomb costs no more than two honest bodies of that size.
///
/// # Errors
/// The body is not gzip, or goes on beyond the bound.
pub(crate) async fn unzip(body: &[u8]) -> Result<Vec<u8>, Problem> {
    let unpacked =
        wasm_bindgen_futures::JsFuture::from(js_unzip(&Uint8Array::from(body), UNZIPPED_MAX_BYTES)).await;
    let unpacked = unpacked.map_err(|error| {
        let why = error
            .dyn_into()
            .map_or_else(|_| String::new(), |error: worker::js_sys::Error| error.message().into());
        Reject::new("", format!("is not valid gzip: {why}"))
    })?;
    // Null is what does not fit.
    unpacked.dyn_into().map(|bytes: Uint8Array| bytes.to_vec()).map_err(|_| {
        Problem::TooLarge(
            format!("the body is larger than {UNZIPPED_MAX_BYTES} bytes after decompression").into(),
        )
    })
}
