//! From an event at the edge to an event that is kept: by its gate, or round it.

use analytics::RawEvent;
use durable_objects::{Admission, GateName, Region};
use futures_channel::oneshot;
use futures_util::future::join_all;
use queues::{Broken, Frame, Head, MESSAGE_MAX_BYTES, Message, frames};
use wasm_bindgen_futures::JsFuture;
use worker::js_sys::{Array, Promise, Reflect};
use worker::wasm_bindgen;
use worker::wasm_bindgen::prelude::*;

use crate::call::Call;
use crate::edge::Edge;
use crate::notice;

#[wasm_bindgen(module = "/src/record.js")]
extern "C" {
    #[wasm_bindgen(catch, js_name = ask)]
    fn js_ask(
        gates: &JsValue,
        name: &str,
        hint: &str,
        head: &[u8],
        frames: &[u8],
        sharing: Option<u32>,
        ms: u32,
    ) -> Result<Promise, JsValue>;

    fn within(answer: &JsValue, ms: u32) -> Promise;
}

/// What became of a hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is kept, and will be counted once.
    Accepted,
    /// The gate has seen its id within the window.
    Duplicate,
    /// The gate has no room: the hit has to come again.
    Full,
    /// Larger than a message may be.
    TooLarge,
    /// Not an event.
    Malformed,
    /// Neither gate nor queue took it: the client still has it.
    Lost,
}

impl Verdict {
    pub(crate) fn of(admission: Admission) -> Self {
        match admission {
            Admission::New => Self::Accepted,
            Admission::Duplicate | Admission::DuplicateOfPending => Self::Duplicate,
            Admission::Full => Self::Full,
            Admission::TooLarge => Self::TooLarge,
        }
    }

    /// The verdict in a gate's answer.
    pub(crate) fn letter(self) -> char {
        match self {
            Self::Accepted => 'a',
            Self::Duplicate => 'd',
            Self::Full => 'f',
            Self::TooLarge => 'l',
            Self::Malformed | Self::Lost => 'm',
        }
    }

    fn of_letter(letter: char) -> Self {
        match letter {
            'a' => Self::Accepted,
            'd' => Self::Duplicate,
            'f' => Self::Full,
            'l' => Self::TooLarge,
            _ => Self::Malformed,
        }
    }
}

/// How long a gate may take. Its answer is due after one commit interval; a hit that waits longer goes round by the
/// queue, and if the gate had it after all, its second copy is turned away.
const PATIENCE_MS: u32 = 2_000;

/// Why an object did not answer.
pub(crate) struct Unreached {
    /// A new stub may get through.
    pub(crate) again: bool,
    pub(crate) why: String,
}

/// A visitor who waits for a redirect, but not for long. Let go by dropping it: the visitor is sent on, and what
/// there is to do is done without an audience.
pub(crate) struct Audience {
    pub(crate) patience_ms: u32,
    pub(crate) _waiting: oneshot::Sender<()>,
}

/// Keeps one event.
pub(crate) async fn record(edge: &Edge, event: &RawEvent<'_>, audience: Option<Audience>) -> Verdict {
    let mut frames = Vec::with_capacity(512);
    Frame::write_event(event, &mut frames);
    let gate = edge.maps.gate(Region::of(&event.whereabouts()), event.id);
    keep(edge, gate, &frames, 1, audience).await.into_iter().next().unwrap_or(Verdict::Lost)
}

/// Keeps several events; a verdict for each, in order. Each gate is called once, all of them at the same time.
pub(crate) async fn record_all(edge: &Edge, events: &[&RawEvent<'_>]) -> Vec<Verdict> {
    let mut calls: Vec<(GateName, Vec<usize>, Vec<u8>)> = Vec::new();
    for (place, event) in events.iter().enumerate() {
        let gate = edge.maps.gate(Region::of(&event.whereabouts()), event.id);
        let at = calls.iter().position(|(known, ..)| *known == gate).unwrap_or(calls.len());
        if at == calls.len() {
            calls.push((gate, Vec::new(), Vec::with_capacity(512)));
        }
        if let Some((_, places, frames)) = calls.get_mut(at) {
            places.push(place);
            Frame::write_event(event, frames);
        }
    }
    let answers = calls.into_iter().map(|(gate, places, frames)| async move {
        let verdicts = keep(edge, gate, &frames, places.len(), None).await;
        places.into_iter().zip(verdicts).collect::<Vec<_>>()
    });
    let mut verdicts = vec![Verdict::Lost; events.len()];
    for (place, verdict) in join_all(answers).await.into_iter().flatten() {
        if let Some(slot) = verdicts.get_mut(place) {
            *slot = verdict;
        }
    }
    verdicts
}

/// Gives frames of so many events to their gate, with those of other requests, if they are few; where the gate fails,
/// they go to the queue unadmitted, and are admitted later.
async fn keep(
    edge: &Edge,
    gate: GateName,
    frames_of_call: &[u8],
    events: usize,
    audience: Option<Audience>,
) -> Vec<Verdict> {
    let call = Asking { gate, head: &edge.call_head, frames: frames_of_call, sharing: Some(events as u32) };
    let verdicts = match ask(edge, &call, audience).await {
        Err(Unreached { again: true, .. }) => ask(edge, &call, None).await,
        answer => answer,
    };
    match verdicts {
        Ok(verdicts) if !verdicts.contains(&Verdict::Full) => verdicts,
        Ok(mut verdicts) => {
            let mut detour = Vec::new();
            for (frame, verdict) in frames(frames_of_call).zip(&mut verdicts) {
                if let (Ok(frame), Verdict::Full) = (frame, *verdict) {
                    frame.write(&mut detour);
                }
            }
            let taken = go_round(edge, &detour).await;
            let full = verdicts.iter_mut().filter(|verdict| **verdict == Verdict::Full);
            full.for_each(|verdict| *verdict = if taken { Verdict::Accepted } else { Verdict::Lost });
            verdicts
        }
        Err(Unreached { why, .. }) => {
            notice::warn("edge", "gate_silent", &gate, &why);
            let taken = go_round(edge, frames_of_call).await;
            let verdict = if taken { Verdict::Accepted } else { Verdict::Lost };
            vec![verdict; frames(frames_of_call).count()]
        }
    }
}

/// What is asked of a gate.
struct Asking<'a> {
    gate: GateName,
    /// What a [`Call`] begins with.
    head: &'a [u8],
    frames: &'a [u8],
    /// How many events these are, if they may go with those of other requests: it takes one verdict each to tell whose is whose.
    sharing: Option<u32>,
}

/// Asks a gate. One timer serves both the visitor's patience and ours, because each costs as much as reading ten
/// headers.
async fn ask(
    edge: &Edge,
    asking: &Asking<'_>,
    audience: Option<Audience>,
) -> Result<Vec<Verdict>, Unreached> {
    let &Asking { gate, head, frames, sharing } = asking;
    let patience_ms = audience.as_ref().map_or(PATIENCE_MS, |one| one.patience_ms);
    let hint = gate.region.location_hint().unwrap_or_default();
    let mut heard = match js_ask(edge.gates(), &gate.to_string(), hint, head, frames, sharing, patience_ms) {
        Ok(answer) => JsFuture::from(answer).await,
        Err(error) => return Err(Unreached { again: true, why: format!("{error:?}") }),
    };
    if audience.is_some()
        && let Some(answer) = late(&heard)
    {
        drop(audience);
        heard = JsFuture::from(within(&answer, PATIENCE_MS)).await;
    }
    let answer = reached(heard)?;
    Ok(answer.as_string().unwrap_or_default().chars().map(Verdict::of_letter).collect())
}

/// What an object answers, if it does so in time.
pub(crate) async fn answer_of(call: Promise) -> Result<JsValue, Unreached> {
    reached(JsFuture::from(within(&call, PATIENCE_MS)).await)
}

/// The promise of an answer that was not there in time.
fn late(heard: &Result<JsValue, JsValue>) -> Option<JsValue> {
    heard.as_ref().ok().and_then(|heard| heard.dyn_ref::<Array>()).map(|late| late.get(0))
}

fn reached(heard: Result<JsValue, JsValue>) -> Result<JsValue, Unreached> {
    if late(&heard).is_some() {
        return Err(Unreached { again: false, why: format!("no answer in {PATIENCE_MS} ms") });
    }
    heard.map_err(|error| {
        let flag =
            |name: &str| Reflect::get(&error, &JsValue::from_str(name)).is_ok_and(|flag| flag.is_truthy());
        // An overloaded object must not be asked again: that is what overloads it.
        let again = flag("retryable") && !flag("overloaded");
        Unreached { again, why: format!("{error:?}") }
    })
}

/// Puts frames into the queue that no gate has seen.
///
/// Whose visitor each is of it says itself; the message names a region for consumers of before that was asked.
async fn go_round(edge: &Edge, bytes: &[u8]) -> bool {
    let of = |frame| match frame {
        Frame::Event { body, .. } if edge.config.gate_regions => Some(Region::of_body(body).continent()),
        _ => None,
    };
    let region = frames(bytes).flatten().find_map(of).unwrap_or(Region::World);
    let most = MESSAGE_MAX_BYTES - 64;
    let mut packed: Vec<Vec<u8>> = vec![Vec::new()];
    for frame in frames(bytes).flatten() {
        let mut one = Vec::new();
        frame.write(&mut one);
        match packed.last_mut() {
            Some(last) if last.len() + one.len() <= most => last.extend_from_slice(&one),
            _ => packed.push(one),
        }
    }
    for frames in packed.iter().filter(|frames| !frames.is_empty()) {
        let message = Message::encode(Head::Unadmitted { region: region.name() }, frames);
        let sent = match edge.queue() {
            Ok(queue) => queue.send_bytes(&message).await,
            Err(error) => Err(error),
        };
        if let Err(error) = sent {
            notice::error("edge", "hit_not_taken", &region.name(), &error);
            return false;
        }
    }
    true
}

/// Passes frames that went round by the queue to their gates. Returns those that are not admitted: a gate did not answer,
/// has no room, or cannot know any more whether it has seen the event; or they are no events.
///
/// `late`: the window of a hit began when the edge received it. Not so for a dead letter that somebody replays, who has
/// looked at it and wants it counted.
pub(crate) async fn admit_again(edge: &Edge, bytes: &[u8], late: bool) -> Vec<u8> {
    let how = if late { Call::LATE } else { Call::PROMPT };
    let head = Call::begin(how, &edge.maps);
    let mut calls: Vec<(GateName, Vec<u8>)> = Vec::new();
    let mut left = Vec::new();
    for frame in frames(bytes) {
        match frame {
            Ok(frame @ Frame::Event { id, body }) => {
                let gate = edge.maps.gate(Region::of_body(body), id);
                let at = calls.iter().position(|(known, _)| *known == gate).unwrap_or(calls.len());
                if at == calls.len() {
                    calls.push((gate, Vec::new()));
                }
                if let Some((_, frames)) = calls.get_mut(at) {
                    frame.write(frames);
                }
            }
            Ok(frame @ (Frame::Duplicates(_) | Frame::Outcome(_))) => frame.write(&mut left),
            Err(Broken::Unknown(bytes) | Broken::Cut(bytes)) => left.extend_from_slice(bytes),
        }
    }
    let answers = join_all(calls.iter().map(|(gate, frames)| async {
        ask(edge, &Asking { gate: *gate, head: &head, frames, sharing: None }, None).await
    }));
    for ((_, of_gate), answer) in calls.iter().zip(answers.await) {
        let mut verdicts = answer.unwrap_or_default().into_iter();
        for frame in frames(of_gate).flatten() {
            if !matches!(verdicts.next(), Some(Verdict::Accepted | Verdict::Duplicate)) {
                frame.write(&mut left);
            }
        }
    }
    left
}

/// Puts frames that are still not admitted into the queue again, without the others of their message: those are
/// admitted, and a gate that had forgotten them by the next time could not tell.
pub(crate) async fn go_round_again(edge: &Edge, region: Region, left: &[u8]) -> bool {
    let message = Message::encode(Head::Unadmitted { region: region.name() }, left);
    match edge.queue() {
        Ok(queue) => queue.send_bytes(&message).await.is_ok(),
        Err(_) => false,
    }
}
