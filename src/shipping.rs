//! What leaves a gate: messages for the queue, again what the ledger lacks, and a glance for those who watch.

use std::rc::Rc;

use analytics::AgentCache;
use durable_objects::gate::Outgoing;
use durable_objects::log;
use queues::{Glance, Message, ledger};
use serde::Deserialize;
use worker::js_sys::Uint8Array;
use worker::{Result, SqlStorageValue};

use crate::clock::now_ms;
use crate::edge::Edge;
use crate::gate::Keeper;
use crate::group_commit::sleep;
use crate::notice;
use crate::record::answer_of;
use crate::sql::{execute, read};

impl Keeper {
    /// Sends what the queue has not been given: now, or as soon as a busy gate may.
    pub(crate) fn ship_soon(self: &Rc<Self>) {
        if self.shipping.get() || self.memory.borrow().ship_due_ms(now_ms()).is_none() {
            return;
        }
        self.shipping.set(true);
        let keeper = Rc::clone(self);
        wasm_bindgen_futures::spawn_local(async move {
            loop {
                let now = now_ms();
                let Some(due_ms) = keeper.memory.borrow().ship_due_ms(now) else { break };
                if due_ms > now {
                    sleep(due_ms - now).await;
                }
                // Copies that were turned away wait for a row; if none comes, they get their own.
                if !keeper.group.is_due() && !keeper.commit() {
                    break;
                }
                let messages = keeper.memory.borrow_mut().ship(now_ms());
                keeper.show(&messages);
                keeper.send(messages).await;
            }
            keeper.shipping.set(false);
        });
    }

    /// Shows the hub of the live view what is on its way, if anybody watches. Nobody waits for it.
    fn show(self: &Rc<Self>, messages: &[Outgoing]) {
        let now_ms = now_ms();
        if messages.is_empty() || self.watched_ms.get().is_some_and(|until_ms| until_ms < now_ms) {
            return;
        }
        // Whatever comes of it, a gate asks once: the hub tells it when somebody begins to watch.
        self.watched_ms.set(self.watched_ms.get().or(Some(0)));
        let (mut glance, mut agents) = (Glance::default(), AgentCache::default());
        for message in messages.iter().filter_map(|message| Message::decode(&message.bytes).ok()) {
            glance.merge(Glance::at(message.frames, 0, &mut agents));
        }
        let keeper = Rc::clone(self);
        wasm_bindgen_futures::spawn_local(async move {
            let Ok(hub) = Edge::of(&keeper.platform.env).and_then(|edge| edge.live()) else { return };
            if let Ok(until_ms) = answer_of(hub.peek(&Uint8Array::from(&*glance.encode()))).await
                && let Some(until_ms) = until_ms.as_f64()
            {
                keeper.watched_ms.set(Some(until_ms as i64));
            }
        });
    }

    async fn send(self: &Rc<Self>, messages: Vec<Outgoing>) {
        let Ok(edge) = Edge::of(&self.platform.env) else { return };
        for message in messages {
            let sent = match edge.queue() {
                Ok(queue) => queue.send_bytes(&message.bytes).await,
                Err(error) => Err(error),
            };
            if let Err(error) = sent {
                notice::error("gate", "queue_refused", &message.number, &error);
                self.memory.borrow_mut().unsent(message.number, now_ms());
                self.arm();
            }
        }
    }

    /// Has the platform wake the gate when there will be something to do. One alarm serves many commits, for each
    /// costs a row; but not one that is later than the commit's own: after a power cut nobody else may come by.
    pub(crate) fn arm(self: &Rc<Self>) {
        let now_ms = now_ms();
        let Some(wake_ms) = self.memory.borrow().wake_ms(now_ms) else { return };
        if self.armed_ms.get().is_some_and(|armed_ms| armed_ms <= wake_ms) {
            return;
        }
        self.armed_ms.set(Some(wake_ms));
        let keeper = Rc::clone(self);
        wasm_bindgen_futures::spawn_local(async move {
            let storage = keeper.platform.state.storage();
            if let Err(error) = storage.set_alarm((wake_ms - now_ms).max(0)).await {
                notice::error("gate", "no_alarm", &"", &error);
                keeper.armed_ms.set(None);
            }
        });
    }

    /// The alarm: asks the ledger what it has, sends again what it has not, and forgets what nobody needs.
    pub(crate) async fn wake(self: &Rc<Self>) {
        self.armed_ms.set(None);
        self.ship_soon();
        let resend = match self.ask_ledger().await {
            Ok(known) => self.memory.borrow_mut().confirm(known, now_ms()),
            Err(error) => {
                notice::error("gate", "ledger_silent", &"", &error);
                self.memory.borrow_mut().unanswered(now_ms());
                Vec::new()
            }
        };
        for number in resend {
            match self.read_log(number) {
                Ok(message) => self.send(vec![message]).await,
                Err(error) => notice::error("gate", "message_unreadable", &number, &error),
            }
        }
        let prune = {
            let mut memory = self.memory.borrow_mut();
            [memory.prune(now_ms()), memory.prune_handed(now_ms()), memory.fade(now_ms())]
        };
        for statement in prune.into_iter().flatten() {
            if let Err(error) = execute(&self.sql, statement) {
                notice::error("gate", "not_pruned", &"", &error);
            }
        }
        self.arm();
    }

    async fn ask_ledger(&self) -> Result<Vec<i64>> {
        #[derive(Deserialize)]
        struct Known {
            number: i64,
        }
        let (from, name) = {
            let memory = self.memory.borrow();
            let Some(from) = memory.unconfirmed_from() else { return Ok(Vec::new()) };
            (from, memory.name().to_string())
        };
        let edge = Edge::of(&self.platform.env)?;
        let known: Vec<Known> = read(&edge.db, ledger::counted_of_gate(&name, from)).await?;
        Ok(known.into_iter().map(|known| known.number).collect())
    }

    fn read_log(&self, number: i64) -> Result<Outgoing> {
        let mut frames = Vec::new();
        for row in execute(&self.sql, log::message(number))?.raw() {
            if let Some(SqlStorageValue::Blob(body)) = row?.into_iter().next() {
                frames.extend_from_slice(&body);
            }
        }
        Ok(self.memory.borrow().outgoing(number, &frames))
    }
}
