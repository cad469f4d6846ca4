//! Pages: many visitors' records in one row, in the order of their keys.
//!
//! A row written costs the same whether it holds one visitor or a thousand, and most visitors come once.

use std::borrow::Cow;

use analytics::VisitorKey;

use crate::journey::is_sequel;

/// A record in a page: key, two times, length.
const HEAD_BYTES: usize = 16 + 8 + 8 + 4;

/// No wake is wanted.
const NEVER: i64 = i64::MAX;

/// What is kept of one visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    /// Whose it is.
    pub(crate) key: VisitorKey,
    /// When something follows from it without a new event.
    pub(crate) due_ms: Option<i64>,
    /// From when on it is worth nothing.
    pub(crate) expires_ms: i64,
    /// The visitor. Empty: it was forgotten.
    pub(crate) body: &'a [u8],
}

impl Record<'_> {
    /// Appends the record to a page.
    pub(crate) fn write(&self, page: &mut Vec<u8>) {
        page.extend_from_slice(self.key.as_bytes());
        page.extend_from_slice(&self.due_ms.unwrap_or(NEVER).to_le_bytes());
        page.extend_from_slice(&self.expires_ms.to_le_bytes());
        page.extend_from_slice(&(self.body.len() as u32).to_le_bytes());
        page.extend_from_slice(self.body);
    }

    /// The bytes that it takes.
    pub(crate) fn len(&self) -> usize {
        HEAD_BYTES + self.body.len()
    }
}

/// The bodies of one visitor's records, from the newest on: sequels, up to what they go on from.
#[derive(Debug, Default)]
pub(crate) struct Story(Vec<u8>);

impl Story {
    /// Takes an older body. All of them as one, once there is nothing before it.
    pub(crate) fn add<'a>(&mut self, body: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        if is_sequel(body) {
            self.0.splice(0..0, body.iter().copied());
            return None;
        }
        let sequels = std::mem::take(&mut self.0);
        Some(if sequels.is_empty() { Cow::Borrowed(body) } else { Cow::Owned([body, &sequels].concat()) })
    }

    /// The sequels, if there are any.
    pub(crate) fn end(self) -> Option<Vec<u8>> {
        Some(self.0).filter(|sequels| !sequels.is_empty())
    }
}

/// The records of a page. Damaged bytes end it.
pub(crate) fn records(mut page: &[u8]) -> impl Iterator<Item = Record<'_>> {
    std::iter::from_fn(move || {
        let (record, rest) = first(page)?;
        page = rest;
        Some(record)
    })
}

/// The first record of a page, and the bytes behind it.
pub(crate) fn first(page: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let (key, rest) = page.split_first_chunk::<16>()?;
    let (due_ms, rest) = rest.split_first_chunk()?;
    let (expires_ms, rest) = rest.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let (body, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let record = Record {
        key: VisitorKey::from_bytes(*key),
        due_ms: Some(i64::from_le_bytes(*due_ms)).filter(|due_ms| *due_ms != NEVER),
        expires_ms: i64::from_le_bytes(*expires_ms),
        body,
    };
    Some((record, rest))
}

/// A visitor's record. A page is some hundred KB at most, and to pass over a record takes a few nanoseconds.
pub(crate) fn find(page: &[u8], key: VisitorKey) -> Option<Record<'_>> {
    records(page).take_while(|record| record.key <= key).find(|record| record.key == key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Journeys lie in these bytes for a month.
    #[test]
    fn the_bytes_are_pinned() {
        let mut page = Vec::new();
        let key = VisitorKey::from_bytes([7; 16]);
        Record { key, due_ms: Some(1), expires_ms: 2, body: b"ab" }.write(&mut page);
        let mut pinned = vec![7; 16];
        pinned.extend([1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0]);
        pinned.extend(b"ab");
        assert_eq!(page, pinned);
    }

    proptest! {
        #[test]
        fn every_record_is_found_and_no_other(
            bodies in prop::collection::btree_map(any::<[u8; 16]>(), (any::<Option<i32>>(), any::<Vec<u8>>()), 0..20),
            other: [u8; 16],
        ) {
            let mut page = Vec::new();
            let record = |key: &[u8; 16], due: &Option<i32>, body: &Vec<u8>| {
                let key = VisitorKey::from_bytes(*key);
                let body = Vec::leak(body.clone());
                Record { key, due_ms: due.map(i64::from), expires_ms: 5, body }
            };
            for (key, (due, body)) in &bodies {
                record(key, due, body).write(&mut page);
            }
            for (key, (due, body)) in &bodies {
                prop_assert_eq!(find(&page, VisitorKey::from_bytes(*key)), Some(record(key, due, body)));
            }
            let found = find(&page, VisitorKey::from_bytes(other));
            prop_assert_eq!(found.is_some(), bodies.contains_key(&other));
            prop_assert_eq!(records(&page).map(|record| record.len()).sum::<usize>(), page.len());
        }

        #[test]
        fn any_bytes_end(bytes: Vec<u8>) {
            prop_assert!(records(&bytes).count() <= bytes.len());
        }
    }
}
