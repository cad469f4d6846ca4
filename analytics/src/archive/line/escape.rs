//! Texts as JSON has them.

use std::fmt::Write;

/// A JSON string.
pub(in crate::archive) fn quoted(out: &mut String, text: &str) {
    out.push('"');
    escaped(out, text);
    out.push('"');
}

/// What stands between its quotes. Pieces without anything to escape are copied whole.
pub(super) fn escaped(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = to_escape(rest.as_bytes()) {
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

/// Where the first byte stands that a string cannot hold as it is. Most have none, so that eight are looked at in one go.
fn to_escape(text: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const TOPS: u64 = u64::from_ne_bytes([0x80; 8]);
    // The top bit of a byte below `bound`; a byte above it may seem to be, behind one that is.
    let below = |word: u64, bound: u8| word.wrapping_sub(ONES * u64::from(bound)) & !word & TOPS;
    let is = |word: u64, byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    let (words, _) = text.as_chunks::<8>();
    let plain = |word: &[u8; 8]| {
        let word = u64::from_ne_bytes(*word);
        below(word, b' ') | is(word, b'"') | is(word, b'\\') == 0
    };
    let from = 8 * words.iter().take_while(|word| plain(word)).count();
    let behind = text.get(from..)?;
    let at = behind.iter().position(|&byte| byte < b' ' || byte == b'"' || byte == b'\\')?;
    Some(from + at)
}
