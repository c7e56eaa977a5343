//! The order of the service messages when server and client run in one program, and a person reads both.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// The longest wait for the other side's message. It usually takes microseconds.
const LOG_ORDER_TIMEOUT: Duration = Duration::from_secs(1);

/// What both sides have logged. Each side waits until the other has logged a write before it logs the read of the same
/// bytes, so that the messages come in the order of cause and effect.
#[derive(Debug, Default)]
pub struct LogOrder {
    /// The client's writes.
    pub(crate) client: SentLog,
    /// The server's writes.
    pub(crate) server: SentLog,
}

impl LogOrder {
    /// Waits until the server has logged that the client connected, and that it sent `bytes` in all.
    pub fn wait_for_server(&self, bytes: u64) {
        self.server.wait_for(bytes);
    }
}

/// How many bytes a side has logged as sent; `None` until it has logged the connection.
#[derive(Debug, Default)]
pub(crate) struct SentLog {
    logged: Mutex<Option<u64>>,
    changed: Condvar,
}

impl SentLog {
    pub(crate) fn wait_for(&self, bytes: u64) {
        let logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        let is_behind = |logged: &mut Option<u64>| logged.is_none_or(|logged| logged < bytes);
        drop(
            self.changed
                .wait_timeout_while(logged, LOG_ORDER_TIMEOUT, is_behind),
        );
    }

    pub(crate) fn add(&self, bytes: usize) {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        *logged = Some(logged.unwrap_or(0) + bytes as u64);
        drop(logged);
        self.changed.notify_all();
    }
}
