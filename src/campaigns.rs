//! The campaigns that this isolate joins events with, and the webhooks that it tells of them.

use analytics::Statement;
use analytics::campaign::Campaigns;
use analytics::catalog::Sort;
use analytics::catalog::statements::{CHANGES_AT_ONCE, changes_since};
use queues::delivery::Hooks;
use worker::{D1Result, Result};

use crate::clock::now_ms;
use crate::edge::Edge;
use crate::lookup::Record;
use crate::sql::transact;

/// A change is in force after this long at the latest. Each transaction of a consumer brings what changed along, so
/// that only a consumer that had nothing to do has to ask first.
const FRESH_MS: i64 = 5_000;

/// What is known, and since when.
#[derive(Default)]
pub(crate) struct Held {
    pub(crate) campaigns: Campaigns,
    pub(crate) hooks: Hooks,
    read_at_ms: i64,
}

impl Held {
    /// Asks what changed since.
    pub(crate) fn changes(&self) -> [Statement; 2] {
        [
            changes_since(Sort::Campaign, self.campaigns.change()),
            changes_since(Sort::Webhook, self.hooks.change()),
        ]
    }

    /// Takes the answers. `false`: there is more.
    pub(crate) fn learn(&mut self, campaigns: &D1Result, hooks: &D1Result) -> Result<bool> {
        let (campaigns, hooks) = (campaigns.results::<Record>()?, hooks.results::<Record>()?);
        for record in &campaigns {
            self.campaigns.learn(record.text());
        }
        for record in &hooks {
            self.hooks.learn(record.text());
        }
        let all = (campaigns.len().max(hooks.len()) as i64) < CHANGES_AT_ONCE;
        if all {
            self.read_at_ms = now_ms();
        }
        Ok(all)
    }
}

/// Sees to it that what is known is fresh.
///
/// # Errors
/// D1 does not answer. Whoever joined with what may be old would count wrong prices for good.
pub(crate) async fn refresh(edge: &Edge) -> Result<()> {
    if now_ms() - edge.campaigns.borrow().read_at_ms < FRESH_MS { Ok(()) } else { refresh_now(edge).await }
}

/// The same, whenever it was fresh last.
///
/// # Errors
/// Likewise.
pub(crate) async fn refresh_now(edge: &Edge) -> Result<()> {
    loop {
        let changes = edge.campaigns.borrow().changes();
        let results = transact(&edge.db, changes).await?;
        let [campaigns, hooks] = results.as_slice() else { return Ok(()) };
        if edge.campaigns.borrow_mut().learn(campaigns, hooks)? {
            return Ok(());
        }
    }
}
