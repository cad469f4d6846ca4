//! Billing: which clicks are paid for.

use analytics::{Dimension, Footprint, Kind};

use super::Terms;
use super::fact::{Fact, Place};

/// Takes back what clicks cost that are not unique: a campaign pays for a visitor once in its window, which begins with
/// the click that is paid for. Were each further click to begin it anew, who comes daily would be paid for once ever.
pub(crate) fn corrections(trail: &[Footprint<'_>], terms: &Terms, facts: &mut Vec<Fact>) {
    let mut paid: Vec<(&str, i64)> = Vec::new();
    for (place, click) in (0..).zip(trail) {
        let campaign = click.traits.get(Dimension::Campaign);
        if click.kind != Kind::Click || campaign.is_empty() {
            continue;
        }
        let window_ms = terms.windows(campaign).billing_ms;
        match paid.iter_mut().find(|(other, _)| *other == campaign) {
            Some((_, paid_ms)) if click.at_ms < paid_ms.saturating_add(window_ms) => {
                if click.cost_nanos != 0 {
                    facts.push(Fact::correction(
                        place as Place,
                        place as Place,
                        0,
                        0,
                        click.cost_nanos.saturating_neg(),
                    ));
                }
            }
            Some((_, paid_ms)) => *paid_ms = click.at_ms,
            None => paid.push((campaign, click.at_ms)),
        }
    }
}
