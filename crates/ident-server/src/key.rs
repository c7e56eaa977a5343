//! The key by which a client is known: its IP address, with its zone if it is link-local.

use std::fmt;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use proto::Network;

/// A client's key in the data file: `192.0.2.7`, `2001:db8::7`, `fe80::7%eth0`.
///
/// Addresses stand in their canonical form; an IPv4-mapped IPv6 address is its IPv4 address. A link-local address means
/// another machine in each zone, so its zone belongs to the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientKey {
    text: String,
    address: IpAddr,
}

impl ClientKey {
    /// The key of the client behind this socket address.
    #[must_use]
    pub fn of(peer: SocketAddr) -> Self {
        let address = peer.ip().to_canonical();
        let text = match peer {
            SocketAddr::V6(peer) if peer.ip().is_unicast_link_local() => {
                format!("{address}%{}", zone_name(peer.scope_id()))
            }
            _ => address.to_string(),
        };
        Self { text, address }
    }

    /// Reads a key as the data file has it. `None` if no client can have it, because it is no address, is not in
    /// canonical form, or lacks its zone.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (before, zone) = match text.split_once('%') {
            Some((before, zone)) => (before, Some(zone)),
            None => (text, None),
        };
        let address: IpAddr = before.parse().ok()?;
        let is_canonical = address.to_canonical().to_string() == before;
        let zone_fits = match zone {
            None => !is_link_local(address),
            Some(zone) => is_link_local(address) && !zone.is_empty(),
        };
        (is_canonical && zone_fits).then(|| Self {
            text: text.to_owned(),
            address,
        })
    }

    /// As the data file has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The network whose names are counted together, if one machine can have many addresses in it: an IPv6 /64, and the
    /// loopback addresses of IPv4.
    pub(crate) fn shared_network(&self) -> Option<Network> {
        match self.address {
            IpAddr::V4(address) if address.is_loopback() => {
                Some(Network::of(Ipv4Addr::LOCALHOST.into()))
            }
            IpAddr::V4(_) => None,
            address => Some(Network::of(address)),
        }
    }
}

impl fmt::Display for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}

/// The interface's name, which a restart does not change, or its number where the system gives no name (Linux does).
fn zone_name(number: u32) -> String {
    let interfaces = fs::read_dir("/sys/class/net")
        .into_iter()
        .flatten()
        .flatten();
    let is_it = |folder: &fs::DirEntry| {
        let index = fs::read_to_string(folder.path().join("ifindex"));
        index.is_ok_and(|index| index.trim_ascii() == number.to_string())
    };
    let name = interfaces
        .into_iter()
        .find(is_it)
        .map(|folder| folder.file_name());
    name.and_then(|name| name.into_string().ok())
        .unwrap_or_else(|| number.to_string())
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddrV6;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_keys_that_clients_can_have_parse() {
        for key in [
            "192.0.2.7",
            "2001:db8::7",
            "::1",
            "fe80::1%eth0",
            "fe80::1%2",
        ] {
            assert_eq!(ClientKey::parse(key).unwrap().as_str(), key);
        }
        for key in [
            "",
            "localhost",
            "192.0.2.7:9190",
            "192.0.2.07",
            "2001:DB8::7",
            "2001:db8:0::7",
            "[::1]",
            "::ffff:192.0.2.7",
            "fe80::1",
            "fe80::1%",
            "2001:db8::7%eth0",
            "192.0.2.7%eth0",
        ] {
            assert_eq!(ClientKey::parse(key), None, "{key}");
        }
    }

    #[test]
    fn link_local_clients_in_two_zones_are_two() {
        let key = |zone| {
            let peer = SocketAddrV6::new("fe80::1".parse().unwrap(), 1, 0, zone);
            ClientKey::of(peer.into())
        };
        assert_ne!(key(4_000_000_001), key(4_000_000_002));
        assert_eq!(key(4_000_000_001).as_str(), "fe80::1%4000000001");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_zone_has_the_name_of_its_interface() {
        let index = fs::read_to_string("/sys/class/net/lo/ifindex").unwrap();
        assert_eq!(zone_name(index.trim().parse().unwrap()), "lo");
    }

    #[test]
    fn machines_with_many_addresses_have_one_network() {
        let network = |text| ClientKey::parse(text).unwrap().shared_network();
        assert_eq!(network("127.0.0.1"), network("127.9.9.9"));
        assert_eq!(network("2001:db8:0:7::1"), network("2001:db8:0:7:1::"));
        assert_ne!(network("2001:db8:0:7::1"), network("2001:db8:0:8::1"));
        assert_eq!(network("192.0.2.7"), None);
    }

    proptest! {
        #[test]
        fn the_key_of_every_client_parses(address: IpAddr, port: u16) {
            let key = ClientKey::of(SocketAddr::new(address, port));
            prop_assert_eq!(ClientKey::parse(key.as_str()), Some(key.clone()));
        }
    }
}
