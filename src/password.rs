//! Words that open links, kept as hashes.

use worker::Result;
use worker::js_sys::Promise;
use worker::wasm_bindgen;
use worker::wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/password.js")]
extern "C" {
    #[wasm_bindgen(js_name = hash)]
    fn js_hash(word: &str) -> Promise;
    #[wasm_bindgen(js_name = fits)]
    fn js_fits(word: &str, hash: &str) -> Promise;
}

/// The hash of a new password: PBKDF2 with a salt of its own.
///
/// # Errors
/// The platform's cryptography failed.
pub(crate) async fn hash(word: &str) -> Result<String> {
    let hash = wasm_bindgen_futures::JsFuture::from(js_hash(word)).await?;
    hash.as_string().ok_or_else(|| worker::Error::RustError("a hash is no text".to_owned()))
}

/// Whether the word is the one behind the hash; takes as long if it is not.
///
/// # Errors
/// As [`hash`], or the stored hash is damaged.
pub(crate) async fn fits(word: &str, hash: &str) -> Result<bool> {
    Ok(wasm_bindgen_futures::JsFuture::from(js_fits(word, hash)).await?.is_truthy())
}
