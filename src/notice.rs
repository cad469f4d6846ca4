//! What is logged: one line of JSON for each failure, and for one success of so many. Names of parts and events are fixed
//! words, to be searched for and counted; no line holds a secret, an address or what a visitor sent.

use std::cell::Cell;
use std::fmt::Display;

use serde_json::json;

/// Characters of a reason: an error of the database quotes the whole statement.
const REASON_CHARS: usize = 400;

/// Something was put off and is tried again, or somebody else does it.
pub(crate) fn warn(part: &str, event: &str, id: &dyn Display, reason: &dyn Display) {
    worker::console_warn!("{}", line("warn", part, event, id, reason));
}

/// Something did not happen that somebody should look at.
pub(crate) fn error(part: &str, event: &str, id: &dyn Display, reason: &dyn Display) {
    worker::console_error!("{}", line("error", part, event, id, reason));
}

fn line(level: &str, part: &str, event: &str, id: &dyn Display, reason: &dyn Display) -> String {
    let mut reason = reason.to_string();
    if let Some((end, _)) = reason.char_indices().nth(REASON_CHARS) {
        reason.truncate(end);
    }
    let mut line = json!({ "level": level, "part": part, "event": event, "reason": reason });
    let id = id.to_string();
    if let Some(members) = line.as_object_mut().filter(|_| !id.is_empty()) {
        members.insert("id".to_owned(), id.into());
    }
    line.to_string()
}

thread_local! {
    static UNTIL_NEXT: Cell<u32> = const { Cell::new(0) };
}

/// Logs one request of `one_of`; 0 is none. `status` is asked for only then: it is a crossing.
pub(crate) fn sampled(one_of: u32, path: &str, status: impl FnOnce() -> u16) {
    if is_due(one_of) {
        let line = json!({
            "level": "info", "part": "edge", "event": "request",
            "route": route(path), "status": status(), "one_of": one_of,
        });
        worker::console_log!("{line}");
    }
}

/// Whether this request is the isolate's first of so many.
fn is_due(one_of: u32) -> bool {
    let Some(rest) = one_of.checked_sub(1) else { return false };
    let left = UNTIL_NEXT.get();
    UNTIL_NEXT.set(left.checked_sub(1).unwrap_or(rest));
    left == 0
}

/// The path without what is somebody's: tokens and ids.
fn route(path: &str) -> String {
    let mut parts = path.split('/').skip(1);
    let first = parts.next().unwrap_or_default();
    match (first, parts.next()) {
        ("api" | "stats" | "events", Some(second)) => format!("/{first}/{second}"),
        ("r" | "dashboard", Some(_)) => format!("/{first}/"),
        (_, None) if first.len() <= 20 => format!("/{first}"),
        _ => "/...".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_line_that_says_what_where_and_why() {
        let line = line("error", "gate", "commit_failed", &"gate/weur/0", &"disk \"full\"\nat 7");
        assert!(!line.contains('\n'));
        let said: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            said,
            json!({"level": "error", "part": "gate", "event": "commit_failed", "reason": "disk \"full\"\nat 7", "id": "gate/weur/0"})
        );
    }

    #[test]
    fn what_has_no_id_says_none_and_a_reason_is_cut_between_characters() {
        let line = line("warn", "kv", "no_answer", &"", &"ä".repeat(1_000));
        let said: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(said.get("id"), None);
        assert_eq!(said["reason"].as_str().unwrap().chars().count(), REASON_CHARS);
    }

    #[test]
    fn one_request_of_so_many_is_logged_and_of_none_none() {
        let due = |one_of| (0..7).map(|_| is_due(one_of)).collect::<Vec<_>>();
        assert_eq!(due(0), [false; 7]);
        assert_eq!(due(3), [true, false, false, true, false, false, true]);
        UNTIL_NEXT.set(0);
        assert_eq!(due(1), [true; 7]);
    }

    #[test]
    fn no_token_and_no_id_is_in_a_route() {
        for (path, said) in [
            ("/r/Secret7", "/r/"),
            ("/api/keys/k_123", "/api/keys"),
            ("/api/links/demo/qr", "/api/links"),
            ("/stats/clicks", "/stats/clicks"),
            ("/events", "/events"),
            ("/1x1.gif", "/1x1.gif"),
            ("/whatever/somebody/tries", "/..."),
            ("/aGVsbG8gd29ybGQgaGVsbG8gd29ybGQ", "/..."),
            ("/", "/"),
        ] {
            assert_eq!(route(path), said, "{path}");
        }
    }
}
