//! How gates hand over to each other when their number changes: the calls, and what is written when.
//! What is promised, and why it holds, is in [`durable_objects::gate::handover`].

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use durable_objects::gate::Gate as Memory;
use durable_objects::gate::handover::{Handed, handed, layouts, maps};
use durable_objects::{GateName, Maps, Region};
use futures_channel::oneshot;
use queues::{Frame, frames};
use worker::js_sys::Uint8Array;
use worker::{Error, Result, SqlStorage};

use crate::clock::now_ms;
use crate::edge::Edge;
use crate::gate::Keeper;
use crate::notice;
use crate::record::answer_of;
use crate::sql::{blob, execute, integer};

/// A gate that did not hand over is asked again no sooner: meanwhile hits that wait for it go round by the queue.
const AGAIN_MS: i64 = 500;

/// Calls that wait for other gates to hand over.
#[derive(Default)]
pub(crate) struct Arrivals {
    waiting: RefCell<Vec<oneshot::Sender<()>>>,
    failed_ms: Cell<i64>,
}

/// Tells a memory what is written down of maps and handovers.
pub(crate) fn recall(sql: &SqlStorage, memory: &mut Memory) -> Result<()> {
    let mut shards = Vec::new();
    for row in execute(sql, maps())?.raw() {
        shards.push(integer(&mut row?.into_iter())? as u16);
    }
    let mut known = Vec::new();
    for row in execute(sql, layouts())?.raw() {
        known.push(blob(&mut row?.into_iter())?);
    }
    if shards.is_empty() && known.is_empty() {
        return Ok(());
    }
    let maps = Maps::stored(memory.name().region, shards, &known)
        .ok_or_else(|| Error::RustError("the gate's maps cannot be read".to_owned()))?;
    let mut rows = Vec::new();
    for row in execute(sql, handed())?.raw() {
        let mut columns = row?.into_iter();
        rows.push(Handed {
            version: integer(&mut columns)?,
            shard: integer(&mut columns)?,
            at_ms: integer(&mut columns)?,
            ids: blob(&mut columns)?,
        });
    }
    memory.recall(maps, &rows);
    Ok(())
}

impl Keeper {
    /// Follows the maps of a caller as far as other gates let it. What it could not follow, it does not admit by.
    pub(crate) async fn follow(self: &Rc<Self>, maps: &Maps) -> Result<()> {
        while self.memory.borrow().next_map(maps).is_some() {
            if !self.memory.borrow().owed().is_empty() {
                self.take_over().await;
            }
            // No await from here on: whoever comes next finds the map written and followed, or neither.
            let mut memory = self.memory.borrow_mut();
            if !memory.owed().is_empty() {
                break;
            }
            if let Some(next) = memory.next_map(maps) {
                for statement in Memory::follow_statements(&next) {
                    execute(&self.sql, statement)?;
                }
                memory.follow(next);
            }
        }
        Ok(())
    }

    /// Has other gates hand over what is needed to decide on these frames.
    pub(crate) async fn await_handover(self: &Rc<Self>, bytes: &[u8]) {
        let awaits = {
            let memory = self.memory.borrow();
            let awaits = |frame| matches!(frame, Ok(Frame::Event { id, body }) if memory.awaits(id, body));
            !memory.owed().is_empty() && frames(bytes).any(awaits)
        };
        if awaits {
            self.take_over().await;
        }
    }

    /// Asks the gates that owe something, once however many calls wait. Returns when each has answered or failed.
    async fn take_over(self: &Rc<Self>) {
        if now_ms() - self.arrivals.failed_ms.get() < AGAIN_MS {
            return;
        }
        let (caller, told) = oneshot::channel();
        let first = {
            let mut waiting = self.arrivals.waiting.borrow_mut();
            waiting.push(caller);
            waiting.len() == 1
        };
        if first {
            let keeper = Rc::clone(self);
            // Not in the caller's own future, which is dropped when its client goes away.
            wasm_bindgen_futures::spawn_local(async move {
                if let Err(error) = keeper.ask_owed().await {
                    notice::warn("gate", "not_handed_over", &"", &error);
                    keeper.arrivals.failed_ms.set(now_ms());
                }
                let waiting = std::mem::take(&mut *keeper.arrivals.waiting.borrow_mut());
                for caller in waiting {
                    let _ = caller.send(());
                }
            });
        }
        let _ = told.await;
    }

    async fn ask_owed(self: &Rc<Self>) -> Result<()> {
        let edge = Edge::of(&self.platform.env)?;
        let (name, maps, owed) = {
            let memory = self.memory.borrow();
            (memory.name(), memory.maps().clone(), memory.owed().to_vec())
        };
        let call = Uint8Array::from(asking(name, &maps).as_slice());
        let mut failed = Ok(());
        // One after the other: one that is away holds the others up for once, and a few kilobytes are spared.
        for other in owed {
            let stub = edge.gate(other)?;
            match answer_of(stub.hand_over(&call)).await {
                Ok(ids) => self.took(&maps, other, &Uint8Array::new(&ids).to_vec())?,
                Err(unreached) => failed = Err(Error::RustError(unreached.why)),
            }
        }
        failed
    }

    /// Writes down what a gate handed over, then knows it. No await: one transaction.
    fn took(&self, maps: &Maps, from: GateName, ids: &[u8]) -> Result<()> {
        let now_ms = now_ms();
        let statements = self.memory.borrow_mut().handed_statements(maps, from, ids, now_ms);
        for statement in statements {
            execute(&self.sql, statement)?;
        }
        self.memory.borrow_mut().take_over(from, ids, now_ms);
        Ok(())
    }

    /// Another gate [asks](asking) for what a map gives to it.
    pub(crate) async fn hand_over(self: &Rc<Self>, call: &[u8]) -> Result<Vec<u8>> {
        let region = self.memory.borrow().name().region;
        let Some((to, maps)) = asked(call, region) else {
            return Err(Error::RustError("not a handover that a gate understands".to_owned()));
        };
        self.follow(&maps).await?;
        // What was admitted before that is handed over only if it is kept. None of it is admitted any more.
        self.settled().await;
        let ids = self.memory.borrow_mut().hand_over(&maps, to, now_ms());
        ids.ok_or_else(|| Error::RustError("the gate could not follow the maps itself".to_owned()))
    }
}

/// What begins a call by more than numbers: a gate of before there were any takes it for maps that are cut short.
const MAPPED: [u8; 3] = [255, 255, 255];

/// A gate's call for what is now its own: `[its shard][numbers]` to gates of its region; where maps are more than numbers,
/// [`MAPPED`] and `[region][shard][maps]`.
fn asking(name: GateName, maps: &Maps) -> Vec<u8> {
    let shard = name.shard.to_le_bytes();
    let mut call = Vec::new();
    if let Some(numbers) = maps.numbers() {
        call.extend(shard);
        Maps::write_numbers(&numbers, &mut call);
    } else {
        call.extend(MAPPED);
        call.push(name.region.code());
        call.extend(shard);
        maps.write(&mut call);
    }
    call
}

fn asked(call: &[u8], region: Region) -> Option<(GateName, Maps)> {
    if let Some(rest) = call.strip_prefix(&MAPPED) {
        let (&code, rest) = rest.split_first()?;
        let (shard, rest) = rest.split_first_chunk()?;
        let region = Region::of_code(code)?;
        return Some((GateName { region, shard: u16::from_le_bytes(*shard) }, Maps::read(rest)?.0));
    }
    let (shard, rest) = call.split_first_chunk()?;
    Some((GateName { region, shard: u16::from_le_bytes(*shard) }, Maps::read_numbers(rest, region)?.0))
}

#[cfg(test)]
mod tests {
    use durable_objects::Layout;

    use super::*;

    /// Gates of two versions ask each other while a deploy is under way.
    #[test]
    fn calls_are_pinned() {
        let name = GateName { region: Region::Wnam, shard: 258 };
        let numbers = Maps::new([Layout::Continents(2)], Layout::Continents(4));
        assert_eq!(asking(name, &numbers), [2, 1, 2, 2, 0, 4, 0]);
        assert_eq!(asked(&asking(name, &numbers), Region::Wnam), Some((name, numbers)));
        let maps = Maps::new([Layout::Continents(2)], Layout::of([(Region::Wnam, 3)]));
        assert_eq!(asking(name, &maps), [255, 255, 255, 7, 2, 1, 2, 0, 2, 0, 1, 7, 3, 0]);
        assert_eq!(asked(&asking(name, &maps), Region::Enam), Some((name, maps)));
        for cut in [&[][..], &[1], &[255, 255, 255], &[255, 255, 255, 12, 0, 0, 0], &[1, 0, 2, 2, 0]] {
            assert_eq!(asked(cut, Region::Enam), None);
        }
    }
}
