//! What journeys are judged by, as this isolate knows it.

use std::cell::RefCell;

use analytics::catalog::Sort;
use analytics::catalog::statements::{CHANGES_AT_ONCE, changes_since};
use durable_objects::journey::Terms;
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
    read_at_ms: i64,
}

/// The terms, and the change of the funnels that they are of, if they were read anew.
///
/// # Errors
/// D1 does not answer, and nothing was known before.
pub(crate) async fn refreshed(edge: &Edge, known: &RefCell<Known>) -> Result<Option<(Terms, i64)>> {
    let (campaigns, funnels, read_at_ms) = {
        let known = known.borrow();
        (known.campaigns_change, known.funnels_change, known.read_at_ms)
    };
    if now_ms() - read_at_ms < FRESH_MS {
        return Ok(None);
    }
    todo!()
}
