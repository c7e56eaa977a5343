//! The throttle of a running server: a [`RateLimiter`] with its secret, its clock, and the file that it survives in.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64ct::{Base64UrlUnpadded, Encoding};
use proto::Network;
use serde::{Deserialize, Serialize};
use store::Store;
use trust::random;

use crate::keyed_hash::KeyedHash;
use crate::rate_limit::{Attempt, Entry, RateLimited, RateLimiter, Saved, Table};
use crate::user_key::UserKey;

/// What is counted.
const STATE_FILE: &str = "throttle.jsonl";

/// The secret has a file of its own, so that a copy of [`STATE_FILE`] alone reveals no names.
const SECRET_FILE: &str = "throttle-secret.jsonl";

/// The key of the secret in its file.
const SECRET: &str = "secret";

/// Counts failed attempts, across restarts.
pub(crate) struct Throttle {
    hash: KeyedHash,
    /// Never held while something is hashed or written.
    limiter: Mutex<RateLimiter>,
    clock: Clock,
    file: Store<SavedEntry>,
}

/// A line's value in the throttle's file.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct SavedEntry {
    /// Failures in a row; none for a bucket.
    #[serde(default, skip_serializing_if = "is_zero")]
    failures: u32,
    /// The last failure, or when the bucket is full again, in milliseconds of Unix time.
    at_ms: u64,
}

/// Why the server's files cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file cannot be read or written.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The operating system gives no random bytes.
    #[error("cannot make a secret: {0}")]
    NoRandom(#[from] io::Error),
    /// The file of the secret holds something else.
    #[error(
        "{SECRET_FILE}: the secret is not 32 bytes in base64url; remove the file to get a new one"
    )]
    BadSecret,
}

/// The files of state and secret, which lie beside the data file.
#[must_use]
pub fn throttle_files(data_file: &Path) -> [PathBuf; 2] {
    [STATE_FILE, SECRET_FILE].map(|name| data_file.with_file_name(name))
}

impl Throttle {
    /// Opens the files of state and secret beside the data file, or creates them. Without the old secret, old entries
    /// mean nothing and are removed within a day.
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub(crate) fn open(data_file: &Path) -> Result<Self, OpenError> {
        let [state, secret] = throttle_files(data_file);
        let secret = Store::open(&secret)?;
        let file: Store<SavedEntry> = Store::open(&state)?;
        let clock = Clock::start();
        let mut limiter = RateLimiter::default();
        let now = clock.now();
        file.for_each(|key, saved| {
            // A newer version may have other tables.
            if let Some(entry) = parse_key(key) {
                let at = Duration::from_millis(saved.at_ms);
                let failures = saved.failures;
                limiter.restore(entry, Saved { failures, at }, now);
            }
        });
        limiter.expire(now);
        Ok(Self {
            hash: KeyedHash::new(&secret_bytes(&secret)?),
            limiter: Mutex::new(limiter),
            clock,
            file,
        })
    }

    /// A login with `user`'s name from `network`.
    pub(crate) fn login(&self, user: &UserKey, network: Network, is_known: bool) -> Attempt {
        let (user, network) = (user.as_str(), network.to_string());
        Attempt::Login {
            pair: self.hash.of(&["pair", user, &network]),
            name: self.hash.of(&["name", user]),
            network: self.hash.of(&["network", &network]),
            is_known_network: is_known,
        }
    }

    /// A password change within the session of this id.
    pub(crate) fn password_change(&self, session_id: &str) -> Attempt {
        Attempt::PasswordChange {
            session: self.hash.of(&["session", session_id]),
        }
    }

    /// [`RateLimiter::check`], now.
    pub(crate) fn check(&self, attempt: Attempt) -> Result<(), RateLimited> {
        self.limiter().check(attempt, self.clock.now())
    }

    /// [`RateLimiter::failed`], now.
    pub(crate) fn failed(&self, attempt: Attempt) {
        self.limiter().failed(attempt, self.clock.now());
    }

    /// [`RateLimiter::succeeded`].
    pub(crate) fn succeeded(&self, attempt: Attempt) {
        self.limiter().succeeded(attempt);
    }

    /// [`RateLimiter::take_registration`], now.
    pub(crate) fn take_registration(&self, network: Network) -> Result<(), RateLimited> {
        let network = self.hash.of(&["network", &network.to_string()]);
        let now = self.clock.now();
        self.limiter().take_registration(network, now)
    }

    /// [`RateLimiter::return_registration`].
    pub(crate) fn return_registration(&self, network: Network) {
        let network = self.hash.of(&["network", &network.to_string()]);
        self.limiter().return_registration(network);
    }

    /// Removes entries that no longer delay anything.
    pub(crate) fn expire(&self) {
        self.limiter().expire(self.clock.now());
    }

    /// Writes what changed since the last call.
    ///
    /// # Errors
    ///
    /// Those of the store; the changes are tried again at the next call.
    pub(crate) fn save(&self) -> Result<(), store::Error> {
        let changes = self.limiter().take_changes();
        if changes.is_empty() {
            return Ok(());
        }
        let saved = self.file.update(|all| {
            for (entry, saved) in &changes {
                let key = format_key(*entry);
                match saved {
                    Some(Saved { failures, at }) => {
                        let at_ms = at.as_millis().try_into().unwrap_or(u64::MAX);
                        let failures = *failures;
                        all.put(&key, SavedEntry { failures, at_ms });
                    }
                    None => {
                        all.remove(&key);
                    }
                }
            }
        });
        saved.inspect_err(|_| {
            let mut limiter = self.limiter();
            for (entry, _) in changes {
                limiter.mark_unsaved(entry);
            }
        })
    }

    /// Nothing that holds the lock can panic halfway.
    fn limiter(&self) -> MutexGuard<'_, RateLimiter> {
        self.limiter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Unix time that never runs back while the server runs, whatever the system's clock does.
#[derive(Clone, Copy, Debug)]
struct Clock {
    start: Instant,
    start_unix: Duration,
}

impl Clock {
    fn start() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            start: Instant::now(),
            start_unix: since.unwrap_or_default(),
        }
    }

    fn now(self) -> Duration {
        self.start_unix + self.start.elapsed()
    }
}

fn secret_bytes(file: &Store<String>) -> Result<[u8; KeyedHash::SECRET_BYTES], OpenError> {
    let text = match file.get(SECRET) {
        Some(text) => text,
        None => {
            let text = Base64UrlUnpadded::encode_string(&random::<{ KeyedHash::SECRET_BYTES }>()?);
            file.put(SECRET, text.clone())?;
            text
        }
    };
    let mut secret = [0; KeyedHash::SECRET_BYTES];
    match Base64UrlUnpadded::decode(&text, &mut secret) {
        Ok(decoded) if decoded.len() == KeyedHash::SECRET_BYTES => Ok(secret),
        _ => Err(OpenError::BadSecret),
    }
}

/// `name:89abcdef01234567`.
fn format_key(Entry { table, key }: Entry) -> String {
    format!("{}:{key:016x}", table_name(table))
}

fn table_name(table: Table) -> &'static str {
    match table {
        Table::Pair => "pair",
        Table::Name => "name",
        Table::Session => "session",
        Table::Guesses => "guesses",
        Table::Registrations => "registrations",
    }
}

fn parse_key(text: &str) -> Option<Entry> {
    let (name, key) = text.split_once(':')?;
    let table = Table::ALL
        .into_iter()
        .find(|table| table_name(*table) == name)?;
    let key = u64::from_str_radix(key, 16).ok()?;
    Some(Entry { table, key })
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_zero(number: &u32) -> bool {
    *number == 0
}
