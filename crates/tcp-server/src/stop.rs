//! The handle that stops a server.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Stops servers, from any thread and any number of times. All clones are one handle.
#[derive(Clone, Debug, Default)]
pub struct StopHandle(Arc<Signal>);

#[derive(Debug, Default)]
struct Signal {
    /// Readable without the lock, because it is read for every message.
    stopping: AtomicBool,
    lock: Mutex<()>,
    stopped: Condvar,
}

impl StopHandle {
    /// A handle that does not stop anything yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops all servers that hold a clone of the handle.
    pub fn stop(&self) {
        let _lock = self.0.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.stopping.store(true, Ordering::SeqCst);
        self.0.stopped.notify_all();
    }

    /// Whether [`stop`](Self::stop) was called.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::SeqCst)
    }

    /// Waits until [`stop`](Self::stop) is called.
    pub fn wait(&self) {
        let lock = self.0.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let _lock = self
            .0
            .stopped
            .wait_while(lock, |()| !self.is_stopping())
            .unwrap_or_else(PoisonError::into_inner);
    }

    /// Waits until [`stop`](Self::stop) is called, at most for `time`; returns whether it was.
    pub(crate) fn wait_for(&self, time: Duration) -> bool {
        let lock = self.0.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let going_on = |(): &mut ()| !self.is_stopping();
        drop(self.0.stopped.wait_timeout_while(lock, time, going_on));
        self.is_stopping()
    }
}
