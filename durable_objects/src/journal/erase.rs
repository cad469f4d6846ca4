//! Erasing visitors: their records leave every row in which they lie, at once, and not when the next merge comes by.
//!
//! What they told is in the sums, where no name is, and is not taken back. What stays is a tombstone: a visitor without
//! footprints who takes none from before the erasure, so that what was on its way does not bring it back to life. It holds
//! a hash of the name, and expires as any journey does.

use std::collections::HashSet;

use analytics::VisitorKey;

use super::database::{Database, Failed};
use super::page::{Record, records};
use super::shelf::Shelf;
use super::{Draft, Journal, table};
use crate::journey::Visitor;

/// A visitor, and the better name that it is known by.
pub type Merged = (VisitorKey, VisitorKey);

/// The name of the fact that says up to which entry outcomes have to go once the ledger has them.
pub(super) const SCRUB: &str = "scrub";

/// So many pages are looked through in one go, 8 MB.
const PAGES_AT_ONCE: usize = 64;

impl Journal {
    /// Forgets visitors, with all that happened before a moment; how many there were of whom something was known.
    ///
    /// # Errors
    /// The database failed; the call has to come again.
    pub fn forget(
        &mut self,
        db: &dyn Database,
        keys: &[VisitorKey],
        before_ms: i64,
        now_ms: i64,
    ) -> Result<u64, Failed> {
        let now_ms = self.tick(now_ms);
        let (mut known, mut draft) = (0, Draft::default());
        let mut keys = keys.to_vec();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            let visitor = self.load(db, key, now_ms)?.unwrap_or_else(|| Visitor::of(key));
            if visitor.is_forgotten(before_ms) {
                draft.unchanged.push((key, visitor));
                continue;
            }
            known += u64::from(visitor.footprints() > 0 || visitor.bonded_to().is_some());
            self.shelf.scrub(db, key)?;
            draft.put(key, Visitor::forgotten(before_ms), &self.terms, now_ms);
        }
        if !draft.written.is_empty() {
            db.run(table::put_fact(SCRUB, self.newest.0))?;
            self.scrub = self.newest.0;
        }
        self.commit(db, draft, now_ms)?;
        self.scrub_outcomes(db)?;
        Ok(known)
    }

    /// Who of a rank, from this first byte of the key on, is known by one of these better names, and by which; and where to go
    /// on.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn bonded(
        &self,
        db: &dyn Database,
        to: &HashSet<VisitorKey>,
        from: u8,
    ) -> Result<(Vec<Merged>, Option<u8>), Failed> {
        let mut found = Vec::new();
        let upto = self.shelf.sweep(db, from, PAGES_AT_ONCE, &mut |record| {
            let bond = Visitor::decode(record.body).and_then(|visitor| visitor.bonded_to());
            found.extend(bond.filter(|bond| to.contains(bond)).map(|bond| (record.key, bond)));
        })?;
        // A rank ends where its last key could.
        Ok((found, if upto & 0x3f == 0x3f { None } else { upto.checked_add(1) }))
    }

    /// A visitor as it is, to be shown.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn look(&mut self, db: &dyn Database, key: VisitorKey, now_ms: i64) -> Result<Visitor, Failed> {
        let now_ms = self.tick(now_ms);
        let visitor = self.load(db, key, now_ms)?.unwrap_or_else(|| Visitor::of(key));
        self.hold(key, visitor.clone(), None);
        Ok(visitor)
    }

    /// Removes outcomes of entries from before an erasure, as far as the ledger has them: they may speak of whom it was of.
    pub(super) fn scrub_outcomes(&mut self, db: &dyn Database) -> Result<(), Failed> {
        if self.scrub == 0 {
            return Ok(());
        }
        let settled = self.needless_before();
        db.run(table::scrub_entries(self.scrub, settled))?;
        if settled > self.scrub {
            db.run(table::put_fact(SCRUB, 0))?;
            self.scrub = 0;
        }
        Ok(())
    }

    /// Whether there are outcomes that can be removed by now.
    pub(super) fn is_to_scrub(&self) -> bool {
        self.scrub > 0 && self.needless_before() > self.scrub
    }
}

impl Shelf {
    /// Shows every record whose key begins with this byte or a later one of the same rank, up to a byte that it returns.
    fn sweep(
        &self,
        db: &dyn Database,
        from: u8,
        pages: usize,
        each: &mut dyn FnMut(&Record<'_>),
    ) -> Result<u8, Failed> {
        let first = |key: &VisitorKey| key.as_bytes().first().copied().unwrap_or(0);
        let mut upto = from;
        while upto & 0x3f != 0x3f && self.between(from, upto).len() < pages {
            upto += 1;
        }
        for place in self.between(from, upto) {
            let page = self.read(db, place)?;
            let within = |record: &Record<'_>| (from..=upto).contains(&first(&record.key));
            records(&page)
                .filter(|record| within(record) && !record.body.is_empty())
                .for_each(|record| each(&record));
        }
        Ok(upto)
    }
}

#[cfg(test)]
mod tests {
    use analytics::{EventId, Footprint, Kind, Traits};
    use proptest::prelude::*;
    use queues::Handed;

    use super::super::laws::Disk;
    use super::*;
    use crate::{JournalName, Settings, Terms};

    const NOW: i64 = 1_790_000_000_000;

    fn opened(disk: &Disk) -> Journal {
        let mut journal = Journal::open(disk, JournalName { shard: 1 }, Settings::default(), NOW).unwrap();
        journal.set_terms(disk, Terms::default(), 1).unwrap();
        journal
    }

    /// Of a rank, as the hashes of names are.
    fn key(rank: u8, n: u8) -> VisitorKey {
        let mut bytes = [n; 16];
        bytes[0] = rank << 6 | n & 0x3f;
        VisitorKey::from_bytes(bytes)
    }

    fn secret(n: u8) -> String {
        format!("the-name-of-{n:03}-is-told-nobody")
    }

    fn print(n: u16, who: u8, at_ms: i64) -> Footprint<'static> {
        let mut id = [0; 16];
        id[..2].copy_from_slice(&n.to_be_bytes());
        Footprint {
            id: EventId::from_bytes(id),
            at_ms,
            kind: Kind::Page,
            name: secret(who).into(),
            page: format!("https://shop.example/{}", secret(who)).into(),
            element_id: "".into(),
            session_id: secret(who).into(),
            value_micros: 0,
            currency: "".into(),
            cost_nanos: 0,
            cost_currency: "".into(),
            payout_nanos: 0,
            payout_currency: "".into(),
            click_ms: None,
            postback: None,
            traits: Traits::default(),
        }
    }

    /// Whether these bytes stand in any row.
    fn holds(disk: &Disk, secret: &str) -> bool {
        let all = [
            "SELECT frames FROM entries",
            "SELECT records FROM entries",
            "SELECT CAST(p0 || p1 || p2 || p3 || p4 || p5 || p6 || p7 AS BLOB) FROM leaves",
            "SELECT firsts FROM leaves",
            "SELECT filter FROM leaves",
        ];
        all.into_iter().any(|sql| {
            let mut rows = disk.sqlite.prepare(sql).unwrap();
            let rows = rows.query_map((), |row| row.get::<_, Vec<u8>>(0)).unwrap();
            rows.map(Result::unwrap)
                .any(|bytes| bytes.windows(secret.len()).any(|part| part == secret.as_bytes()))
        })
    }

    /// Everything is told and confirmed, and nothing is left to do.
    fn quiet(disk: &Disk, journal: &mut Journal, mut now_ms: i64) -> i64 {
        for _ in 0..500 {
            journal.work(disk, now_ms).unwrap();
            journal.ship(now_ms);
            let sent: Vec<_> = journal.report().unconfirmed.into_iter().map(|(number, _)| number).collect();
            journal.confirm(sent, now_ms);
            let Some(wake_ms) = journal.wake_ms(now_ms) else { return now_ms };
            now_ms = now_ms.max(wake_ms);
        }
        panic!("it never rests");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn who_is_erased_is_in_no_row_and_nobody_else_is_touched(
            doings in prop::collection::vec((0..12u8, any::<bool>(), 0..3_000_000i64, 0..10u8), 30..160),
            gone in prop::collection::btree_set(0..12u8, 1..4),
            restarts in any::<bool>(),
        ) {
            let disk = Disk::new();
            let mut journal = opened(&disk);
            let mut now_ms = NOW;
            for (n, (who, works, ms, _)) in doings.iter().enumerate() {
                let handed = [Handed::Footprint(key(2, *who), print(n as u16, *who, now_ms))];
                journal.hand(&disk, &handed, now_ms).unwrap();
                now_ms += ms;
                if *works {
                    // Merges are begun and not ended.
                    let sent: Vec<_> = journal.ship(now_ms).into_iter().map(|message| message.number).collect();
                    journal.confirm(sent, now_ms);
                    journal.work(&disk, now_ms).unwrap();
                }
            }
            let others: Vec<u8> = (0..12).filter(|who| !gone.contains(who)).collect();
            let before: Vec<_> =
                others.iter().map(|who| journal.look(&disk, key(2, *who), now_ms).unwrap()).collect();
            let known = doings.iter().map(|(who, ..)| who).filter(|who| gone.contains(who)).collect::<HashSet<_>>();
            let keys: Vec<_> = gone.iter().map(|who| key(2, *who)).collect();
            let emitted = journal.report().emitted;
            prop_assert_eq!(journal.forget(&disk, &keys, now_ms, now_ms).unwrap(), known.len() as u64);
            prop_assert_eq!(journal.report().emitted, emitted, "nothing is taken back");
            prop_assert_eq!(journal.forget(&disk, &keys, now_ms, now_ms).unwrap(), 0, "twice is once");
            if restarts {
                journal = opened(&disk);
            }
            for (who, before) in others.iter().zip(&before) {
                prop_assert_eq!(&journal.look(&disk, key(2, *who), now_ms).unwrap(), before);
            }
            // What was on its way comes too late, and what happens afterwards is a new journey.
            for who in &gone {
                let late = Handed::Footprint(key(2, *who), print(9_000 + u16::from(*who), *who, now_ms - 1));
                journal.hand(&disk, &[late], now_ms).unwrap();
                prop_assert_eq!(journal.look(&disk, key(2, *who), now_ms).unwrap().footprints(), 0);
            }
            now_ms = quiet(&disk, &mut journal, now_ms);
            for who in &gone {
                prop_assert!(!holds(&disk, &secret(*who)), "{} is still there", who);
            }
            for who in known {
                let again = Handed::Footprint(key(2, *who), print(9_500, *who, now_ms + 1));
                journal.hand(&disk, &[again], now_ms).unwrap();
                prop_assert_eq!(journal.look(&disk, key(2, *who), now_ms).unwrap().footprints(), 1);
            }
        }
    }

    #[test]
    fn whoever_is_known_by_a_better_name_is_found_through_all_pages() {
        let disk = Disk::new();
        let mut journal = opened(&disk);
        let mut expected = HashSet::new();
        for n in 0..200u8 {
            let (from, to) = (key(n % 3, n), key(3, n % 7));
            journal.hand(&disk, &[Handed::Bond(from, to)], NOW + i64::from(n)).unwrap();
            if n % 7 == 4 && n % 3 == 1 {
                expected.insert(from);
            }
        }
        quiet(&disk, &mut journal, NOW + 1_000);
        let (to, mut from, mut found) = (HashSet::from([key(3, 4)]), Some(1 << 6), HashSet::new());
        while let Some(byte) = from {
            let (some, next) = journal.bonded(&disk, &to, byte).unwrap();
            assert!(some.iter().all(|(_, bond)| *bond == key(3, 4)));
            found.extend(some.into_iter().map(|(from, _)| from));
            from = next;
        }
        assert_eq!(found, expected);
    }
}
