//! The queue's consumer: adds each message to the sums once.
//!
//! Nothing here returns an error or panics: an error from a queue handler resets the wasm instance, and every
//! object's memory with it. What fails is retried message by message.

use std::collections::HashSet;

use analytics::archive::Lines;
use analytics::columns::Points;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use durable_objects::Region;
use queues::ledger::DeadLetter;
use queues::plan::{Fate, Plan};
use queues::{Message, backoff_ms, ledger};
use serde::Deserialize;
use worker::js_sys::{ArrayBuffer, Uint8Array};
use worker::wasm_bindgen::prelude::*;
use worker::{Env, Result};

use crate::archive::keep;
use crate::bindings::STATS;
use crate::campaigns::{changes, learn, learn_spent, refresh};
use crate::clock::now_ms;
use crate::deliveries::wake;
use crate::edge::Edge;
use crate::journal::hand_to;
use crate::notice;
use crate::planning::{Beside, hand_over, planned};
use crate::record::{admit_again, go_round_again};
use crate::sql::transact;
use crate::sums::fold;
use crate::turn::pause;

#[wasm_bindgen]
extern "C" {
    /// A message as the platform hands it over; the SDK's lacks `attempts`.
    pub(crate) type QueueMessage;

    #[wasm_bindgen(method, getter)]
    fn id(this: &QueueMessage) -> String;
    #[wasm_bindgen(method, getter)]
    fn body(this: &QueueMessage) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn attempts(this: &QueueMessage) -> f64;
    #[wasm_bindgen(method)]
    pub(crate) fn ack(this: &QueueMessage);
    #[wasm_bindgen(method)]
    fn retry(this: &QueueMessage, options: &JsValue);
}

/// A message and its bytes.
pub(crate) struct Received {
    handle: QueueMessage,
    pub(crate) id: String,
    pub(crate) bytes: Vec<u8>,
}

impl Received {
    fn new(handle: QueueMessage) -> Self {
        let body = handle.body();
        let bytes = match body.dyn_ref::<ArrayBuffer>() {
            Some(buffer) => Uint8Array::new(buffer).to_vec(),
            None => body.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec).unwrap_or_default(),
        };
        Self { id: handle.id(), handle, bytes }
    }

    /// Has it come again, each time later.
    fn retry(&self) {
        let wait_ms = backoff_ms(1_000, self.handle.attempts() as u32, 300_000);
        let options = worker::js_sys::Object::new();
        let seconds = JsValue::from_f64((wait_ms as f64 / 1e3).ceil());
        // Setting a property of a fresh object cannot fail.
        let _ = worker::js_sys::Reflect::set(&options, &"delaySeconds".into(), &seconds);
        self.handle.retry(&options);
    }
}

/// Consumes a batch.
pub(crate) async fn consume(handles: Vec<QueueMessage>, env: &Env) {
    let batch: Vec<Received> = handles.into_iter().map(Received::new).collect();
    let edge = match Edge::of(env) {
        Ok(edge) => edge,
        Err(error) => {
            notice::error("consumer", "no_settings", &"", &error);
            batch.iter().for_each(Received::retry);
            return;
        }
    };
    let (plan, applied) = apply(&edge, env, &batch).await;
    for (message, fate) in batch.iter().zip(&plan.fates) {
        match fate {
            Fate::Counted => message.handle.ack(),
            Fate::Apply | Fate::Dead if applied.is_ok() => message.handle.ack(),
            Fate::Apply | Fate::Dead | Fate::Later => message.retry(),
            Fate::Hand { shard } => {
                if hand_late(&edge, *shard, message).await {
                    message.handle.ack();
                } else {
                    message.retry();
                }
            }
            Fate::Admit { region } => {
                let region = Region::parse(region).unwrap_or(Region::World);
                if admit_late(&edge, region, message).await {
                    message.handle.ack();
                } else {
                    message.retry();
                }
            }
        }
    }
    match applied {
        Ok(to_fold) => {
            for part in to_fold {
                pause().await;
                if let Err(error) = fold(&edge, part).await {
                    // Nothing is lost: the segments are still there, and the next consumer tries again.
                    notice::warn("consumer", "not_folded", &part, &error);
                }
            }
        }
        Err(error) => notice::error("consumer", "batch_not_applied", &"", &error),
    }
}

/// Applies the batch in one transaction, and tells which partitions are worth folding. If a message was counted
/// before, the ledger's key makes the transaction fail as a whole: then the ledger is asked which, and the rest is
/// applied. Redelivery is rare, so asking first would cost a round trip for nothing.
async fn apply(edge: &Edge, env: &Env, batch: &[Received]) -> (Plan, Result<Vec<u8>>) {
    let mut points = Points::default();
    let fresh = refresh(edge).await;
    let (mut plan, beside) = planned(edge, batch, &HashSet::new(), &mut points).await;
    // A batch that cannot be priced is not counted, but what no gate has admitted yet need not wait.
    let handed = match fresh {
        Ok(()) => hand_over(edge, &mut plan).await,
        Err(error) => Err(error),
    };
    pause().await;
    let written = match handed {
        Ok(()) => write(edge, &plan, beside).await,
        Err(error) => Err(error),
    };
    pause().await;
    let error = match written {
        Ok(to_fold) => {
            observe(env, points);
            edge.conduct.borrow_mut().learn(std::mem::take(&mut plan.conduct));
            return (plan, Ok(to_fold));
        }
        Err(error) => error,
    };
    // Somebody else has spent what was left of a budget.
    let overdrawn = error.to_string().contains("CHECK");
    if !overdrawn && !error.to_string().contains("UNIQUE") {
        return (plan, Err(error));
    }
    let counted = match learnt(edge, &plan).await {
        Ok(counted) => counted,
        Err(error) => return (plan, Err(error)),
    };
    let mut points = Points::default();
    let (mut plan, beside) = planned(edge, batch, &counted, &mut points).await;
    let written = write(edge, &plan, beside).await;
    if written.is_ok() {
        observe(env, points);
        edge.conduct.borrow_mut().learn(std::mem::take(&mut plan.conduct));
    }
    (plan, written)
}

/// Hands over what a journal did not take before. `false`: it has to come again.
async fn hand_late(edge: &Edge, shard: u16, message: &Received) -> bool {
    let call = Message::decode(&message.bytes).map_or(&[][..], |message| message.frames);
    let Err(error) = hand_to(edge, shard, call).await else { return true };
    if message.handle.attempts() < LATE_TRIES {
        return false;
    }
    let letter = DeadLetter {
        id: format!("unhanded {}", message.id),
        reason: format!("journey/{shard} did not take these footprints: {error}"),
        body: STANDARD.encode(&message.bytes),
    };
    transact(&edge.db, ledger::bury(&[letter], now_ms())).await.is_ok()
}

/// Where the lines of events go, if they are archived.
pub(crate) fn archived(edge: &Edge) -> Option<Lines> {
    (edge.config.archive && edge.archive.is_some()).then(Lines::default)
}

async fn write(edge: &Edge, plan: &Plan, beside: Beside) -> Result<Vec<u8>> {
    #[derive(Deserialize)]
    struct Part {
        part: u8,
    }
    let mut statements = plan.statements(now_ms());
    if statements.is_empty() {
        return Ok(Vec::new());
    }
    let Beside { lines, told } = beside;
    pause().await;
    statements.extend(keep(edge, lines).await?);
    pause().await;
    let tells = !told.is_empty();
    statements.extend(told);
    let refused = plan.charges.read_refused();
    let asks_for_refused = refused.is_some();
    statements.extend(refused);
    statements.extend(changes(edge));
    statements.push(ledger::partitions_to_fold(edge.config.fold_at_segments));
    let results = transact(&edge.db, statements).await?;
    plan.charges.written(&mut edge.campaigns.borrow_mut().campaigns);
    if tells {
        wake(edge, 0).await;
    }
    let [.., spent, campaigns, publishers, hooks, parts] = results.as_slice() else { return Ok(Vec::new()) };
    // It is counted: what fails from here on is asked for again.
    if asks_for_refused {
        let _ = learn_spent(edge, spent);
    }
    let _ = learn(edge, [campaigns, publishers, hooks]);
    let parts = parts.results::<Part>().unwrap_or_default();
    Ok(parts.into_iter().map(|row| row.part).collect())
}

/// Which messages of the plan were counted before; and on the way, what was spent of the campaigns that it charges.
async fn learnt(edge: &Edge, plan: &Plan) -> Result<HashSet<(String, i64)>> {
    #[derive(Deserialize)]
    struct Counted {
        gate: String,
        number: i64,
    }
    let messages: Vec<_> = plan.entries.iter().map(|entry| (entry.gate.clone(), entry.number)).collect();
    let results = transact(&edge.db, [ledger::counted(&messages), plan.charges.read()]).await?;
    let [counted, spent] = results.as_slice() else { return Ok(HashSet::new()) };
    learn_spent(edge, spent)?;
    Ok(counted.results::<Counted>()?.into_iter().map(|row| (row.gate, row.number)).collect())
}

/// A hit that no gate admits in so many tries, about half an hour, waits for somebody to look at it.
const LATE_TRIES: f64 = 12.0;

/// Has a message's hits admitted. `false`: the message has to come again.
async fn admit_late(edge: &Edge, region: Region, message: &Received) -> bool {
    let frames = Message::decode(&message.bytes).map_or(&[][..], |message| message.frames);
    let left = admit_again(edge, frames, true).await;
    if left.is_empty() {
        return true;
    }
    if left.len() < frames.len() {
        return go_round_again(edge, region, &left).await;
    }
    if message.handle.attempts() < LATE_TRIES {
        return false;
    }
    let letter = DeadLetter {
        id: format!("late {}", message.id),
        reason:
            "no gate admitted these hits: too late to tell whether they are duplicates, or no gate answered"
                .to_owned(),
        body: STANDARD.encode(&message.bytes),
    };
    transact(&edge.db, ledger::bury(&[letter], now_ms())).await.is_ok()
}

/// Puts data points where Analytics Engine can sample them. It acknowledges nothing, so nothing depends on it.
fn observe(env: &Env, points: Points) {
    let Ok(dataset) = env.analytics_engine(STATS) else { return };
    for point in points.finish() {
        let blobs = point.blobs.iter().map(String::as_str);
        let builder = worker::AnalyticsEngineDataPointBuilder::new()
            .indexes([point.index.as_str()])
            .blobs(blobs)
            .doubles(point.doubles);
        if let Err(error) = builder.write_to(&dataset) {
            notice::warn("consumer", "no_data_point", &"", &error);
            return;
        }
    }
}
