//! Whom an operator has excluded: by key, and by network, since keys are free.

use std::time::{Duration, Instant};

use chat_link::{KeyId, PublicKey};
use proto::Network;

/// How many bans are kept; the oldest gives way.
const MAX_BANS: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct Bans(Vec<Ban>);

#[derive(Debug, Clone)]
pub(super) struct Ban {
    pub(super) nick: String,
    pub(super) key: PublicKey,
    /// Not on loopback, where everybody has one address.
    pub(super) network: Option<Network>,
    /// `None` until the server stops.
    pub(super) until: Option<Instant>,
}

impl Bans {
    pub(super) fn add(&mut self, ban: Ban) {
        if self.0.len() == MAX_BANS {
            self.0.remove(0);
        }
        self.0.push(ban);
    }

    pub(super) fn excludes(&mut self, key: PublicKey, network: Network, now: Instant) -> bool {
        self.expire(now);
        self.0
            .iter()
            .any(|ban| ban.key == key || ban.network == Some(network))
    }

    /// Lifts the bans of a nick; gives how many.
    pub(super) fn lift(&mut self, nick: &str, now: Instant) -> usize {
        self.expire(now);
        let before = self.0.len();
        self.0.retain(|ban| ban.nick != nick);
        before - self.0.len()
    }

    /// A line for each ban.
    pub(super) fn lines(&mut self, now: Instant) -> Vec<String> {
        self.expire(now);
        self.0.iter().map(|ban| ban.line(now)).collect()
    }

    fn expire(&mut self, now: Instant) {
        self.0
            .retain(|ban| ban.until.is_none_or(|until| now < until));
    }
}

impl Ban {
    fn line(&self, now: Instant) -> String {
        let key: KeyId = self.key.key_id();
        let network = self
            .network
            .map_or_else(|| "no address".to_owned(), |network| network.to_string());
        let time = self.until.map_or_else(
            || "until the server stops".to_owned(),
            |until| {
                format!(
                    "for {} s more",
                    until
                        .saturating_duration_since(now)
                        .max(Duration::from_secs(1))
                        .as_secs()
                )
            },
        );
        format!("{}: key {key}, {network}, {time}", self.nick)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ban_excludes_the_key_and_the_network_for_its_time() {
        let now = Instant::now();
        let (eve, anna) = (
            PublicKey::from_bytes([1; 32]),
            PublicKey::from_bytes([2; 32]),
        );
        let network = |address: &str| Network::of(address.parse().unwrap());
        let mut bans = Bans::default();
        let until = Some(now + Duration::from_secs(60));
        bans.add(Ban {
            nick: "Eve".into(),
            key: eve,
            network: Some(network("192.0.2.1")),
            until,
        });
        assert!(bans.excludes(eve, network("192.0.2.9"), now));
        assert!(bans.excludes(anna, network("192.0.2.1"), now));
        assert!(!bans.excludes(anna, network("192.0.2.9"), now));
        assert!(bans.lines(now)[0].contains("Eve") && bans.lines(now)[0].contains("60 s"));
        assert!(!bans.excludes(eve, network("192.0.2.1"), now + Duration::from_secs(60)));
        bans.add(Ban {
            nick: "Eve".into(),
            key: eve,
            network: None,
            until: None,
        });
        assert_eq!((bans.lift("Anna", now), bans.lift("Eve", now)), (0, 1));
        assert!(!bans.excludes(eve, network("192.0.2.9"), now));
    }
}
