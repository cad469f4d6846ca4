//! Attribution: what led to a conversion.

use analytics::{Dimension, Footprint, Kind};

use super::Terms;
use super::fact::{Place, Worth};
use super::transactions::Transaction;

/// Among so many touches a conversion is shared at most: five models by sixteen are 50 credits. Of more, views go
/// first, then what is neither the first nor among the last: no model but the even one asks for those.
const TOUCHES_MAX: usize = 16;

pub(crate) fn is_click(footprint: &Footprint<'_>) -> bool {
    footprint.kind == Kind::Click
}

/// The click that a conversion names, if its footprint is here: the click id says when it was and of which link.
pub(crate) fn own_click(trail: &[Footprint<'_>], conversion: &Footprint<'_>) -> Option<usize> {
    let click_ms = conversion.click_ms?;
    let from = trail.partition_point(|other| other.at_ms < click_ms);
    let link = conversion.traits.get(Dimension::Link);
    let same = trail.iter().skip(from).take_while(|other| other.at_ms == click_ms);
    same.zip(from..)
        .find(|(other, _)| is_click(other) && other.traits.get(Dimension::Link) == link)
        .map(|(_, place)| place)
}

/// What a transaction is worth, and what led to it: clicks and views of a link or campaign, no longer before it than the
/// campaign allows. The click that it names is one, seen or not, but not beyond its time either.
pub(crate) fn worth(trail: &[Footprint<'_>], transaction: &Transaction<'_>, terms: &Terms) -> Option<Worth> {
    let conversion = trail.get(usize::from(transaction.holder))?;
    let at_ms = conversion.at_ms;
    let mut touches: Vec<(i64, Place)> = Vec::new();
    for (place, touch) in (0..).zip(trail) {
        if touch.at_ms > at_ms {
            break;
        }
        let campaign = touch.traits.get(Dimension::Campaign);
        let windows = terms.windows(campaign);
        let window_ms = match touch.kind {
            Kind::Click => windows.click_ms,
            Kind::Impression => windows.view_ms,
            _ => continue,
        };
        let led = !campaign.is_empty() || !touch.traits.get(Dimension::Link).is_empty();
        if led && at_ms - touch.at_ms <= window_ms {
            touches.push((touch.at_ms, place));
        }
    }
    let named = trail.get(usize::from(transaction.click)).filter(|by| by.click_ms.is_some());
    if let Some((by, click_ms)) = named.and_then(|by| Some((by, by.click_ms?)))
        && own_click(trail, by).is_none()
        && (0..=terms.windows(by.traits.get(Dimension::Campaign)).click_ms).contains(&(at_ms - click_ms))
    {
        let place = touches.partition_point(|(touch_ms, _)| *touch_ms <= click_ms);
        touches.insert(place, (click_ms, transaction.holder));
    }
    while touches.len() > TOUCHES_MAX {
        let is_view =
            |place: Place| trail.get(usize::from(place)).is_some_and(|touch| touch.kind == Kind::Impression);
        let needless = touches.iter().position(|(_, place)| is_view(*place)).unwrap_or(1);
        touches.remove(needless);
    }
    Some(Worth {
        conversion: transaction.holder,
        status: transaction.status as u8,
        value_micros: transaction.worth_micros(),
        currency: transaction.currency,
        click_ms: named.and_then(|by| by.click_ms).unwrap_or(at_ms),
        touches: touches.into_iter().map(|(_, place)| place).collect(),
    })
}
