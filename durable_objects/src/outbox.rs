//! Which messages the queue has, and which the ledger has.

use std::collections::BTreeMap;

use queues::backoff_ms;

/// No message is asked after less often than this.
const MOST_WAIT_MS: i64 = 600_000;

#[derive(Debug)]
struct Shipment {
    events: i64,
    /// When to ask the ledger for it.
    due_ms: i64,
    attempts: u32,
    /// The frames, until the queue has taken them. After a restart, or a failure, the log has them.
    frames: Option<Vec<u8>>,
}

/// Messages that the ledger does not know yet, by number.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    shipments: BTreeMap<i64, Shipment>,
    /// The message that the next row joins, unless it is full.
    open: Option<i64>,
}

impl Outbox {
    /// The message that a row of this size joins: the open one, or a new one with the row's own number. A message
    /// that has left is never added to: its content is fixed by the log from then on.
    pub(crate) fn message_for(&self, seq: i64, bytes: usize, most: usize) -> i64 {
        let open = self.open.and_then(|number| Some((number, self.shipments.get(&number)?.frames.as_ref()?)));
        match open {
            Some((number, frames)) if frames.len() + bytes <= most => number,
            _ => seq,
        }
    }

    /// Adds a committed row.
    pub(crate) fn add(&mut self, message: i64, body: &[u8], events: i64, due_ms: i64) {
        let new = || Shipment { events: 0, due_ms, attempts: 0, frames: Some(Vec::new()) };
        let shipment = self.shipments.entry(message).or_insert_with(new);
        shipment.events += events;
        if let Some(frames) = &mut shipment.frames {
            frames.extend_from_slice(body);
        }
        self.open = Some(message);
    }

    /// A message found in the log on start: whether it was sent is not known, so the ledger is asked first.
    pub(crate) fn recover(&mut self, message: i64, events: i64, due_ms: i64) {
        let new = Shipment { events: 0, due_ms, attempts: 0, frames: None };
        self.shipments.entry(message).or_insert(new).events += events;
    }

    /// What the queue has not been given: number and frames. They are taken out; the open message is closed.
    pub(crate) fn take(&mut self, confirm_ms: i64) -> Vec<(i64, Vec<u8>)> {
        self.open = None;
        self.shipments
            .iter_mut()
            .filter_map(|(&number, shipment)| {
                let frames = shipment.frames.take()?;
                // Of these alone: if each shipment put off the asking for all, a busy gate would never ask.
                shipment.due_ms = confirm_ms;
                Some((number, frames))
            })
            .collect()
    }

    pub(crate) fn has_unsent(&self) -> bool {
        self.shipments.values().rev().any(|shipment| shipment.frames.is_some())
    }

    /// The queue did not take it: try again, from the log, each time later.
    pub(crate) fn retry(&mut self, number: i64, now_ms: i64, first_wait_ms: i64) {
        if let Some(shipment) = self.shipments.get_mut(&number) {
            shipment.due_ms = now_ms + backoff_ms(first_wait_ms, shipment.attempts, MOST_WAIT_MS);
        }
    }

    /// The ledger has it.
    pub(crate) fn confirm(&mut self, number: i64) {
        self.shipments.remove(&number);
    }

    /// Messages whose time has come and that the ledger does not know: they are sent again, each time later.
    pub(crate) fn overdue(&mut self, now_ms: i64, first_wait_ms: i64) -> Vec<i64> {
        self.shipments
            .iter_mut()
            .filter(|(_, shipment)| shipment.frames.is_none() && shipment.due_ms <= now_ms)
            .map(|(&number, shipment)| {
                shipment.attempts += 1;
                shipment.due_ms = now_ms + backoff_ms(first_wait_ms, shipment.attempts, MOST_WAIT_MS);
                number
            })
            .collect()
    }

    /// When the next message is to be asked after.
    pub(crate) fn due_ms(&self) -> Option<i64> {
        self.shipments.values().map(|shipment| shipment.due_ms).min()
    }

    /// The oldest message that the ledger does not know.
    pub(crate) fn oldest(&self) -> Option<i64> {
        self.shipments.keys().next().copied()
    }

    /// How many events are in each.
    pub(crate) fn events(&self) -> impl Iterator<Item = (i64, i64)> {
        self.shipments.iter().map(|(&number, shipment)| (number, shipment.events))
    }
}
