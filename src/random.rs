//! The platform's source of chance.

use worker::wasm_bindgen;
use worker::wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = randomUUID)]
    fn random_uuid() -> String;
}

/// 122 unpredictable bits, in a `u128`; the low 62 are among them.
pub(crate) fn random_bits() -> u128 {
    uuid::Uuid::try_parse(&random_uuid()).map_or(0, |uuid| uuid.as_u128())
}
