//! The network that an address belongs to, for limits that one client must not evade with many addresses.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// One network as limits count them: an IPv4 address, or an IPv6 /64, since a single host may use a whole /64
/// (RFC 6177, section 2). An IPv4-mapped IPv6 address counts as its IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network(IpAddr);

impl Network {
    /// The network of `address`.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6(prefix(address, 64)),
            address => address,
        })
    }

    /// The first address of the network, for a file.
    #[must_use]
    pub fn address(self) -> IpAddr {
        self.0
    }

    /// The site of this network: the IPv4 address, or the IPv6 /48. Logs count by site.
    #[must_use]
    pub fn site(self) -> Self {
        Self(match self.0 {
            IpAddr::V6(address) => IpAddr::V6(prefix(address, 48)),
            address => address,
        })
    }

    /// Whether it is the machine itself. Shares per network do not apply there.
    #[must_use]
    pub fn is_loopback(self) -> bool {
        match self.0 {
            IpAddr::V4(address) => address.is_loopback(),
            // `::1` is the only loopback address of IPv6, and nothing else in its /64 is in use (RFC 4291, section
            // 2.5.3).
            IpAddr::V6(address) => address.is_unspecified(),
        }
    }
}

/// The first address of the network: `192.0.2.7`, `2001:db8::`.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn prefix(address: Ipv6Addr, bits: u32) -> Ipv6Addr {
    Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << (128 - bits)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(address: &str) -> Network {
        Network::of(address.parse().unwrap())
    }

    #[test]
    fn an_ipv4_address_is_its_own_network() {
        assert_ne!(network("192.0.2.7"), network("192.0.2.8"));
        assert_eq!(network("::ffff:192.0.2.7"), network("192.0.2.7"));
        assert_eq!(network("192.0.2.7").site(), network("192.0.2.7"));
        assert_eq!(network("192.0.2.7").to_string(), "192.0.2.7");
    }

    #[test]
    fn an_ipv6_network_is_a_64_and_its_site_a_48() {
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(
            network("2001:db8:1:2::1").site(),
            network("2001:db8:1:3::1").site()
        );
        assert_eq!(network("2001:db8:1:2::1").to_string(), "2001:db8:1:2::");
    }

    #[test]
    fn loopback_is_recognised_in_both_families() {
        for (address, expected) in [
            ("127.9.9.9", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("192.0.2.7", false),
            ("fe80::1", false),
        ] {
            assert_eq!(network(address).is_loopback(), expected, "{address}");
        }
    }
}
