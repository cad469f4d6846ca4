//! The campaigns and publishers that this isolate joins events with.

use analytics::Statement;
use analytics::campaign::Campaigns;
use analytics::catalog::Sort;
use analytics::catalog::statements::{CHANGES_AT_ONCE, changes_since};
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
    read_at_ms: i64,
}

impl Held {
    /// Nothing is known.
    pub(crate) fn new(strangers: usize, strange_links: usize) -> Self {
        Self { campaigns: Campaigns::new(strangers, strange_links), read_at_ms: 0 }
    }

    /// Takes the answer to [`changes_since`]. `false`: there is more.
    pub(crate) fn learn(&mut self, records: &[Record], publishers: &[Record]) -> bool {
        for record in records {
            self.campaigns.learn(record.text());
        }
        for record in publishers {
            self.campaigns.learn_publisher(record.text());
        }
        let all = (records.len().max(publishers.len()) as i64) < CHANGES_AT_ONCE;
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
    let fresh = || now_ms() - edge.campaigns.borrow().read_at_ms < FRESH_MS;
    while !fresh() {
        let asked = changes(edge);
        let results = transact(&edge.db, asked).await?;
        let [campaigns, publishers] = results.as_slice() else { return Ok(()) };
        let (campaigns, publishers) = (campaigns.results()?, publishers.results()?);
        edge.campaigns.borrow_mut().learn(&campaigns, &publishers);
    }
    Ok(())
}

/// Asks what became of campaigns and publishers.
pub(crate) fn changes(edge: &Edge) -> [Statement; 2] {
    let known = &edge.campaigns.borrow().campaigns;
    [changes_since(Sort::Campaign, known.change()), changes_since(Sort::Publisher, known.publisher_change())]
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
