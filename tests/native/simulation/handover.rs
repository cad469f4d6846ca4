//! Gates that hand over to each other when their number changes, while edges of both maps ask them.

use analytics::EventId;
use durable_objects::gate::handover::{Handed, handed, layouts, maps};
use durable_objects::{Gate, GateName, Maps};

use super::world::{Broken, World};
use crate::database::Database;

/// Tells a memory what its storage has of maps and handovers.
pub(crate) fn recall(gate: &mut Gate, storage: &Database, broken: Option<Broken>) {
    let shards = storage.rows(&maps(), |row| row.get::<_, u16>(0));
    let known = storage.rows(&layouts(), |row| row.get::<_, Vec<u8>>(0));
    if shards.is_empty() && known.is_empty() {
        return;
    }
    let maps = Maps::stored(gate.name().region, shards, &known).unwrap();
    let mut rows = storage.rows(&handed(), |row| {
        Ok(Handed { version: row.get(0)?, shard: row.get(1)?, at_ms: row.get(2)?, ids: row.get(3)? })
    });
    if broken == Some(Broken::GateForgetsHandovers) {
        for row in &mut rows {
            row.ids.clear();
        }
    }
    gate.recall(maps, &rows);
}

impl World {
    /// What a gate does with a caller's maps before it decides on an id. `false`: the call came to nothing.
    pub(crate) fn prepare(&mut self, gate: usize, id: EventId, body: &[u8], maps: &Maps) -> bool {
        let crashes = self.hosts[gate].crashes;
        self.follow(gate, maps);
        if self.memory(gate).awaits(id, body) {
            self.take_over(gate);
        }
        self.hosts[gate].crashes == crashes
    }

    fn follow(&mut self, gate: usize, maps: &Maps) {
        while self.memory(gate).next_map(maps).is_some() {
            if !self.memory(gate).owed().is_empty() {
                self.take_over(gate);
            }
            if !self.memory(gate).owed().is_empty() {
                return;
            }
            let Some(next) = self.memory(gate).next_map(maps) else { return };
            if self.fails(12) {
                return self.crash(gate);
            }
            self.hosts[gate].storage.transact(&Gate::follow_statements(&next)).unwrap();
            if self.fails(12) {
                return self.crash(gate);
            }
            self.memory(gate).follow(next);
        }
    }

    /// Asks whoever owes the gate something; each may fail to answer, or its answer be lost.
    fn take_over(&mut self, gate: usize) {
        let crashes = self.hosts[gate].crashes;
        let (name, maps) = (self.hosts[gate].name, self.memory(gate).maps().clone());
        for from in self.memory(gate).owed().to_vec() {
            if self.fails(6) {
                continue;
            }
            // Of a continent that nobody is from: it has nothing.
            let other = self.hosts.iter().position(|host| host.name == from);
            let answer = match self.broken {
                Some(Broken::GateAsksNobody) => Some(Vec::new()),
                _ => other.map_or(Some(Vec::new()), |other| self.hand_over(other, &maps, name)),
            };
            let Some(ids) = answer.filter(|_| !self.fails(8)) else { continue };
            if self.fails(12) {
                self.crash(gate);
            }
            // The gate that was asked may have had to ask this one, which crashed.
            if self.hosts[gate].crashes != crashes {
                return;
            }
            let now_ms = self.gate_now(gate);
            let rows = self.memory(gate).handed_statements(&maps, from, &ids, now_ms);
            self.hosts[gate].storage.transact(&rows).unwrap();
            if self.fails(12) {
                return self.crash(gate);
            }
            self.memory(gate).take_over(from, &ids, now_ms);
            self.reached.insert("a handover");
            if !ids.is_empty() && from.region != name.region {
                self.reached.insert("a handover of an id to another region");
            }
            if !ids.is_empty() {
                self.reached.insert("a handover of an id");
            }
        }
    }

    fn hand_over(&mut self, gate: usize, maps: &Maps, to: GateName) -> Option<Vec<u8>> {
        if self.broken == Some(Broken::GateGivesAndKeeps) {
            let now_ms = self.gate_now(gate);
            let mut gives = Gate::rebuild(
                self.hosts[gate].name,
                self.settings,
                crate::database::log_rows(&self.hosts[gate].storage),
                now_ms,
            );
            gives.recall(maps.clone(), &[]);
            return gives.hand_over(maps, to, now_ms);
        }
        let crashes = self.hosts[gate].crashes;
        self.follow(gate, maps);
        if self.hosts[gate].crashes != crashes {
            return None;
        }
        if !self.hosts[gate].waiting.is_empty() && self.broken != Some(Broken::GateHandsOverHopes) {
            self.commit(gate);
        }
        let now_ms = self.gate_now(gate);
        self.memory(gate).hand_over(maps, to, now_ms)
    }
}
