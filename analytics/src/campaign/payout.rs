//! What a publisher gets for an event.

use crate::catalog::Item;
use crate::{Kind, Text, TrackedEvent};

/// How a publisher is paid.
#[derive(Debug)]
pub(super) enum Payout {
    /// So much for each event of a kind, in thousand-millionths of a currency's unit.
    Each(Kind, i64, String),
    /// So many millionths of what a sale is worth, in the sale's currency.
    Share(i64),
}

impl Payout {
    /// What a publisher's record says. `None`: nothing is paid, because nothing was agreed upon, or the publisher is gone
    /// or paused: unlike a campaign, which costs what comes of it, a publisher has nothing else that can be paused.
    pub(super) fn of(publisher: &Item) -> Option<Self> {
        if publisher.is_deleted() || publisher.text("status") == "paused" {
            return None;
        }
        let each = |kind, times: i64| {
            Some(Self::Each(kind, publisher.number("payout_micros")? * times, publisher.text("currency")))
        };
        match publisher.text("payout_model").as_str() {
            "cpc" => each(Kind::Click, 1_000),
            "cpm" => each(Kind::Impression, 1),
            "cpa" => each(Kind::Conversion, 1_000),
            // A percentage has at most so many places that it is a whole number of millionths.
            "revshare" => Some(Self::Share((publisher.decimal("payout_percent")? * 1e4).round() as i64)),
            _ => None,
        }
    }

    /// Says what is paid for the event.
    pub(super) fn pay<'a>(&'a self, event: &mut TrackedEvent<'a>) {
        match self {
            Self::Each(kind, nanos, currency) if *kind == event.raw.kind => {
                event.payout_nanos = *nanos;
                event.payout_currency = Text::from(currency.as_str());
            }
            Self::Share(millionths)
                if event.raw.kind == Kind::Conversion && event.raw.postback.status.earns() =>
            {
                // At most 2^50 millionths of a unit and 2^20 millionths of it: a product beyond 64 bits.
                let value = i128::from(event.raw.value_micros.unwrap_or(0));
                event.payout_nanos = (value * i128::from(*millionths) / 1_000) as i64;
                event.payout_currency = event.raw.currency.clone();
            }
            _ => {}
        }
    }
}
