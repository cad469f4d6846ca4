//! The queue, its consumers and the database, message by message.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use crate::gate::Message;
use crate::model::{FOLD_AT, HOUR, Model, PARTITIONS};
use crate::series::{Latencies, STEP};

/// What the platform allows.
const BATCH: usize = 100;
const BATCH_WAIT: f64 = 5.0;
const CONSUMERS: usize = 250;

pub struct Outcome {
    /// From the hit until it is in the sums.
    pub counted: Latencies,
    /// Events on their way, at the end of each step.
    pub backlog: Vec<f64>,
    pub transactions: u64,
    pub rows: f64,
    pub operations: f64,
    /// Messages of the busiest second, and the database's busiest step: the share of it that it was busy.
    pub messages_per_second: u32,
    pub busiest: f64,
    pub last: f64,
}

/// `arrived` are events that came in each step.
pub fn run(model: &Model, messages: Vec<Message>, arrived: &[f64]) -> Outcome {
    let (mut messages, tries) = admitted(model, messages);
    messages.sort_by(|a, b| a.at.total_cmp(&b.at));
    let mut out = Outcome {
        counted: Latencies::new(HOUR),
        backlog: Vec::new(),
        transactions: 0,
        rows: 0.0,
        // Written, read, deleted; and what went round, each time that it was tried.
        operations: 3.0 * messages.len() as f64 + tries,
        messages_per_second: 0,
        busiest: 0.0,
        last: 0.0,
    };
    let mut per_second = vec![0u32; 2 * HOUR];
    let mut counted = vec![0.0; 2 * HOUR / STEP];
    let mut busy = vec![0.0; 2 * HOUR / STEP];
    let mut free_databases: Vec<f64> = vec![0.0; model.databases];
    // When each of the consumers is free again.
    let mut free: BinaryHeap<Reverse<u64>> = (0..CONSUMERS).map(|_| Reverse(0)).collect();
    let mut waiting: VecDeque<Message> = VecDeque::new();
    let mut messages = messages.into_iter().peekable();
    let mut now = 0.0f64;
    while messages.peek().is_some() || !waiting.is_empty() {
        while let Some(message) = messages.next_if(|message| message.at <= now) {
            per_second[(message.at as usize).min(2 * HOUR - 1)] += 1;
            waiting.push_back(message);
        }
        let Some(first) = waiting.front() else {
            now = messages.peek().map_or(now, |next| next.at.max(now));
            continue;
        };
        let soonest = free.peek().map_or(0.0, |Reverse(micros)| *micros as f64 / 1e6);
        let ready = if waiting.len() >= BATCH { now } else { first.at + BATCH_WAIT };
        let begin = ready.max(soonest).max(now);
        if let Some(next) = messages.peek()
            && next.at < begin
            && waiting.len() < BATCH
        {
            now = next.at.max(now);
            continue;
        }
        now = begin;
        let batch: Vec<_> = waiting.drain(..waiting.len().min(BATCH)).collect();
        let events: f64 = batch.iter().map(|message| f64::from(message.events)).sum();
        free.pop();
        // Ledger and totals, a row for each message or nearly; a segment for each partition.
        let rows = (2 * batch.len() + PARTITIONS) as f64;
        let folds = PARTITIONS as f64 / FOLD_AT as f64;
        let takes = model.transaction + rows / model.databases as f64 * model.row;
        let mut done = 0.0f64;
        for database in &mut free_databases {
            let start = database.max(begin + events * model.consume);
            *database = start + takes + folds * model.fold / model.databases as f64;
            done = done.max(start + takes);
            busy[(start as usize / STEP).min(2 * HOUR / STEP - 1)] += *database - start;
        }
        free.push(Reverse((done * 1e6) as u64));
        out.transactions += model.databases as u64;
        // The ledger's rows and the segments are deleted once, the totals are not.
        out.rows += (3 * batch.len() + 2 * PARTITIONS) as f64 + folds * (model.fold_rows + 2.0);
        out.last = out.last.max(done);
        for message in &batch {
            out.counted.add(message.since, done - message.since, message.events);
            counted[(done as usize / STEP).min(2 * HOUR / STEP - 1)] += f64::from(message.events);
        }
    }
    let mut open = 0.0;
    for (arrived, counted) in arrived.iter().zip(&counted) {
        open += arrived - counted;
        out.backlog.push(open);
    }
    out.messages_per_second = per_second.into_iter().max().unwrap_or(0);
    out.busiest = busy.into_iter().fold(0.0, f64::max) / (STEP * model.databases) as f64;
    out
}

/// What went round by the queue is passed to its gate: tried again, each time later, until that answers. Then it leaves
/// with the gate's other events of that second. Returns all that is to be counted, and the queue's operations for it.
fn admitted(model: &Model, messages: Vec<Message>) -> (Vec<Message>, f64) {
    let mut operations = 0.0;
    let mut late: BTreeMap<u64, Message> = BTreeMap::new();
    let (round, mut rest): (Vec<_>, Vec<_>) = messages.into_iter().partition(|message| message.round);
    for message in round {
        let (mut at, mut wait) = (message.at + 1.0, 1.0);
        operations += 3.0;
        while model.is_dead(at) {
            at += wait;
            wait *= 2.0;
            operations += 1.0;
        }
        let second = at as u64 + 1;
        let new = || Message { at: second as f64, events: 0, since: message.since, round: false };
        let joint = late.entry(second).or_insert_with(new);
        joint.events += message.events;
        joint.since = joint.since.min(message.since);
    }
    rest.extend(late.into_values());
    (rest, operations)
}
