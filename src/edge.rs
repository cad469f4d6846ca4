//! What an isolate keeps between requests: settings, handles of bindings, and link records.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use analytics::Conduct;
use analytics::capture::Rules;
use analytics::homes::Homes;
use analytics::privacy::Policy;
use analytics::privacy::dropped::Dropped;
use analytics::signature::Signer;
use analytics::visitor::{DayKey, Secrets, day_of};
use durable_objects::{GateName, JournalName, Maps, MeterName};
use queues::Bonds;
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::{D1Database, Env, Error, ObjectNamespace, Result, Stub};

use crate::archive::Bucket;
use crate::auth::{Seen, Used};
use crate::bindings::{
    ADMIN_TOKEN, ARCHIVE, CONFIG, DB, DELIVERIES, GATE, GateStub, JOURNAL, JournalStub, LINKS, LIVE,
    LiveStub, METER, MeterStub, POSTBACK_SECRET, QueueBinding, SIGNING_SECRET, VISITOR_SECRET,
    VISITOR_SECRET_BEFORE, objects,
};
use crate::call::Call;
use crate::campaigns::Held;
use crate::config::{Config, Jurisdiction, Unknown};
use crate::layout;
use crate::limits::Limits;
use crate::lookup::Known;
use crate::tries::Tries;
use crate::watch::Watch;

/// One isolate's view of the world. Handles are kept, because looking one up costs several crossings into
/// JavaScript; stubs are not, because a stub is broken for good after an error.
pub(crate) struct Edge {
    pub(crate) config: Config,
    pub(crate) maps: Maps,
    /// What a call to a gate begins with.
    pub(crate) call_head: Vec<u8>,
    pub(crate) rules: Rules,
    pub(crate) privacy: Policy,
    pub(crate) dropped: RefCell<Dropped>,
    pub(crate) db: D1Database,
    /// Those that have pages and nothing else.
    pub(crate) away: Vec<D1Database>,
    pub(crate) homes: Homes,
    /// Absent where there is no such binding.
    pub(crate) archive: Option<Bucket>,
    pub(crate) links: worker::kv::KvStore,
    pub(crate) admin_token: String,
    pub(crate) signer: Signer,
    /// The secret that other servers sign postbacks with, if there is one.
    pub(crate) postback_secret: Option<String>,
    pub(crate) known: RefCell<Known>,
    pub(crate) watch: RefCell<Watch>,
    pub(crate) used: RefCell<Used>,
    pub(crate) campaigns: RefCell<Held>,
    pub(crate) bonds: RefCell<Bonds>,
    pub(crate) conduct: RefCell<Conduct>,
    pub(crate) limits: Limits,
    pub(crate) tries: RefCell<Tries>,
    pub(crate) seen: RefCell<Seen>,
    pub(crate) deliveries: QueueBinding,
    /// Something was noted that a webhook may want to know of.
    pub(crate) poke: Cell<bool>,
    gates: ObjectNamespace,
    meters: ObjectNamespace,
    journals: ObjectNamespace,
    lives: ObjectNamespace,
    queues: Vec<QueueBinding>,
    visitor_secrets: Secrets,
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
        let wrong = |why: &dyn std::fmt::Display| Error::RustError(format!("CONFIG: {why}"));
        let mut config: Config = serde_json::from_value(config).map_err(|error| wrong(&error))?;
        // Within a jurisdiction there are no continents to be near to.
        config.gate_regions &= config.jurisdiction == Jurisdiction::Anywhere;
        let object = |binding| objects(env, binding, config.jurisdiction.name());
        let queues: Result<Vec<_>> = config.queues.iter().map(|name| env.get_binding(name)).collect();
        let queues = queues?;
        if queues.is_empty() {
            return Err(Error::RustError("CONFIG.queues names no queue".to_owned()));
        }
        let homes = Homes::new(&config.databases_before, config.databases.len())
            .filter(|_| config.databases.first().is_some_and(|first| first == DB));
        let homes = homes.ok_or_else(|| {
            Error::RustError("CONFIG.databases is not DB and up to 7 more, and never was more".to_owned())
        })?;
        let away: Result<_> = config.databases.iter().skip(1).map(|name| env.d1(name)).collect();
        let signer = Signer::new(&env.secret(SIGNING_SECRET)?.to_string())
            .ok_or_else(|| Error::RustError("the secret SIGNING_SECRET is empty".to_owned()))?;
        let secret = |name| env.secret(name).map(|secret| secret.to_string());
        let secret_before = secret(VISITOR_SECRET_BEFORE).ok();
        let secret_day = config.secret_day().map_err(|why| wrong(&why))?;
        let maps = layout::maps(&config.gate_shards_before, &config.gate_shards, config.gate_regions);
        let maps = maps.map_err(|why| wrong(&why))?;
        let gathers = config.unknown_campaigns != Unknown::Count;
        Ok(Self {
            call_head: Call::begin(Call::PROMPT, &maps),
            maps,
            rules: Rules { app_schemes: config.app_schemes.clone(), signer: Some(signer.clone()), gathers },
            privacy: config.policy(&signer).map_err(|why| wrong(&why))?,
            dropped: RefCell::default(),
            db: env.d1(DB)?,
            away: away?,
            homes,
            archive: env.get_binding(ARCHIVE).ok(),
            links: env.kv(LINKS)?,
            admin_token: env.secret(ADMIN_TOKEN)?.to_string(),
            signer,
            postback_secret: env.secret(POSTBACK_SECRET).ok().map(|secret| secret.to_string()),
            known: RefCell::default(),
            watch: RefCell::default(),
            used: RefCell::default(),
            bonds: RefCell::default(),
            conduct: RefCell::new(Conduct::new(config.burst_clicks)),
            campaigns: RefCell::new(Held::new(
                if gathers { 0 } else { config.unknown_most },
                config.unknown_most,
            )),
            limits: Limits::of(env, config.rate_limits)?,
            tries: RefCell::default(),
            seen: RefCell::default(),
            deliveries: env.get_binding(DELIVERIES)?,
            poke: Cell::default(),
            gates: object(GATE)?,
            meters: object(METER)?,
            journals: object(JOURNAL)?,
            lives: object(LIVE)?,
            queues,
            visitor_secrets: Secrets::new(secret(VISITOR_SECRET)?, secret_before.zip(secret_day)),
            day_key: RefCell::new(None),
            turn: Cell::new(0),
            config,
        })
    }

    /// How long a body may take. Also where settings cannot be read, which is said elsewhere.
    pub(crate) fn body_ms() -> f64 {
        EDGE.with(|cell| cell.get().map_or(10.0, |edge| edge.config.body_seconds)) * 1e3
    }

    /// The database of this number.
    pub(crate) fn database(&self, number: usize) -> Result<&D1Database> {
        let away = number.checked_sub(1).map_or(Some(&self.db), |away| self.away.get(away));
        away.ok_or_else(|| Error::RustError(format!("there is no database {number}")))
    }

    /// The gates' namespace.
    pub(crate) fn gates(&self) -> &JsValue {
        self.gates.as_ref()
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

    /// A fresh stub of a journal.
    pub(crate) fn journal(&self, name: JournalName) -> Result<JournalStub> {
        let stub = self.journals.get_by_name(&name.to_string())?;
        Ok(stub.into_rpc::<worker::wasm_bindgen::JsValue>().unchecked_into())
    }

    /// A fresh stub of the live view's hub, for a request. There is one for the world: watchers are few, and all of them
    /// want to see everything.
    pub(crate) fn live_object(&self) -> Result<Stub> {
        self.lives.get_by_name("live")
    }

    /// The same, for calls.
    pub(crate) fn live(&self) -> Result<LiveStub> {
        Ok(self.live_object()?.into_rpc::<worker::wasm_bindgen::JsValue>().unchecked_into())
    }

    /// The next event queue in turn: each takes 5,000 messages/s.
    pub(crate) fn queue(&self) -> Result<&QueueBinding> {
        let turn = self.turn.replace(self.turn.get().wrapping_add(1));
        let queue = self.queues.get(turn % self.queues.len().max(1));
        queue.ok_or_else(|| Error::RustError("CONFIG.queues names no queue".to_owned()))
    }

    /// The visitor hash of an address and browser today; of somebody anonymous one that is stored nowhere. The day's key is
    /// derived once a day.
    pub(crate) fn visitor(&self, address: &str, user_agent: &str, now_ms: i64, known: bool) -> u64 {
        let today = day_of(now_ms);
        let of = |key: &DayKey| {
            if known { key.visitor(address, user_agent) } else { key.veiled(address, user_agent) }
        };
        let mut cached = self.day_key.borrow_mut();
        match &*cached {
            Some((day, key)) if *day == today => of(key),
            _ => {
                let key = self.visitor_secrets.key(today);
                let visitor = of(&key);
                *cached = Some((today, key));
                visitor
            }
        }
    }
}
