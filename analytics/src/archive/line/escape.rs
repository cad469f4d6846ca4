//! Texts as JSON has them.

use std::fmt::Write;

use crate::text::end_of_plain;

/// A JSON string.
pub(in crate::archive) fn quoted(out: &mut String, text: &str) {
    out.push('"');
    escaped(out, text);
    out.push('"');
}

/// What stands between its quotes. Pieces without anything to escape are copied whole.
pub(super) fn escaped(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = end_of_plain(rest.as_bytes()) {
        let (plain, from) = rest.split_at(at);
        out.push_str(plain);
        let mut following = from.chars();
        match following.next() {
            Some(mark @ ('"' | '\\')) => out.extend(['\\', mark]),
            Some(control) => {
                let _ = write!(out, "\\u{:04x}", control as u32);
            }
            None => {}
        }
        rest = following.as_str();
    }
    out.push_str(rest);
}
