//! A consumer's plan on its way: in turns with visitors, who wait for the same thread.

use std::collections::HashSet;
use std::rc::Rc;

use analytics::Statement;
use analytics::archive::Lines;
use analytics::columns::Points;
use futures_util::future::try_join_all;
use queues::delivery::Told;
use queues::plan::{Counted, Known, Plan, Planner};
use worker::Result;

use crate::clock::now_ms;
use crate::consumer::{Received, archived};
use crate::edge::Edge;
use crate::journal::hand;
use crate::turn::{Turn, pause};

/// Plans a batch, in turns with whoever else has something to do.
pub(crate) async fn planned(
    edge: &Edge,
    batch: &[Received],
    counted: &HashSet<(String, i64)>,
    points: &mut Points,
) -> (Plan, Beside) {
    let mut lines = archived(edge);
    let hooks = Rc::clone(&edge.campaigns.borrow().hooks);
    let mut told = Told::new(&hooks);
    let mut planner = Planner::new(edge.config.journey_shards);
    let mut turn = Turn::default();
    for message in batch {
        turn.take(message.bytes.len()).await;
        let (held, bonds, conduct) = (edge.campaigns.borrow(), edge.bonds.borrow(), edge.conduct.borrow());
        let known = Known { campaigns: &held.campaigns, bonds: &bonds, conduct: &conduct };
        planner.add((&message.id, &message.bytes), counted, known, &mut |counted| match counted {
            Counted::Event(event) => {
                points.add(event);
                told.add(event);
                if let Some(lines) = &mut lines {
                    lines.add(event);
                }
            }
            Counted::Session { about, session } => told.add_session(about, session),
            Counted::Converted(converted) => {
                told.add_postbacks(held.postbacks.tell(converted, &edge.signer, now_ms()));
            }
        });
    }
    // What adds them up takes a third as long again.
    turn.take(batch.iter().map(|message| message.bytes.len() / 3).sum()).await;
    let plan = planner.finish(&edge.campaigns.borrow().campaigns);
    if let Some(lines) = &mut lines {
        for copies in &plan.copies {
            lines.add_copies(copies);
        }
        for (at_ms, body) in &plan.outcomes {
            lines.add_outcome(*at_ms, body);
        }
    }
    (plan, Beside { lines, told: told.statements(now_ms()) })
}

/// What goes into the transaction beside the sums.
pub(crate) struct Beside {
    /// For the archive.
    pub(crate) lines: Option<Lines>,
    /// For webhooks: it is told if it is counted, and only then.
    pub(crate) told: Vec<Statement>,
}

/// How many bonds an isolate remembers having told: 32 bytes each.
const BONDS_MAX: usize = 50_000;

/// Journals are called together that get no more than this all together. One alone may get more: its call is one
/// transaction.
const HANDED_BYTES: usize = 32 << 10;

/// Hands to the journeys what the plan has for them: before it is counted, so that what the ledger knows, they have.
/// They know what comes again.
pub(crate) async fn hand_over(edge: &Edge, plan: &mut Plan) -> Result<()> {
    let (calls, told) = std::mem::take(&mut plan.handover).finish();
    let (mut group, mut bytes) = (Vec::new(), 0);
    for (shard, call) in &calls {
        if bytes + call.len() > HANDED_BYTES && !group.is_empty() {
            try_join_all(std::mem::take(&mut group)).await?;
            pause().await;
            bytes = 0;
        }
        bytes += call.len();
        group.push(hand(edge, *shard, call));
    }
    try_join_all(group).await?;
    let mut bonds = edge.bonds.borrow_mut();
    if bonds.len() + told.len() > BONDS_MAX {
        bonds.clear();
    }
    bonds.extend(told);
    Ok(())
}
