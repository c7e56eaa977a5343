//! What one network may use: places, and messages a second.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use proto::{Network, TokenBucket};

/// 40 messages a second, after a burst of 100.
const MESSAGE_INTERVAL: Duration = Duration::from_millis(25);
const MESSAGE_BURST: u32 = 100;

/// However few places there are, a network has so many: a classroom may be behind one address.
const MIN_PLACES: usize = 64;

/// A member's own pace. It counts on loopback, where all clients have one address.
pub(super) fn pace() -> TokenBucket {
    TokenBucket::new(MESSAGE_INTERVAL, MESSAGE_BURST)
}

/// Networks with members, or with a pace that leaving must not reset.
#[derive(Debug, Default)]
pub(super) struct Networks(HashMap<Network, Share>);

#[derive(Debug)]
struct Share {
    members: usize,
    pace: TokenBucket,
}

impl Networks {
    /// Takes a place for a member of this network, if its share has one.
    pub(super) fn join(&mut self, network: Network, max_members: usize) -> bool {
        let share = self.0.entry(network).or_insert_with(|| Share {
            members: 0,
            pace: pace(),
        });
        let places = if network.is_loopback() {
            max_members
        } else {
            (max_members / 4).max(MIN_PLACES)
        };
        let has_place = share.members < places;
        share.members += usize::from(has_place);
        has_place
    }

    /// Gives the place back.
    pub(super) fn leave(&mut self, network: Network, now: Instant) {
        if let Some(share) = self.0.get_mut(&network) {
            share.members = share.members.saturating_sub(1);
        }
        self.0
            .retain(|_, share| share.members > 0 || !share.pace.is_full(now));
    }

    /// Counts a message of a member, if it may be taken now.
    pub(super) fn admit(&mut self, network: Network, own: &mut TokenBucket, now: Instant) -> bool {
        if network.is_loopback() {
            return own.take(now).is_ok();
        }
        self.0
            .get_mut(&network)
            .is_some_and(|share| share.pace.take(now).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(address: &str) -> Network {
        Network::of(address.parse().unwrap())
    }

    #[test]
    fn a_network_has_a_quarter_of_the_places_and_loopback_all() {
        let (mut networks, far, here) = (
            Networks::default(),
            network("192.0.2.1"),
            network("127.0.0.1"),
        );
        let count = |networks: &mut Networks, network| {
            (0..2_000).filter(|_| networks.join(network, 1_000)).count()
        };
        assert_eq!(count(&mut networks, far), 250);
        assert_eq!(count(&mut networks, here), 1_000);
        assert_eq!(count(&mut networks, network("192.0.2.2")), 250);
        networks.leave(far, Instant::now());
        assert_eq!(count(&mut networks, far), 1);
        assert_eq!(
            (0..100)
                .filter(|_| networks.join(network("192.0.2.3"), 10))
                .count(),
            64
        );
    }

    #[test]
    fn joining_again_does_not_reset_the_pace() {
        let (mut networks, far, now) = (Networks::default(), network("192.0.2.1"), Instant::now());
        let mut taken = 0;
        for _ in 0..10 {
            networks.join(far, 1_000);
            taken += (0..100)
                .filter(|_| networks.admit(far, &mut pace(), now))
                .count();
            networks.leave(far, now);
        }
        assert_eq!(taken, 100);
        networks.join(network("192.0.2.9"), 1_000);
        networks.leave(network("192.0.2.9"), now + Duration::from_secs(60));
        assert!(networks.0.is_empty());
    }

    #[test]
    fn sessions_on_loopback_have_a_pace_each() {
        let (mut networks, here, now) = (Networks::default(), network("127.0.0.1"), Instant::now());
        networks.join(here, 1_000);
        for _ in 0..3 {
            let mut own = pace();
            assert_eq!(
                (0..200)
                    .filter(|_| networks.admit(here, &mut own, now))
                    .count(),
                100
            );
        }
    }
}
