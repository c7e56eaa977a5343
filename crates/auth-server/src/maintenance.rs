//! The thread that works beside the conversations: it removes sessions that have ended, and writes down when the others
//! were last used and what the throttle counts.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::auth::Auth;
use crate::session::SessionLimits;

/// How often the throttle is written. A crash forgets at most this much of it.
const SAVE_INTERVAL: Duration = Duration::from_secs(1);

/// How many seconds pass between two removals, unless sessions end sooner.
const REMOVE_INTERVAL: u64 = 60;

/// Runs the thread until it is dropped; then everything is written once more.
pub struct Maintenance {
    thread: Option<JoinHandle<()>>,
    /// Dropping it ends the thread.
    running: Option<Sender<()>>,
}

impl Maintenance {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// When the system has no thread to spare.
    pub fn start(auth: Arc<Auth>, limits: SessionLimits) -> io::Result<Self> {
        let seconds_between = limits.idle.min(limits.max).clamp(1, REMOVE_INTERVAL);
        let (running, is_running) = mpsc::channel::<()>();
        let maintain = move || {
            let mut seconds = 0;
            while let Err(RecvTimeoutError::Timeout) = is_running.recv_timeout(SAVE_INTERVAL) {
                seconds += 1;
                let is_due = seconds >= seconds_between;
                if is_due {
                    seconds = 0;
                    auth.remove_ended_sessions();
                    auth.save_sessions(false);
                }
                auth.save_throttle(is_due);
            }
            auth.save_sessions(true);
            auth.save_throttle(true);
        };
        let thread = thread::Builder::new().name("maintenance".into());
        Ok(Self {
            thread: Some(thread.spawn(maintain)?),
            running: Some(running),
        })
    }
}

impl Drop for Maintenance {
    fn drop(&mut self) {
        self.running = None;
        if let Some(thread) = self.thread.take() {
            // If it panicked, the log says so.
            let _ = thread.join();
        }
    }
}
