//! How many clients of a network get lines of their own in the log when they connect and disconnect. The others are
//! counted, and summed once a second. Pure: it gets the time and gives decisions.

use std::collections::HashMap;
use std::time::Instant;

use proto::Network;

use crate::token_bucket::TokenBucket;
use crate::traffic::Counts;

/// Lines about one network: a burst, then lines a second. Connects and disconnects have a budget each.
const LINES_AT_ONCE: f64 = 500.0;
const LINES_PER_SECOND: f64 = 100.0;

/// Lines about all networks together, so that an attacker with many networks cannot flood the log either.
const ALL_LINES_AT_ONCE: f64 = 4000.0;
const ALL_LINES_PER_SECOND: f64 = 1000.0;

/// Networks with budgets of their own. Past it, all further ones share a budget and a sum.
const MAX_NETWORKS: usize = 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Connected,
    Refused,
    Disconnected,
}

/// The events of one network that got no lines of their own, and the traffic of its clients that is in no line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct EventSum {
    pub(crate) connected: u64,
    pub(crate) refused: u64,
    pub(crate) disconnected: u64,
    pub(crate) received: Counts,
    pub(crate) sent: Counts,
}

#[derive(Debug)]
struct NetworkEvents {
    arrivals: TokenBucket,
    departures: TokenBucket,
    unlogged: EventSum,
}

/// Decides which events get lines of their own.
#[derive(Debug)]
pub(crate) struct EventBudget {
    /// By network; `None` for those past [`MAX_NETWORKS`].
    networks: HashMap<Option<Network>, NetworkEvents>,
    all: TokenBucket,
}

impl EventBudget {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            networks: HashMap::new(),
            all: TokenBucket::full(ALL_LINES_AT_ONCE, ALL_LINES_PER_SECOND, now),
        }
    }

    /// Whether the event gets a line of its own. If not, it is counted for the next sum.
    pub(crate) fn admit(&mut self, network: Network, event: Event, now: Instant) -> bool {
        let all_has_token = self.all.has_token(now);
        let events = self.events_of(network, now);
        let bucket = match event {
            Event::Connected | Event::Refused => &mut events.arrivals,
            Event::Disconnected => &mut events.departures,
        };
        let admitted = all_has_token && bucket.has_token(now);
        if admitted {
            bucket.take();
            self.all.take();
            return true;
        }
        *match event {
            Event::Connected => &mut events.unlogged.connected,
            Event::Refused => &mut events.unlogged.refused,
            Event::Disconnected => &mut events.unlogged.disconnected,
        } += 1;
        false
    }

    /// Adds the traffic of a client whose disconnect was not admitted to the next sum.
    pub(crate) fn add_traffic(
        &mut self,
        network: Network,
        received: Counts,
        sent: Counts,
        now: Instant,
    ) {
        let unlogged = &mut self.events_of(network, now).unlogged;
        unlogged.received += received;
        unlogged.sent += sent;
    }

    /// The sums that are due, by network; `None` stands for several networks. Called once a second. A sum for which
    /// the budget of all networks has no room stays for the next time.
    pub(crate) fn take_sums(&mut self, now: Instant) -> Vec<(Option<Network>, EventSum)> {
        let all = &mut self.all;
        let mut sums = Vec::new();
        for (network, events) in &mut self.networks {
            if events.unlogged != EventSum::default() && all.has_token(now) {
                all.take();
                sums.push((*network, std::mem::take(&mut events.unlogged)));
            }
        }
        self.networks.retain(|_, events| {
            let is_full = events.arrivals.is_full(now) && events.departures.is_full(now);
            events.unlogged != EventSum::default() || !is_full
        });
        sums
    }

    /// All sums, whatever the budgets say: the last ones of a server.
    pub(crate) fn take_last_sums(&mut self) -> Vec<(Option<Network>, EventSum)> {
        let sums = self
            .networks
            .drain()
            .map(|(network, events)| (network, events.unlogged));
        sums.filter(|(_, sum)| *sum != EventSum::default())
            .collect()
    }

    fn events_of(&mut self, network: Network, now: Instant) -> &mut NetworkEvents {
        let is_known = self.networks.contains_key(&Some(network));
        let key = (is_known || self.networks.len() < MAX_NETWORKS).then_some(network);
        let full = || TokenBucket::full(LINES_AT_ONCE, LINES_PER_SECOND, now);
        self.networks.entry(key).or_insert_with(|| NetworkEvents {
            arrivals: full(),
            departures: full(),
            unlogged: EventSum::default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn network(number: u32) -> Network {
        Network::of(IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + number)))
    }

    #[test]
    fn a_network_gets_500_lines_at_once_and_then_100_a_second() {
        let start = Instant::now();
        let mut budget = EventBudget::new(start);
        let mut admitted = |now| {
            let admit = |_: &u32| budget.admit(network(1), Event::Connected, now);
            (0..2000).filter(admit).count()
        };
        assert_eq!(admitted(start), 500);
        assert_eq!(admitted(start + Duration::from_millis(100)), 10);
        assert_eq!(admitted(start + Duration::from_millis(1100)), 100);
        assert!(budget.admit(network(2), Event::Connected, start));
        let sums = budget.take_sums(start);
        assert_eq!(sums.len(), 1);
        assert_eq!(sums[0].0, Some(network(1)));
        assert_eq!(sums[0].1.connected, 1500 + 1990 + 1900);
        assert_eq!(budget.take_sums(start), []);
    }

    #[test]
    fn many_networks_share_a_budget_and_little_memory() {
        let start = Instant::now();
        let mut budget = EventBudget::new(start);
        let admit = |&number: &u32| budget.admit(network(number), Event::Connected, start);
        let admitted = (0..100_000).filter(admit).count();
        assert!(admitted as f64 <= ALL_LINES_AT_ONCE);
        assert_eq!(budget.networks.len(), MAX_NETWORKS + 1);
        let later = start + Duration::from_secs(60);
        let summed: u64 = budget
            .take_sums(later)
            .iter()
            .map(|(_, sum)| sum.connected)
            .sum();
        assert_eq!(admitted as u64 + summed, 100_000);
        assert!(budget.networks.is_empty(), "quiet networks are forgotten");
    }

    proptest! {
        #[test]
        fn every_event_and_byte_is_in_a_line_or_in_a_sum(
            steps in prop::collection::vec((0..3u64, 0..4u32, 0..40usize), 0..200),
        ) {
            let mut now = Instant::now();
            let mut budget = EventBudget::new(now);
            let (mut lines, mut events, mut bytes) = (0u64, 0u64, 0u64);
            let mut sums = vec![];
            for (millis, number, count) in steps {
                now += Duration::from_millis(millis);
                for _ in 0..count {
                    events += 1;
                    if budget.admit(network(number), Event::Disconnected, now) {
                        lines += 1;
                    } else {
                        bytes += 7;
                        let traffic = Counts { bytes: 7, operations: 1, messages: 1 };
                        budget.add_traffic(network(number), traffic, Counts::default(), now);
                    }
                }
                if millis == 0 {
                    sums.extend(budget.take_sums(now));
                }
            }
            sums.extend(budget.take_last_sums());
            let summed: u64 = sums.iter().map(|(_, sum)| sum.disconnected).sum();
            let summed_bytes: u64 = sums.iter().map(|(_, sum)| sum.received.bytes).sum();
            prop_assert_eq!(lines + summed, events);
            prop_assert_eq!(summed_bytes, bytes);
        }
    }
}
