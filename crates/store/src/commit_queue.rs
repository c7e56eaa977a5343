//! Where callers and the writer thread meet: the records, the changes that wait for the disk, and the callers that wait
//! for them (group commit: one write and one fsync for all that wait). It does not access files.
//!
//! Two locks, taken in this order: the queue, then the records. Neither is held across I/O, except that a compaction
//! reads the records. That blocks no other thread: only the thread that compacts ever writes them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{
    Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard,
    RwLockWriteGuard,
};
use std::thread;
use std::time::Instant;

use crate::error::Error;
use crate::records::Records;
use crate::stats::Stats;
use crate::transaction::{Changes, Transaction};
use crate::value::Value;

/// Shared by all callers and the writer.
pub(crate) struct CommitQueue<V> {
    records: RwLock<Records<V>>,
    queue: Mutex<Queue<V>>,
    /// Notified when the queue stops being empty, or closes.
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
impl<V: Value> CommitQueue<V> {
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

    /// Runs a transaction in its turn, and waits until its changes and all that it saw are on disk.
    pub(crate) fn update<R>(
        &self,
        erase: bool,
        decide: impl FnOnce(&mut Transaction<'_, V>) -> R,
    ) -> Result<R, Error> {
        let (result, outcome) = {
            let mut queue = self.queue();
            if let Some(error) = &queue.halted {
                return Err(error.clone());
            }
            if queue.closed {
                return Err(Error::Closed);
            }
            let records = self.records();
            let pending = [&queue.waiting.changes.layer, &queue.writing.changes.layer];
            let mut transaction = Transaction::new(&records, pending, erase);
            let result = decide(&mut transaction);
            let changes = transaction.finish().map_err(Error::InvalidValue)?;
            drop(records);
            (result, self.enqueue(&mut queue, changes))
        };
        outcome.map_or(Ok(()), |outcome| outcome.wait().clone())?;
        Ok(result)
    }

    /// Returns what to wait for. An update that changed nothing waits for the newest changes that it saw.
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

    /// The records that are on disk.
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

    /// Ends the writer, once it has written the changes that wait.
    pub(crate) fn close(&self) {
        self.queue().closed = true;
        self.filled.notify_one();
    }
}

/// What the writer is to do next.
pub(crate) enum Next {
    /// Write these lines.
    Lines(Vec<u8>),
    /// Look at the time: the deadline has passed.
    Deadline,
    /// End: the queue is closed and empty.
    Closed,
}

/// The writer's side.
impl<V: Value> CommitQueue<V> {
    /// Waits for changes, at most until `deadline`, and takes all there are.
    pub(crate) fn next(&self, deadline: Option<Instant>) -> Next {
        let is_idle = |queue: &mut Queue<V>| queue.waiting.updates == 0 && !queue.closed;
        let queue = self.queue();
        match deadline {
            None => drop(self.filled.wait_while(queue, is_idle)),
            Some(deadline) => {
                let timeout = deadline.saturating_duration_since(Instant::now());
                drop(self.filled.wait_timeout_while(queue, timeout, is_idle));
            }
        }
        self.gather_batch();
        let mut queue = self.queue();
        queue.writing = std::mem::take(&mut queue.waiting);
        if queue.writing.updates > 0 {
            Next::Lines(std::mem::take(&mut queue.writing.changes.lines))
        } else if queue.closed {
            Next::Closed
        } else {
            Next::Deadline
        }
    }

    /// Returns once the queue is closed.
    pub(crate) fn await_close(&self) {
        let is_open = |queue: &mut Queue<V>| !queue.closed;
        drop(self.filled.wait_while(self.queue(), is_open));
    }

    /// Group commit: yields as long as that brings more changes. An fsync costs more than letting every thread run that
    /// is about to ask for one, and each caller that joins this batch saves an fsync.
    fn gather_batch(&self) {
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

    /// The lines taken last are on disk: shows them to readers and wakes their callers. Returns whether old values must
    /// now be erased from the file.
    pub(crate) fn commit(&self) -> bool {
        let mut queue = self.queue();
        let changes = std::mem::take(&mut queue.writing.changes);
        queue.updates += queue.writing.updates;
        let mut records = self.records_mut();
        records.add_lines(changes.line_count);
        let erase = changes.erase;
        changes
            .layer
            .into_iter()
            .for_each(|change| records.apply(change));
        drop(records);
        // Not before: if a value's `Drop` panics above, the batch must still be there to be failed.
        let batch = std::mem::take(&mut queue.writing);
        drop(queue);
        // It was in the queue until now, so no other code has set it.
        let _ = batch.outcome.set(Ok(()));
        erase
    }

    /// The lines taken last are not on disk. Changes that wait behind them may depend on them, so they fail too.
    pub(crate) fn fail(&self, error: &Error) {
        let mut queue = self.queue();
        if error.is_final() {
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

    pub(crate) fn on_sync(&self) {
        self.syncs.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn on_compaction(&self) {
        self.compactions.fetch_add(1, Ordering::Relaxed);
        self.records_mut().compacted();
    }

    /// Lines that are out of date, and records.
    pub(crate) fn line_counts(&self) -> (u64, u64) {
        let records = self.records();
        (records.dead(), records.live())
    }

    fn records_mut(&self) -> RwLockWriteGuard<'_, Records<V>> {
        self.records.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// A closure that panics in its turn has changed nothing yet, so the queue is sound even if the lock is poisoned.
    fn queue(&self) -> MutexGuard<'_, Queue<V>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
