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

impl fmt::Debug for DayKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DayKey(secret)")
    }
}

/// The part of an address that may be stored: v4 /24, v6 /48; empty if it is no address.
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
