//! The platform's clock. It stands still while code runs and moves with each I/O.

/// Epoch ms.
pub(crate) fn now_ms() -> i64 {
    worker::js_sys::Date::now() as i64
}
