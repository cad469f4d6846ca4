//! The gate's Durable Object: carries out what [`durable_objects::Gate`] decides.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use analytics::{AgentCache, RawEvent};
use durable_objects::gate::Gate as Memory;
use durable_objects::gate::handover::SCHEMA;
use durable_objects::live::REPLAY_BYTES;
use durable_objects::log::{self, Row};
use durable_objects::{Admission, GateName, Settings};
use queues::{Frame, Glance, frames};
use worker::js_sys::Promise;
use worker::wasm_bindgen::prelude::*;
use worker::{
    DurableObject, Env, Error, Request, Response, Result, SqlStorage, SqlStorageValue, State, durable_object,
};

use crate::call::Call;
use crate::clock::now_ms;
use crate::edge::Edge;
use crate::group_commit::{GroupCommit, Writes};
use crate::handover::{Arrivals, recall};
use crate::notice;
use crate::record::Verdict;
use crate::sql::{blob, execute, integer};

/// The Durable Object class. A thin delegate: everything that outlives a call is in [`Keeper`].
#[allow(missing_debug_implementations, reason = "nobody prints an object")]
#[durable_object(alarm)]
pub struct Gate {
    platform: Rc<Platform>,
    keeper: RefCell<Option<Rc<Keeper>>>,
}

/// What the platform gives an object.
pub(crate) struct Platform {
    pub(crate) state: State,
    pub(crate) env: Env,
}

/// A gate's memory, and what it takes to keep it.
pub(crate) struct Keeper {
    pub(crate) memory: RefCell<Memory>,
    pub(crate) platform: Rc<Platform>,
    pub(crate) sql: SqlStorage,
    pub(crate) arrivals: Arrivals,
    pub(crate) group: Rc<GroupCommit>,
    pub(crate) shipping: Cell<bool>,
    /// Until when somebody watches the live view; `None` if the gate has not been told, nor asked.
    pub(crate) watched_ms: Cell<Option<i64>>,
    /// When the platform is going to wake the gate, as far as this memory knows.
    pub(crate) armed_ms: Cell<Option<i64>>,
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
        let region = self.memory.borrow().name().region;
        let Some(call) = Call::read(call, region) else {
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
    pub(crate) fn commit(self: &Rc<Self>) -> bool {
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
