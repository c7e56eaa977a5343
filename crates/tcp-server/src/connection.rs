//! What a connection's thread shares with the watchdog and the stop.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use proto::Network;

use crate::direction_counters::DirectionCounters;
use crate::idle_watch::WaitCounter;

/// A client's socket, and what is known about the conversation with it.
#[derive(Debug)]
pub(crate) struct Connection {
    /// Counted from 1.
    pub(crate) number: u64,
    pub(crate) stream: TcpStream,
    pub(crate) peer: SocketAddr,
    pub(crate) began: Instant,
    /// Address and connection number, as all service messages have them: `192.0.2.7:50000 (connection 3)`.
    pub(crate) name: String,
    pub(crate) wait: WaitCounter,
    pub(crate) received: DirectionCounters,
    pub(crate) sent: DirectionCounters,
    /// How many reads and writes may still get a line of their own in this second.
    pub(crate) lines_left: AtomicU32,
    eviction: AtomicU8,
}

/// Why the server ends a connection of its own accord.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Eviction {
    /// The client was idle for the idle time-out.
    Idle = 1,
    /// The memory for unfinished messages is used up, and this client's was the largest.
    Memory = 2,
}

impl Eviction {
    /// The error that the client's next read gives.
    pub(crate) fn error(self, idle_timeout: Option<Duration>) -> io::Error {
        match self {
            Self::Idle => {
                let idle = idle_timeout.unwrap_or_default().as_secs_f64();
                let reason = format!("no whole message came within {idle} s");
                io::Error::new(io::ErrorKind::TimedOut, reason)
            }
            Self::Memory => io::Error::new(
                io::ErrorKind::QuotaExceeded,
                "its unfinished message was the largest when all unfinished messages together used too much memory",
            ),
        }
    }
}

impl Connection {
    pub(crate) fn new(stream: TcpStream, peer: SocketAddr, number: u64) -> Self {
        Self {
            number,
            stream,
            peer,
            began: Instant::now(),
            name: format!("{peer} (connection {number})"),
            wait: WaitCounter::default(),
            received: DirectionCounters::default(),
            sent: DirectionCounters::default(),
            lines_left: AtomicU32::new(0),
            eviction: AtomicU8::new(0),
        }
    }

    pub(crate) fn network(&self) -> Network {
        Network::of(self.peer.ip())
    }

    /// Shuts the socket down, which wakes a thread that blocks on it.
    pub(crate) fn shut_down(&self, how: Shutdown) {
        // Fails when the peer is gone already, and then no thread blocks on it.
        let _ = self.stream.shutdown(how);
    }

    /// Ends the conversation at its next read. A client that was merely idle still gets its pending replies.
    pub(crate) fn evict(&self, why: Eviction) {
        self.eviction.store(why as u8, Ordering::SeqCst);
        self.shut_down(match why {
            Eviction::Idle => Shutdown::Read,
            Eviction::Memory => Shutdown::Both,
        });
    }

    pub(crate) fn eviction(&self) -> Option<Eviction> {
        match self.eviction.load(Ordering::SeqCst) {
            0 => None,
            1 => Some(Eviction::Idle),
            _ => Some(Eviction::Memory),
        }
    }
}
