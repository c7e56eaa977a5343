//! The networks from which a user has logged in lately. Guesses elsewhere do not delay a login from one of them.

use std::net::IpAddr;

use proto::Network;
use serde::{Deserialize, Serialize};

/// Networks kept for each user: home, work, a phone and some more.
const MAX_NETWORKS: usize = 8;

/// For how long a login makes a network known, in seconds.
const KNOWN_FOR: u64 = 30 * 24 * 60 * 60;

/// A later login from the same network is written down after so long, in seconds, so that most logins cost no write
/// here.
const REFRESH_AFTER: u64 = 60 * 60;

/// At most eight networks with the times of their last logins, the latest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KnownNetworks(Vec<KnownNetwork>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct KnownNetwork {
    /// The first address of the network.
    network: IpAddr,
    /// When a login from there was last written down, in Unix seconds.
    at: u64,
}

impl KnownNetworks {
    /// Whether there was a login from `network` lately.
    #[must_use]
    pub fn contains(&self, network: Network, now: u64) -> bool {
        // A clock that is set back must neither forget a network nor remember it for years.
        let is_recent = |known: &&KnownNetwork| known.at.abs_diff(now) < KNOWN_FOR;
        let mut recent = self.0.iter().take(MAX_NETWORKS).filter(is_recent);
        recent.any(|known| Network::of(known.network) == network)
    }

    /// The list after a login from `network`; `None` when it already says so.
    #[must_use]
    pub fn with_login(&self, network: Network, now: u64) -> Option<Self> {
        let is_same = |known: &&KnownNetwork| Network::of(known.network) == network;
        let known = self.0.iter().take(MAX_NETWORKS).find(is_same);
        if known.is_some_and(|known| known.at.abs_diff(now) < REFRESH_AFTER) {
            return None;
        }
        let latest = KnownNetwork {
            network: network.address(),
            at: now,
        };
        let others = self.0.iter().filter(|known| !is_same(known)).copied();
        let networks = std::iter::once(latest).chain(others);
        Some(Self(networks.take(MAX_NETWORKS).collect()))
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * 60 * 60;

    fn network(number: u8) -> Network {
        Network::of(IpAddr::from([192, 0, 2, number]))
    }

    fn after(logins: impl IntoIterator<Item = (u8, u64)>) -> KnownNetworks {
        let login = |known: KnownNetworks, (number, at)| {
            known.with_login(network(number), at).unwrap_or(known)
        };
        logins.into_iter().fold(KnownNetworks::default(), login)
    }

    #[test]
    fn a_network_is_known_for_thirty_days_after_a_login() {
        let known = after([(1, 100 * DAY)]);
        assert!(known.contains(network(1), 100 * DAY));
        assert!(known.contains(network(1), 130 * DAY - 1));
        assert!(!known.contains(network(1), 130 * DAY));
        assert!(!known.contains(network(2), 100 * DAY));
        assert!(known.contains(network(1), 80 * DAY), "a clock set back");
        assert!(!known.contains(network(1), 0), "a clock that ran ahead");
    }

    #[test]
    fn the_last_eight_networks_are_kept() {
        let known = after((1..=9).map(|number| (number, u64::from(number))));
        let kept = (1..=9).filter(|number| known.contains(network(*number), 10));
        assert_eq!(kept.collect::<Vec<_>>(), (2..=9).collect::<Vec<_>>());
        // A login moves its network to the front.
        let known = known.with_login(network(2), 2 * REFRESH_AFTER).unwrap();
        let known = known.with_login(network(10), 2 * REFRESH_AFTER).unwrap();
        assert!(known.contains(network(2), 2 * REFRESH_AFTER));
        assert!(!known.contains(network(3), 2 * REFRESH_AFTER));
    }

    #[test]
    fn most_logins_need_no_write() {
        let known = after([(1, 1_000)]);
        assert_eq!(
            known.with_login(network(1), 1_000 + REFRESH_AFTER - 1),
            None
        );
        assert!(
            known
                .with_login(network(1), 1_000 + REFRESH_AFTER)
                .is_some()
        );
        assert!(known.with_login(network(2), 1_001).is_some());
    }

    #[test]
    fn a_list_in_a_file_may_be_longer_and_its_addresses_are_networks() {
        let text = r#"[{"network":"2001:db8::7","at":5}]"#;
        let known: KnownNetworks = serde_json::from_str(text).unwrap();
        let same_64 = Network::of("2001:db8::ffff".parse().unwrap());
        assert!(known.contains(same_64, 6));
        let long: Vec<_> = (0..20)
            .map(|number| serde_json::json!({"network": network(number).to_string(), "at": 5}))
            .collect();
        let known: KnownNetworks = serde_json::from_value(long.into()).unwrap();
        assert!(known.contains(network(7), 6) && !known.contains(network(8), 6));
        let known = known.with_login(network(8), 6).unwrap();
        assert_eq!(known.0.len(), MAX_NETWORKS);
    }
}
