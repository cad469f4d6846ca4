//! The meter's Durable Object, which carries out what [`durable_objects::Meter`] decides, and how it is asked.

use std::cell::RefCell;
use std::rc::Rc;

use analytics::{EventId, Statement};
use durable_objects::meter::Meter as Memory;
use durable_objects::meter::grants::{self, Part};
use durable_objects::{MeterName, Taken};
use wasm_bindgen_futures::future_to_promise;
use worker::js_sys::{Promise, Uint8Array};
use worker::wasm_bindgen::prelude::*;
use worker::{
    DurableObject, Env, Error, Request, Response, Result, SqlStorage, SqlStorageValue, State, durable_object,
};

use crate::bindings::MeterStub;
use crate::clock::now_ms;
use crate::edge::Edge;
use crate::group_commit::{GroupCommit, Writes};
use crate::notice;
use crate::record::answer_of;
use crate::sql::{blob, execute, integer};

/// The Durable Object class. A thin delegate: everything that outlives a call is in [`Keeper`].
#[allow(missing_debug_implementations, reason = "nobody prints an object")]
#[durable_object(fetch)]
pub struct Meter {
    state: State,
    env: Env,
    keeper: RefCell<Option<Rc<Keeper>>>,
}

/// A meter's memory, and what it takes to keep it.
struct Keeper {
    memory: RefCell<Memory>,
    sql: SqlStorage,
    group: Rc<GroupCommit>,
}

impl DurableObject for Meter {
    fn new(state: State, env: Env) -> Self {
        // Storage is opened at the first call, not here: a failure would last as long as the object.
        Self { state, env, keeper: RefCell::new(None) }
    }

    async fn fetch(&self, _request: Request) -> Result<Response> {
        Response::error("meters are called by RPC", 404)
    }
}

impl Meter {
    fn keeper(&self) -> Result<Rc<Keeper>> {
        if let Some(keeper) = &*self.keeper.borrow() {
            return Ok(Rc::clone(keeper));
        }
        let sql = self.state.storage().sql();
        sql.exec(grants::SCHEMA, None)?;
        let memory = Memory::new(Edge::of(&self.env)?.config.commit_interval_ms);
        let keeper = Rc::new(Keeper { memory: RefCell::new(memory), sql, group: Rc::default() });
        *self.keeper.borrow_mut() = Some(Rc::clone(&keeper));
        Ok(keeper)
    }
}

#[wasm_bindgen]
impl Meter {
    /// Whether the event of these 16 bytes may follow the link: resolves to what [`parse`] reads, once it stands in
    /// storage; rejects if it could not be written.
    pub fn take(&self, link: String, id: Vec<u8>, max: f64) -> Promise {
        let keeper = self.keeper();
        future_to_promise(async move {
            let id = id.try_into().map_err(|_| broken("not an id of 16 bytes"))?;
            let taken = keeper?.take(&link, EventId::from_bytes(id), max as u64).await?;
            Ok(JsValue::from(text(taken)))
        })
    }

    /// Forgets a link that is gone for good.
    pub fn forget(&self, link: &str) -> std::result::Result<(), JsValue> {
        let keeper = self.keeper()?;
        let statement = keeper.memory.borrow_mut().forget(link);
        execute(&keeper.sql, statement)?;
        Ok(())
    }
}

impl Writes for Keeper {
    /// Writes the grants. No await from here to the end: the platform makes one transaction of it, and lets no answer
    /// out before it is on disk.
    fn write(self: Rc<Self>) -> bool {
        let mut memory = self.memory.borrow_mut();
        let mut commit = memory.commit(now_ms());
        let mut statements = commit.statements().into_iter();
        let written = statements.try_for_each(|statement| execute(&self.sql, statement).map(drop));
        if let Err(error) = &written {
            notice::error("meter", "commit_failed", &"", error);
            memory.failed(&commit);
        }
        written.is_ok()
    }
}

impl Keeper {
    async fn take(self: &Rc<Self>, link: &str, id: EventId, max: u64) -> Result<Taken> {
        let now_ms = now_ms();
        let (decision, due_ms) = {
            // Released before the first await: another call may come in during it.
            let mut memory = self.memory.borrow_mut();
            let decision = loop {
                match memory.take(link, id, max, now_ms) {
                    Ok(decision) => break decision,
                    Err(read) => memory.learn(link, self.parts(read)?, now_ms),
                }
            };
            (decision, memory.commit_due_ms(now_ms))
        };
        if decision.pending {
            let log = Rc::clone(self) as Rc<dyn Writes>;
            if !self.group.join(due_ms - now_ms, log).await {
                return Err(broken("the grant could not be written"));
            }
        }
        Ok(decision.taken)
    }

    fn parts(&self, read: Statement) -> Result<Vec<Part>> {
        execute(&self.sql, read)?.raw().map(|row| part_of(row?)).collect()
    }
}

fn part_of(columns: Vec<SqlStorageValue>) -> Result<Part> {
    let mut columns = columns.into_iter();
    Ok(Part {
        number: integer(&mut columns)?,
        used: integer(&mut columns)?,
        at_ms: integer(&mut columns)?,
        ids: blob(&mut columns)?,
    })
}

fn broken(why: &str) -> Error {
    Error::RustError(format!("meter: {why}"))
}

/// An answer on its way: a letter and the count.
fn text(Taken { granted, used }: Taken) -> String {
    format!("{}{used}", if granted { 'g' } else { 'r' })
}

fn parse(text: &str) -> Option<Taken> {
    let granted = match text.get(..1)? {
        "g" => true,
        "r" => false,
        _ => return None,
    };
    Some(Taken { granted, used: text.get(1..)?.parse().ok()? })
}

/// Asks the link's meter whether the event may follow it. After an error nobody knows whether it was granted; it may be
/// asked again, for the same id uses nothing up twice.
///
/// # Errors
/// The meter did not answer, not even at a second try.
pub(crate) async fn take(edge: &Edge, link: &str, id: EventId, max: u64) -> Result<Taken> {
    taken(edge, link, id, max).await
}

/// How often the link was granted.
pub(crate) async fn read(edge: &Edge, link: &str) -> Result<u64> {
    // Of a limit of none, nobody uses anything up.
    Ok(taken(edge, link, EventId::from_bytes([0; 16]), 0).await?.used)
}

async fn taken(edge: &Edge, link: &str, id: EventId, max: u64) -> Result<Taken> {
    let id = Uint8Array::from(id.as_bytes().as_slice());
    let answer = ask(edge, link, &|meter| meter.take(link, &id, max as f64)).await?;
    answer.as_string().as_deref().and_then(parse).ok_or_else(|| broken("an answer that nobody understands"))
}

/// Forgets a link that is gone for good.
pub(crate) async fn forget(edge: &Edge, link: &str) -> Result<()> {
    ask(edge, link, &|meter| meter.forget(link)).await.map(drop)
}

async fn ask(edge: &Edge, link: &str, call: &dyn Fn(&MeterStub) -> Promise) -> Result<JsValue> {
    let name = MeterName::of(link, edge.config.meter_shards);
    let mut tries = 0;
    loop {
        tries += 1;
        let meter = edge.meter(name)?;
        match answer_of(call(&meter)).await {
            Err(unreached) if unreached.again && tries < 2 => {}
            answer => return answer.map_err(|unreached| broken(&unreached.why)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_arrives_as_it_was_given() {
        for taken in [Taken { granted: true, used: 1 }, Taken { granted: false, used: u64::MAX }] {
            assert_eq!(parse(&text(taken)), Some(taken));
        }
        for text in ["", "g", "x1", "g-1", "r1.5", "é"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
