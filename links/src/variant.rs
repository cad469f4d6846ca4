//! A/B: a link that leads to several pages, each visitor always to the same.

use std::hash::Hasher;

use analytics::RawEvent;
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;

use crate::Destination;

/// One of the pages that a link leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// Its name in the statistics.
    pub name: String,
    /// Where it leads.
    pub url: Destination,
    /// Its share, in parts of the sum of all weights; 0 is out of the test.
    pub weight: u16,
}

/// The variant of a visitor: without a cookie, by the hash of who came and of the link, so that tests on two
/// links are independent of each other. Who came is the first that is known of user, anonymous id and the
/// daily visitor hash: a visitor who is not known otherwise stays with a variant for a day.
pub fn choose<'l>(variants: &'l [Variant], link_key: &str, event: &RawEvent<'_>) -> Option<&'l Variant> {
    let total: u64 = variants.iter().map(|variant| u64::from(variant.weight)).sum();
    let mut hasher = SipHasher13::new();
    hasher.write(link_key.as_bytes());
    hasher.write_u8(0xff);
    match (event.user_id.as_str(), event.anonymous_id.as_str()) {
        ("", "") => hasher.write_u64(event.visitor),
        ("", id) | (id, _) => hasher.write(id.as_bytes()),
    }
    // The high half of a product spreads the hash over 0..total without a bias worth naming.
    let mut left = ((u128::from(hasher.finish()) * u128::from(total)) >> 64) as u64;
    variants.iter().find(|variant| {
        let weight = u64::from(variant.weight);
        let hit = left < weight;
        left = left.saturating_sub(weight);
        hit
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::tests::destination;
    use analytics::{EventId, Kind, Source};
    use proptest::prelude::*;

    fn visitor(visitor: u64) -> RawEvent<'static> {
        let id = EventId::from_bytes([1; 16]);
        RawEvent { visitor, ..RawEvent::new(id, Kind::Click, Source::Redirect, 0) }
    }

    fn variants(weights: &[u16]) -> Vec<Variant> {
        let named = |(at, &weight): (usize, &u16)| {
            let name = char::from(b'a' + at as u8).to_string();
            Variant { url: destination(&format!("https://example.com/{name}")), name, weight }
        };
        weights.iter().enumerate().map(named).collect()
    }

    #[test]
    fn shares_are_as_weighed_within_a_hundredth() {
        let weights = [50, 0, 30, 20];
        let variants = variants(&weights);
        let mut counts = [0u32; 4];
        for n in 0..100_000u64 {
            let chosen = choose(&variants, "demo", &visitor(n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).unwrap();
            counts[usize::from(chosen.name.as_bytes()[0] - b'a')] += 1;
        }
        for (count, weight) in counts.into_iter().zip(weights) {
            let share = f64::from(count) / 1_000.0;
            assert!((share - f64::from(weight)).abs() < 1.0, "{share} % of {weight} %");
        }
        assert_eq!(counts[1], 0, "a weight of 0 is out of the test");
    }

    #[test]
    fn tests_on_two_links_do_not_depend_on_each_other() {
        let variants = variants(&[1, 1]);
        let same = |n: &u64| {
            choose(&variants, "one", &visitor(*n)).unwrap().name
                == choose(&variants, "two", &visitor(*n)).unwrap().name
        };
        let agreeing = (0..10_000).filter(same).count();
        assert!((4_800..5_200).contains(&agreeing), "{agreeing}");
    }

    proptest! {
        #[test]
        fn a_visitor_stays_with_a_variant(
            visitor_hash: u64, other: u64, user in "[a-z]{0,4}", weights in prop::collection::vec(0u16..=1_000, 1..=10),
        ) {
            let variants = variants(&weights);
            let known = |visitor_hash| {
                let mut event = visitor(visitor_hash);
                event.user_id = user.as_str().into();
                choose(&variants, "demo", &event).cloned()
            };
            prop_assert_eq!(known(visitor_hash), known(visitor_hash));
            if !user.is_empty() {
                prop_assert_eq!(known(visitor_hash), known(other), "a known user keeps it from day to day");
            }
            prop_assert_eq!(known(visitor_hash).is_some(), weights.iter().any(|weight| *weight > 0));
        }
    }
}
