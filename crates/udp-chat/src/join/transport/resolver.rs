//! Looks the server's name up again, in a thread of its own: a look-up may take many seconds.

use std::net::SocketAddr;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::thread;
use std::time::{Duration, Instant};

use cli::Endpoint;

use super::super::input::Input;

/// How often the name is looked up while the server is silent.
const INTERVAL: Duration = Duration::from_secs(30);

pub(in super::super) struct Resolver {
    endpoint: Endpoint,
    inputs: SyncSender<Input>,
    next_at: Option<Instant>,
}

impl Resolver {
    pub(in super::super) fn new(endpoint: Endpoint, inputs: SyncSender<Input>) -> Self {
        Self {
            endpoint,
            inputs,
            next_at: None,
        }
    }

    /// Looks the name up if that is due. The answer comes as an [`Input::Resolved`].
    pub(in super::super) fn look(&mut self, is_searching: bool, now: Instant) {
        if !is_searching {
            self.next_at = None;
            return;
        }
        // The first look is as soon as the server is missed: it may have moved.
        if self.next_at.is_some_and(|at| at > now) {
            return;
        }
        self.next_at = Some(now + INTERVAL);
        let (endpoint, inputs) = (self.endpoint.clone(), self.inputs.clone());
        let resolver = thread::Builder::new().name("resolver".into());
        // Without a thread the known addresses are tried on.
        let _ = resolver.spawn(move || {
            let addresses: Vec<SocketAddr> = endpoint.addresses().unwrap_or_default();
            match inputs.try_send(Input::Resolved(addresses)) {
                Ok(()) | Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
            }
        });
    }

    pub(in super::super) fn deadline(&self) -> Option<Instant> {
        self.next_at
    }
}
