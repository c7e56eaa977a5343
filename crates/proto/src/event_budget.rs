//! How many clients of a network get lines of their own in a log when they come, change and go. The others are counted,
//! and summed once a second. Pure: it gets the time and gives decisions.

use std::collections::HashMap;
use std::mem;
use std::time::{Duration, Instant};

use crate::{Network, TokenBucket};

/// Lines about one network, of each [`EventKind`]: 500 at once, then 100 a second. Loopback is a network, too.
const LINES_AT_ONCE: u32 = 500;
const LINE_INTERVAL: Duration = Duration::from_millis(10);

/// Lines about all networks together, so that an attacker with many networks cannot flood the log either. A network's
/// sum counts as one, though it has a line for each thing that is counted.
const ALL_LINES_AT_ONCE: u32 = 4_000;
const ALL_LINES_INTERVAL: Duration = Duration::from_millis(1);

/// Networks with budgets of their own. Past it, all further ones share a budget and a sum.
const MAX_NETWORKS: usize = 1_024;

const SECOND: Duration = Duration::from_secs(1);

/// The kinds of events, each with a budget of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A client comes, or is refused.
    Arrival,
    /// Anything between: a client changes its name, or a service logs a line of its own about a client.
    Change,
    /// A client goes.
    Departure,
}

/// Decides which events get lines of their own. `S` is what is counted of a network's other events.
#[derive(Debug)]
pub struct EventBudget<S> {
    /// By network; `None` for those past [`MAX_NETWORKS`].
    networks: HashMap<Option<Network>, NetworkEvents<S>>,
    all: TokenBucket,
    /// When the next sums are due, if there are any.
    sums_at: Option<Instant>,
}

#[derive(Debug)]
struct NetworkEvents<S> {
    /// One for each [`EventKind`].
    buckets: [TokenBucket; 3],
    unlogged: S,
}

impl<S> Default for EventBudget<S> {
    fn default() -> Self {
        Self {
            networks: HashMap::new(),
            all: TokenBucket::new(ALL_LINES_INTERVAL, ALL_LINES_AT_ONCE),
            sums_at: None,
        }
    }
}

impl<S: Default + PartialEq> EventBudget<S> {
    /// Whether the event gets a line of its own. If not, `count` adds it to the network's next sum.
    pub fn admit(
        &mut self,
        network: Network,
        kind: EventKind,
        now: Instant,
        count: impl FnOnce(&mut S),
    ) -> bool {
        let all_has_token = self.all.has_token(now);
        let events = self.events_of(network, now);
        if all_has_token && events.buckets[kind as usize].take(now).is_ok() {
            return self.all.take(now).is_ok();
        }
        count(&mut events.unlogged);
        self.sums_at.get_or_insert(now + SECOND);
        false
    }

    /// When sums are due.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.sums_at
    }

    /// The sums so far, by network; `None` stands for several networks. To be called once a second. A sum for which the
    /// budget of all networks has no room stays for the next time.
    pub fn take_sums(&mut self, now: Instant) -> Vec<(Option<Network>, S)> {
        self.sums_at = None;
        let mut sums = Vec::new();
        for (network, events) in &mut self.networks {
            if events.unlogged == S::default() {
                continue;
            }
            if self.all.take(now).is_ok() {
                sums.push((*network, mem::take(&mut events.unlogged)));
            } else {
                self.sums_at = Some(now + SECOND);
            }
        }
        self.forget_quiet(now);
        sums
    }

    /// All sums, whatever the budgets say: the last ones of a server.
    pub fn take_last_sums(&mut self) -> Vec<(Option<Network>, S)> {
        self.sums_at = None;
        let networks = self.networks.drain();
        let sums = networks.map(|(network, events)| (network, events.unlogged));
        sums.filter(|(_, sum)| *sum != S::default()).collect()
    }

    /// The network's entry. A new network gets one of its own while there is room for it; quiet ones make room.
    fn events_of(&mut self, network: Network, now: Instant) -> &mut NetworkEvents<S> {
        let mut key = Some(network);
        if self.networks.len() >= MAX_NETWORKS && !self.networks.contains_key(&key) {
            self.forget_quiet(now);
            key = key.filter(|_| self.networks.len() < MAX_NETWORKS);
        }
        self.networks.entry(key).or_insert_with(|| NetworkEvents {
            buckets: [(); 3].map(|()| TokenBucket::new(LINE_INTERVAL, LINES_AT_ONCE)),
            unlogged: S::default(),
        })
    }

    fn forget_quiet(&mut self, now: Instant) {
        self.networks.retain(|_, events| {
            let is_rested = events.buckets.iter().all(|bucket| bucket.is_full(now));
            events.unlogged != S::default() || !is_rested
        });
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use proptest::prelude::*;

    use super::EventKind::{Arrival, Change, Departure};
    use super::*;

    #[derive(Debug, Default, PartialEq, Eq)]
    struct Sum {
        events: u64,
        bytes: u64,
    }

    fn network(number: u32) -> Network {
        Network::of(IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + number)))
    }

    fn count(sum: &mut Sum) {
        sum.events += 1;
        sum.bytes += 7;
    }

    #[test]
    fn a_network_gets_500_lines_at_once_and_then_100_a_second() {
        let start = Instant::now();
        for network in [network(1), Network::of(Ipv4Addr::LOCALHOST.into())] {
            let mut budget = EventBudget::<Sum>::default();
            let mut admitted = |kind, now| {
                let admit = |_: &u32| budget.admit(network, kind, now, count);
                (0..2000).filter(admit).count()
            };
            assert_eq!(admitted(Arrival, start), 500);
            assert_eq!(admitted(Change, start), 500);
            assert_eq!(admitted(Departure, start), 500);
            assert_eq!(admitted(Arrival, start + Duration::from_millis(100)), 10);
            assert_eq!(admitted(Arrival, start + Duration::from_millis(1100)), 100);
            assert_eq!(budget.deadline(), Some(start + SECOND));
            let sums = budget.take_sums(start);
            assert_eq!(sums.len(), 1);
            assert_eq!(sums[0].0, Some(network));
            assert_eq!(sums[0].1.events, 3 * 1500 + 1990 + 1900);
            assert_eq!(budget.deadline(), None);
            assert_eq!(budget.take_sums(start), []);
        }
    }

    #[test]
    fn a_network_leaves_the_budgets_of_others_alone() {
        let start = Instant::now();
        let mut budget = EventBudget::<Sum>::default();
        let admit = |_: &u32| budget.admit(network(1), Arrival, start, count);
        assert_eq!((0..2000).filter(admit).count(), 500);
        assert!(budget.admit(network(2), Arrival, start, count));
    }

    #[test]
    fn many_networks_share_a_budget_and_little_memory() {
        let mut now = Instant::now();
        let mut budget = EventBudget::<Sum>::default();
        let admit = |&number: &u32| budget.admit(network(number), Arrival, now, count);
        let admitted = (0..100_000).filter(admit).count() as u64;
        assert!(admitted <= u64::from(ALL_LINES_AT_ONCE));
        assert_eq!(budget.networks.len(), MAX_NETWORKS + 1);
        let mut summed = Sum::default();
        while let Some(at) = budget.deadline() {
            now = at;
            for (_, sum) in budget.take_sums(now) {
                summed.events += sum.events;
                summed.bytes += sum.bytes;
            }
        }
        assert_eq!(admitted + summed.events, 100_000, "nothing is lost");
        assert_eq!(summed.bytes, 7 * summed.events);
        budget.take_sums(now + 60 * SECOND);
        assert!(budget.networks.is_empty(), "quiet networks are forgotten");
    }

    #[test]
    fn quiet_networks_make_room_for_new_ones() {
        let start = Instant::now();
        let mut budget = EventBudget::<Sum>::default();
        for number in 0..MAX_NETWORKS as u32 {
            budget.admit(network(number), Arrival, start, count);
        }
        budget.admit(network(50_000), Arrival, start + 60 * SECOND, count);
        assert_eq!(budget.networks.len(), 1);
    }

    #[test]
    fn the_last_sums_are_taken_whatever_the_budget_is() {
        let now = Instant::now();
        let mut budget = EventBudget::<Sum>::default();
        for _ in 0..501 {
            budget.admit(network(1), Change, now, count);
        }
        let sums = budget.take_last_sums();
        assert_eq!((sums.len(), sums[0].1.events), (1, 1));
        assert_eq!(budget.take_last_sums(), []);
    }

    proptest! {
        #[test]
        fn every_event_and_byte_is_in_a_line_or_in_a_sum(
            steps in prop::collection::vec((0..3u64, 0..4u32, 0..40usize), 0..200),
        ) {
            let mut now = Instant::now();
            let mut budget = EventBudget::<Sum>::default();
            let (mut lines, mut events) = (0u64, 0u64);
            let mut sums = vec![];
            for (millis, number, at_once) in steps {
                now += Duration::from_millis(millis);
                for _ in 0..at_once {
                    events += 1;
                    lines += u64::from(budget.admit(network(number), Departure, now, count));
                }
                if millis == 0 {
                    sums.extend(budget.take_sums(now));
                }
            }
            sums.extend(budget.take_last_sums());
            let summed: u64 = sums.iter().map(|(_, sum)| sum.events).sum();
            let summed_bytes: u64 = sums.iter().map(|(_, sum)| sum.bytes).sum();
            prop_assert_eq!(lines + summed, events);
            prop_assert_eq!(summed_bytes, 7 * summed);
        }
    }
}
