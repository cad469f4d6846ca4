//! Who it was, without keeping who it was: a hash under a key that lives for one day.

use std::fmt;
use std::hash::Hasher;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use siphasher::sip::SipHasher24;

/// The day of a time, counted from the epoch in UTC.
pub fn day_of(ms: i64) -> i64 {
    ms.div_euclid(86_400_000)
}

/// The key of one day's visitor hashes.
///
/// Without the secret a hash cannot be reversed by trying all addresses, and hashes of different days cannot
/// be joined: they have nothing in common.
#[derive(Clone, PartialEq, Eq)]
pub struct DayKey([u8; 16]);

impl DayKey {
    /// The key of `day`: the first 128 bits of HMAC-SHA256 over the day. Worth keeping for the day: it is two
    /// SHA-256 passes, a visitor's hash is a few hundred cycles.
    pub fn derive(secret: &[u8], day: i64) -> Self {
        // HMAC takes keys of any length; its signature has an error because of MACs that do not.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return Self([0; 16]) };
        mac.update(b"visitor");
        mac.update(&day.to_be_bytes());
        let mut key = [0; 16];
        for (byte, from) in key.iter_mut().zip(mac.finalize().into_bytes()) {
            *byte = from;
        }
        Self(key)
    }

    /// The hash of somebody who is anonymous: a double tap is told by it, and the variant of a link chosen. It is stored
    /// nowhere, and from a visitor's hash it is not found without the key.
    pub fn veiled(&self, ip: &str, user_agent: &str) -> u64 {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write(b"veiled");
        hasher.write_u64(self.visitor(ip, user_agent));
        hasher.finish()
    }

    /// The hash of one address and browser. An IPv6 address counts by its /64, because privacy extensions
    /// change the rest every day and more often; what is no address is hashed as it is.
    pub fn visitor(&self, ip: &str, user_agent: &str) -> u64 {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        let mut part = |bytes: &[u8]| {
            // With its length, so that no two pairs run together into the same bytes.
            hasher.write(&(bytes.len() as u64).to_le_bytes());
            hasher.write(bytes);
        };
        match address(ip) {
            Some(IpAddr::V4(v4)) => part(&v4.octets()),
            Some(IpAddr::V6(v6)) => part(&((v6.to_bits() >> 64) as u64).to_be_bytes()),
            None => part(ip.as_bytes()),
        }
        part(user_agent.as_bytes());
        hasher.finish()
    }
}

/// The secrets that days' keys are derived from: one, or while it is being changed two.
///
/// A secret that changed at noon would make everybody who was there in the morning somebody else. So the old one stays
/// until midnight, in every isolate alike, and what decides is the day and not when a deploy arrives where.
pub struct Secrets {
    now: String,
    /// The one before, and the first day that is not its own any more.
    before: Option<(String, i64)>,
}

impl Secrets {
    /// The secret, and the one before it with the day on which it was replaced.
    pub fn new(now: String, before: Option<(String, i64)>) -> Self {
        Self { now, before }
    }

    /// The key of a day.
    pub fn key(&self, day: i64) -> DayKey {
        let before = self.before.as_ref().filter(|(_, until)| day < *until).map(|(secret, _)| secret);
        DayKey::derive(before.unwrap_or(&self.now).as_bytes(), day)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(secret)")
    }
}

impl fmt::Debug for DayKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DayKey(secret)")
    }
}

/// The whole of an address, in its canonical spelling; empty if it is none.
pub fn whole_ip(ip: &str) -> String {
    address(ip).map_or(String::new(), |ip| ip.to_string())
}

/// The network of an address: v4 /24, v6 /48; empty if it is no address.
pub fn truncate_ip(ip: &str) -> String {
    match address(ip) {
        Some(IpAddr::V4(v4)) => Ipv4Addr::from_bits(v4.to_bits() & (!0 << 8)).to_string(),
        Some(IpAddr::V6(v6)) => Ipv6Addr::from_bits(v6.to_bits() & (!0 << 80)).to_string(),
        None => String::new(),
    }
}

/// An address; `::ffff:1.2.3.4` is the IPv4 address that it wraps.
fn address(ip: &str) -> Option<IpAddr> {
    ip.trim().parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> DayKey {
        DayKey::derive(b"secret", 20_717)
    }

    /// A change of the key or the hash makes every visitor of the day of the deploy a new one: uniques of
    /// that day count them twice, and a double tap across the deploy is two clicks.
    #[test]
    fn the_key_and_the_hash_are_pinned() {
        assert_eq!(key().0, [138, 149, 177, 173, 21, 241, 143, 61, 205, 216, 243, 71, 40, 225, 25, 104]);
        assert_eq!(key().visitor("203.0.113.9", "Mozilla/5.0"), 0xfc89_d3ec_5dbd_cdde);
        assert_eq!(key().visitor("2001:db8::1", "Mozilla/5.0"), 0x222c_f234_9195_5da0);
    }

    #[test]
    fn a_visitor_is_an_address_and_a_browser_on_one_day() {
        let here = key().visitor("203.0.113.9", "a");
        assert_eq!(here, key().visitor("::ffff:203.0.113.9", "a"));
        assert_ne!(here, key().visitor("203.0.113.8", "a"));
        assert_ne!(here, key().visitor("203.0.113.9", "b"));
        assert_ne!(here, DayKey::derive(b"secret", 20_718).visitor("203.0.113.9", "a"));
        assert_ne!(here, DayKey::derive(b"another", 20_717).visitor("203.0.113.9", "a"));
        assert_ne!(key().visitor("x", "yz"), key().visitor("xy", "z"));
    }

    #[test]
    fn privacy_extensions_do_not_split_a_visitor() {
        let at = |ip| key().visitor(ip, "a");
        assert_eq!(at("2001:db8:1:2::1"), at("2001:db8:1:2:dead:beef:0:9"));
        assert_ne!(at("2001:db8:1:2::1"), at("2001:db8:1:3::1"));
    }

    #[test]
    fn only_the_network_of_an_address_is_stored() {
        for (ip, stored) in [
            ("1.2.3.4", "1.2.3.0"),
            ("255.255.255.255", "255.255.255.0"),
            ("::ffff:1.2.3.4", "1.2.3.0"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
            ("::1", "::"),
            (" 1.2.3.4 ", "1.2.3.0"),
            ("", ""),
            ("1.2.3", ""),
            ("1.2.3.4:80", ""),
            ("unknown", ""),
        ] {
            assert_eq!(truncate_ip(ip), stored, "{ip}");
        }
    }

    #[test]
    fn somebody_anonymous_is_somebody_else_and_the_same_all_day() {
        let veiled = |key: DayKey| key.veiled("203.0.113.9", "a");
        assert_eq!(veiled(key()), veiled(key()));
        assert_ne!(veiled(key()), key().visitor("203.0.113.9", "a"));
        assert_ne!(veiled(key()), key().veiled("203.0.113.8", "a"));
        assert_ne!(veiled(key()), veiled(DayKey::derive(b"secret", 20_718)));
    }

    #[test]
    fn a_secret_is_changed_at_midnight_and_nobody_becomes_somebody_else_before() {
        let (old, new) = ("old".to_owned(), "new".to_owned());
        let alone = Secrets::new(old.clone(), None);
        let both = Secrets::new(new.clone(), Some((old, 20_718)));
        let after = Secrets::new(new, None);
        assert!(both.key(20_717) == alone.key(20_717) && both.key(20_717) != after.key(20_717));
        for day in [20_718, 20_719] {
            assert!(both.key(day) == after.key(day) && both.key(day) != alone.key(day));
        }
        assert_eq!(format!("{both:?}"), "Secrets(secret)");
    }

    #[test]
    fn a_whole_address_is_spelt_one_way() {
        for (ip, stored) in [
            (" 1.2.3.4", "1.2.3.4"),
            ("::ffff:1.2.3.4", "1.2.3.4"),
            ("2001:DB8:0::1", "2001:db8::1"),
            ("x", ""),
            ("", ""),
        ] {
            assert_eq!(whole_ip(ip), stored);
        }
    }

    #[test]
    fn days_change_at_midnight_utc() {
        assert_eq!([-1, 0, 86_399_999, 86_400_000].map(day_of), [-1, 0, 0, 1]);
    }

    #[test]
    fn a_key_does_not_show_itself() {
        assert_eq!(format!("{:?}", key()), "DayKey(secret)");
    }

    proptest! {
        #[test]
        fn any_text_is_a_visitor(ip in ".*", agent in ".*") {
            let _ = (key().visitor(&ip, &agent), truncate_ip(&ip));
        }

        #[test]
        fn truncation_forgets_the_host(net: [u8; 3], one: u8, other: u8) {
            let [a, b, c] = net;
            let stored = |host| truncate_ip(&format!("{a}.{b}.{c}.{host}"));
            prop_assert_eq!(stored(one), stored(other));
        }
    }
}
