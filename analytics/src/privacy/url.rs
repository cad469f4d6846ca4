//! URLs with parts taken out, and otherwise byte for byte as they were.

use super::reveal::decoded;
use crate::text;

/// What becomes of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It stays.
    Keep,
    /// Its name stays, and its value is [`BLANK`].
    Blank,
    /// It goes.
    Drop,
}

/// What stands in the place of a value of which only the name may be kept.
pub(super) const BLANK: &str = "x";
/// What stands in the place of a part of a path. No longer than the shortest address, so that no URL grows.
pub(super) const HIDDEN: &str = "(mail)";

/// What is taken out.
pub(super) struct Cut<'c> {
    /// Of a parameter, by its decoded name and its value as it stands.
    pub(super) fate: &'c dyn Fn(&str, &str) -> Fate,
    /// Whether a part of a path is hidden.
    pub(super) hides: &'c dyn Fn(&str) -> bool,
}

impl Cut<'_> {
    /// The URL without what is cut; `None` if that is nothing.
    pub(super) fn url(&self, url: &str) -> Option<String> {
        let (rest, fragment) = parted(url, b'#');
        let (path, query) = parted(rest, b'?');
        let new_path = self.path(path);
        let new_query = query.and_then(|query| self.query(query));
        let new_fragment = fragment.and_then(|fragment| self.fragment(fragment));
        if new_path.is_none() && new_query.is_none() && new_fragment.is_none() {
            return None;
        }
        let mut out = new_path.unwrap_or_else(|| path.to_owned());
        append(&mut out, '?', query, new_query);
        append(&mut out, '#', fragment, new_fragment);
        Some(out)
    }

    /// The parameters without what is cut; `None` if that is nothing.
    pub(super) fn query(&self, query: &str) -> Option<String> {
        let fate = |pair: &str| match text::cut(pair, b'=') {
            // Somebody's address with nothing else is a query too.
            (_, "") => (self.fate)("", pair),
            (name, value) => (self.fate)(&decoded(name), value),
        };
        let mut rest = query;
        loop {
            let (pair, more) = text::cut(rest, b'&');
            if !pair.is_empty() && fate(pair) != Fate::Keep {
                break;
            }
            if more.is_empty() {
                return None;
            }
            rest = more;
        }
        let mut out = String::with_capacity(query.len());
        for pair in query.split('&') {
            let fate = fate(pair);
            if fate == Fate::Drop {
                continue;
            }
            if !out.is_empty() {
                out.push('&');
            }
            match pair.split_once('=').filter(|_| fate == Fate::Blank) {
                Some((name, _)) => out.extend([name, "=", BLANK]),
                None => out.push_str(pair),
            }
        }
        Some(out)
    }

    /// A fragment may be the parameters of a sign-in (`#access_token=...`), or a page's own path with or without them.
    fn fragment(&self, fragment: &str) -> Option<String> {
        let (head, query) =
            fragment.split_once('?').map_or((fragment, None), |(head, query)| (head, Some(query)));
        let new_head = if head.contains('=') { self.query(head) } else { self.path(head) };
        let new_query = query.and_then(|query| self.query(query));
        if new_head.is_none() && new_query.is_none() {
            return None;
        }
        let mut out = new_head.unwrap_or_else(|| head.to_owned());
        append(&mut out, '?', query, new_query);
        Some(out)
    }

    /// What stands before the query: parts are hidden, a user's name and password before the host go, and so do the
    /// parameters of a part (`;jsessionid=...`).
    fn path(&self, path: &str) -> Option<String> {
        let telling = |byte| matches!(byte, b'@' | b'%' | b';' | b'J');
        if !path.bytes().any(telling) {
            return None;
        }
        if !path.contains(['@', '%', ';']) && !path.contains("/eyJ") {
            return None;
        }
        let mut changed = false;
        let mut out = String::with_capacity(path.len());
        let is_scheme = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
        let is_absolute = path.split_once("://").is_some_and(|(scheme, _)| is_scheme(scheme));
        for (at, part) in path.split('/').enumerate() {
            if at > 0 {
                out.push('/');
            }
            let is_host = is_absolute && at == 2;
            let host = part.rsplit_once('@').filter(|_| is_host).map(|(_, host)| host);
            changed |= host.is_some();
            let part = host.unwrap_or(part);
            if (self.hides)(part) {
                changed = true;
                out.push_str(HIDDEN);
                continue;
            }
            for (at, piece) in part.split(';').enumerate() {
                let (name, value) = piece.split_once('=').unwrap_or(("", ""));
                if at > 0 && !value.is_empty() && (self.fate)(&decoded(name), value) != Fate::Keep {
                    changed = true;
                    continue;
                }
                if at > 0 {
                    out.push(';');
                }
                out.push_str(piece);
            }
        }
        changed.then_some(out)
    }
}

/// What stands before a sign, and what behind if it is there.
fn parted(text: &str, sign: u8) -> (&str, Option<&str>) {
    let (before, behind) = text::cut(text, sign);
    (before, (before.len() < text.len()).then_some(behind))
}

/// Appends a part behind its sign: the new one, where nothing is left of it not even the sign, else the old one.
fn append(out: &mut String, sign: char, old: Option<&str>, new: Option<String>) {
    match (old, new) {
        (_, Some(new)) if new.is_empty() => {}
        (_, Some(new)) => {
            out.push(sign);
            out.push_str(&new);
        }
        (Some(old), None) => {
            out.push(sign);
            out.push_str(old);
        }
        (None, None) => {}
    }
}
