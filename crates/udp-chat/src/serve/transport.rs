//! The server's socket: how long a read waits, what is lost on purpose, what is counted.

use std::io::{self, ErrorKind};
use std::net::UdpSocket;
use std::ops::Range;
use std::time::Duration;

use chat_link::{MAX_DATAGRAM_BYTES, Path};
use log::warn;
use socket2::SockRef;

use super::datagram_socket::{DatagramSocket, Received};
use crate::faults::Faults;

/// A thousand members may acknowledge at once. The system may grant less (`net.core.rmem_max`).
const RECEIVE_BUFFER_BYTES: usize = 4 << 20;

/// How long a write may wait for the network.
const WRITE_TIMEOUT: Duration = Duration::from_secs(1);

/// The system may hand over several datagrams of one sender at once, up to the length of an IP packet.
const BUFFER_BYTES: usize = 1 << 16;

/// A socket that serves a room.
pub(super) struct Transport<'a> {
    socket: &'a UdpSocket,
    datagrams: DatagramSocket<'a>,
    faults: Faults,
    /// How long a read waits; `None`: not at all.
    read_timeout: Option<Duration>,
    buffer: Vec<u8>,
    /// The datagrams in the buffer that were not handed out yet: all have this length but the last.
    unread: Range<usize>,
    stride: usize,
    path: Path,
    traffic: DatagramCounts,
}

/// What went over the socket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DatagramCounts {
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

impl<'a> Transport<'a> {
    pub(super) fn new(socket: &'a UdpSocket, faults: Faults) -> io::Result<Self> {
        if let Err(error) = SockRef::from(socket).set_recv_buffer_size(RECEIVE_BUFFER_BYTES) {
            warn!(
                "cannot enlarge the socket's buffer, so more may be lost and sent again: {error}"
            );
        }
        let datagrams = DatagramSocket::new(socket)?;
        socket.set_write_timeout(Some(WRITE_TIMEOUT))?;
        // As a read time-out of `None` says. `set_read_timeout` lets reads block.
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket,
            datagrams,
            faults,
            read_timeout: None,
            buffer: vec![0; BUFFER_BYTES],
            unread: 0..0,
            stride: 0,
            path: Path::to(socket.local_addr()?),
            traffic: DatagramCounts::default(),
        })
    }

    pub(super) fn traffic(&self) -> DatagramCounts {
        self.traffic
    }

    /// How long reads wait from now on; `None`: not at all.
    pub(super) fn set_read_timeout(&mut self, read_timeout: Option<Duration>) -> io::Result<()> {
        // The system's clock for this ticks in milliseconds, and zero would mean for ever.
        let read_timeout =
            read_timeout.map(|time| Duration::from_millis(time.as_millis() as u64 + 1));
        if read_timeout.is_some() != self.read_timeout.is_some() {
            self.socket.set_nonblocking(read_timeout.is_none())?;
        }
        if read_timeout.is_some() && read_timeout != self.read_timeout {
            self.socket.set_read_timeout(read_timeout)?;
        }
        self.read_timeout = read_timeout;
        Ok(())
    }

    /// The next datagram and the path it came over, if one comes in time.
    pub(super) fn receive(&mut self) -> io::Result<Option<(&[u8], Path)>> {
        loop {
            if let Some(datagram) = self.next_in_buffer() {
                self.traffic.received += 1;
                self.traffic.received_bytes += datagram.len() as u64;
                if datagram.len() <= MAX_DATAGRAM_BYTES && !self.faults.drops() {
                    return Ok(Some((&self.buffer[datagram], self.path)));
                }
                continue;
            }
            match self.fill_buffer() {
                // An empty datagram wakes the server (`ServerHandle`).
                Ok(()) if self.unread.is_empty() => return Ok(None),
                Ok(()) => {}
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {
                        return Ok(None);
                    }
                    // About a datagram that reached nobody (ICMP); its link will find out.
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
    pub(super) fn send(&mut self, datagram: &[u8], path: Path) {
        if self.faults.drops() {
            return;
        }
        let mut sent = self.datagrams.send(datagram, path);
        if matches!(&sent, Err(error) if error.kind() == ErrorKind::WouldBlock) {
            // The network is slower than this server: wait for it.
            sent = self
                .set_read_timeout(Some(WRITE_TIMEOUT))
                .and_then(|()| self.datagrams.send(datagram, path));
        }
        match sent {
            Ok(()) => {
                self.traffic.sent += 1;
                self.traffic.sent_bytes += datagram.len() as u64;
            }
            Err(error) => {
                if self.traffic.unsent == 0 {
                    warn!(
                        "cannot send to {}: {error}; further ones are only counted",
                        path.remote
                    );
                }
                self.traffic.unsent += 1;
            }
        }
    }

    fn next_in_buffer(&mut self) -> Option<Range<usize>> {
        if self.unread.is_empty() {
            return None;
        }
        let end = (self.unread.start + self.stride.max(1)).min(self.unread.end);
        let datagram = self.unread.start..end;
        self.unread.start = end;
        Some(datagram)
    }

    fn fill_buffer(&mut self) -> io::Result<()> {
        let Received {
            length,
            stride,
            path,
        } = self.datagrams.receive(&mut self.buffer)?;
        (self.unread, self.stride, self.path) = (0..length, stride, path);
        Ok(())
    }
}
