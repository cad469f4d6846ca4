//! The journeys' Durable Object: carries out what [`durable_objects::Journal`] decides, and how it is called.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use analytics::{Param, Statement};
use durable_objects::gate::Outgoing;
use durable_objects::journal::{Database, Failed, SCHEMA};
use durable_objects::{Journal as Memory, JournalName};
use queues::{Call, Handed, Head, MESSAGE_MAX_BYTES, Message, ledger};
use serde::Deserialize;
use wasm_bindgen_futures::{future_to_promise, spawn_local};
use worker::js_sys::{Promise, Uint8Array};
use worker::wasm_bindgen::prelude::*;
use worker::{
    DurableObject, Env, Error, Request, Response, Result, SqlStorage, SqlStorageValue, State, durable_object,
};

use crate::clock::now_ms;
use crate::edge::Edge;
use crate::group_commit::sleep;
use crate::notice;
use crate::person;
use crate::record::answer_of;
use crate::sql::{execute, read};
use crate::terms::{Known, refreshed};

/// The Durable Object class. A thin delegate: everything that outlives a call is in [`Keeper`].
#[allow(missing_debug_implementations, reason = "nobody prints an object")]
#[durable_object(alarm)]
pub struct Journal {
    platform: Rc<Platform>,
    keeper: RefCell<Option<Rc<Keeper>>>,
}

/// What the platform gives an object.
struct Platform {
    state: State,
    env: Env,
}

/// A journal's memory, and what it takes to keep it.
struct Keeper {
    memory: RefCell<Memory>,
    platform: Rc<Platform>,
    disk: Disk,
    terms: RefCell<Known>,
    shipping: Cell<bool>,
    /// When the platform is going to wake the journal, as far as this memory knows.
    armed_ms: Cell<Option<i64>>,
    /// Until when an alarm is at work, which sets the next one. If it does not come to its end, the platform rings it
    /// again; and whoever calls later than this sets one too.
    awake_until_ms: Cell<i64>,
}

/// What has to be done so soon is done by the alarm that is at work.
const SOON_MS: i64 = 100;
/// Calls get in between two pieces of work.
const PAUSE_MS: i64 = 10;
/// An alarm works no longer than this; it may for 15 minutes.
const AWAKE_MS: i64 = 60_000;

/// The object's own database, and what it was paid for since the object started: rows.
struct Disk {
    sql: SqlStorage,
    written: Cell<usize>,
    read: Cell<usize>,
}

impl Database for Disk {
    fn run(&self, statement: Statement) -> std::result::Result<Vec<Vec<Param>>, Failed> {
        let failed = |error: Error| Failed(error.to_string());
        let cursor = execute(&self.sql, statement).map_err(failed)?;
        let param = |value| match value {
            SqlStorageValue::Integer(value) => Param::Integer(value),
            // A number beyond 32 bits comes over as a float.
            SqlStorageValue::Float(value) => Param::Integer(value as i64),
            SqlStorageValue::String(value) => Param::Text(value),
            SqlStorageValue::Blob(value) => Param::Blob(value),
            _ => Param::Null,
        };
        let rows = cursor.raw().map(|row| Ok(row.map_err(failed)?.into_iter().map(param).collect()));
        let rows = rows.collect();
        self.written.set(self.written.get() + cursor.rows_written());
        self.read.set(self.read.get() + cursor.rows_read());
        rows
    }
}

impl DurableObject for Journal {
    fn new(state: State, env: Env) -> Self {
        // The database is read at the first call, not here: a failure would last as long as the object.
        Self { platform: Rc::new(Platform { state, env }), keeper: RefCell::new(None) }
    }

    async fn fetch(&self, _request: Request) -> Result<Response> {
        Response::error("journals are called by RPC", 404)
    }

    async fn alarm(&self) -> Result<Response> {
        // An error is what makes the platform call again.
        let keeper = self.keeper()?;
        let woken = keeper.wake().await;
        if woken.is_err() {
            self.keeper.borrow_mut().take();
        }
        woken.map(|()| Response::empty())?
    }
}

impl Journal {
    /// The keeper; made from the database if there is none.
    fn keeper(&self) -> Result<Rc<Keeper>> {
        if let Some(keeper) = &*self.keeper.borrow() {
            return Ok(Rc::clone(keeper));
        }
        let keeper = Rc::new(Keeper::new(&self.platform)?);
        *self.keeper.borrow_mut() = Some(Rc::clone(&keeper));
        Ok(keeper)
    }
}

#[wasm_bindgen]
impl Journal {
    /// Takes a call of [`Handed`]; resolves once all of it is in the database, rejects if it is not.
    pub fn hand(&self, call: Vec<u8>) -> Promise {
        let keeper = self.keeper();
        future_to_promise(async move {
            keeper?.hand(&call).await?;
            Ok(JsValue::UNDEFINED)
        })
    }

    /// What somebody asks of a person, and the answer, as JSON: see [`crate::person`].
    pub fn person(&self, call: String) -> Promise {
        let keeper = self.keeper();
        future_to_promise(async move {
            let keeper = keeper?;
            keeper.refresh().await?;
            let answer = person::answer(&mut keeper.memory.borrow_mut(), &keeper.disk, &call, now_ms());
            keeper.arm();
            Ok(JsValue::from(answer.map_err(broken)?))
        })
    }

    /// What the journal says of itself, as JSON.
    pub fn report(&self) -> Promise {
        let keeper = self.keeper();
        future_to_promise(async move {
            let keeper = keeper?;
            let report = keeper.memory.borrow().report();
            let json = serde_json::json!({
                "admitted": report.emitted,
                "unconfirmed": report.unconfirmed,
                "rows": report.rows,
                "open": report.open,
                "held_bytes": report.held_bytes,
                "damaged": report.damaged,
                "rows_written": keeper.disk.written.get(),
                "rows_read": keeper.disk.read.get(),
            });
            Ok(JsValue::from(json.to_string()))
        })
    }
}

fn broken(Failed(why): Failed) -> Error {
    Error::RustError(format!("journal: {why}"))
}

impl Keeper {
    fn new(platform: &Rc<Platform>) -> Result<Self> {
        let Platform { state, env } = &**platform;
        let edge = Edge::of(env)?;
        let sql = state.storage().sql();
        for table in SCHEMA {
            sql.exec(table, None)?;
        }
        let name = state.id().name().and_then(|name| JournalName::parse(&name));
        let name = name.ok_or_else(|| Error::RustError("a journal without a journal's name".to_owned()))?;
        let disk = Disk { sql, written: Cell::new(0), read: Cell::new(0) };
        let memory = Memory::open(&disk, name, edge.config.gate(), now_ms()).map_err(broken)?;
        Ok(Self {
            memory: RefCell::new(memory),
            platform: Rc::clone(platform),
            disk,
            terms: RefCell::default(),
            shipping: Cell::new(false),
            armed_ms: Cell::new(None),
            awake_until_ms: Cell::new(0),
        })
    }

    /// Sees to it that funnels and look-backs are known as they are now.
    async fn refresh(&self) -> Result<()> {
        let edge = Edge::of(&self.platform.env)?;
        if let Some((terms, change)) = refreshed(&edge, &self.terms).await? {
            self.memory.borrow_mut().set_terms(&self.disk, terms, change).map_err(broken)?;
        }
        Ok(())
    }

    async fn hand(self: &Rc<Self>, call: &[u8]) -> Result<()> {
        let handed = Handed::read(call)
            .ok_or_else(|| Error::RustError("not a call that a journal understands".to_owned()))?;
        self.refresh().await?;
        // No await from here to the end: the platform makes one transaction of it, and lets no answer out before it is
        // on disk.
        self.memory.borrow_mut().hand(&self.disk, &handed, now_ms()).map_err(broken)?;
        self.ship_soon();
        self.arm();
        Ok(())
    }

    /// Sends what the queue has not been given: now, or as soon as a busy journal may.
    fn ship_soon(self: &Rc<Self>) {
        if self.shipping.get() || self.memory.borrow().ship_due_ms(now_ms()).is_none() {
            return;
        }
        self.shipping.set(true);
        let keeper = Rc::clone(self);
        spawn_local(async move {
            loop {
                let now = now_ms();
                let Some(due_ms) = keeper.memory.borrow().ship_due_ms(now) else { break };
                if due_ms > now {
                    sleep(due_ms - now).await;
                }
                let messages = keeper.memory.borrow_mut().ship(now_ms());
                keeper.send(messages).await;
            }
            keeper.shipping.set(false);
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
                notice::error("journal", "queue_refused", &message.number, &error);
                self.memory.borrow_mut().unsent(message.number, now_ms());
                self.arm();
            }
        }
    }

    /// Has the platform wake the journal when there will be something to do.
    fn arm(self: &Rc<Self>) {
        let now_ms = now_ms();
        if now_ms < self.awake_until_ms.get() {
            return;
        }
        let Some(wake_ms) = self.memory.borrow().wake_ms(now_ms) else { return };
        if self.armed_ms.get().is_some_and(|armed_ms| armed_ms <= wake_ms) {
            return;
        }
        self.armed_ms.set(Some(wake_ms));
        let keeper = Rc::clone(self);
        spawn_local(async move {
            let storage = keeper.platform.state.storage();
            // Setting it is a row.
            keeper.disk.written.set(keeper.disk.written.get() + 1);
            if let Err(error) = storage.set_alarm((wake_ms - now_ms).max(0)).await {
                notice::error("journal", "no_alarm", &"", &error);
                keeper.armed_ms.set(None);
            }
        });
    }

    /// The alarm: sessions that are over, rows to merge; and what the gate's does for its log. It goes on for as long as
    /// there is more to do in a moment: an alarm for each piece would be a row, and a call of the platform.
    async fn wake(self: &Rc<Self>) -> Result<()> {
        self.refresh().await?;
        self.awake_until_ms.set(now_ms() + 2 * AWAKE_MS);
        let done = self.work_on().await;
        self.awake_until_ms.set(0);
        self.armed_ms.set(None);
        done?;
        self.arm();
        Ok(())
    }

    async fn work_on(self: &Rc<Self>) -> Result<()> {
        let begun_ms = now_ms();
        loop {
            self.memory.borrow_mut().work(&self.disk, now_ms()).map_err(broken)?;
            self.ship_soon();
            let ask_due_ms = self.memory.borrow().ask_due_ms();
            if ask_due_ms.is_some_and(|due_ms| due_ms <= now_ms()) {
                self.ask_again().await;
            }
            let now_ms = now_ms();
            let next_ms = self.memory.borrow().wake_ms(now_ms);
            match next_ms.map(|next_ms| next_ms - now_ms) {
                Some(wait_ms) if wait_ms <= SOON_MS && now_ms - begun_ms < AWAKE_MS => {
                    sleep(wait_ms.max(PAUSE_MS)).await;
                }
                _ => return Ok(()),
            }
        }
    }

    /// Asks the ledger what it has, and sends again what it lacks.
    async fn ask_again(self: &Rc<Self>) {
        let resend = match self.ask_ledger().await {
            Ok(known) => self.memory.borrow_mut().confirm(known, now_ms()),
            Err(error) => {
                notice::error("journal", "ledger_silent", &"", &error);
                self.memory.borrow_mut().confirm([], now_ms())
            }
        };
        for number in resend {
            let again = self.memory.borrow().again(&self.disk, number);
            match again {
                Ok(message) => self.send(vec![message]).await,
                Err(Failed(why)) => notice::error("journal", "message_unreadable", &number, &why),
            }
        }
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
}

/// Hands a call to its journal. What a journal does not take goes to the queue and comes again by itself, so that one
/// that is down keeps nothing from being counted.
///
/// # Errors
/// Neither journal nor queue took it.
pub(crate) async fn hand(edge: &Edge, shard: u16, call: &[u8]) -> Result<()> {
    let Err(error) = hand_to(edge, shard, call).await else { return Ok(()) };
    notice::error("journal", "took_nothing", &shard, &error);
    if call.len() <= UNHANDED_MAX_BYTES {
        return edge.queue()?.send_bytes(&Message::encode(Head::Unhanded { shard }, call)).await;
    }
    let handed = Handed::read(call).unwrap_or_default();
    let mut part = Call::default();
    for (place, one) in handed.iter().enumerate() {
        part.add(one);
        if part.len() > UNHANDED_MAX_BYTES / 2 || place + 1 == handed.len() {
            let message = Message::encode(Head::Unhanded { shard }, &std::mem::take(&mut part).into_bytes());
            edge.queue()?.send_bytes(&message).await?;
        }
    }
    Ok(())
}

/// What a message holds of a call: one that is larger is cut. Half of it is more than any footprint takes.
const UNHANDED_MAX_BYTES: usize = MESSAGE_MAX_BYTES - 64;

/// Hands a call to its journal.
///
/// # Errors
/// The journal did not take it, not even at a second try.
pub(crate) async fn hand_to(edge: &Edge, shard: u16, call: &[u8]) -> Result<()> {
    let call = Uint8Array::from(call);
    let mut tries = 0;
    loop {
        tries += 1;
        let journal = edge.journal(JournalName { shard })?;
        match answer_of(journal.hand(&call)).await {
            Ok(_) => return Ok(()),
            Err(unreached) if unreached.again && tries < 2 => {}
            Err(unreached) => return Err(Error::RustError(unreached.why)),
        }
    }
}
