//! How many of the places for clients one network may take, so that no network takes them all. Pure.

use std::collections::HashMap;

use proto::Network;

/// A network gets a quarter of the places, ...
const SHARE: usize = 4;
/// ... but at least this many, because a classroom may stand behind one address.
const MIN_SHARE: usize = 64;

/// Live connections by network. Loopback has no share to exceed: its clients can be distinguished
/// by user only.
#[derive(Debug, Default)]
pub(crate) struct Shares(HashMap<Network, usize>);

impl Shares {
    /// Counts one more connection; `false` if its network already has its share of `max_clients`.
    pub(crate) fn add(&mut self, network: Network, max_clients: usize) -> bool {
        if network.is_loopback() {
            return true;
        }
        let connections = self.0.entry(network).or_default();
        let has_room = *connections < share(max_clients);
        if has_room {
            *connections += 1;
        }
        has_room
    }

    /// Counts one connection less.
    pub(crate) fn remove(&mut self, network: Network) {
        if let Some(connections) = self.0.get_mut(&network) {
            *connections -= 1;
            if *connections == 0 {
                self.0.remove(&network);
            }
        }
    }
}

pub(crate) fn share(max_clients: usize) -> usize {
    (max_clients / SHARE).max(MIN_SHARE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(address: &str) -> Network {
        Network::of(address.parse().unwrap())
    }

    fn added(shares: &mut Shares, address: &str, max_clients: usize) -> usize {
        let network = network(address);
        (0..5000)
            .filter(|_| shares.add(network, max_clients))
            .count()
    }

    #[test]
    fn a_network_gets_a_quarter_but_at_least_64() {
        for (max_clients, expected) in [(10_000, 2500), (300, 75), (100, 64), (1, 64)] {
            let mut shares = Shares::default();
            assert_eq!(added(&mut shares, "192.0.2.7", max_clients), expected);
            assert_eq!(added(&mut shares, "192.0.2.8", max_clients), expected);
        }
    }

    #[test]
    fn a_whole_ipv6_64_is_one_network_and_loopback_is_none() {
        let mut shares = Shares::default();
        assert_eq!(added(&mut shares, "2001:db8::1", 1000), 250);
        assert_eq!(added(&mut shares, "2001:db8::ffff:2", 1000), 0);
        assert_eq!(added(&mut shares, "2001:db8:0:1::1", 1000), 250);
        assert_eq!(added(&mut shares, "127.0.0.1", 1000), 5000);
        assert_eq!(added(&mut shares, "::1", 1000), 5000);
    }

    #[test]
    fn a_client_that_leaves_makes_room_for_one() {
        let mut shares = Shares::default();
        added(&mut shares, "192.0.2.7", 100);
        shares.remove(network("192.0.2.7"));
        assert_eq!(added(&mut shares, "192.0.2.7", 100), 1);
        (0..64).for_each(|_| shares.remove(network("192.0.2.7")));
        assert!(shares.0.is_empty());
    }
}
