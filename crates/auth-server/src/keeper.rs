//! The thread that tidies up beside the conversations: sweeps sessions that are over, and puts on disk when the others were
//! last heard from.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::auth::Auth;
use crate::session::SessionLimits;

/// How often it tidies up, unless sessions end sooner.
const INTERVAL: u64 = 60;

/// Tidies up as long as it lives; then once more.
pub struct Keeper {
    thread: Option<JoinHandle<()>>,
    /// Dropped, it wakes the thread.
    life: Option<Sender<()>>,
}

impl Keeper {
    /// Begins.
    ///
    /// # Errors
    ///
    /// When the system has no thread to spare.
    pub fn start(auth: Arc<Auth>, limits: SessionLimits) -> io::Result<Self> {
        let interval = Duration::from_secs(limits.idle.min(limits.max).clamp(1, INTERVAL));
        let (life, lives) = mpsc::channel::<()>();
        let keep = move || {
            while let Err(RecvTimeoutError::Timeout) = lives.recv_timeout(interval) {
                auth.sweep();
                auth.save(false);
            }
            auth.save(true);
        };
        let thread = thread::Builder::new().name("keeper".into()).spawn(keep)?;
        Ok(Self {
            thread: Some(thread),
            life: Some(life),
        })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.life = None;
        if let Some(thread) = self.thread.take() {
            // Its panic is in the log.
            let _ = thread.join();
        }
    }
}
