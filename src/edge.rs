//! What an isolate keeps between requests: settings, handles of bindings, and link records.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use analytics::capture::Rules;
use analytics::signature::Signer;
use analytics::visitor::{DayKey, day_of};
use durable_objects::{GateName, MeterName, Region};
use worker::wasm_bindgen::JsCast;
use worker::{D1Database, Env, Error, ObjectNamespace, Result};

use crate::auth::Used;
use crate::bindings::{
    ADMIN_TOKEN, CONFIG, DB, DELIVERIES, GATE, GateStub, LINKS, METER, MeterStub, QueueBinding,
    SIGNING_SECRET, VISITOR_SECRET,
};
use crate::campaigns::Held;
use crate::config::Config;
use crate::lookup::Known;
use crate::watch::Watch;

/// One isolate's view of the world. Handles are kept, because looking one up costs several crossings into
/// JavaScript; stubs are not, because a stub is broken for good after an error.
pub(crate) struct Edge {
    pub(crate) config: Config,
    pub(crate) rules: Rules,
    pub(crate) db: D1Database,
    pub(crate) links: worker::kv::KvStore,
    pub(crate) admin_token: String,
    pub(crate) signer: Signer,
    pub(crate) known: RefCell<Known>,
    pub(crate) watch: RefCell<Watch>,
    pub(crate) used: RefCell<Used>,
    pub(crate) campaigns: RefCell<Held>,
    pub(crate) deliveries: QueueBinding,
    /// Something was noted that a webhook may want to know of.
    pub(crate) poke: Cell<bool>,
    gates: ObjectNamespace,
    meters: ObjectNamespace,
    queues: Vec<QueueBinding>,
    visitor_secret: String,
    day_key: RefCell<Option<(i64, DayKey)>>,
    turn: Cell<usize>,
}

thread_local! {
    static EDGE: OnceCell<Rc<Edge>> = const { OnceCell::new() };
}

impl Edge {
    /// The isolate's edge, made at the first request.
    ///
    /// # Errors
    /// A binding, secret or setting is missing or not what it should be.
    pub(crate) fn of(env: &Env) -> Result<Rc<Self>> {
        EDGE.with(|cell| {
            if let Some(edge) = cell.get() {
                return Ok(Rc::clone(edge));
            }
            let edge = Rc::new(Self::new(env)?);
            Ok(Rc::clone(cell.get_or_init(|| edge)))
        })
    }

    fn new(env: &Env) -> Result<Self> {
        // Not at once: read from an object, a struct asks for its own fields and never sees a misspelt one.
        let config: serde_json::Value = env.object_var(CONFIG)?;
        let config: Config =
            serde_json::from_value(config).map_err(|error| Error::RustError(format!("CONFIG: {error}")))?;
        let queues: Result<Vec<_>> = config.queues.iter().map(|name| env.get_binding(name)).collect();
        let queues = queues?;
        if queues.is_empty() {
            return Err(Error::RustError("CONFIG.queues names no queue".to_owned()));
        }
        let signer = Signer::new(&env.secret(SIGNING_SECRET)?.to_string())
            .ok_or_else(|| Error::RustError("the secret SIGNING_SECRET is empty".to_owned()))?;
        Ok(Self {
            rules: Rules { app_schemes: config.app_schemes.clone(), signer: Some(signer.clone()) },
            db: env.d1(DB)?,
            links: env.kv(LINKS)?,
            admin_token: env.secret(ADMIN_TOKEN)?.to_string(),
            signer,
            known: RefCell::default(),
            watch: RefCell::default(),
            used: RefCell::default(),
            campaigns: RefCell::default(),
            deliveries: env.get_binding(DELIVERIES)?,
            poke: Cell::default(),
            gates: env.durable_object(GATE)?,
            meters: env.durable_object(METER)?,
            queues,
            visitor_secret: env.secret(VISITOR_SECRET)?.to_string(),
            day_key: RefCell::new(None),
            turn: Cell::new(0),
            config,
        })
    }

    /// The gates' region for a visitor.
    pub(crate) fn region(&self, continent: &str) -> Region {
        if self.config.gate_regions { Region::of_continent(continent) } else { Region::World }
    }

    /// A fresh stub of a gate.
    pub(crate) fn gate(&self, name: GateName) -> Result<GateStub> {
        let text = name.to_string();
        let stub = match name.region.location_hint() {
            Some(hint) => self.gates.get_by_name_with_location_hint(&text, hint)?,
            None => self.gates.get_by_name(&text)?,
        };
        Ok(stub.into_rpc::<worker::wasm_bindgen::JsValue>().unchecked_into())
    }

    /// A fresh stub of a meter.
    pub(crate) fn meter(&self, name: MeterName) -> Result<MeterStub> {
        let stub = self.meters.get_by_name(&name.to_string())?;
        Ok(stub.into_rpc::<worker::wasm_bindgen::JsValue>().unchecked_into())
    }

    /// The next event queue in turn: each takes 5,000 messages/s.
    pub(crate) fn queue(&self) -> Result<&QueueBinding> {
        let turn = self.turn.replace(self.turn.get().wrapping_add(1));
        let queue = self.queues.get(turn % self.queues.len().max(1));
        queue.ok_or_else(|| Error::RustError("CONFIG.queues names no queue".to_owned()))
    }

    /// The visitor hash of an address and browser today. The day's key is derived once a day.
    pub(crate) fn visitor(&self, address: &str, user_agent: &str, now_ms: i64) -> u64 {
        let today = day_of(now_ms);
        let mut cached = self.day_key.borrow_mut();
        match &*cached {
            Some((day, key)) if *day == today => key.visitor(address, user_agent),
            _ => {
                let key = DayKey::derive(self.visitor_secret.as_bytes(), today);
                let visitor = key.visitor(address, user_agent);
                *cached = Some((today, key));
                visitor
            }
        }
    }
}
