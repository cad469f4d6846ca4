//! The campaigns and publishers that this isolate joins events with, and the webhooks and postbacks that it tells of them.

use std::rc::Rc;

use analytics::Statement;
use analytics::campaign::Campaigns;
use analytics::catalog::Sort;
use analytics::catalog::statements::{CHANGES_AT_ONCE, changes_since};
use queues::delivery::{Hooks, Postbacks};
use serde::Deserialize;
use worker::{D1Result, Result};

use crate::clock::now_ms;
use crate::edge::Edge;
use crate::lookup::Record;
use crate::sql::transact;

/// A change is in force after this long at the latest. Each transaction of a consumer brings what changed along, so
/// that only a consumer that had nothing to do has to ask first.
const FRESH_MS: i64 = 5_000;

/// So long a campaign that is known is believed to be in force where events come in.
const BELIEVED_MS: i64 = 60_000;

/// What is known, and since when.
pub(crate) struct Held {
    pub(crate) campaigns: Campaigns,
    /// Shared with who is planning a batch by them.
    pub(crate) hooks: Rc<Hooks>,
    pub(crate) postbacks: Postbacks,
    read_at_ms: i64,
}

impl Held {
    /// Nothing is known.
    pub(crate) fn new(strangers: usize, strange_links: usize) -> Self {
        let campaigns = Campaigns::new(strangers, strange_links);
        Self { campaigns, hooks: Rc::default(), postbacks: Postbacks::default(), read_at_ms: 0 }
    }

    fn learn(&mut self, campaigns: &[Record], publishers: &[Record], hooks: &[Record]) -> bool {
        for record in campaigns {
            self.campaigns.learn(record.text());
            self.postbacks.learn(Sort::Campaign, record.text());
        }
        for record in publishers {
            self.campaigns.learn_publisher(record.text());
            self.postbacks.learn(Sort::Publisher, record.text());
        }
        for record in hooks {
            Rc::make_mut(&mut self.hooks).learn(record.text());
        }
        let most = campaigns.len().max(publishers.len()).max(hooks.len());
        let all = (most as i64) < CHANGES_AT_ONCE;
        if all {
            self.read_at_ms = now_ms();
        }
        all
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
        let asked = changes(edge);
        let results = transact(&edge.db, asked).await?;
        let [campaigns, publishers, hooks] = results.as_slice() else { return Ok(()) };
        if learn(edge, [campaigns, publishers, hooks])? {
            return Ok(());
        }
    }
}

/// Asks what became of campaigns, publishers and webhooks.
pub(crate) fn changes(edge: &Edge) -> [Statement; 3] {
    let Held { campaigns, hooks, .. } = &*edge.campaigns.borrow();
    [
        changes_since(Sort::Campaign, campaigns.change()),
        changes_since(Sort::Publisher, campaigns.publisher_change()),
        changes_since(Sort::Webhook, hooks.change()),
    ]
}

/// Learns from the answers. `false`: there is more.
pub(crate) fn learn(edge: &Edge, [campaigns, publishers, hooks]: [&D1Result; 3]) -> Result<bool> {
    let (campaigns, publishers, hooks) = (campaigns.results()?, publishers.results()?, hooks.results()?);
    Ok(edge.campaigns.borrow_mut().learn(&campaigns, &publishers, &hooks))
}

/// Learns what was spent of campaigns.
pub(crate) fn learn_spent(edge: &Edge, result: &D1Result) -> Result<()> {
    #[derive(Deserialize)]
    struct Spent {
        campaign_id: String,
        nanos: String,
    }
    let rows: Vec<Spent> = result.results()?;
    let known = &mut edge.campaigns.borrow_mut().campaigns;
    for row in rows {
        known.learn_spent(&row.campaign_id, row.nanos.parse().unwrap_or(i64::MAX));
    }
    Ok(())
}

/// Whether the campaign of an event that comes in is kept. D1 is asked about one that is not known, at most every
/// [`FRESH_MS`], and else once a minute. Where it does not answer, nothing is refused.
pub(crate) async fn is_kept(edge: &Edge, id: &str) -> bool {
    let have = || edge.campaigns.borrow().campaigns.have(id);
    let age_ms = now_ms() - edge.campaigns.borrow().read_at_ms;
    if !have() || age_ms >= BELIEVED_MS {
        return refresh(edge).await.is_err() || have();
    }
    true
}
