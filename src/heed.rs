//! What the visitor has said is heeded before anything is recorded, and hits that are not recorded are counted.

use analytics::RawEvent;
use analytics::privacy::How;
use worker::{Context, Env};

use crate::clock::now_ms;
use crate::edge::Edge;
use crate::notice;
use crate::sql::transact;
use crate::visit::Visit;

/// Counts of so long share a write to D1.
const WRITTEN_EVERY_MS: i64 = 10_000;

/// Takes from an event what may not be kept of it. `Some`: it is not to be recorded, and why.
pub(crate) fn heed(edge: &Edge, visit: &Visit, event: &mut RawEvent<'_>) -> Option<&'static str> {
    let (signals, asked) = visit.wishes();
    let decision = edge.privacy.heed(event, signals, asked);
    let why = decision.why.filter(|_| decision.how == How::Nothing)?;
    edge.dropped.borrow_mut().note(why, event.received_at_ms);
    Some(why.name())
}

/// Writes the counts of what was not recorded, every now and then. They are for looking at, and nothing waits for them:
/// what cannot be written is forgotten.
pub(crate) async fn write_dropped(edge: &Edge) {
    let counts = edge.dropped.borrow_mut().take(now_ms(), WRITTEN_EVERY_MS);
    if !counts.is_empty()
        && let Err(error) = transact(&edge.db, counts).await
    {
        notice::warn("edge", "dropped_not_counted", &"", &error);
    }
}

/// The same behind an answer.
pub(crate) fn write_behind(env: &Env, ctx: &Context) {
    if let Ok(edge) = Edge::of(env)
        && edge.dropped.borrow().is_due(now_ms(), WRITTEN_EVERY_MS)
    {
        ctx.wait_until(async move { write_dropped(&edge).await });
    }
}
