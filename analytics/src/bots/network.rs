//! Whose network a request came from, as far as it tells machines from people.

use std::sync::LazyLock;

use super::Reason;

/// The table: `[reason]` begins a section; a number is the step from the one before it.
const TABLE: &str = include_str!("../../data/hosting_asns.txt");

/// Cloudflare, Akamai, Fastly and Apple itself: the exits of Private Relay, behind which there is a person, and the
/// machines by which Apple Mail loads the images of every mail, read or not.
const RELAYS: [u32; 5] = [13_335, 36_183, 54_113, 714, 6_185];

/// Sorted by number.
static NETWORKS: LazyLock<Vec<(u32, Reason)>> = LazyLock::new(|| {
    let (mut networks, mut reason, mut number) = (Vec::new(), Reason::DatacenterAsn, 0u32);
    for word in TABLE.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_ascii_whitespace) {
        if let Some(name) = word.strip_prefix('[').and_then(|word| word.strip_suffix(']')) {
            reason = Reason::ALL.into_iter().find(|reason| reason.name() == name).unwrap_or(reason);
            number = 0;
        } else if let Ok(step) = word.parse::<u32>() {
            number = number.saturating_add(step);
            networks.push((number, reason));
        }
    }
    networks.sort_unstable_by_key(|(number, _)| *number);
    networks
});

/// What speaks against a person in this network, if anything does: a hosting company's servers, a mail gateway.
/// People come from both, over a VPN or their employer's proxy: it is a doubt, never a proof.
pub(super) fn doubt(asn: u32) -> Option<Reason> {
    let at = NETWORKS.binary_search_by_key(&asn, |(number, _)| *number).ok()?;
    NETWORKS.get(at).map(|(_, reason)| *reason)
}

/// Whether Apple's relays use this network.
pub(super) fn is_relay(asn: u32) -> bool {
    RELAYS.contains(&asn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_told_from_homes_and_relays() {
        for (asn, reason) in [
            (16_509, Some(Reason::DatacenterAsn)), // Amazon
            (24_940, Some(Reason::DatacenterAsn)), // Hetzner
            (63_949, Some(Reason::DatacenterAsn)), // Linode
            (22_843, Some(Reason::EmailScanner)),  // Proofpoint
            (0, None),
            (3_320, None),  // Deutsche Telekom
            (7_922, None),  // Comcast
            (21_928, None), // T-Mobile USA
            (64_496, None), // for examples
        ] {
            assert_eq!(doubt(asn), reason, "{asn}");
        }
        assert!(RELAYS.into_iter().all(|asn| doubt(asn).is_none()));
    }

    #[test]
    fn the_table_is_whole() {
        assert!((800..1000).contains(&NETWORKS.len()), "{}", NETWORKS.len());
        assert!(NETWORKS.windows(2).all(|pair| pair[0].0 < pair[1].0), "a network stands once");
        for line in TABLE.lines().filter(|line| !line.starts_with(['#', '['])) {
            assert!(line.split(' ').all(|word| word.parse::<u32>().is_ok_and(|step| step > 0)), "{line}");
        }
    }
}
