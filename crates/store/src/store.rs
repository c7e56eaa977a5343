//! The store itself: opening, reading, changing, closing. Wires the file, the records and the writer thread together.

use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::disk::{DataFile, Disk};
use crate::error::{Error, Printable};
use crate::load::{self, Failure, Loaded, Tail};
use crate::pending::Pending;
use crate::place::Place;
use crate::transaction::Transaction;
use crate::writer::{MIN_DEAD_LINES, Writer};

/// What a store can keep; every type that fits has it.
///
/// A value must read back from its own JSON, and that must not be `null`, which deletes.
pub trait Value: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static> Value for T {}

/// A durable map from string keys to values, shared by reference among threads.
///
/// Readers see what is on disk, no more. A change returns once it is there too. Dropping the store ends its writer and lets
/// go of the file.
pub struct Store<V: Value> {
    pending: Arc<Pending<V>>,
    writer: Option<JoinHandle<()>>,
    /// Declared last: the lock is let go when the writer has ended.
    _place: Option<Place>,
}

/// What a store holds and has done since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Records in memory.
    pub records: u64,
    /// Lines in the file, those out of date too.
    pub lines: u64,
    /// Updates that changed something and are on disk.
    pub updates: u64,
    /// fsyncs that succeeded, those of compactions too.
    pub syncs: u64,
    /// Times the file was rewritten without the lines that are out of date.
    pub compactions: u64,
}

impl<V: Value> Store<V> {
    /// Opens the file, or makes it and its folder, and loads it. No other process can open it until the store is dropped.
    ///
    /// A torn last line is cut off with a warning in the log.
    ///
    /// # Errors
    ///
    /// [`Error::InUse`], [`Error::Damaged`], or [`Error::Open`] for what the operating system refuses.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let place = Place::take(path)?;
        let mut disk = DataFile::open(&place.path).map_err(Error::open("open", path))?;
        let loaded = load::load(BufReader::with_capacity(1 << 16, disk.file()));
        let mut loaded: Loaded<V> = loaded.map_err(|failure| match failure {
            Failure::Read(error) => Error::open("read", path)(error),
            Failure::Damaged { line, damage } => Error::Damaged {
                path: path.to_owned(),
                line,
                damage,
            },
        })?;
        mend(&mut disk, &mut loaded, path)?;
        Self::start(disk, loaded, path, MIN_DEAD_LINES, Some(place))
    }

    /// Starts the writer of a file that is loaded and mended.
    pub(crate) fn start(
        disk: impl Disk,
        loaded: Loaded<V>,
        path: &Path,
        min_dead_lines: u64,
        place: Option<Place>,
    ) -> Result<Self, Error> {
        let pending = Arc::new(Pending::new(loaded.records));
        let writer = Writer {
            pending: pending.clone(),
            disk,
            path: path.to_owned(),
            length: loaded.length,
            min_dead_lines,
            retry_above: 0,
        };
        let thread = thread::Builder::new().name("store-writer".to_owned());
        let writer = thread
            .spawn(move || writer.run())
            .map_err(Error::open("start the writer thread of", path))?;
        Ok(Self {
            pending,
            writer: Some(writer),
            _place: place,
        })
    }

    /// The value for `key`.
    pub fn get(&self, key: &str) -> Option<V> {
        self.pending
            .records()
            .entry(key)
            .map(|entry| entry.value.clone())
    }

    /// Shows `look` every record, in the order of the keys.
    ///
    /// All of them are of one moment; so changes, and then other readers, wait until it is through. `look` must not call the
    /// store.
    pub fn for_each(&self, mut look: impl FnMut(&str, &V)) {
        for (key, entry) in self.pending.records().iter() {
            look(key, &entry.value);
        }
    }

    /// Takes a decision: `decide` looks at records and changes any number of them, in its turn. Returns its answer once all of
    /// that is on disk.
    ///
    /// Decisions are taken one after another, each seeing all earlier ones, so a race has one winner and every loser sees it.
    /// What it learned is on disk too when it changed nothing. Readers see all changes of a decision at once. A crash before
    /// the return may keep the first of them and lose the rest, so changes that protect (revoking) go before those that grant.
    ///
    /// `decide` must be quick and must not call the store: others wait for their turn.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let sessions = store::Store::<String>::open(&folder.path().join("sessions.jsonl"))?;
    /// // Revoke all sessions of a user and begin a new one, with one fsync.
    /// sessions.update(|all| {
    ///     all.retain(|_, user| user != "anna");
    ///     all.put("4f3a", "anna".to_owned());
    /// })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Unstorable`] or [`Error::Write`]: nothing was changed. [`Error::Halted`]: the change may be found after a
    /// restart or not.
    pub fn update<R>(&self, decide: impl FnOnce(&mut Transaction<'_, V>) -> R) -> Result<R, Error> {
        self.pending.update(decide)
    }

    /// Stores `value` for `key`, over what was there.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub fn put(&self, key: &str, value: V) -> Result<(), Error> {
        self.update(|all| all.put(key, value))
    }

    /// Stores `value` for `key` unless there is one, which is then returned: the first wins, and all learn who that was.
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

    /// Removes `key`; says whether it was there.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub fn remove(&self, key: &str) -> Result<bool, Error> {
        self.update(|all| all.remove(key))
    }

    /// Figures for a service message or a measurement.
    pub fn stats(&self) -> Stats {
        self.pending.stats()
    }
}

impl<V: Value> Drop for Store<V> {
    fn drop(&mut self) {
        self.pending.close();
        if let Some(writer) = self.writer.take() {
            // It catches its own panics.
            let _ = writer.join();
        }
    }
}

/// Makes the file end where the next line is to begin.
fn mend<V>(disk: &mut impl Disk, loaded: &mut Loaded<V>, path: &Path) -> Result<(), Error> {
    let mended = match loaded.tail {
        Tail::Clean => return Ok(()),
        Tail::Unterminated => {
            loaded.length += 1;
            disk.append(b"\n")
        }
        Tail::Torn { line, bytes } => {
            let path = Printable::path(path);
            log::warn!("{path}: cut off line {line}, of which a crash left {bytes} bytes");
            disk.truncate(loaded.length)
        }
    };
    mended
        .and_then(|()| disk.sync())
        .map_err(Error::open("mend the last line of", path))
}
