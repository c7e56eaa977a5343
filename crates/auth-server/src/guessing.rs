//! How fast passwords can be tried. Whether one was right is told to it, and time is handed in:
//! a duration since any fixed moment, such as the server's start.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use crate::bounded_table::BoundedTable;
use crate::user_key::UserKey;

/// How long the next attempt waits while the failures in a row are under a number.
const STEPS: [(u32, Duration); 4] = [
    (3, Duration::from_secs(1)),
    (9, Duration::from_secs(3)),
    (25, Duration::from_secs(5)),
    (100, Duration::from_secs(10)),
];

/// The wait of one user name and one address after that. About 100 guesses a day are left.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);

/// The longest wait of a user name from all addresses together: whoever fails on purpose must not
/// be able to shut the user out.
const LONGEST_NAME_WAIT: Duration = Duration::from_secs(10);

/// Attempts that an address may make at once, and how soon it gains another.
const BUCKET: u32 = 30;
const REFILL: Duration = Duration::from_secs(2);

/// Failures are forgotten when none has been added for so long. Whoever waits for that gains
/// fewer guesses than by going on.
const FORGET_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// Entries of each table, some 3 MiB.
///
/// When one is full those with the least in them go. To push out a user's `n` failures an attacker
/// must so fill most of a table with entries of `n` failures, each of which was an attempt: at 100
/// hashes a second, which is what two cores make, that is some 10 minutes of all that the server
/// can do for each of the `n`, and what it gains is a quicker guess for each.
const TABLE_ENTRIES: usize = 1 << 16;

/// Counts attempts, and says when the next one may be made.
///
/// An attempt counts as a failure from the moment it is admitted, so that many at once gain
/// nothing over one after another. What became of it is told afterwards.
#[derive(Debug)]
pub struct Throttle {
    /// Makes keys of one size out of names and addresses of any, in a way nobody can foretell.
    keys: RandomState,
    pairs: BoundedTable<Failures>,
    names: BoundedTable<Failures>,
    /// When the address's bucket is full again; there is an entry only while it is not.
    buckets: BoundedTable<Duration>,
}

/// Failures in a row. The order is that in which entries are worth keeping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Failures {
    count: u32,
    last: Duration,
}

/// An attempt that was admitted and counts as a failure until something else is told of it.
#[derive(Debug)]
#[must_use = "an attempt that succeeded must be told of"]
pub struct Attempt {
    pair: u64,
    name: u64,
}

/// The attempt was refused and does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooEarly {
    /// How long to wait.
    pub wait: Duration,
}

impl TooEarly {
    /// Whole seconds to wait, at least 1: `retry_after`.
    #[must_use]
    pub fn seconds(self) -> u64 {
        self.wait.as_millis().div_ceil(1000).max(1) as u64
    }
}

impl Default for Throttle {
    fn default() -> Self {
        Self::with_entries(TABLE_ENTRIES)
    }
}

impl Throttle {
    fn with_entries(entries: usize) -> Self {
        Self {
            keys: RandomState::new(),
            pairs: BoundedTable::new(entries),
            names: BoundedTable::new(entries),
            buckets: BoundedTable::new(entries),
        }
    }

    /// Admits a guess at a user's password, or tells how long to wait. The user need not exist.
    ///
    /// # Errors
    ///
    /// [`TooEarly`]; nothing is counted.
    pub fn admit(
        &mut self,
        user: &UserKey,
        address: IpAddr,
        now: Duration,
    ) -> Result<Attempt, TooEarly> {
        let network = network(address);
        let attempt = Attempt {
            pair: self.keys.hash_one((user, network)),
            name: self.keys.hash_one(user),
        };
        let remembered = |failures: &Failures| failures.is_remembered(now);
        let pair = self.pairs.entry(attempt.pair).filter(remembered);
        let name = self.names.entry(attempt.name).filter(remembered);
        let bucket = self.keys.hash_one(network);
        let admitted_at = next_attempt(pair, LONGEST_WAIT)
            .max(next_attempt(name, LONGEST_NAME_WAIT))
            .max(self.next_token(bucket));
        not_before(admitted_at, now)?;
        self.take_token(bucket, now);
        self.pairs
            .set(attempt.pair, one_more(pair, now), remembered);
        self.names
            .set(attempt.name, one_more(name, now), remembered);
        Ok(attempt)
    }

    /// Admits the creation of a user, which costs the server a hash but is no guess.
    ///
    /// # Errors
    ///
    /// [`TooEarly`]; nothing is counted.
    pub fn admit_registration(&mut self, address: IpAddr, now: Duration) -> Result<(), TooEarly> {
        let bucket = self.keys.hash_one(network(address));
        not_before(self.next_token(bucket), now)?;
        self.take_token(bucket, now);
        Ok(())
    }

    /// The attempt succeeded: what this address has failed with this name is forgiven. What
    /// others have stays.
    pub fn succeeded(&mut self, attempt: Attempt) {
        let own = self.pairs.remove(attempt.pair).map_or(1, |own| own.count);
        self.names.update(attempt.name, |all| all.without(own));
    }

    /// The attempt was not made after all, as when the server was too busy. It counts no more,
    /// though what earlier failures make it wait begins anew.
    pub fn withdrawn(&mut self, attempt: Attempt) {
        self.pairs.update(attempt.pair, |own| own.without(1));
        self.names.update(attempt.name, |all| all.without(1));
    }

    /// When an address may make its next attempt: while its bucket lacks all but one.
    fn next_token(&self, bucket: u64) -> Duration {
        let full_at = self.buckets.entry(bucket).unwrap_or_default();
        full_at.saturating_sub(REFILL * (BUCKET - 1))
    }

    fn take_token(&mut self, bucket: u64, now: Duration) {
        let full_at = self.buckets.entry(bucket).unwrap_or_default().max(now) + REFILL;
        self.buckets.set(bucket, full_at, |full_at| now < *full_at);
    }
}

impl Failures {
    fn is_remembered(self, now: Duration) -> bool {
        now < self.last + FORGET_AFTER
    }

    fn without(self, count: u32) -> Option<Self> {
        let count = self.count.checked_sub(count).filter(|count| *count > 0)?;
        Some(Self { count, ..self })
    }
}

fn one_more(failures: Option<Failures>, now: Duration) -> Failures {
    let count = failures.map_or(0, |failures| failures.count);
    Failures {
        count: count.saturating_add(1),
        last: now,
    }
}

fn next_attempt(failures: Option<Failures>, longest: Duration) -> Duration {
    failures.map_or(Duration::ZERO, |Failures { count, last }| {
        let step = STEPS.iter().find(|(under, _)| count < *under);
        last + step.map_or(LONGEST_WAIT, |(_, wait)| *wait).min(longest)
    })
}

fn not_before(admitted_at: Duration, now: Duration) -> Result<(), TooEarly> {
    match admitted_at.saturating_sub(now) {
        Duration::ZERO => Ok(()),
        wait => Err(TooEarly { wait }),
    }
}

/// What one party holds: an IPv4 address, or the 64 bits of network that an IPv6 address is in.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !0 << 64).into(),
        ipv4 => ipv4,
    }
}

impl fmt::Display for TooEarly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "too many attempts; try again in {} s", self.seconds())
    }
}

impl std::error::Error for TooEarly {}

#[cfg(test)]
#[path = "guessing_tests.rs"]
mod tests;
