//! Within the budget: what campaigns cost, counted in the transaction that counts their events.
//!
//! Consumers work side by side, and none knows what another is about to charge. So each charges by what it knows, and the
//! table refuses what would go beyond the limit: its `CHECK` fails the transaction as a whole, the consumer reads what was
//! spent and plans anew. A budget is never overdrawn by an event, and in the ordinary case nobody waits or reads: what is
//! not known counts as nothing spent, and a check that does not fail has proved it right. One row written for each campaign
//! that has a price, and batch.

use std::collections::BTreeMap;

use serde_json::json;

use crate::campaign::Campaigns;
use crate::outcome::Correction;
use crate::{Dimension, Statement, Text, TrackedEvent};

/// What a batch charges, by campaign.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Charges(BTreeMap<String, Charge>);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Charge {
    nanos: i64,
    /// Something cost nothing because the budget was spent, as far as was known. It may be no more: budgets grow, and
    /// what turns out not to be billable is given back.
    refused: bool,
    limit_nanos: i64,
    /// What was spent before, as it was known when the campaign was charged first. What becomes known while a batch is
    /// planned would let a limit grow by it that was kept without it.
    before_nanos: Option<i64>,
}

impl Charge {
    /// What is spent with this, as far as is known.
    fn spent_nanos(&mut self, campaigns: &Campaigns, campaign: &str) -> i64 {
        let before = *self.before_nanos.get_or_insert_with(|| campaigns.spent_nanos(campaign));
        before.saturating_add(self.nanos)
    }
}

impl Charges {
    /// Charges for an event. Beyond the budget it costs nothing, and nothing is paid for it.
    pub fn charge(&mut self, campaigns: &Campaigns, event: &mut TrackedEvent<'_>) {
        if (event.cost_nanos, event.payout_nanos) == (0, 0) {
            return;
        }
        let campaign = &*event.raw.campaign_id;
        let budget = campaigns.budget(campaign);
        if budget.is_none() && event.cost_nanos == 0 {
            return;
        }
        let charge = self.0.entry(campaign.to_owned()).or_default();
        let spent = charge.spent_nanos(campaigns, campaign);
        if budget.is_some_and(|budget| spent.saturating_add(budget.price_nanos) > budget.nanos) {
            charge.refused = true;
            (event.cost_nanos, event.payout_nanos) = (0, 0);
            (event.cost_currency, event.payout_currency) = (Text::EMPTY, Text::EMPTY);
        } else {
            charge.nanos = charge.nanos.saturating_add(event.cost_nanos);
        }
    }

    /// Charges what a correction says, whatever the budget: what happened has happened.
    pub fn correct(&mut self, correction: &Correction<'_>) {
        if correction.cost_nanos != 0 {
            let campaign = correction.traits.get(Dimension::Campaign).to_owned();
            let charge = self.0.entry(campaign).or_default();
            charge.nanos = charge.nanos.saturating_add(correction.cost_nanos);
        }
    }

    /// Says how far each campaign may go, once everything is charged: to its budget, or to where corrections alone have
    /// brought it.
    pub fn limit(&mut self, campaigns: &Campaigns) {
        for (campaign, charge) in &mut self.0 {
            let budget = campaigns.budget(campaign).map_or(i64::MAX, |budget| budget.nanos);
            let known = charge.spent_nanos(campaigns, campaign);
            charge.limit_nanos = budget.max(known).max(charge.nanos);
        }
    }

    /// Lets everything be charged, whatever the budget.
    pub fn unlimited(&mut self) {
        self.0.values_mut().for_each(|charge| charge.limit_nanos = i64::MAX);
    }

    /// Adds what is charged to what was spent. Fails by its `CHECK` if somebody else has spent it meanwhile.
    pub fn add(&self) -> Option<Statement> {
        let charged = self.0.iter().filter(|(_, charge)| charge.nanos != 0);
        let rows: Vec<_> =
            charged.map(|(id, charge)| json!([id, charge.nanos, charge.limit_nanos])).collect();
        (!rows.is_empty()).then(|| {
            Statement::new(
                "INSERT INTO spend (campaign_id, nanos, limit_nanos) \
                 SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?1) WHERE true \
                 ON CONFLICT DO UPDATE SET nanos = nanos + excluded.nanos, limit_nanos = excluded.limit_nanos",
                [json!(rows).to_string().into()],
            )
        })
    }

    /// What was spent of every campaign that is charged: `campaign_id, nanos`, the number as a text, because it may be
    /// larger than JavaScript carries.
    pub fn read(&self) -> Statement {
        Self::read_of(&self.0.keys().map(String::as_str).collect::<Vec<_>>())
    }

    /// Likewise, of those whose budget seemed spent; `None`: there is none.
    pub fn read_refused(&self) -> Option<Statement> {
        let refused = self.0.iter().filter(|(_, charge)| charge.refused);
        let ids: Vec<&str> = refused.map(|(id, _)| id.as_str()).collect();
        (!ids.is_empty()).then(|| Self::read_of(&ids))
    }

    fn read_of(ids: &[&str]) -> Statement {
        Statement::new(
            "SELECT campaign_id, CAST(nanos AS TEXT) AS nanos FROM spend \
             WHERE campaign_id IN (SELECT value FROM json_each(?1))",
            [json!(ids).to_string().into()],
        )
    }

    /// Learns that the charges were written.
    pub fn written(&self, campaigns: &mut Campaigns) {
        for (campaign, charge) in self.0.iter().filter(|(_, charge)| charge.nanos != 0) {
            let spent = campaigns.spent_nanos(campaign).saturating_add(charge.nanos);
            campaigns.learn_spent(campaign, spent);
        }
    }
}
