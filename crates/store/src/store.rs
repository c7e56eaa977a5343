//! The store itself: open, read, change, close. Connects the file, the records and the writer thread.

use std::io::BufReader;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crate::commit_queue::CommitQueue;
use crate::compaction::{Bounds, Schedule};
use crate::disk::Disk;
use crate::error::{Error, shown};
use crate::load::{self, Failure, Loaded, Tail};
use crate::locked_file::LockedFile;
use crate::stats::Stats;
use crate::transaction::Transaction;
use crate::value::Value;
use crate::writer::Writer;

/// A durable map from string keys to values, shared by reference among threads.
///
/// Readers see only what is on disk, and a change returns once it is there. Dropping the store ends its writer and
/// unlocks the file.
pub struct Store<V: Value> {
    queue: Arc<CommitQueue<V>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl<V: Value> Store<V> {
    /// Opens the file, or creates it and its folder, and loads it. No other process can open it until the store is
    /// dropped.
    ///
    /// A torn last line is cut off with a warning in the log. A file that other users could read is given mode 0600,
    /// with a warning.
    ///
    /// # Errors
    ///
    /// [`Error::InUse`], [`Error::Corrupt`], or [`Error::Open`] if the operating system refuses something.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let mut file = LockedFile::open(path)?;
        let loaded = load::load(BufReader::with_capacity(1 << 16, file.file()));
        let mut loaded: Loaded<V> = loaded.map_err(|failure| match failure {
            Failure::Read(error) => Error::open("read", path)(error),
            Failure::Corrupt { line, corruption } => Error::Corrupt {
                path: path.to_owned(),
                line,
                corruption,
            },
        })?;
        repair_tail(&mut file, &mut loaded, path)?;
        Self::start(file, loaded, path, Bounds::default())
    }

    /// Starts the writer of a file that is loaded and ends with a whole line.
    pub(crate) fn start(
        disk: impl Disk,
        loaded: Loaded<V>,
        path: &Path,
        bounds: Bounds,
    ) -> Result<Self, Error> {
        let queue = Arc::new(CommitQueue::new(loaded.records));
        let mut schedule = Schedule::new(bounds);
        if loaded.erase {
            schedule.request_erasure(Instant::now());
        }
        let writer = Writer {
            queue: queue.clone(),
            disk,
            path: path.to_owned(),
            length: loaded.length,
            schedule,
        };
        let thread = thread::Builder::new().name("store-writer".to_owned());
        let writer = thread
            .spawn(move || writer.run())
            .map_err(Error::open("start the writer thread of", path))?;
        Ok(Self {
            queue,
            writer: Mutex::new(Some(writer)),
        })
    }

    /// The value for `key`.
    pub fn get(&self, key: &str) -> Option<V> {
        self.queue
            .records()
            .entry(key)
            .map(|entry| entry.value.clone())
    }

    /// Calls `visit` with every record, in the order of the keys.
    ///
    /// It sees all records as of one moment, so changes, and then other readers, wait until it ends. `visit` must not
    /// call the store.
    pub fn for_each(&self, mut visit: impl FnMut(&str, &V)) {
        for (key, entry) in self.queue.records().iter() {
            visit(key, &entry.value);
        }
    }

    /// Runs a transaction: `decide` reads records and changes any number of them. Returns `decide`'s result once all of
    /// that is on disk.
    ///
    /// Transactions run one after another, and each sees all earlier ones, so a race has one winner and every loser
    /// sees it. The return also waits until everything that `decide` saw is on disk, even if it changed nothing.
    /// Readers see all changes of a transaction at once. A crash before the return may keep the first changes and lose
    /// the rest, so changes that protect (revoking) belong before those that grant.
    ///
    /// `decide` must be quick and must not call the store: other transactions wait for it.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let sessions = store::Store::<String>::open(&folder.path().join("sessions.jsonl"))?;
    /// // Revoke all sessions of a user and start a new one, with one fsync.
    /// sessions.update(|all| {
    ///     all.retain(|_, user| user != "anna");
    ///     all.put("4f3a", "anna".to_owned());
    /// })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`], [`Error::Write`] or [`Error::Replaced`]: nothing was changed. [`Error::Halted`]: a
    /// restart may find the change or not.
    pub fn update<R>(&self, decide: impl FnOnce(&mut Transaction<'_, V>) -> R) -> Result<R, Error> {
        self.queue.update(false, decide)
    }

    /// As [`update`](Self::update), and the values that `decide` removes or overwrites leave the file too: within a
    /// minute, or when the store is dropped, or after the next start if a crash comes first.
    ///
    /// This rewrites the file, at most once a minute. For people who want to be forgotten, and for old password hashes.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update). A rewrite that fails is logged and tried again later.
    pub fn update_and_erase<R>(
        &self,
        decide: impl FnOnce(&mut Transaction<'_, V>) -> R,
    ) -> Result<R, Error> {
        self.queue.update(true, decide)
    }

    /// Stores `value` for `key`, in place of an older value.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub fn put(&self, key: &str, value: V) -> Result<(), Error> {
        self.update(|all| all.put(key, value))
    }

    /// Stores `value` for `key` unless it has a value, which is then returned: the first caller wins.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub fn put_if_absent(&self, key: &str, value: V) -> Result<Option<V>, Error> {
        self.update(|all| {
            let first = all.get(key).cloned();
            if first.is_none() {
                all.put(key, value);
            }
            first
        })
    }

    /// Removes `key`. Returns whether it was there.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub fn remove(&self, key: &str) -> Result<bool, Error> {
        self.update(|all| all.remove(key))
    }

    /// Writes the changes that wait, erases old values, ends the writer and unlocks the file. Reads go on, later
    /// changes are refused. For the end of a program in which other threads still hold the store; dropping it does the
    /// same.
    pub fn close(&self) {
        self.queue.close();
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(writer) = writer.take() {
            // The thread catches its own panics.
            let _ = writer.join();
        }
    }

    /// Figures for a service message or a measurement.
    pub fn stats(&self) -> Stats {
        self.queue.stats()
    }
}

impl<V: Value> Drop for Store<V> {
    fn drop(&mut self) {
        self.close();
    }
}

/// Makes the file end where the next line is to begin.
fn repair_tail<V>(disk: &mut impl Disk, loaded: &mut Loaded<V>, path: &Path) -> Result<(), Error> {
    let repaired = match loaded.tail {
        Tail::Clean => return Ok(()),
        Tail::Unterminated => {
            loaded.length += 1;
            disk.append(b"\n")
        }
        Tail::Torn { line, bytes } => {
            let path = shown(path);
            log::warn!("{path}: cut off line {line}, of which a crash left {bytes} bytes");
            disk.truncate(loaded.length)
        }
    };
    repaired
        .and_then(|()| disk.sync())
        .map_err(Error::open("repair the last line of", path))
}
