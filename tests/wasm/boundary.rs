//! Numbers, bytes, times and settings, on their way from one language into the other. Run by Node; what is said here
//! of a value holds in workerd, which has the same engine.
#![cfg(target_arch = "wasm32")]

use js_sys::{BigInt, Date, Object, Reflect, Uint8Array};
use serde::Deserialize;
use serde_wasm_bindgen::from_value;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

const SAFE: i64 = (1 << 53) - 1;

/// As `sql.rs` binds integers.
fn bound(value: i64) -> JsValue {
    JsValue::from_f64(value as f64)
}

#[wasm_bindgen_test]
fn integers_are_exact_up_to_2_to_the_53() {
    for value in [0, 1, -1, i64::from(i32::MAX) + 1, 1_790_000_000_123, 253_402_207_200_000, SAFE, -SAFE] {
        assert_eq!(bound(value).as_f64().map(|number| number as i64), Some(value));
        assert_eq!(from_value::<i64>(bound(value)).ok(), Some(value), "as a row's column");
    }
}

/// Every number that is stored as an integer column stays below: times until the year 9999, counts, micros of one
/// event. What is summed without bound (money) is stored as text.
#[wasm_bindgen_test]
fn beyond_it_they_are_refused_and_not_rounded() {
    assert_eq!(bound(SAFE + 2).as_f64(), Some(9_007_199_254_740_992.0), "the last digit is gone");
    for value in [SAFE + 1, SAFE + 2, i64::MAX, i64::MIN] {
        assert!(from_value::<i64>(bound(value)).is_err(), "{value}");
    }
    assert_eq!(from_value::<i64>(BigInt::from(i64::MAX).into()).ok(), Some(i64::MAX));
    for number in [1.5, f64::NAN, f64::INFINITY] {
        assert!(from_value::<i64>(JsValue::from_f64(number)).is_err(), "{number}");
    }
}

/// A message that goes into the queue must not change when wasm's memory does: it grows, and the heap is reused.
#[wasm_bindgen_test]
fn bytes_are_copied() {
    let mut bytes: Vec<u8> = (0..=255).collect();
    let sent = Uint8Array::from(bytes.as_slice());
    bytes.fill(0);
    let _growth = vec![1_u8; 4 << 20];
    assert_eq!(sent.to_vec(), (0..=255).collect::<Vec<u8>>());
    assert_eq!(sent.buffer().byte_length(), 256, "and nothing besides them");
    let view = sent.subarray(10, 20);
    assert_eq!(Uint8Array::new(&view.buffer()).length(), 256, "a view's buffer is the whole: read the view");
    assert_eq!(view.to_vec(), (10..20).collect::<Vec<u8>>());
}

#[wasm_bindgen_test]
fn text_is_the_same_in_both() {
    for text in ["", "é 夏 🛒", "\u{0}\u{ffff}\u{10ffff}"] {
        assert_eq!(JsValue::from_str(text).as_string().as_deref(), Some(text));
    }
    let half = js_sys::JsString::from_char_code1(0xd800);
    assert_eq!(JsValue::from(half).as_string().as_deref(), Some("\u{fffd}"), "half a pair is no text");
}

#[wasm_bindgen_test]
fn the_clock_is_in_whole_milliseconds() {
    let now = Date::now();
    assert!(now > 1_700_000_000_000.0 && now.fract() == 0.0);
    assert_eq!(Date::new(&bound(now as i64)).get_time() as i64, now as i64);
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    shards: u16,
    seconds: f64,
    regions: bool,
    queues: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { shards: 4, seconds: 300.0, regions: true, queues: vec!["EVENTS".to_owned()] }
    }
}

fn table(entries: &[(&str, JsValue)]) -> JsValue {
    let table = Object::new();
    for (name, value) in entries {
        assert_eq!(Reflect::set(&table, &JsValue::from_str(name), value), Ok(true));
    }
    table.into()
}

/// As `edge.rs` reads the settings.
fn settings(table: JsValue) -> Option<Settings> {
    let table: serde_json::Value = from_value(table).ok()?;
    serde_json::from_value(table).ok()
}

#[wasm_bindgen_test]
fn settings_are_read_from_an_object() {
    let (shards, seconds) = (8.into(), JsValue::from_f64(0.25));
    let given = settings(table(&[("shards", shards), ("seconds", seconds), ("regions", false.into())]));
    assert_eq!(given, Some(Settings { shards: 8, seconds: 0.25, regions: false, ..Settings::default() }));
    let whole = settings(table(&[("seconds", 300.into())]));
    assert_eq!(whole, Some(Settings::default()), "JavaScript has one kind of number");
}

#[wasm_bindgen_test]
fn a_setting_that_makes_no_sense_is_an_error() {
    let misspelt = || table(&[("secnods", 1.into())]);
    assert!(from_value::<Settings>(misspelt()).is_ok(), "a struct asks for its own fields and sees no other");
    assert_eq!(settings(misspelt()), None);
    for (name, value) in [
        ("shards", 70_000.into()),
        ("shards", JsValue::from_f64(4.5)),
        ("shards", (-1).into()),
        ("regions", "no".into()),
        ("queues", JsValue::from("EVENTS")),
    ] {
        assert_eq!(settings(table(&[(name, value)])), None, "{name}");
    }
}
