//! Where callers and the writer thread meet: the records, the changes that wait for the disk, and who is told when they are
//! there. Knows no files.
//!
//! Two locks, taken in this order: the queue, then the records. Neither is held across I/O, save that a compaction reads the
//! records, which bars nobody: only the thread that compacts ever writes them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{
    Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard,
    RwLockWriteGuard,
};
use std::thread;

use crate::error::Error;
use crate::records::Records;
use crate::store::{Stats, Value};
use crate::transaction::{Changes, Transaction};

/// Shared by all callers and the writer.
pub(crate) struct Pending<V> {
    records: RwLock<Records<V>>,
    queue: Mutex<Queue<V>>,
    /// Told when the queue stops being empty, or closes.
    filled: Condvar,
    syncs: AtomicU64,
    compactions: AtomicU64,
}

struct Queue<V> {
    writing: Batch<V>,
    waiting: Batch<V>,
    updates: u64,
    halted: Option<Error>,
    closed: bool,
}

/// Updates that share one write and one fsync.
struct Batch<V> {
    changes: Changes<V>,
    updates: u64,
    outcome: Outcome,
}

/// Set once, when a batch is on disk or has failed.
type Outcome = Arc<OnceLock<Result<(), Error>>>;

impl<V> Default for Batch<V> {
    fn default() -> Self {
        Self {
            changes: Changes::default(),
            updates: 0,
            outcome: Outcome::default(),
        }
    }
}

/// The callers' side.
impl<V: Value> Pending<V> {
    pub(crate) fn new(records: Records<V>) -> Self {
        let queue = Queue {
            writing: Batch::default(),
            waiting: Batch::default(),
            updates: 0,
            halted: None,
            closed: false,
        };
        Self {
            records: RwLock::new(records),
            queue: Mutex::new(queue),
            filled: Condvar::new(),
            syncs: AtomicU64::new(0),
            compactions: AtomicU64::new(0),
        }
    }

    /// Takes a decision in its turn, and waits until the disk has it and all that it could see.
    pub(crate) fn update<R>(
        &self,
        decide: impl FnOnce(&mut Transaction<'_, V>) -> R,
    ) -> Result<R, Error> {
        let (result, outcome) = {
            let mut queue = self.queue();
            if let Some(error) = &queue.halted {
                return Err(error.clone());
            }
            let records = self.records();
            let pending = [&queue.waiting.changes.layer, &queue.writing.changes.layer];
            let mut transaction = Transaction::new(&records, pending);
            let result = decide(&mut transaction);
            let changes = transaction.finish().map_err(Error::Unstorable)?;
            drop(records);
            (result, self.enqueue(&mut queue, changes))
        };
        outcome.map_or(Ok(()), |outcome| outcome.wait().clone())?;
        Ok(result)
    }

    /// What to wait for: for an update that changed nothing, the newest of the changes it saw.
    fn enqueue(&self, queue: &mut Queue<V>, changes: Changes<V>) -> Option<Outcome> {
        let idle = queue.waiting.updates == 0;
        if changes.line_count > 0 {
            queue.waiting.changes.append(changes);
            queue.waiting.updates += 1;
            if idle {
                self.filled.notify_one();
            }
        } else if idle {
            return (queue.writing.updates > 0).then(|| queue.writing.outcome.clone());
        }
        Some(queue.waiting.outcome.clone())
    }

    /// What is on disk.
    pub(crate) fn records(&self) -> RwLockReadGuard<'_, Records<V>> {
        self.records.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn stats(&self) -> Stats {
        let updates = self.queue().updates;
        let records = self.records();
        Stats {
            records: records.live(),
            lines: records.lines(),
            updates,
            syncs: self.syncs.load(Ordering::Relaxed),
            compactions: self.compactions.load(Ordering::Relaxed),
        }
    }

    /// No more changes will come; the writer ends when it has written what waits.
    pub(crate) fn close(&self) {
        self.queue().closed = true;
        self.filled.notify_one();
    }
}

/// The writer's side.
impl<V: Value> Pending<V> {
    /// Waits for changes and takes all there are; `None` once the queue is closed and empty.
    pub(crate) fn take(&self) -> Option<Vec<u8>> {
        let idle = |queue: &mut Queue<V>| queue.waiting.updates == 0 && !queue.closed;
        drop(self.filled.wait_while(self.queue(), idle));
        self.let_others_join();
        let mut queue = self.queue();
        queue.writing = std::mem::take(&mut queue.waiting);
        (queue.writing.updates > 0).then(|| std::mem::take(&mut queue.writing.changes.lines))
    }

    /// Gives way for as long as that brings more changes. An fsync costs more than a turn of every thread that is about to ask
    /// for one, and each that joins this one saves the disk another.
    fn let_others_join(&self) {
        let mut before = 0;
        loop {
            let now = self.queue().waiting.updates;
            if now == before {
                return;
            }
            before = now;
            thread::yield_now();
        }
    }

    /// What was taken is on disk: shows it to readers, and tells those who wait.
    pub(crate) fn commit(&self) {
        let mut queue = self.queue();
        let changes = std::mem::take(&mut queue.writing.changes);
        queue.updates += queue.writing.updates;
        let mut records = self.records_mut();
        records.add_lines(changes.line_count);
        changes
            .layer
            .into_iter()
            .for_each(|change| records.apply(change));
        drop(records);
        // Only now, so that a value whose `Drop` panics leaves the batch to be failed.
        let batch = std::mem::take(&mut queue.writing);
        drop(queue);
        // It was in the queue until now, so nobody else has set it.
        let _ = batch.outcome.set(Ok(()));
    }

    /// What was taken is not on disk. What waits behind it was decided upon it, so it fails too.
    pub(crate) fn fail(&self, error: &Error) {
        let mut queue = self.queue();
        if matches!(error, Error::Halted { .. }) {
            queue.halted = Some(error.clone());
        }
        let batches = [
            std::mem::take(&mut queue.writing),
            std::mem::take(&mut queue.waiting),
        ];
        drop(queue);
        for batch in &batches {
            let _ = batch.outcome.set(Err(error.clone()));
        }
    }

    pub(crate) fn synced(&self) {
        self.syncs.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn compacted(&self) {
        self.compactions.fetch_add(1, Ordering::Relaxed);
        self.records_mut().compacted();
    }

    fn records_mut(&self) -> RwLockWriteGuard<'_, Records<V>> {
        self.records.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// A closure that panics in its turn has changed nothing yet, so the queue behind a poisoned lock is sound.
    fn queue(&self) -> MutexGuard<'_, Queue<V>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
