//! How far back a campaign's conversions look for what led to them, and how long a click is paid for once.

use crate::catalog::{Item, Sort};

/// What a campaign agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookback {
    /// The campaign.
    pub campaign_id: String,
    /// So long before a conversion may a click have led to it.
    pub click_ms: i64,
    /// So long before a conversion may a view have led to it.
    pub view_ms: i64,
    /// So long after a click that is paid for no other of the visitor's is.
    pub billing_ms: i64,
}

impl Lookback {
    /// What a stored record says. `None`: it is no record, or nothing was agreed on that others have not.
    pub fn from_record(record: &str) -> Option<Self> {
        let campaign = Item::from_record(Sort::Campaign, record)?;
        let ms = |name| Some(campaign.number(name)? * 1_000);
        let (click_ms, view_ms) = (ms("click_lookback_seconds")?, ms("view_lookback_seconds")?);
        let billing_ms = ms("billing_window_seconds")?;
        let campaign_id = campaign.id().to_owned();
        (!campaign.is_deleted()).then_some(Self { campaign_id, click_ms, view_ms, billing_ms })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_campaign_says_how_far_back_it_looks() {
        let of = |body: &str| {
            let item = Item::create(Sort::Campaign, body.as_bytes(), "spring".into(), 1).unwrap();
            let found = Lookback::from_record(&item.to_record());
            found.map(|found| (found.campaign_id, found.click_ms, found.view_ms, found.billing_ms))
        };
        let days = |days: i64| days * 86_400_000;
        assert_eq!(of(r#"{"name":"x"}"#), Some(("spring".to_owned(), days(7), days(1), days(1))));
        let body = r#"{"name":"x","click_lookback_seconds":60,"view_lookback_seconds":0,"billing_window_seconds":3600}"#;
        assert_eq!(of(body), Some(("spring".to_owned(), 60_000, 0, 3_600_000)));
        assert_eq!(Lookback::from_record("{}"), None);
    }
}
