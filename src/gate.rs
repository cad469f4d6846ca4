//! The gate's Durable Object: carries out what [`durable_objects::Gate`] decides.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use analytics::{AgentCache, RawEvent};
use durable_objects::gate::handover::SCHEMA;
use durable_objects::gate::{Gate as Memory, Outgoing};
use durable_objects::live::REPLAY_BYTES;
use durable_objects::log::{self, Row};
use durable_objects::{Admission, GateName, Settings};
use queues::{Frame, Glance, Message, frames, ledger};
use serde::Deserialize;
use worker::js_sys::{Promise, Uint8Array};
use worker::wasm_bindgen::prelude::*;
use worker::{
    DurableObject, Env, Error, Request, Response, Result, SqlStorage, SqlStorageValue, State, durable_object,
};

use crate::call::Call;
use crate::clock::now_ms;
use crate::edge::Edge;
use crate::group_commit::{GroupCommit, Writes, sleep};
use crate::handover::{Arrivals, recall};
use crate::notice;
use crate::record::{Verdict, answer_of};
use crate::sql::{blob, execute, integer, read};

/// The Durable Object class. A thin delegate: everything that outlives a call is in [`Keeper`].
#[allow(missing_debug_implementations, reason = "nobody prints an object")]
#[durable_object(alarm)]
pub struct Gate {
    platform: Rc<Platform>,
    keeper: RefCell<Option<Rc<Keeper>>>,
}

/// What the platform gives an object.
pub(crate) struct Platform {
    state: State,
    pub(crate) env: Env,
}

/// A gate's memory, and what it takes to keep it.
pub(crate) struct Keeper {
    pub(crate) memory: RefCell<Memory>,
    pub(crate) platform: Rc<Platform>,
    pub(crate) sql: SqlStorage,
    pub(crate) arrivals: Arrivals,
    group: Rc<GroupCommit>,
    shipping: Cell<bool>,
    /// Until when somebody watches the live view; `None` if the gate has not been told, nor asked.
    watched_ms: Cell<Option<i64>>,
    /// When the platform is going to wake the gate, as far as this memory knows.
    armed_ms: Cell<Option<i64>>,
}

impl DurableObject for Gate {
    fn new(state: State, env: Env) -> Self {
        // The log is read at the first call, not here: a failure would last as long as the object.
        Self { platform: Rc::new(Platform { state, env }), keeper: RefCell::new(None) }
    }

    async fn fetch(&self, _request: Request) -> Result<Response> {
        Response::error("gates are called by RPC", 404)
    }

    async fn alarm(&self) -> Result<Response> {
        // An error is what makes the platform call again.
        self.keeper()?.wake().await;
        Response::empty()
    }
}

impl Gate {
    /// The keeper; made from the log if there is none yet.
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
impl Gate {
    /// Admits the events of a [`Call`]. Resolves to one letter for each ([`Verdict`]) once they are in the log;
    /// rejects if they could not be written.
    pub fn admit(&self, call: Vec<u8>) -> Promise {
        let keeper = self.keeper();
        wasm_bindgen_futures::future_to_promise(async move {
            keeper?.admit(&call).await.map(JsValue::from).map_err(JsValue::from)
        })
    }

    /// Hands over to another gate what a new map gives to it: bytes to bytes, see [`Keeper::hand_over`].
    #[wasm_bindgen(js_name = handOver)]
    pub fn hand_over(&self, call: Vec<u8>) -> Promise {
        let keeper = self.keeper();
        wasm_bindgen_futures::future_to_promise(async move {
            let ids = keeper?.hand_over(&call).await.map_err(JsValue::from)?;
            Ok(worker::js_sys::Uint8Array::from(ids.as_slice()).into())
        })
    }

    /// Somebody watches until then, epoch ms.
    pub fn watch(&self, until_ms: f64) -> std::result::Result<(), JsValue> {
        self.keeper()?.watched_ms.set(Some(until_ms as i64));
        Ok(())
    }

    /// A [`Glance`] at what the log holds since a moment, encoded.
    pub fn glance(&self, since_ms: f64) -> std::result::Result<Vec<u8>, JsValue> {
        Ok(self.keeper()?.glance(since_ms as i64)?)
    }

    /// What the gate says of itself, as JSON.
    pub fn report(&self) -> Promise {
        let keeper = self.keeper();
        wasm_bindgen_futures::future_to_promise(async move {
            let report = keeper?.memory.borrow().report();
            let json = serde_json::json!({
                "admitted": report.admitted,
                "duplicates": report.duplicates,
                "unconfirmed": report.unconfirmed,
                "rows": report.rows,
                "ids": report.ids,
            });
            Ok(JsValue::from(json.to_string()))
        })
    }
}

impl Writes for Keeper {
    fn write(self: Rc<Self>) -> bool {
        self.commit()
    }
}

impl Keeper {
    fn new(platform: &Rc<Platform>) -> Result<Self> {
        let Platform { state, env } = &**platform;
        let edge = Edge::of(env)?;
        let sql = state.storage().sql();
        sql.exec(log::SCHEMA, None)?;
        sql.exec(SCHEMA, None)?;
        let name = state.id().name().and_then(|name| GateName::parse(&name));
        let name = name.ok_or_else(|| Error::RustError("a gate without a gate's name".to_owned()))?;
        let memory = remember(&sql, name, edge.config.gate())?;
        Ok(Self {
            memory: RefCell::new(memory),
            platform: Rc::clone(platform),
            sql,
            arrivals: Arrivals::default(),
            group: Rc::default(),
            shipping: Cell::new(false),
            watched_ms: Cell::new(None),
            armed_ms: Cell::new(None),
        })
    }

    async fn admit(self: &Rc<Self>, call: &[u8]) -> Result<String> {
        let Some(call) = Call::read(call) else {
            return Err(Error::RustError("not a call that a gate understands".to_owned()));
        };
        if let Some(maps) = &call.maps {
            self.follow(maps).await?;
        }
        self.await_handover(call.frames).await;
        let now_ms = now_ms();
        let (mut verdicts, mut pending) = (String::new(), false);
        {
            // Released before the first await: another call may come in during it.
            let mut memory = self.memory.borrow_mut();
            for frame in frames(call.frames) {
                let verdict = match frame {
                    Ok(Frame::Event { id, body }) => {
                        let late_ms = if call.late {
                            RawEvent::decode(id, body).map(|event| event.received_at_ms).ok()
                        } else {
                            None
                        };
                        let admission = memory.admit(id, body, late_ms, now_ms);
                        pending |= matches!(admission, Admission::New | Admission::DuplicateOfPending);
                        Verdict::of(admission)
                    }
                    Ok(Frame::Duplicates(_) | Frame::Outcome(_)) | Err(_) => Verdict::Malformed,
                };
                verdicts.push(verdict.letter());
            }
        }
        if pending && !self.committed().await {
            return Err(Error::RustError("the log could not be written".to_owned()));
        }
        self.ship_soon();
        Ok(verdicts)
    }

    /// Resolves when the open group is in the log, to whether it is.
    async fn committed(self: &Rc<Self>) -> bool {
        let now_ms = now_ms();
        let due_ms = self.memory.borrow().commit_due_ms(now_ms);
        self.group.join(due_ms - now_ms, Rc::clone(self) as Rc<dyn Writes>).await
    }

    /// Resolves when nothing that was admitted until now waits to be written any more.
    pub(crate) async fn settled(self: &Rc<Self>) {
        if self.group.is_due() {
            self.committed().await;
        }
    }

    /// Writes the open group. No await from here to the end: the platform makes one transaction of it, and lets no
    /// answer out before it is on disk.
    fn commit(self: &Rc<Self>) -> bool {
        let mut memory = self.memory.borrow_mut();
        let Some(commit) = memory.commit(now_ms()) else { return true };
        let written = commit.statements().try_for_each(|row| match execute(&self.sql, row)?.rows_written() {
            0 => Err(Error::RustError("there was no row to write over".to_owned())),
            _ => Ok(()),
        });
        if let Err(error) = written {
            notice::error("gate", "commit_failed", &memory.name(), &error);
            if let Some(undo) = commit.undo()
                && let Err(error) = execute(&self.sql, undo)
            {
                // What the log holds now, only the log can say.
                notice::error("gate", "commit_not_undone", &memory.name(), &error);
                match remember(&self.sql, memory.name(), memory.settings()) {
                    Ok(rebuilt) => *memory = rebuilt,
                    Err(error) => notice::error("gate", "log_unreadable", &"", &error),
                }
                return false;
            }
            memory.aborted(commit);
            return false;
        }
        memory.committed(commit);
        drop(memory);
        self.arm();
        true
    }

    /// Sends what the queue has not been given: now, or as soon as a busy gate may.
    fn ship_soon(self: &Rc<Self>) {
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

    /// Newest first, as far back as [`REPLAY_BYTES`] reach.
    fn glance(&self, since_ms: i64) -> Result<Vec<u8>> {
        let (mut sum, mut agents, mut bytes) = (Glance::default(), AgentCache::default(), 0);
        for row in execute(&self.sql, log::since(since_ms))?.raw() {
            let mut columns = row?.into_iter();
            let (seq, body) = (integer(&mut columns)?, blob(&mut columns)?);
            bytes += body.len();
            if bytes > REPLAY_BYTES {
                sum.since = seq + 1;
                break;
            }
            sum.merge(Glance::at(&body, since_ms, &mut agents));
        }
        Ok(sum.encode())
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
    fn arm(self: &Rc<Self>) {
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
    async fn wake(self: &Rc<Self>) {
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

/// A gate's memory, from its log.
fn remember(sql: &SqlStorage, name: GateName, settings: Settings) -> Result<Memory> {
    let rows = execute(sql, log::rows())?.raw().map(|row| row.and_then(row_of));
    let rows: Vec<Row> = rows.collect::<Result<_>>()?;
    let mut memory = Memory::rebuild(name, settings, rows, now_ms());
    recall(sql, &mut memory)?;
    Ok(memory)
}

fn row_of(columns: Vec<SqlStorageValue>) -> Result<Row> {
    let mut columns = columns.into_iter();
    Ok(Row {
        seq: integer(&mut columns)?,
        message: integer(&mut columns)?,
        at_ms: integer(&mut columns)?,
        admitted: integer(&mut columns)?,
        duplicates: integer(&mut columns)?,
        body: blob(&mut columns)?,
    })
}
