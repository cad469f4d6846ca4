//! What journeys are judged by, as this isolate knows it.

use std::cell::RefCell;

use analytics::catalog::Sort;
use analytics::catalog::statements::{CHANGES_AT_ONCE, changes_since};
use analytics::funnel::Funnel;
use analytics::lookback::Lookback;
use durable_objects::journey::{Terms, Windows};
use serde_json::Value;
use worker::Result;

use crate::clock::now_ms;
use crate::edge::Edge;
use crate::lookup::Record;
use crate::sql::read;

/// A change is in force after this long at the latest.
const FRESH_MS: i64 = 5_000;

/// What is known, and since when.
#[derive(Default)]
pub(crate) struct Known {
    terms: Terms,
    campaigns_change: i64,
    funnels_change: i64,
    read_at_ms: Option<i64>,
}

/// The terms, and the change of the funnels that they are of, if they were read anew.
///
/// # Errors
/// D1 does not answer, and nothing was known before.
pub(crate) async fn refreshed(edge: &Edge, known: &RefCell<Known>) -> Result<Option<(Terms, i64)>> {
    let read_at_ms = known.borrow().read_at_ms;
    if read_at_ms.is_some_and(|read_at_ms| now_ms() - read_at_ms < FRESH_MS) {
        return Ok(None);
    }
    match learn(edge, known).await {
        Ok(()) => {}
        // What was known a while ago judges well enough for as long as D1 is down.
        Err(_) if read_at_ms.is_some() => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut known = known.borrow_mut();
    known.read_at_ms = Some(now_ms());
    let config = &edge.config;
    known.terms.session_gap_ms = config.session_gap_seconds * 1_000;
    known.terms.session_on_campaign_change = config.session_on_campaign_change;
    known.terms.keep_ms = config.journey_days * 86_400_000;
    known.terms.repeats.clone_from(&config.conversion_repeats);
    // Never 0, which is the change of a journal that knows no terms.
    Ok(Some((known.terms.clone(), known.funnels_change + 1)))
}

async fn learn(edge: &Edge, known: &RefCell<Known>) -> Result<()> {
    for sort in [Sort::Campaign, Sort::Funnel] {
        loop {
            let change = known.borrow().change(sort);
            let records: Vec<Record> = read(&edge.db, changes_since(sort, change)).await?;
            let mut known = known.borrow_mut();
            for record in &records {
                known.learn(sort, record.text());
            }
            if (records.len() as i64) < CHANGES_AT_ONCE {
                break;
            }
        }
    }
    Ok(())
}

impl Known {
    fn change(&self, sort: Sort) -> i64 {
        if sort == Sort::Funnel { self.funnels_change } else { self.campaigns_change }
    }

    fn learn(&mut self, sort: Sort, record: &str) {
        let fields: Value = serde_json::from_str(record).unwrap_or_default();
        let number = |name: &str| fields.get(name).and_then(Value::as_i64);
        let id = fields.get("id").and_then(Value::as_str).unwrap_or_default();
        let Some(change) = number("change").filter(|change| *change > self.change(sort)) else { return };
        if sort == Sort::Funnel {
            self.funnels_change = change;
            self.terms.funnels.retain(|funnel| funnel.id != id);
            self.terms.funnels.extend(Funnel::from_record(record));
            return;
        }
        self.campaigns_change = change;
        match Lookback::from_record(record) {
            Some(of) => {
                let windows =
                    Windows { click_ms: of.click_ms, view_ms: of.view_ms, billing_ms: of.billing_ms };
                self.terms.campaigns.insert(of.campaign_id, windows);
            }
            None => {
                self.terms.campaigns.remove(id);
            }
        }
    }
}
