//! Which joins, refusals, renames and departures get lines of their own in the log: of each network 500 of a kind at
//! once, then 100 a second. The others are counted, and summed once a second. Loopback is a network like any other.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use proto::Network;

use super::event::Direction;
use super::traffic_log::Sum;
use crate::pace::Pace;

/// Lines about one network, of each [`EventKind`].
const LINES_AT_ONCE: u32 = 500;
const LINE_INTERVAL: Duration = Duration::from_millis(10);

/// Lines about all networks together, so that an attacker with many networks cannot flood the log either.
const ALL_LINES_AT_ONCE: u32 = 4_000;
const ALL_LINES_INTERVAL: Duration = Duration::from_millis(1);

/// Networks with budgets of their own. Past it, all further ones share a budget and a sum.
const MAX_NETWORKS: usize = 1_024;

const SECOND: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EventKind {
    Joined,
    Refused,
    Renamed,
    Left,
}

/// What happened in a network and is in no line of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventSum {
    /// How many members joined.
    pub joined: u64,
    /// How many clients were not let in.
    pub refused: u64,
    /// How many members took another nick.
    pub renamed: u64,
    /// How many members left.
    pub left: u64,
    /// What came from those who left, as far as no line says so.
    pub received: Sum,
    /// What was sent to those who left, as far as no line says so.
    pub sent: Sum,
}

/// Decides which events get lines of their own.
#[derive(Debug)]
pub(super) struct EventBudget {
    /// By network; `None` for those past [`MAX_NETWORKS`].
    networks: HashMap<Option<Network>, NetworkEvents>,
    all: Pace,
    /// When the next sums are due, if there are any.
    sums_at: Option<Instant>,
}

#[derive(Debug)]
struct NetworkEvents {
    arrivals: Pace,
    renames: Pace,
    departures: Pace,
    unlogged: EventSum,
}

impl Default for EventBudget {
    fn default() -> Self {
        Self {
            networks: HashMap::new(),
            all: Pace::new(ALL_LINES_INTERVAL, ALL_LINES_AT_ONCE),
            sums_at: None,
        }
    }
}

impl EventBudget {
    /// Whether the event gets a line of its own. If not, it is counted for the next sum.
    pub(super) fn admit(&mut self, network: Network, kind: EventKind, now: Instant) -> bool {
        let events = events_of(&mut self.networks, network, now);
        let pace = match kind {
            EventKind::Joined | EventKind::Refused => &mut events.arrivals,
            EventKind::Renamed => &mut events.renames,
            EventKind::Left => &mut events.departures,
        };
        if pace.take(now).is_ok() && self.all.take(now).is_ok() {
            return true;
        }
        *match kind {
            EventKind::Joined => &mut events.unlogged.joined,
            EventKind::Refused => &mut events.unlogged.refused,
            EventKind::Renamed => &mut events.unlogged.renamed,
            EventKind::Left => &mut events.unlogged.left,
        } += 1;
        self.sums_at.get_or_insert(now + SECOND);
        false
    }

    /// Adds the traffic of a member whose departure was not admitted to the next sum.
    pub(super) fn add_traffic(
        &mut self,
        network: Network,
        direction: Direction,
        traffic: Sum,
        now: Instant,
    ) {
        let unlogged = &mut events_of(&mut self.networks, network, now).unlogged;
        let sum = match direction {
            Direction::Received => &mut unlogged.received,
            Direction::Sent => &mut unlogged.sent,
        };
        sum.bytes += traffic.bytes;
        sum.datagrams += traffic.datagrams;
    }

    /// When sums are due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.sums_at
    }

    /// The sums that are due, by network; `None` stands for several networks. A sum for which the budget of all
    /// networks has no room stays for the next second.
    pub(super) fn take_sums(&mut self, now: Instant) -> Vec<(Option<Network>, EventSum)> {
        if self.sums_at.is_none_or(|at| now < at) {
            return Vec::new();
        }
        self.sums_at = None;
        let mut sums = Vec::new();
        for (network, events) in &mut self.networks {
            if events.unlogged == EventSum::default() {
                continue;
            }
            if self.all.take(now).is_ok() {
                sums.push((*network, std::mem::take(&mut events.unlogged)));
            } else {
                self.sums_at = Some(now + SECOND);
            }
        }
        sums
    }

    /// All sums, whatever the budget is: the last ones of a room.
    pub(super) fn take_last_sums(&mut self) -> Vec<(Option<Network>, EventSum)> {
        self.sums_at = None;
        let sums = self.networks.drain();
        let sums = sums.map(|(network, events)| (network, events.unlogged));
        sums.filter(|(_, sum)| *sum != EventSum::default())
            .collect()
    }
}

/// The network's entry. A new network gets one of its own while there is room for it; quiet ones make room.
fn events_of(
    networks: &mut HashMap<Option<Network>, NetworkEvents>,
    network: Network,
    now: Instant,
) -> &mut NetworkEvents {
    let mut key = Some(network);
    if networks.len() >= MAX_NETWORKS && !networks.contains_key(&key) {
        networks.retain(|_, events| !events.is_quiet(now));
        key = key.filter(|_| networks.len() < MAX_NETWORKS);
    }
    networks.entry(key).or_insert_with(|| {
        let pace = || Pace::new(LINE_INTERVAL, LINES_AT_ONCE);
        NetworkEvents {
            arrivals: pace(),
            renames: pace(),
            departures: pace(),
            unlogged: EventSum::default(),
        }
    })
}

impl NetworkEvents {
    fn is_quiet(&self, now: Instant) -> bool {
        let paces = [&self.arrivals, &self.renames, &self.departures];
        self.unlogged == EventSum::default() && paces.iter().all(|pace| pace.is_rested(now))
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn network(number: u32) -> Network {
        Network::of(IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + number)))
    }

    #[test]
    fn a_network_gets_500_lines_at_once_and_then_100_a_second() {
        let start = Instant::now();
        for network in [network(1), Network::of(Ipv4Addr::LOCALHOST.into())] {
            let mut budget = EventBudget::default();
            let mut admitted = |kind, now| {
                let admit = |_: &u32| budget.admit(network, kind, now);
                (0..1_000).filter(admit).count()
            };
            assert_eq!(admitted(EventKind::Joined, start), 500);
            assert_eq!(admitted(EventKind::Refused, start), 0);
            assert_eq!(admitted(EventKind::Left, start), 500);
            assert_eq!(admitted(EventKind::Joined, start + SECOND), 100);
            assert_eq!(budget.deadline(), Some(start + SECOND));
            assert_eq!(budget.take_sums(start), []);
            let sum = EventSum {
                joined: 500 + 900,
                refused: 1_000,
                left: 500,
                ..EventSum::default()
            };
            assert_eq!(budget.take_sums(start + SECOND), [(Some(network), sum)]);
            assert_eq!(budget.deadline(), None);
        }
    }

    #[test]
    fn many_networks_share_a_budget_and_little_memory() {
        let mut now = Instant::now();
        let mut budget = EventBudget::default();
        let admit = |&number: &u32| budget.admit(network(number), EventKind::Joined, now);
        let mut counted = (0..20_000).filter(admit).count() as u64;
        assert!(counted <= u64::from(ALL_LINES_AT_ONCE));
        assert_eq!(budget.networks.len(), MAX_NETWORKS + 1);
        let traffic = Sum {
            bytes: 7,
            datagrams: 1,
        };
        budget.add_traffic(network(20_000), Direction::Sent, traffic, now);
        let mut bytes = 0;
        while let Some(at) = budget.deadline() {
            now = at;
            for (_, sum) in budget.take_sums(now) {
                counted += sum.joined;
                bytes += sum.sent.bytes;
            }
        }
        assert_eq!((counted, bytes), (20_000, 7), "nothing is lost");
        now += 60 * SECOND;
        budget.admit(network(50_000), EventKind::Joined, now);
        assert_eq!(budget.networks.len(), 1, "quiet networks are forgotten");
    }

    #[test]
    fn the_last_sums_are_taken_whatever_the_budget_is() {
        let now = Instant::now();
        let mut budget = EventBudget::default();
        (0..501).for_each(|_| {
            budget.admit(network(1), EventKind::Renamed, now);
        });
        let sums = budget.take_last_sums();
        assert_eq!((sums.len(), sums[0].1.renamed), (1, 1));
        assert_eq!(budget.take_last_sums(), []);
    }
}
