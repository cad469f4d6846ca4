//! Gates that hand over to each other when their number changes, while edges of both maps ask them.

use analytics::EventId;
use durable_objects::gate::handover::{Handed, handed, maps};
use durable_objects::{Gate, GateName, Maps};

use super::world::{Broken, World};
use crate::database::Database;

/// Tells a memory what its storage has of maps and handovers.
pub(crate) fn recall(gate: &mut Gate, storage: &Database, broken: Option<Broken>) {
    let shards = storage.rows(&maps(), |row| row.get::<_, u16>(0));
    if shards.is_empty() {
        return;
    }
    let mut rows = storage.rows(&handed(), |row| {
        Ok(Handed { version: row.get(0)?, shard: row.get(1)?, at_ms: row.get(2)?, ids: row.get(3)? })
    });
    if broken == Some(Broken::GateForgetsHandovers) {
        for row in &mut rows {
            row.ids.clear();
        }
    }
    gate.recall(Maps::stored(shards), &rows);
}

impl World {
    /// What a gate does with a caller's maps before it decides on an id. `false`: the call came to nothing.
    pub(crate) fn prepare(&mut self, gate: usize, id: EventId, maps: &Maps) -> bool {
        let crashes = self.hosts[gate].crashes;
        self.follow(gate, maps);
        if self.memory(gate).awaits(id) {
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
        for shard in self.memory(gate).owed().to_vec() {
            if self.fails(6) {
                continue;
            }
            let other = self.host(GateName { region: name.region, shard });
            let answer = match self.broken {
                Some(Broken::GateAsksNobody) => Some(Vec::new()),
                _ => self.hand_over(other, &maps, name.shard),
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
            let rows = self.memory(gate).handed_statements(&maps, shard, &ids, now_ms);
            self.hosts[gate].storage.transact(&rows).unwrap();
            if self.fails(12) {
                return self.crash(gate);
            }
            self.memory(gate).take_over(shard, &ids, now_ms);
            self.reached.insert("a handover");
            if !ids.is_empty() {
                self.reached.insert("a handover of an id");
            }
        }
    }

    fn hand_over(&mut self, gate: usize, maps: &Maps, to: u16) -> Option<Vec<u8>> {
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
