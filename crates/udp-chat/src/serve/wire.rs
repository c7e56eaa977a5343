//! The server's socket: how long a read waits, what is lost on purpose, what is counted and shown.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use log::warn;
use proto::chat::MAX_DATAGRAM_BYTES;
use socket2::SockRef;

use crate::faults::Faults;
use crate::trace;

/// A thousand members may acknowledge at once. The system may grant less (`net.core.rmem_max`).
const RECEIVE_BUFFER_BYTES: usize = 4 << 20;

/// How long a write may wait for the network.
const WRITE_TIMEOUT: Duration = Duration::from_secs(1);

/// A socket with room for one datagram.
pub(super) struct Wire<'a> {
    socket: &'a UdpSocket,
    faults: Faults,
    trace: bool,
    /// How long a read waits; `None`: not at all.
    patience: Option<Duration>,
    /// One byte longer than a datagram may be, to tell those that are.
    bytes: [u8; MAX_DATAGRAM_BYTES + 1],
    traffic: Traffic,
}

/// What went over the wire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Datagrams that came.
    pub received: u64,
    /// Their bytes.
    pub received_bytes: u64,
    /// Datagrams that left.
    pub sent: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Datagrams that the system did not take.
    pub unsent: u64,
}

impl<'a> Wire<'a> {
    pub(super) fn new(socket: &'a UdpSocket, faults: Faults, trace: bool) -> io::Result<Self> {
        if let Err(error) = SockRef::from(socket).set_recv_buffer_size(RECEIVE_BUFFER_BYTES) {
            warn!(
                "cannot enlarge the socket's buffer, so more may be lost and sent again: {error}"
            );
        }
        socket.set_write_timeout(Some(WRITE_TIMEOUT))?;
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket,
            faults,
            trace,
            patience: None,
            bytes: [0; MAX_DATAGRAM_BYTES + 1],
            traffic: Traffic::default(),
        })
    }

    pub(super) fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// How long reads are to wait from now on; `None`: not at all.
    pub(super) fn be_patient(&mut self, patience: Option<Duration>) -> io::Result<()> {
        // The system's clock for this ticks in milliseconds, and zero would mean for ever.
        let patience = patience.map(|time| Duration::from_millis(time.as_millis() as u64 + 1));
        if patience.is_some() != self.patience.is_some() {
            self.socket.set_nonblocking(patience.is_none())?;
        }
        if patience.is_some() && patience != self.patience {
            self.socket.set_read_timeout(patience)?;
        }
        self.patience = patience;
        Ok(())
    }

    /// The next datagram, if one comes in time.
    pub(super) fn receive(&mut self) -> io::Result<Option<(&[u8], SocketAddr)>> {
        loop {
            match self.socket.recv_from(&mut self.bytes) {
                Ok((length, from)) => {
                    self.traffic.received += 1;
                    self.traffic.received_bytes += length as u64;
                    let lost = self.faults.drops();
                    if self.trace {
                        trace::received(&self.bytes[..length], from, lost);
                    }
                    if !lost {
                        return Ok(Some((&self.bytes[..length], from)));
                    }
                }
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {
                        return Ok(None);
                    }
                    // News of a datagram that reached nobody (ICMP); its link will find out.
                    ErrorKind::ConnectionRefused
                    | ErrorKind::ConnectionReset
                    | ErrorKind::HostUnreachable
                    | ErrorKind::NetworkUnreachable => {}
                    _ => return Err(error),
                },
            }
        }
    }

    /// Sends a datagram. What the system does not take is lost, as it may be anywhere on its way.
    pub(super) fn send(&mut self, bytes: &[u8], to: SocketAddr, again: bool) {
        let lost = self.faults.drops();
        if self.trace {
            trace::sent(bytes, to, again, lost);
        }
        if lost {
            return;
        }
        let mut sent = self.socket.send_to(bytes, to);
        if matches!(&sent, Err(error) if error.kind() == ErrorKind::WouldBlock) {
            // The network is slower than we are: wait for it.
            sent = self
                .be_patient(Some(WRITE_TIMEOUT))
                .and_then(|()| self.socket.send_to(bytes, to));
        }
        match sent {
            Ok(length) => {
                self.traffic.sent += 1;
                self.traffic.sent_bytes += length as u64;
            }
            Err(error) => {
                if self.traffic.unsent == 0 {
                    warn!("cannot send to {to}: {error}; further ones are counted only");
                }
                self.traffic.unsent += 1;
            }
        }
    }
}
