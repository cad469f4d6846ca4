//! Hosts that only mean something inside somebody's network.

use std::net::{Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Whether the service may call an address of a customer's: of the public internet, encrypted unless it may be `plain`, and
/// without a user's name in it. `private` lets it call anything: it is for development. What a public name resolves to is
/// not seen.
///
/// # Errors
/// Why not.
pub fn may_be_called(address: &str, plain: bool, private: bool) -> Result<(), &'static str> {
    let Ok(url) = Url::parse(address) else { return Err("is no absolute URL") };
    let Some(host) = url.host() else { return Err("names no host") };
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds a user's name or password");
    }
    match url.scheme() {
        "https" | "http" if private => Ok(()),
        "https" | "http" if is_private(&host) && (plain || url.scheme() == "https") => {
            Err("leads into a private network")
        }
        "https" => Ok(()),
        "http" if plain => Ok(()),
        _ => Err("is not https"),
    }
}

/// Top-level names that are never delegated: machines in a home, an office or a cluster.
const PRIVATE_SUFFIXES: [&str; 8] =
    ["corp", "home", "internal", "intranet", "lan", "local", "localdomain", "localhost"];

/// Whether the host is loopback, link-local, private or otherwise not of the public internet.
///
/// Literal addresses come in as `url` reads them, so `0x7f.1`, `2130706433` and full-width digits are
/// `127.0.0.1` here. A public name that resolves to a private address is not seen: nothing is resolved.
pub(crate) fn is_private(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => is_private_name(name),
        Host::Ipv4(address) => is_private_v4(*address),
        Host::Ipv6(address) => is_private_v6(*address),
    }
}

fn is_private_name(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    match name.rsplit_once('.') {
        None => true, // a name of one label is looked up in the searcher's own domain
        Some((rest, "arpa")) => rest.rsplit('.').next() == Some("home"),
        Some((_, last)) => PRIVATE_SUFFIXES.contains(&last),
    }
}

/// IANA's special-purpose registry, without the ranges for documentation: they lead nowhere and harm nobody.
fn is_private_v4(address: Ipv4Addr) -> bool {
    matches!(
        address.octets(),
        [0 | 10 | 127 | 224..=255, ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 168, ..]
            | [192, 0, 0, _]
            | [198, 18..=19, ..]
    )
}

/// An address that embeds a v4 address (mapped, compatible, NAT64, 6to4) is as private as that one; `::` and
/// `::1` are the compatible form of `0.0.0.0` and `0.0.0.1`.
fn is_private_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => {
            is_private_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        [0x64, 0xff9b, 1, ..] => true,
        // unique local fc00::/7, link-local and site-local fe80::/9, multicast ff00::/8
        [first, ..] => matches!(first, 0xfc00..=0xfdff | 0xfe80..=0xffff),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use url::Url;

    fn private(host: &str) -> bool {
        is_private(&Url::parse(&format!("http://{host}/")).unwrap().host().unwrap())
    }

    #[test]
    fn every_spelling_of_a_private_address_is_private() {
        for host in [
            "127.0.0.1",
            "127.1",
            "0x7f.0.0.1",
            "0177.0.0.1",
            "2130706433",
            "127.0.0.1.",
            "%31%32%37.0.0.1",
            "１２７。０。０。１",
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "169.254.169.254",
            "172.31.255.255",
            "192.168.0.1",
            "255.255.255.255",
            "[::]",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:a9fe:a9fe]",
            "[64:ff9b::10.0.0.1]",
            "[2002:7f00:1::]",
            "[fd00::1]",
            "[fe80::1]",
            "[fec0::1]",
            "[ff02::1]",
        ] {
            assert!(private(host), "{host}");
        }
    }

    #[test]
    fn only_public_servers_are_called() {
        for (address, why) in [
            ("https://hooks.example/x?y=1", None),
            ("https://hooks.example:8443/", None),
            ("http://hooks.example/", Some("is not https")),
            ("ftp://hooks.example/", Some("is not https")),
            ("https://user@hooks.example/", Some("holds a user's name or password")),
            ("https://169.254.169.254/latest/meta-data", Some("leads into a private network")),
            ("https://0x7f.1/", Some("leads into a private network")),
            ("https://[::ffff:10.0.0.1]/", Some("leads into a private network")),
            ("https://metadata.google.internal./", Some("leads into a private network")),
            ("/x", Some("is no absolute URL")),
        ] {
            assert_eq!(may_be_called(address, false, false).err(), why, "{address}");
        }
        assert_eq!(may_be_called("http://127.0.0.1:9000/", false, true), Ok(()));
        assert_eq!(may_be_called("http://hooks.example/", true, false), Ok(()));
        assert_eq!(may_be_called("http://0x7f.1/", true, false), Err("leads into a private network"));
    }

    #[test]
    fn names_of_a_local_network_are_private() {
        for host in
            ["localhost", "LOCALHOST.", "a.localhost", "printer.local", "db.internal", "redis", "x.home.arpa"]
        {
            assert!(private(host), "{host}");
        }
    }

    #[test]
    fn the_public_internet_is_not() {
        for host in [
            "example.com",
            "local.example.com",
            "localhost.example",
            "xn--p1ai.example",
            "münchen.example",
            "1.1.1.1",
            "100.128.0.1",
            "172.32.0.1",
            "[2606:4700::1111]",
            "[2002:101:101::]",
        ] {
            assert!(!private(host), "{host}");
        }
    }
}
