//! What changed of links lately, so that no copy of one is believed for longer than a few seconds.
//!
//! An isolate keeps links in memory, and a data centre keeps KV's copies for a minute; neither hears of a change that was made
//! elsewhere. Every change is noted in the audit trail in the transaction that makes it, under ascending numbers: an
//! isolate that asks for what is behind the last number it has seen misses none. It asks behind an answer, at most every
//! `link_watch_seconds` and only while it has traffic; mostly the answer is nothing, and costs one row read.

use std::collections::HashMap;
use std::rc::Rc;

use analytics::audit::{self, LINK_CHANGES_MAX};
use serde::Deserialize;
use worker::Context;

use crate::clock::now_ms;
use crate::edge::Edge;
use crate::notice;
use crate::sql::read;

/// So long after a change KV may still give the old record: a data centre keeps its copy for 60 s, and learns of
/// another within 60 s.
const KV_STALE_MS: i64 = 150_000;

/// What an isolate knows of changes.
#[derive(Default)]
pub(crate) struct Watch {
    /// The last number it has seen.
    seen: Option<i64>,
    asked_ms: i64,
    answered_ms: i64,
    /// Keys of links that changed lately, and when.
    changed: HashMap<String, i64>,
}

#[derive(Deserialize)]
struct Row {
    id: i64,
    at_ms: i64,
    entity_id: String,
}

impl Watch {
    /// Whether everything is known that changed up to a moment ago.
    pub(crate) fn is_current(&self, edge: &Edge, now_ms: i64) -> bool {
        let every_ms = edge.config.link_watch_seconds * 1e3;
        every_ms > 0.0 && (now_ms - self.answered_ms) as f64 <= every_ms
    }

    /// Whether KV may still have an old record of the link.
    pub(crate) fn is_new(&self, key: &str, now_ms: i64) -> bool {
        self.changed.get(key).is_some_and(|at_ms| now_ms - at_ms < KV_STALE_MS)
    }
}

/// Looks behind the answer, if the last look is a while ago.
pub(crate) fn keep_up(edge: &Rc<Edge>, ctx: &Context) {
    let (every_ms, now_ms) = (edge.config.link_watch_seconds * 1e3, now_ms());
    let mut watch = edge.watch.borrow_mut();
    // Asked again while the answer before last is still believed.
    if every_ms <= 0.0 || ((now_ms - watch.asked_ms) as f64) < every_ms / 2.0 {
        return;
    }
    watch.asked_ms = now_ms;
    drop(watch);
    let edge = Rc::clone(edge);
    ctx.wait_until(async move { look(&edge).await });
}

/// Asks what changed, and trusts no longer what the isolate knew of it.
pub(crate) async fn look(edge: &Edge) {
    if edge.config.link_watch_seconds <= 0.0 {
        return;
    }
    loop {
        let asked_ms = now_ms();
        let seen = edge.watch.borrow().seen;
        let rows: Vec<Row> = match read(&edge.db, audit::link_changes(seen)).await {
            Ok(rows) => rows,
            Err(error) => {
                notice::warn("edge", "changes_unknown", &"", &error);
                return;
            }
        };
        let more = seen.is_some() && rows.len() >= LINK_CHANGES_MAX;
        let mut watch = edge.watch.borrow_mut();
        let last = rows.iter().map(|row| row.id).max().or(seen).unwrap_or(0);
        watch.seen = watch.seen.max(Some(last));
        watch.changed.retain(|_, at_ms| asked_ms - *at_ms < KV_STALE_MS);
        for row in rows.into_iter().filter(|row| asked_ms - row.at_ms < KV_STALE_MS) {
            edge.known.borrow_mut().doubt(&row.entity_id);
            watch.changed.insert(row.entity_id, row.at_ms);
        }
        if !more {
            watch.answered_ms = asked_ms;
            return;
        }
    }
}
