//! What a connection's thread shares with the watchdog and the stop.

use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::idle_watch::WaitCounter;

/// A client's socket, and what is known about the conversation with it.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    pub(crate) peer: SocketAddr,
    /// Address and connection number, as all service messages have them: `192.0.2.7:50000 (connection 3)`.
    pub(crate) name: String,
    pub(crate) wait: WaitCounter,
    pub(crate) received: Traffic,
    pub(crate) sent: Traffic,
    timed_out: AtomicBool,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream, peer: SocketAddr, number: u64) -> Self {
        Self {
            stream,
            peer,
            name: format!("{peer} (connection {number})"),
            wait: WaitCounter::default(),
            received: Traffic::default(),
            sent: Traffic::default(),
            timed_out: AtomicBool::new(false),
        }
    }

    /// Shuts the socket down, which wakes a thread that blocks on it.
    pub(crate) fn shut_down(&self, how: Shutdown) {
        // Fails when the peer is gone already, and then no thread blocks on it.
        let _ = self.stream.shutdown(how);
    }

    /// Ends the wait for a client that was idle for too long.
    pub(crate) fn time_out(&self) {
        self.timed_out.store(true, Ordering::SeqCst);
        self.shut_down(Shutdown::Read);
    }

    pub(crate) fn is_timed_out(&self) -> bool {
        self.timed_out.load(Ordering::SeqCst)
    }
}

/// What passed in one direction. The connection's thread counts, and any thread may read.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    bytes: AtomicU64,
    messages: AtomicU64,
}

impl Traffic {
    /// Counts one read or write. A single thread counts, so that it needs no atomic addition.
    pub(crate) fn add(&self, bytes: usize, messages: usize) {
        for (sum, count) in [(&self.bytes, bytes), (&self.messages, messages)] {
            sum.store(
                sum.load(Ordering::Relaxed) + count as u64,
                Ordering::Relaxed,
            );
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn messages(&self) -> u64 {
        self.messages.load(Ordering::Relaxed)
    }
}
