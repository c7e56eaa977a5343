//! How many security events get lines of their own: one a second for each kind and site. The others are counted, with
//! the number of names in them. Pure: it gets the time and gives decisions.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use proto::{Network, TokenBucket};

/// The time between two lines of the same kind and site.
const INTERVAL: Duration = Duration::from_secs(1);

/// Pairs of kind and site with entries of their own. Past it, further sites share one entry for each kind.
const MAX_ENTRIES: usize = 4096;

/// Different names that are counted in one sum.
const MAX_NAMES: usize = 1000;

/// Lines about all kinds and sites together: 200 at once, then 50 a second. An attacker with thousands of addresses
/// needs the better part of an hour to fill both files, of 10 MiB each.
const LINES_AT_ONCE: u32 = 200;
const LINE_INTERVAL: Duration = Duration::from_millis(20);

/// Events that got no lines of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EventSum {
    pub(super) kind: String,
    /// `None` for several sites, or when events have none.
    pub(super) site: Option<Network>,
    pub(super) events: u64,
    /// Different names in the events; at most [`MAX_NAMES`].
    pub(super) names: usize,
}

#[derive(Debug)]
struct Entry {
    last_line: Instant,
    events: u64,
    names: HashSet<u64>,
}

#[derive(Debug)]
pub(super) struct EventLimiter {
    entries: HashMap<(String, Option<Network>), Entry>,
    lines: TokenBucket,
}

impl EventLimiter {
    pub(super) fn new() -> Self {
        Self {
            entries: HashMap::new(),
            lines: TokenBucket::new(LINE_INTERVAL, LINES_AT_ONCE),
        }
    }

    /// Whether an event gets a line of its own. If not, it is counted for the next sum.
    pub(super) fn admit(
        &mut self,
        kind: &str,
        site: Option<Network>,
        name: Option<&str>,
        now: Instant,
    ) -> bool {
        let mut key = (kind.to_owned(), site);
        if self.entries.len() >= MAX_ENTRIES && !self.entries.contains_key(&key) {
            key.1 = None;
        }
        let is_first = !self.entries.contains_key(&key);
        let entry = self.entries.entry(key).or_insert_with(|| Entry {
            last_line: now,
            events: 0,
            names: HashSet::new(),
        });
        let is_due = is_first || now.duration_since(entry.last_line) >= INTERVAL;
        // While events wait for a sum, later ones do not overtake it.
        if is_due && entry.events == 0 && self.lines.take(now).is_ok() {
            entry.last_line = now;
            return true;
        }
        entry.events += 1;
        if let Some(name) = name
            && entry.names.len() < MAX_NAMES
        {
            let mut hasher = DefaultHasher::new();
            name.hash(&mut hasher);
            entry.names.insert(hasher.finish());
        }
        false
    }

    /// The sums that are due now, within the budget of all lines.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<EventSum> {
        let mut sums = Vec::new();
        for ((kind, site), entry) in &mut self.entries {
            let is_due = now.duration_since(entry.last_line) >= INTERVAL;
            if entry.events > 0 && is_due && self.lines.take(now).is_ok() {
                entry.last_line = now;
                sums.push(entry.take(kind, *site));
            }
        }
        let is_recent = |entry: &Entry| now.duration_since(entry.last_line) < INTERVAL;
        self.entries
            .retain(|_, entry| entry.events > 0 || is_recent(entry));
        sums
    }

    /// All sums, whether due or not: the last ones of a process.
    pub(super) fn take_all(&mut self) -> Vec<EventSum> {
        let waiting = |(_, entry): &(_, &mut Entry)| entry.events > 0;
        let entries = self.entries.iter_mut().filter(waiting);
        entries
            .map(|((kind, site), entry)| entry.take(kind, *site))
            .collect()
    }

    /// Whether events wait for a sum.
    pub(super) fn has_waiting(&self) -> bool {
        self.entries.values().any(|entry| entry.events > 0)
    }
}

impl Entry {
    fn take(&mut self, kind: &str, site: Option<Network>) -> EventSum {
        EventSum {
            kind: kind.to_owned(),
            site,
            events: std::mem::take(&mut self.events),
            names: std::mem::take(&mut self.names).len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use proptest::prelude::*;

    use super::*;

    fn site(number: u32) -> Option<Network> {
        Some(Network::of(IpAddr::V4(Ipv4Addr::from_bits(
            0x0a00_0000 + number,
        ))))
    }

    #[test]
    fn a_kind_and_site_gets_a_line_a_second() {
        let start = Instant::now();
        let mut limiter = EventLimiter::new();
        let mut lines = 0;
        let (mut events, mut summed) = (0, 0);
        for millis in (0..10_000).step_by(10) {
            let now = start + Duration::from_millis(millis);
            let sums = limiter.take_due(now);
            lines += sums.len();
            summed += sums.iter().map(|sum| sum.events).sum::<u64>();
            events += 1;
            let name = format!("name {}", events % 7);
            if limiter.admit("failed login", site(1), Some(&name), now) {
                lines += 1;
                summed += 1;
            }
        }
        assert_eq!(lines, 10);
        let last = limiter.take_all();
        assert_eq!((last.len(), last[0].names), (1, 7));
        assert_eq!(summed + last[0].events, events);
        assert!(!limiter.has_waiting());
    }

    #[test]
    fn other_kinds_and_sites_are_not_held_back() {
        let start = Instant::now();
        let mut limiter = EventLimiter::new();
        for _ in 0..1000 {
            limiter.admit("failed login", site(1), None, start);
        }
        assert!(limiter.admit("login", site(1), None, start));
        assert!(limiter.admit("failed login", site(2), None, start));
        assert!(limiter.admit("failed login", None, None, start));
    }

    #[test]
    fn many_sites_cost_bounded_memory_and_lines() {
        let start = Instant::now();
        let mut limiter = EventLimiter::new();
        let admit = |&number: &u32| limiter.admit("failed login", site(number), None, start);
        let admitted = (0..100_000).filter(admit).count() as u64;
        assert_eq!(admitted, u64::from(LINES_AT_ONCE));
        assert!(limiter.entries.len() <= MAX_ENTRIES + 1);
        let counted: u64 = limiter.take_all().iter().map(|sum| sum.events).sum();
        assert_eq!(admitted + counted, 100_000);
    }

    proptest! {
        #[test]
        fn every_event_is_in_a_line_or_in_a_sum(
            steps in prop::collection::vec((0..400u64, 0..3u32, 0..2usize, prop::bool::ANY), 0..200),
        ) {
            let mut now = Instant::now();
            let mut limiter = EventLimiter::new();
            let mut events = 0;
            let mut lines: HashMap<_, Vec<Instant>> = HashMap::new();
            let mut logged = 0;
            for (millis, number, kind, is_event) in steps {
                now += Duration::from_millis(millis);
                let kind = ["login", "ban"][kind];
                if is_event {
                    events += 1;
                    if limiter.admit(kind, site(number), Some("anna"), now) {
                        logged += 1;
                        lines.entry((kind.to_owned(), site(number))).or_default().push(now);
                    }
                } else {
                    for sum in limiter.take_due(now) {
                        prop_assert_eq!(sum.names, 1);
                        logged += sum.events;
                        lines.entry((sum.kind, sum.site)).or_default().push(now);
                    }
                }
            }
            logged += limiter.take_all().iter().map(|sum| sum.events).sum::<u64>();
            prop_assert_eq!(logged, events);
            for times in lines.values() {
                prop_assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= INTERVAL));
            }
        }
    }
}
