//! How gates are changed, in number and in place, without letting a copy through.
//!
//! An event's id and its visitor's region belong to one gate by each map ([`Maps`]). When a new map comes up, the gate that an id belongs to
//! from now on may not admit it before the gate that it belonged to has handed over what it remembers; and that one,
//! before it hands over, writes down that it will never again admit what the new map gives to others. So whatever
//! maps the edges hold, and for however long a deploy leaves old ones running:
//!
//! - every admission of an id by the old gate lies before the handover, and is known to the new gate;
//! - an edge with the old map that asks the old gate hears of a copy that it is one, and of anything else that the
//!   gate cannot say: the hit goes round by the queue until somebody with the new map asks the new gate.
//!
//! There is no moment at which both would admit. No clocks are compared: ids come with their age. What was handed
//! over is a row, so that a gate which loses its memory need not ask again.

use analytics::{EventId, Statement};

use super::Gate;
use crate::addresses::GateName;
use crate::maps::Maps;
use crate::region::Region;

/// An id, and in four bytes its age in ms and above that its visitor's region: 0, which is the world, if it was written down
/// before there was more than one region to a continent. 28 bits of ms are three days; a gate remembers for minutes.
const ENTRY_BYTES: usize = 20;
const AGE_BITS: u32 = 28;

/// What a value may hold is 2 MB.
const PART_MAX_BYTES: usize = 50_000 * ENTRY_BYTES;

/// The maps that a gate has followed, and what it was handed.
pub const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS maps (
  version INTEGER PRIMARY KEY,
  shards  INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS layouts ( -- the same, where a number does not say it
  version INTEGER PRIMARY KEY,
  gates   BLOB    NOT NULL
);
CREATE TABLE IF NOT EXISTS handed (
  version INTEGER NOT NULL, -- of the map that moved the ids
  shard   INTEGER NOT NULL, -- who had them: a gate of the same region, or (region + 1) << 16 | shard
  part    INTEGER NOT NULL,
  at_ms   INTEGER NOT NULL, -- when they were handed over; of which each id has its age
  ids     BLOB    NOT NULL,
  PRIMARY KEY (version, shard, part)
) WITHOUT ROWID";

/// The maps that a gate has followed, in order: `shards`.
pub fn maps() -> Statement {
    Statement::new("SELECT shards FROM maps ORDER BY version", [])
}

/// The same, if they are more than numbers: `gates`.
pub fn layouts() -> Statement {
    Statement::new("SELECT gates FROM layouts ORDER BY version", [])
}

/// What it was handed: `version, shard, at_ms, ids`.
pub fn handed() -> Statement {
    Statement::new("SELECT version, shard, at_ms, ids FROM handed", [])
}

/// A row of what a gate was handed.
#[derive(Debug, Clone)]
pub struct Handed {
    /// The map's version.
    pub version: i64,
    /// Who had them.
    pub shard: i64,
    /// When they were handed over, by the clock of the gate that took them.
    pub at_ms: i64,
    /// Ids and ages.
    pub ids: Vec<u8>,
}

impl Gate {
    /// What the gate wrote down of maps and handovers; for one that never heard of a second map, nothing.
    pub fn recall(&mut self, maps: Maps, handed: &[Handed]) {
        let version = maps.version() as i64;
        self.owed = maps.sources(self.name);
        let me = self.name;
        self.owed.retain(|other| {
            !handed.iter().any(|row| row.version == version && row.shard == number_of(*other, me))
        });
        self.maps = maps;
        for row in handed {
            // As with the log's rows: what was handed over lies in the past, whatever clock the gate woke up with.
            self.tick(row.at_ms);
            self.take_in(&row.ids, row.at_ms);
        }
    }

    /// The map that the gate has to follow next on its way to these; `None` if it knows them. It is the next one and
    /// not the last: on the way the gate takes over what belonged to it in between.
    pub fn next_map(&self, maps: &Maps) -> Option<Maps> {
        (maps.version() > self.maps.version()).then(|| maps.upto(self.maps.version() + 1))
    }

    /// Follows a map, which [`Gate::next_map`] gave, once its rows are written. From here on the gate admits nothing
    /// that is not its own, and not yet what it has to be handed. Not while it is [owed](Gate::owed) anything.
    pub fn follow(&mut self, maps: Maps) {
        self.owed = maps.sources(self.name);
        self.maps = maps;
    }

    /// What writes a map down.
    pub fn follow_statements(maps: &Maps) -> Vec<Statement> {
        maps.store()
    }

    /// The maps that the gate follows.
    pub fn maps(&self) -> &Maps {
        &self.maps
    }

    /// The gates that have yet to hand over.
    pub fn owed(&self) -> &[GateName] {
        &self.owed
    }

    /// Whether the gate has to be handed something before it can decide on the event.
    pub fn awaits(&self, id: EventId, body: &[u8]) -> bool {
        let (owner, before) = self.maps.owners(Region::of_body(body), id);
        owner == Some(self.name) && before.is_some_and(|before| self.owed.contains(&before))
    }

    /// Whether the gate may not admit the id.
    pub(super) fn is_elsewhere(&self, place: Region, id: EventId) -> bool {
        let (owner, before) = self.maps.owners(place, id);
        owner != Some(self.name) || before.is_some_and(|before| self.owed.contains(&before))
    }

    /// What the gate remembers of the ids which a map took from it and gave to that gate. It has to follow the map,
    /// or a later one, and nothing of it may wait to be committed: what is handed over cannot be taken back.
    pub fn hand_over(&mut self, maps: &Maps, to: GateName, now_ms: i64) -> Option<Vec<u8>> {
        let now_ms = self.tick(now_ms);
        if self.maps.version() < maps.version() {
            return None;
        }
        self.seen.forget(now_ms - self.settings.memory_ms());
        let mut bytes = Vec::new();
        let is_theirs = |place, id| maps.owners(place, id) == (Some(to), Some(self.name));
        for (id, first_ms, place) in self.seen.iter() {
            // Of whose visitor nobody knows it may be anybody's: to know of a copy too many is never wrong.
            let moves = match place {
                Region::World => Region::ALL.into_iter().any(|place| is_theirs(place, id)),
                place => is_theirs(place, id),
            };
            if moves {
                // None is from the future, for the clock knows of all that it has a time from. Were one, it would be new.
                let age_ms = (now_ms - first_ms).clamp(0, (1 << AGE_BITS) - 1) as u32;
                let age_and_place = (u32::from(place.code()) << AGE_BITS) | age_ms;
                bytes.extend_from_slice(id.as_bytes());
                bytes.extend_from_slice(&age_and_place.to_le_bytes());
            }
        }
        Some(bytes)
    }

    /// Writes down what a gate has handed over, all of it or nothing: at least one row. By the gate's own clock: by one
    /// that was set back, the ids would be older than they are, and forgotten before their time.
    pub fn handed_statements(
        &mut self,
        maps: &Maps,
        from: GateName,
        ids: &[u8],
        now_ms: i64,
    ) -> Vec<Statement> {
        let (now_ms, from) = (self.tick(now_ms), number_of(from, self.name));
        let mut parts: Vec<_> = ids.chunks(PART_MAX_BYTES).collect();
        parts.resize(parts.len().max(1), &[]);
        let row = |(part, ids): (usize, &[u8])| {
            Statement::new(
                "INSERT OR REPLACE INTO handed (version, shard, part, at_ms, ids) VALUES (?1, ?2, ?3, ?4, ?5)",
                [
                    (maps.version() as i64).into(),
                    from.into(),
                    (part as i64).into(),
                    now_ms.into(),
                    ids.to_vec().into(),
                ],
            )
        };
        parts.into_iter().enumerate().map(row).collect()
    }

    /// Takes over what was handed over and written down.
    pub fn take_over(&mut self, from: GateName, ids: &[u8], now_ms: i64) {
        let now_ms = self.tick(now_ms);
        self.take_in(ids, now_ms);
        self.owed.retain(|other| *other != from);
    }

    fn take_in(&mut self, ids: &[u8], at_ms: i64) {
        let entries = ids.as_chunks::<ENTRY_BYTES>().0;
        self.handed_ms = self.handed_ms.max((!entries.is_empty()).then_some(at_ms));
        let entries = entries.iter().filter_map(|entry| {
            let (id, age_ms) = entry.split_first_chunk::<16>()?;
            let age_ms = u32::from_le_bytes(*age_ms.first_chunk::<4>()?);
            let place = Region::of_code((age_ms >> AGE_BITS) as u8).unwrap_or(Region::World);
            let age_ms = age_ms & ((1 << AGE_BITS) - 1);
            Some((EventId::from_bytes(*id), at_ms - i64::from(age_ms), place))
        });
        self.seen.take_in(entries);
    }

    /// Empties the rows of handovers whose ids nobody asks for any more. That there was one stays on record.
    pub fn prune_handed(&mut self, now_ms: i64) -> Option<Statement> {
        let before_ms = self.tick(now_ms) - self.settings.memory_ms();
        self.handed_ms.take_if(|at_ms| *at_ms < before_ms)?;
        let sql = "UPDATE handed SET ids = x'' WHERE at_ms < ?1 AND ids <> x''";
        Some(Statement::new(sql, [before_ms.into()]))
    }
}

/// How a gate's rows name another: those of its own region as they did when there were no others.
fn number_of(other: GateName, me: GateName) -> i64 {
    let shard = i64::from(other.shard);
    if other.region == me.region { shard } else { (i64::from(other.region.code()) + 1) << 16 | shard }
}
