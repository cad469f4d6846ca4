//! Billing: which clicks are paid for.

use analytics::{Dimension, Footprint, Kind};

use super::Terms;
use super::fact::Place;
use super::facts::{Before, bar};

/// The clicks of campaigns, and which of them are paid for: a campaign pays for a visitor once in its window, which begins
/// with the click that is paid for. Were each further click to begin it anew, who comes daily would be paid for once ever.
pub(crate) fn clicks<'a>(
    trail: &'a [Footprint<'a>],
    before: Before<'_>,
    terms: &Terms,
) -> Vec<(Place, &'a str, bool)> {
    let mut paid: Vec<(&str, i64)> = Vec::new();
    let mut clicks = Vec::new();
    for (place, click) in (0..).zip(trail).skip(before.remains) {
        let campaign = click.traits.get(Dimension::Campaign);
        if click.kind != Kind::Click || campaign.is_empty() {
            continue;
        }
        let window_ms = terms.windows(campaign).billing_ms;
        let known = paid.iter_mut().find(|(other, _)| *other == campaign);
        let pays = match &known {
            Some((_, paid_ms)) => click.at_ms >= paid_ms.saturating_add(window_ms),
            None => before.bars.is_empty() || !before.bars(bar(1, campaign), click.at_ms),
        };
        match known {
            Some((_, paid_ms)) if pays => *paid_ms = click.at_ms,
            None if pays => paid.push((campaign, click.at_ms)),
            _ => {}
        }
        clicks.push((place, campaign, pays));
    }
    clicks
}
