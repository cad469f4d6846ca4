//! The live view: its Durable Object, which carries out what [`durable_objects::live`] argues, and its two routes.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use durable_objects::live::{
    LEASE_MS, Live as Memory, RECENT_MS, RENEW_MS, REPLAY_MS, SOCKET_MS, WATCHERS_MAX,
};
use futures_channel::oneshot;
use futures_util::future::join_all;
use queues::Glance;
use wasm_bindgen_futures::{JsFuture, future_to_promise, spawn_local};
use worker::js_sys::{Promise, Uint8Array};
use worker::wasm_bindgen::prelude::*;
use worker::{
    DurableObject, Env, Error, Method, Request, Response, Result, State, WebSocket, WebSocketIncomingMessage,
    WebSocketPair, WebSocketRequestResponsePair, durable_object,
};

use crate::answer::json_text;
use crate::auth::{Scope, allowed};
use crate::bindings::GateStub;
use crate::clock::now_ms;
use crate::edge::Edge;
use crate::group_commit::sleep;
use crate::notice;
use crate::problem::Problem;
use crate::record::answer_of;
use crate::stats::names;

/// The Durable Object class: one object, called `live`. A thin delegate.
#[allow(missing_debug_implementations, reason = "nobody prints an object")]
#[durable_object]
pub struct Live {
    hub: Rc<Hub>,
}

/// The sockets are the platform's to remember; this is what may be lost when the hub sleeps.
struct Hub {
    state: State,
    env: Env,
    memory: RefCell<Memory>,
    /// When the gates' logs were read last, and what they said.
    recent: RefCell<(i64, String)>,
    /// Those who wait for it, while it is being read.
    waiting: RefCell<Vec<oneshot::Sender<()>>>,
    reading: Cell<bool>,
}

impl DurableObject for Live {
    fn new(state: State, env: Env) -> Self {
        // A hub that sleeps answers that it is there without being woken.
        if let Ok(pair) = WebSocketRequestResponsePair::new("ping", "pong") {
            state.set_websocket_auto_response(&pair);
        }
        Self {
            hub: Rc::new(Hub {
                state,
                env,
                memory: RefCell::default(),
                recent: RefCell::default(),
                waiting: RefCell::default(),
                reading: Cell::new(false),
            }),
        }
    }

    /// Somebody wants to watch. Who may was decided at the edge.
    async fn fetch(&self, _request: Request) -> Result<Response> {
        if self.hub.state.get_websockets().len() >= WATCHERS_MAX {
            return Problem::Unavailable("too many are watching; ask /stats/recent now and then".into())
                .response();
        }
        let pair = WebSocketPair::new()?;
        let until = (now_ms() + SOCKET_MS).to_string();
        self.hub.state.accept_websocket_with_tags(&pair.server, &[&until]);
        let hub = Rc::clone(&self.hub);
        spawn_local(async move {
            hub.lease().await;
            let recent = hub.recent(now_ms()).await;
            // A socket that is closed by now does not mind.
            let _ = pair.server.send_with_str(format!("{{\"replay\":true,\"glance\":{recent}}}"));
        });
        Response::from_websocket(pair.client)
    }

    /// Renews the lease while anybody watches.
    async fn alarm(&self) -> Result<Response> {
        let now_ms = now_ms();
        for socket in self.hub.state.get_websockets() {
            let tags = self.hub.state.get_tags(&socket);
            if tags.first().and_then(|until| until.parse().ok()).is_some_and(|until: i64| until < now_ms) {
                let _ = socket.close(Some(1000), Some("show your key again"));
            }
        }
        if !self.hub.state.get_websockets().is_empty() {
            self.hub.lease().await;
        }
        Response::empty()
    }

    /// Nothing but `ping` is ever said, and that is answered without waking the hub.
    async fn websocket_message(&self, _socket: WebSocket, _message: WebSocketIncomingMessage) -> Result<()> {
        Ok(())
    }

    async fn websocket_close(&self, socket: WebSocket, _: usize, _: String, _: bool) -> Result<()> {
        // Some close codes may not be sent back; the connection is gone either way.
        let _ = socket.close(Some(1000), None::<&str>);
        Ok(())
    }

    async fn websocket_error(&self, _socket: WebSocket, _error: Error) -> Result<()> {
        Ok(())
    }
}

#[wasm_bindgen]
impl Live {
    /// Takes what a gate saw. Answers until when it is to go on showing, epoch ms; 0 if nobody watches.
    pub fn peek(&self, glance: &[u8]) -> f64 {
        let watchers = self.hub.state.get_websockets().len();
        if watchers == 0 {
            return 0.0;
        }
        let Some(glance) = Glance::decode(glance) else { return 0.0 };
        let due_in = self.hub.memory.borrow_mut().peek(glance, watchers);
        if let Some(ms) = due_in {
            let hub = Rc::clone(&self.hub);
            spawn_local(async move {
                sleep(ms).await;
                hub.tell();
            });
        }
        (now_ms() + LEASE_MS) as f64
    }

    /// What was recent, as JSON.
    pub fn recent(&self) -> Promise {
        let hub = Rc::clone(&self.hub);
        future_to_promise(async move { Ok(JsValue::from(hub.recent(now_ms() - RECENT_MS).await)) })
    }
}

impl Hub {
    /// Tells everybody. The text is made once.
    fn tell(&self) {
        let Some(glance) = self.memory.borrow_mut().take() else { return };
        let Ok(glance) = serde_json::to_string(&glance) else { return };
        let text = format!("{{\"replay\":false,\"glance\":{glance}}}");
        for socket in self.state.get_websockets() {
            let _ = socket.send_with_str(&text);
        }
    }

    /// Tells every gate that somebody watches, and sees to it that they are told again.
    async fn lease(&self) {
        let storage = self.state.storage();
        let armed = storage.get_alarm().await.ok().flatten().is_some_and(|at_ms| at_ms > now_ms());
        if !armed && let Err(error) = storage.set_alarm(RENEW_MS).await {
            notice::warn("live", "no_alarm", &"", &error);
        }
        let until = (now_ms() + LEASE_MS) as f64;
        self.ask_gates(&|gate| gate.watch(until)).await;
    }

    /// What every gate answers that does so in time.
    async fn ask_gates(&self, call: &dyn Fn(&GateStub) -> Promise) -> Vec<JsValue> {
        let Ok(edge) = Edge::of(&self.env) else { return Vec::new() };
        let asked = names(&edge).into_iter().filter_map(|name| edge.gate(name).ok()).map(|gate| {
            let answer = call(&gate);
            async move { answer_of(answer).await.ok() }
        });
        join_all(asked).await.into_iter().flatten().collect()
    }

    /// What the gates' logs say of the last minutes, read at `wanted_ms` or later. One reading serves all who wait for it;
    /// who connects during it waits for the next, because what came in between is in no tick of theirs.
    async fn recent(&self, wanted_ms: i64) -> String {
        while self.recent.borrow().0 < wanted_ms {
            if self.reading.replace(true) {
                let (sender, read) = oneshot::channel();
                self.waiting.borrow_mut().push(sender);
                let _ = read.await;
                continue;
            }
            let now_ms = now_ms();
            let since_ms = now_ms - REPLAY_MS;
            let mut sum = Glance { since: since_ms, ..Glance::default() };
            for answer in self.ask_gates(&|gate| gate.glance(since_ms as f64)).await {
                let bytes = answer.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec);
                sum.merge(bytes.and_then(|bytes| Glance::decode(&bytes)).unwrap_or_default());
            }
            // Not before what was wanted, whatever a clock says that was set back: else nobody would ever be answered.
            let read_ms = now_ms.max(wanted_ms);
            *self.recent.borrow_mut() = (read_ms, serde_json::to_string(&sum).unwrap_or_default());
            self.reading.set(false);
            // Whoever is gone does not mind.
            for asker in self.waiting.take() {
                let _ = asker.send(());
            }
        }
        self.recent.borrow().1.clone()
    }
}

/// `GET /stats/live`: a WebSocket on which each event appears within two seconds.
pub(crate) async fn watch(request: Request, env: &Env) -> Result<Response, Problem> {
    if request.method() != Method::Get {
        return Err(Problem::MethodNotAllowed("GET"));
    }
    allowed(&request, env, Scope::StatsRead).await?;
    if request.headers().get("upgrade")?.is_none_or(|name| !name.eq_ignore_ascii_case("websocket")) {
        return Err(Problem::UpgradeRequired);
    }
    Ok(Edge::of(env)?.live_object()?.fetch_with_request(request).await?)
}

/// `GET /stats/recent`: the last minutes, for whoever cannot hold a socket.
pub(crate) async fn recent(request: &Request, env: &Env) -> Result<Response, Problem> {
    if request.method() != Method::Get {
        return Err(Problem::MethodNotAllowed("GET"));
    }
    allowed(request, env, Scope::StatsRead).await?;
    let text = JsFuture::from(Edge::of(env)?.live()?.recent()).await.map_err(Error::from)?;
    Ok(json_text(text.as_string().unwrap_or_default())?)
}
