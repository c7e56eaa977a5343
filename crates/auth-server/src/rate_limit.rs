//! Limits how fast passwords can be guessed. Time is passed in as the duration since any fixed moment; names, networks
//! and sessions are passed in as keyed hashes, so nothing here holds a name.

use std::time::Duration;

use crate::bounded_table::{BoundedTable, Change};

/// The wait after a failure: that of the first entry whose number is above the failures in a row.
const STEPS: [(u32, Duration); 4] = [
    (3, Duration::from_secs(1)),
    (9, Duration::from_secs(3)),
    (25, Duration::from_secs(5)),
    (100, Duration::from_secs(10)),
];

/// The wait after the last step. About 100 guesses a day are left.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);

/// The longest wait of a name from all networks together. It is short so that a traveller with the right password can
/// get in between two guesses of an attacker. There is no promise: after each failure whoever asks first has the next
/// try, so a traveller may never get in while several networks guess without end.
const LONGEST_NAME_WAIT: Duration = Duration::from_secs(10);

/// Failed attempts, and registrations, that a network may make at once, and how soon it gains another.
const BUCKET: u32 = 30;
const REFILL: Duration = Duration::from_secs(2);

/// Failures are forgotten this long after the last one. A guesser who waits for it gets fewer guesses than one who goes
/// on.
const FORGET_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// Entries of each table, some 4 MiB.
///
/// A full table evicts the entries with the fewest failures. To evict a user's `n` failures an attacker must fill most
/// of a table with entries of `n` failures, each of which was an attempt. At 100 hashes a second (two cores)
/// this takes about 10 minutes of the whole server for each failure evicted, and gains one quicker guess each.
const TABLE_ENTRIES: usize = 1 << 16;

/// Counts failed attempts, and says when the next one may be made.
///
/// An attempt is charged when it fails. So that many attempts at once gain nothing over one after another, the caller
/// lets only one attempt of each [`exclusive_key`](Attempt::exclusive_key) run at a time, and checks again when its
/// turn comes.
#[derive(Debug)]
pub struct RateLimiter {
    pairs: BoundedTable<Failures>,
    names: BoundedTable<Failures>,
    sessions: BoundedTable<Failures>,
    guesses: Buckets,
    registrations: Buckets,
}

/// A guess at a password. The keys are keyed hashes of what they name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// A login. The user need not exist.
    Login {
        /// The name together with the network.
        pair: u64,
        /// The name alone.
        name: u64,
        /// The network alone.
        network: u64,
        /// Whether this user has logged in from this network lately.
        is_known_network: bool,
    },
    /// The old password of a password change, within a live session. Failures elsewhere do not delay it.
    PasswordChange {
        /// The session.
        session: u64,
    },
}

impl Attempt {
    /// Attempts with the same key must run one after another, each seeing the outcome of the one before.
    ///
    /// From known networks that is the name and the network, so that nobody elsewhere can hold an owner up. All other
    /// networks share the name's wait, and so they share one turn.
    #[must_use]
    pub fn exclusive_key(self) -> u64 {
        match self {
            Self::Login {
                pair,
                is_known_network: true,
                ..
            } => pair,
            Self::Login { name, .. } => name,
            Self::PasswordChange { session } => session,
        }
    }
}

/// The attempt came too early. It was not looked at and does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts; try again in {} s", self.seconds())]
pub struct RateLimited {
    /// How long to wait.
    pub wait: Duration,
}

impl RateLimited {
    /// Whole seconds to wait, at least 1: `retry_after`.
    #[must_use]
    pub fn seconds(self) -> u64 {
        self.wait.as_millis().div_ceil(1000).max(1) as u64
    }
}

impl Default for RateLimiter {
    fn default() -> Self {
        Self::with_entries(TABLE_ENTRIES)
    }
}

impl RateLimiter {
    fn with_entries(entries: usize) -> Self {
        Self {
            pairs: BoundedTable::new(entries),
            names: BoundedTable::new(entries),
            sessions: BoundedTable::new(entries),
            guesses: Buckets::new(entries),
            registrations: Buckets::new(entries),
        }
    }

    /// Checks whether an attempt may be made now. Nothing is counted.
    ///
    /// # Errors
    ///
    /// [`RateLimited`] says how long to wait.
    pub fn check(&self, attempt: Attempt, now: Duration) -> Result<(), RateLimited> {
        let wait_of = |table: &BoundedTable<Failures>, key, longest| {
            let failures = table.entry(key).filter(|failures| failures.is_live(now));
            failures.map_or(Duration::ZERO, |failures| failures.next_attempt(longest))
        };
        let allowed_at = match attempt {
            Attempt::Login {
                pair,
                name,
                network,
                is_known_network,
            } => {
                let by_name = match is_known_network {
                    true => Duration::ZERO,
                    false => wait_of(&self.names, name, LONGEST_NAME_WAIT),
                };
                let by_pair = wait_of(&self.pairs, pair, LONGEST_WAIT);
                by_pair.max(by_name).max(self.guesses.next_token(network))
            }
            Attempt::PasswordChange { session } => wait_of(&self.sessions, session, LONGEST_WAIT),
        };
        not_before(allowed_at, now)
    }

    /// Charges an attempt that failed.
    pub fn failed(&mut self, attempt: Attempt, now: Duration) {
        match attempt {
            Attempt::Login {
                pair,
                name,
                network,
                ..
            } => {
                add_failure(&mut self.pairs, pair, now);
                add_failure(&mut self.names, name, now);
                self.guesses.take_token(network, now);
            }
            Attempt::PasswordChange { session } => add_failure(&mut self.sessions, session, now),
        }
    }

    /// An attempt succeeded: what this network has failed with this name, or this session with the old password, is
    /// forgiven. Failures of other networks stay.
    pub fn succeeded(&mut self, attempt: Attempt) {
        match attempt {
            Attempt::Login { pair, name, .. } => {
                if let Some(own) = self.pairs.remove(pair) {
                    self.names.update(name, |all| all.without(own.count));
                }
            }
            Attempt::PasswordChange { session } => drop(self.sessions.remove(session)),
        }
    }

    /// Charges a network for a registration, which costs the server a hash and shows whether a name is taken.
    ///
    /// # Errors
    ///
    /// [`RateLimited`]; then nothing is charged.
    pub fn take_registration(&mut self, network: u64, now: Duration) -> Result<(), RateLimited> {
        not_before(self.registrations.next_token(network), now)?;
        self.registrations.take_token(network, now);
        Ok(())
    }

    /// Takes a charge back, because the server could not do its part of a registration.
    pub fn return_registration(&mut self, network: u64) {
        self.registrations.return_token(network);
    }

    /// Removes the entries that no longer delay anything.
    pub fn expire(&mut self, now: Duration) {
        for table in [&mut self.pairs, &mut self.names, &mut self.sessions] {
            table.retain(|_, failures| failures.is_live(now));
        }
        self.guesses.expire(now);
        self.registrations.expire(now);
    }

    /// Returns what changed since the last call, for a file.
    pub fn take_changes(&mut self) -> Vec<(Entry, Option<Saved>)> {
        let failures = [
            (Table::Pair, self.pairs.take_changes()),
            (Table::Name, self.names.take_changes()),
            (Table::Session, self.sessions.take_changes()),
        ];
        let buckets = [
            (Table::Guesses, self.guesses.0.take_changes()),
            (Table::Registrations, self.registrations.0.take_changes()),
        ];
        let failures = failures.into_iter().flat_map(|(table, changes)| {
            let saved = |failures: Failures| Saved {
                failures: failures.count,
                at: failures.last,
            };
            entries(table, changes, saved)
        });
        let buckets = buckets.into_iter().flat_map(|(table, changes)| {
            let saved = |full_at| Saved {
                failures: 0,
                at: full_at,
            };
            entries(table, changes, saved)
        });
        failures.chain(buckets).collect()
    }

    /// Reports an entry as changed once more, because it could not be written.
    pub fn mark_unsaved(&mut self, entry: Entry) {
        let Entry { table, key } = entry;
        match table {
            Table::Pair => self.pairs.mark_unsaved(key),
            Table::Name => self.names.mark_unsaved(key),
            Table::Session => self.sessions.mark_unsaved(key),
            Table::Guesses => self.guesses.0.mark_unsaved(key),
            Table::Registrations => self.registrations.0.mark_unsaved(key),
        }
    }

    /// Takes an entry back from a file. A time that is still to come counts as now, so that a clock that once ran ahead
    /// makes no wait longer than the rules do.
    pub fn restore(&mut self, entry: Entry, saved: Saved, now: Duration) {
        let Entry { table, key } = entry;
        let failures = Failures {
            count: saved.failures,
            last: saved.at.min(now),
        };
        let full_at = saved.at.min(now + REFILL * BUCKET);
        let is_live = |failures: &Failures| failures.is_live(now);
        match table {
            Table::Pair => self.pairs.set(key, failures, is_live),
            Table::Name => self.names.set(key, failures, is_live),
            Table::Session => self.sessions.set(key, failures, is_live),
            Table::Guesses => self.guesses.set(key, full_at, now),
            Table::Registrations => self.registrations.set(key, full_at, now),
        }
    }
}

/// Which table an entry is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Table {
    /// Failures of a name and a network together.
    Pair,
    /// Failures of a name from everywhere.
    Name,
    /// Failures of the old password within a session.
    Session,
    /// A network's bucket of failed attempts.
    Guesses,
    /// A network's bucket of registrations.
    Registrations,
}

impl Table {
    /// All tables.
    pub const ALL: [Self; 5] = [
        Self::Pair,
        Self::Name,
        Self::Session,
        Self::Guesses,
        Self::Registrations,
    ];
}

/// One entry of the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// Its table.
    pub table: Table,
    /// Its keyed hash.
    pub key: u64,
}

/// What is saved of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Failures in a row; 0 for buckets.
    pub failures: u32,
    /// The time of the last failure; of a bucket the time at which it is full again.
    pub at: Duration,
}

fn entries<V>(
    table: Table,
    changes: Vec<Change<V>>,
    saved: impl Fn(V) -> Saved,
) -> impl Iterator<Item = (Entry, Option<Saved>)> {
    let changes = changes.into_iter();
    changes.map(move |(key, value)| (Entry { table, key }, value.map(&saved)))
}

/// Failures in a row. Entries with more failures are worth more to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Failures {
    count: u32,
    last: Duration,
}

impl Failures {
    fn is_live(self, now: Duration) -> bool {
        now < self.last + FORGET_AFTER
    }

    fn next_attempt(self, longest: Duration) -> Duration {
        let step = STEPS.iter().find(|(below, _)| self.count < *below);
        self.last + step.map_or(LONGEST_WAIT, |(_, wait)| *wait).min(longest)
    }

    fn without(self, count: u32) -> Option<Self> {
        let count = self.count.checked_sub(count).filter(|count| *count > 0)?;
        Some(Self { count, ..self })
    }
}

fn add_failure(table: &mut BoundedTable<Failures>, key: u64, now: Duration) {
    let is_live = |failures: &Failures| failures.is_live(now);
    let before = table.entry(key).filter(is_live);
    let count = before.map_or(0, |failures| failures.count);
    let failures = Failures {
        count: count.saturating_add(1),
        last: now,
    };
    table.set(key, failures, is_live);
}

/// A token bucket for each network: the time at which it is full again. Full buckets have no entry.
#[derive(Debug)]
struct Buckets(BoundedTable<Duration>);

impl Buckets {
    fn new(entries: usize) -> Self {
        Self(BoundedTable::new(entries))
    }

    /// When the next token is there: a bucket that lacks all but one is not empty yet.
    fn next_token(&self, network: u64) -> Duration {
        let full_at = self.0.entry(network).unwrap_or_default();
        full_at.saturating_sub(REFILL * (BUCKET - 1))
    }

    fn take_token(&mut self, network: u64, now: Duration) {
        let full_at = self.0.entry(network).unwrap_or_default().max(now) + REFILL;
        self.set(network, full_at, now);
    }

    fn return_token(&mut self, network: u64) {
        self.0
            .update(network, |full_at| full_at.checked_sub(REFILL));
    }

    fn set(&mut self, network: u64, full_at: Duration, now: Duration) {
        self.0.set(network, full_at, |full_at| now < *full_at);
    }

    fn expire(&mut self, now: Duration) {
        self.0.retain(|_, full_at| now < *full_at);
    }
}

fn not_before(allowed_at: Duration, now: Duration) -> Result<(), RateLimited> {
    match allowed_at.saturating_sub(now) {
        Duration::ZERO => Ok(()),
        wait => Err(RateLimited { wait }),
    }
}

#[cfg(test)]
mod tests;
