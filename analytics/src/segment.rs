//! Segments: the sums of one transaction, packed, as they lie in D1 until they are folded into pages.
//!
//! One row for each sum would be some 60 rows for every event of a quiet link. A segment is one row for
//! everything that a transaction adds to a [`partition`], thousands of events under load; reading a report adds
//! up the few segments that are not folded yet, which is allowed because sums are a monoid.

use std::borrow::Cow;
use std::hash::Hasher;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;

use crate::aggregate::{Scope, StatsAggregate};
use crate::counters::Counters;
use crate::sheet::{Detail, Money, Sheet};
use crate::uniques::Uniques;
use crate::wire;

/// Scopes are spread over this many partitions. A report reads the segments of its scope's partition alone, and
/// folding holds one partition in memory at a time. Changing it means folding everything first.
pub const PARTITIONS: u8 = 8;

/// About as many bytes are packed into a row: D1 takes values of at most 2 MB, and base64 adds a third.
pub const ROW_BYTES: usize = 600_000;

/// Version of a segment's and a page's bytes. Each has more slots in its counters than the one before, and the third
/// more scopes; what is of an earlier one is read as the last is.
pub const SUMS_VERSION: u8 = 3;

/// The partition of a scope.
pub fn partition(scope: &Scope) -> u8 {
    let mut hasher = SipHasher13::new_with_key(b"clicktrail scope");
    hasher.write(scope.key().as_bytes());
    (hasher.finish() % u64::from(PARTITIONS)) as u8
}

/// Why stored sums cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// Written by a later version of this code.
    Version(u8),
    /// Damaged.
    Bytes,
}

/// A value as D1 keeps it: a version byte and postcard's wire format, in base64, because D1 carries a blob as a
/// list of decimal numbers.
pub(crate) fn pack<T: Serialize>(value: &T) -> String {
    let mut bytes = vec![SUMS_VERSION];
    wire::write(value, &mut bytes);
    STANDARD_NO_PAD.encode(bytes)
}

/// Undoes [`pack`].
pub(crate) fn unpack<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, Unreadable> {
    let bytes = STANDARD_NO_PAD.decode(text).map_err(|_| Unreadable::Bytes)?;
    let (&version, bytes) = bytes.split_first().ok_or(Unreadable::Bytes)?;
    if !(1..=SUMS_VERSION).contains(&version) {
        return Err(Unreadable::Version(version));
    }
    postcard::from_bytes(bytes).map_err(|_| Unreadable::Bytes)
}

/// A sheet, or a part of one, as it is packed.
#[derive(Serialize, Deserialize)]
struct Entry<'a> {
    minute_ms: i64,
    scope: String,
    totals: Counters,
    money: Cow<'a, Money>,
    detail: Cow<'a, Detail>,
    visitors: Cow<'a, Uniques>,
}

/// The segments of an aggregate: partition and packed sums, each small enough for a row.
pub fn segments(aggregate: &StatsAggregate) -> Vec<(u8, String)> {
    let mut open: Vec<(Vec<Entry<'_>>, usize)> = (0..PARTITIONS).map(|_| (Vec::new(), 0)).collect();
    let mut packed = Vec::new();
    for ((minute_ms, scope), sheet) in &aggregate.sheets {
        let partition = partition(scope);
        let Some((entries, filled)) = open.get_mut(usize::from(partition)) else { continue };
        for (place, detail) in sheet.detail.pieces(ROW_BYTES).into_iter().enumerate() {
            let mut entry = Entry {
                minute_ms: *minute_ms,
                scope: scope.key(),
                totals: Counters::default(),
                money: Cow::default(),
                detail,
                visitors: Cow::default(),
            };
            // They travel with the first piece alone: they are added, not replaced.
            if place == 0 {
                entry.totals = sheet.totals;
                entry.money = Cow::Borrowed(&sheet.money);
                entry.visitors = Cow::Borrowed(&sheet.visitors);
            }
            let weight = entry.scope.len() + entry.detail.weight() + entry.visitors.weight() + 64;
            if *filled > 0 && *filled + weight > ROW_BYTES {
                packed.push((partition, pack(&std::mem::take(entries))));
                *filled = 0;
            }
            *filled += weight;
            entries.push(entry);
        }
    }
    let rest = (0u8..).zip(open).filter(|(_, (entries, _))| !entries.is_empty());
    packed.extend(rest.map(|(partition, (entries, _))| (partition, pack(&entries))));
    packed
}

/// Adds a segment's sums to `aggregate`; only those that `wanted` asks for.
///
/// # Errors
/// [`Unreadable`]; never a panic, whatever the text.
pub fn add_segment(
    aggregate: &mut StatsAggregate,
    text: &str,
    wanted: impl Fn(i64, &Scope) -> bool,
) -> Result<(), Unreadable> {
    let entries: Vec<Entry<'_>> = unpack(text)?;
    for entry in entries {
        let scope = Scope::from_key(&entry.scope).ok_or(Unreadable::Bytes)?;
        if wanted(entry.minute_ms, &scope) {
            let sheet = Sheet {
                totals: entry.totals,
                money: entry.money.into_owned(),
                detail: entry.detail.into_owned(),
                visitors: entry.visitors.into_owned(),
            };
            aggregate.sheets.entry((entry.minute_ms, scope)).or_default().merge(&sheet);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::world::{Happening, NOW, PHONE, event, happenings, sums};
    use crate::{Dimension, Kind, RawEvent};

    fn read(segments: &[(u8, String)]) -> StatsAggregate {
        let mut aggregate = StatsAggregate::default();
        for (_, body) in segments {
            add_segment(&mut aggregate, body, |_, _| true).unwrap();
        }
        aggregate
    }

    fn sample() -> StatsAggregate {
        let raw = RawEvent {
            country: "DE".into(),
            user_agent: PHONE.into(),
            value_micros: Some(5_000_000),
            currency: "EUR".into(),
            visitor: 7,
            ..event(Kind::Click, NOW, "", "")
        };
        sums(&[Happening::Event(Box::new(raw))])
    }

    /// Segments lie in D1 until they are folded, while a new version is deployed. If this fails, clicks that were
    /// counted are misread or every report stands still: raise [`SUMS_VERSION`], keep the reader of this version,
    /// and pin the new text beside this one.
    #[test]
    fn the_text_of_a_segment_is_pinned() {
        let pinned = [
            "AwHA94DFmGgBKgOCgAQCgK3iBAEDRVVSgK3iBA0FAQJERQOCgAQCgK3iBAkBCnNtYXJ0cGhvbmUDgoAEAoCt4gQKAQZTYWZhcmkD",
            "goAEAoCt4gQLAQNpT1MDgoAEAoCt4gQMAQJlbgOCgAQCgK3iBA4BBmRpcmVjdAOCgAQCgK3iBBQBBWh1bWFuA4KABAKAreIEGAEI",
            "cmVkaXJlY3QDgoAEAoCt4gQZAQNFVVIDgoAEAoCt4gQgASEfH0RFH3NtYXJ0cGhvbmUfaU9TH1NhZmFyaR9kaXJlY3QDgoAEAoCt",
            "4gQiAQRsaW5rA4KABAKAreIEJwEFQXBwbGUDgoAEAoCt4gQoAQZpUGhvbmUDgoAEAoCt4gQDBWMB",
        ];
        assert_eq!(segments(&sample()), [(4, pinned.concat())]);
    }

    /// What the first byte says is all in which the second version differs.
    #[test]
    fn a_segment_of_version_2_is_read() {
        let (part, body) = segments(&sample()).remove(0);
        assert_eq!(read(&[(part, body.replacen("Aw", "Ag", 1))]), sample());
    }

    #[test]
    fn a_segment_of_version_1_is_read() {
        let kept = [
            "AQHA94DFmGgBKgOCgAQCgK3iBAEDRVVSgK3iBAoFAQJERQOCgAQCgK3iBAkBCnNtYXJ0cGhvbmUDgoAEAoCt4gQKAQZTYWZh",
            "cmkDgoAEAoCt4gQLAQNpT1MDgoAEAoCt4gQMAQJlbgOCgAQCgK3iBA4BBmRpcmVjdAOCgAQCgK3iBBQBBWh1bWFuA4KABAKA",
            "reIEGAEIcmVkaXJlY3QDgoAEAoCt4gQZAQNFVVIDgoAEAoCt4gQgASEfH0RFH3NtYXJ0cGhvbmUfaU9TH1NhZmFyaR9kaXJl",
            "Y3QDgoAEAoCt4gQDBWMB",
        ];
        let mut read = read(&[(4, kept.concat())]);
        for sheet in read.sheets.values_mut() {
            sheet.detail.add(Dimension::Trigger, "link", &sheet.totals);
            sheet.detail.add(Dimension::Brand, "Apple", &sheet.totals);
            sheet.detail.add(Dimension::Model, "iPhone", &sheet.totals);
        }
        assert_eq!(read, sample());
    }

    /// A scope whose partition changes is looked for where its segments are not.
    #[test]
    fn partitions_are_pinned() {
        let of = |key: &str| partition(&Scope::from_key(key).unwrap());
        assert_eq!(["*", "c/spring", "l/a", "l/b", "l/demo"].map(of), [4, 3, 3, 1, 3]);
    }

    #[test]
    fn a_large_sheet_is_cut_into_rows_that_fit() {
        let many: Vec<_> = (0..4_000)
            .map(|n| {
                let mut raw = event(Kind::Click, NOW, "", "");
                raw.name = format!("{n}{}", "x".repeat(400)).into();
                Happening::Event(Box::new(raw))
            })
            .collect();
        let whole = sums(&many);
        let segments = segments(&whole);
        assert!(segments.len() > 1);
        assert!(segments.iter().all(|(_, body)| body.len() < 1_000_000));
        assert_eq!(read(&segments), whole);
    }

    #[test]
    fn another_version_is_told_from_damage() {
        assert_eq!(unpack::<u8>("BAA"), Err(Unreadable::Version(4)));
        for text in ["", "AQ", "Ag", "*", "AQ=="] {
            assert_eq!(unpack::<u8>(text), Err(Unreadable::Bytes), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_packed_is_read_back(happenings in happenings()) {
            let whole = sums(&happenings);
            let segments = segments(&whole);
            prop_assert_eq!(read(&segments), whole);
            prop_assert!(segments.len() <= usize::from(PARTITIONS));
        }

        #[test]
        fn any_text_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), text in ".{0,40}") {
            let mut aggregate = StatsAggregate::default();
            let packed = STANDARD_NO_PAD.encode([&[SUMS_VERSION], &*bytes].concat());
            for text in [packed, text] {
                let _ = add_segment(&mut aggregate, &text, |_, _| true);
            }
        }
    }
}
