//! Homes: in which database the pages of a partition lie, where there are several.
//!
//! Segments lie in the first, with the ledger: so a batch has one transaction, whatever number of databases there is,
//! and either all of it counts or nothing. What fills a database, and keeps it busy, is pages; those of partition `p`
//! lie in database `p mod n`. A fold into another database than the first cannot take its segments away in the same
//! transaction. It notes there which ones the pages hold, and takes them away afterwards; whoever finds a segment that
//! is noted leaves it out.
//!
//! Sums are added up. So nothing moves when a database is added: new pages go to the new home, and a report adds those
//! that are still in the old ones.

use serde_json::json;

use crate::segment::PARTITIONS;
use crate::statement::Statement;

/// A note outlives its segment by this: longer than any report that read the segment takes to read the pages.
const NOTED_MS: i64 = 600_000;

/// How many databases there are, and were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Homes {
    /// Oldest first. The last is how many there are.
    counts: Vec<u8>,
}

impl Homes {
    /// So many databases, and as many as there were before, oldest first. More than partitions, or none, is `None`; and so
    /// is more before than now.
    pub fn new(before: &[u8], now: usize) -> Option<Self> {
        let now = u8::try_from(now).ok().filter(|now| (1..=PARTITIONS).contains(now))?;
        let grew = before.iter().all(|&count| count > 0 && count <= now);
        grew.then(|| Self { counts: before.iter().copied().chain([now]).collect() })
    }

    /// The database that the partition is folded into.
    pub fn of(&self, part: u8) -> usize {
        self.counts.last().map_or(0, |&count| usize::from(part.checked_rem(count).unwrap_or(0)))
    }

    /// Every database that may have pages of it.
    pub fn all(&self, part: u8) -> Vec<usize> {
        let mut homes: Vec<usize> =
            self.counts.iter().map(|&count| usize::from(part.checked_rem(count).unwrap_or(0))).collect();
        homes.sort_unstable();
        homes.dedup();
        homes
    }
}

/// The segments that pages of these partitions hold already: `part, origin`.
pub fn noted(parts: &[u8]) -> Statement {
    Statement::new(
        "SELECT part, origin FROM folded WHERE part IN (SELECT value FROM json_each(?1))",
        [json!(parts).to_string().into()],
    )
}

/// Which of these segments are still there: `part, origin`.
pub fn still_there(part: u8, origins: &[String]) -> Statement {
    Statement::new(
        "SELECT part, origin FROM segments WHERE part = ?1 AND origin IN (SELECT value FROM json_each(?2))",
        [i64::from(part).into(), json!(origins).to_string().into()],
    )
}

/// Takes segments away.
pub fn take_away(part: u8, origins: &[String]) -> Statement {
    Statement::new(
        "DELETE FROM segments WHERE part = ?1 AND origin IN (SELECT value FROM json_each(?2))",
        [i64::from(part).into(), json!(origins).to_string().into()],
    )
}

/// Notes segments. One that is noted already makes the transaction fail as a whole.
pub fn note(part: u8, origins: &[String], now_ms: i64) -> Statement {
    Statement::new(
        "INSERT INTO folded (part, origin, at_ms) SELECT ?1, value, ?3 FROM json_each(?2)",
        [i64::from(part).into(), json!(origins).to_string().into(), now_ms.into()],
    )
}

/// Forgets old notes of segments that are gone: all that are old, but for those that are still there.
pub fn forget(part: u8, still_there: &[String], now_ms: i64) -> Statement {
    Statement::new(
        "DELETE FROM folded WHERE part = ?1 AND at_ms < ?3 AND origin NOT IN (SELECT value FROM json_each(?2))",
        [i64::from(part).into(), json!(still_there).to_string().into(), (now_ms - NOTED_MS).into()],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_database_is_everybodys_home() {
        let homes = Homes::new(&[], 1).unwrap();
        assert!((0..PARTITIONS).all(|part| homes.of(part) == 0 && homes.all(part) == [0]));
    }

    #[test]
    fn a_partition_that_moved_has_pages_in_both_homes() {
        let homes = Homes::new(&[1, 2], 4).unwrap();
        assert_eq!((homes.of(3), homes.all(3)), (3, vec![0, 1, 3]));
        assert_eq!((homes.of(4), homes.all(4)), (0, vec![0]));
    }

    #[test]
    fn databases_are_added_and_never_taken_away() {
        assert_eq!(Homes::new(&[], 0), None);
        assert_eq!(Homes::new(&[], 9), None);
        assert_eq!(Homes::new(&[3], 2), None);
        assert_eq!(Homes::new(&[0], 2), None);
        assert!(Homes::new(&[], 8).is_some());
    }
}
