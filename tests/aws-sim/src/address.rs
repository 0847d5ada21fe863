//! Address ranges, as the conditions IpAddress and NotIpAddress compare them.

use std::net::IpAddr;

/// Whether the range, an address or CIDR notation, holds the address.
pub(crate) fn holds(range: &str, address: &str) -> bool {
    let (network, bits) = range.split_once('/').map_or((range, None), |(network, bits)| (network, Some(bits)));
    let (Ok(network), Ok(address)) = (network.parse::<IpAddr>(), address.parse::<IpAddr>()) else { return false };
    let (network, address, width) = match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => (u32::from(network).into(), u32::from(address).into(), 32),
        (IpAddr::V6(network), IpAddr::V6(address)) => (u128::from(network), u128::from(address), 128),
        _ => return false,
    };
    let Some(bits) = bits.map_or(Some(width), |bits| bits.parse().ok()).filter(|bits| *bits <= width) else {
        return false;
    };
    // Nothing is left to compare where all bits are free: a shift by the whole width is not defined.
    (network ^ address).checked_shr(width - bits).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_holds_what_begins_with_its_bits() {
        for (range, address) in [
            ("127.0.0.0/8", "127.0.0.1"),
            ("127.0.0.1", "127.0.0.1"),
            ("0.0.0.0/0", "203.0.113.7"),
            ("2001:db8::/32", "2001:db8::7"),
            ("::/0", "2001:db8::7"),
        ] {
            assert!(holds(range, address), "{range} {address}");
        }
        for (range, address) in [
            ("127.0.0.0/32", "127.0.0.1"),
            ("203.0.113.0/24", "203.0.114.0"),
            ("::/0", "127.0.0.1"),
            ("127.0.0.0/33", "127.0.0.1"),
            ("office", "127.0.0.1"),
        ] {
            assert!(!holds(range, address), "{range} {address}");
        }
    }
}
