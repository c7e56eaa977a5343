//! Between the session and the sockets: which address is tried, what is lost on purpose, counted
//! and traced.

mod resolver;
mod sockets;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use chat_link::MAX_DATAGRAM_BYTES;
use log::info;
use proto::Escaped;

use super::input::Input;
use super::session::{Destination, Session};
use crate::faults::Faults;
pub(super) use resolver::Resolver;
use sockets::Sockets;

/// How much of a handshake's JSON a trace shows, in characters.
const TRACE_CHARS: usize = 60;

pub(super) struct Transport {
    addresses: Vec<SocketAddr>,
    /// The address that is tried, or that answered.
    current: usize,
    /// Addresses that nothing can be sent to, with the reason, while joining.
    refused: Vec<(SocketAddr, io::Error)>,
    sockets: Sockets,
    faults: Faults,
    trace: bool,
    traffic: ByteCounts,
    round_trip: Option<Duration>,
}

/// Bytes of datagrams.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ByteCounts {
    sent: u64,
    received: u64,
}

impl Transport {
    /// Opens a socket for each of the server's addresses, of which there is at least one.
    pub(super) fn open(
        addresses: Vec<SocketAddr>,
        source: Option<SocketAddr>,
        faults: Faults,
        trace: bool,
        inputs: &SyncSender<Input>,
    ) -> io::Result<Self> {
        let mut transport = Self {
            sockets: Sockets::new(source, inputs.clone()),
            addresses,
            current: 0,
            refused: Vec::new(),
            faults,
            trace,
            traffic: ByteCounts::default(),
            round_trip: None,
        };
        for address in transport.addresses.clone() {
            if let Err(error) = transport.sockets.connect(address) {
                transport.refused.push((address, error));
            }
        }
        match transport.refused.len() == transport.addresses.len() {
            true => Err(transport.refused.swap_remove(0).1),
            false => {
                transport.skip_refused();
                Ok(transport)
            }
        }
    }

    /// Where the server is, as far as is known.
    pub(super) fn address(&self) -> SocketAddr {
        self.addresses[self.current]
    }

    pub(super) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The name was resolved again.
    pub(super) fn set_addresses(&mut self, addresses: Vec<SocketAddr>) {
        if !addresses.is_empty() {
            self.addresses = addresses;
            self.current = 0;
            self.refused.clear();
        }
    }

    /// Bytes sent and received so far.
    pub(super) fn traffic(&self) -> ByteCounts {
        self.traffic
    }

    /// The server has answered and taken us in: from now on it may write from any address.
    pub(super) fn release(&mut self, address: SocketAddr) {
        self.current = self.position(address).unwrap_or(self.current);
        self.refused.clear();
        self.sockets.release(self.address());
    }

    /// Nothing listens at an address. True if that is so for all, and nothing was ever heard.
    pub(super) fn refuse(&mut self, address: SocketAddr, error: io::Error) -> bool {
        if self.sockets.is_released() || self.refused.iter().any(|(refused, _)| *refused == address)
        {
            return false;
        }
        self.refused.push((address, error));
        if self.refused.len() == self.addresses.len() {
            return true;
        }
        self.skip_refused();
        false
    }

    /// Why nothing reached the server, if there was a reason.
    pub(super) fn take_refusal(&mut self) -> Option<io::Error> {
        self.refused.pop().map(|(_, error)| error)
    }

    /// Hands the session a datagram that came.
    pub(super) fn receive(&mut self, from: SocketAddr, bytes: &[u8], session: &mut Session) {
        let lost = self.faults.drops();
        if lost || bytes.len() > MAX_DATAGRAM_BYTES {
            if self.trace {
                info!("trace: from {from}: {} bytes{}", bytes.len(), Fate(lost));
            }
            return;
        }
        self.traffic.received += bytes.len() as u64;
        let was_heard = session.is_heard();
        session.handle(bytes, from, Instant::now());
        if !was_heard
            && session.is_heard()
            && let Some(at) = self.position(from)
        {
            self.current = at;
        }
        if !self.trace {
            return;
        }
        let description = describe(session, bytes);
        info!("trace: from {from}: {description}, {} bytes", bytes.len());
        let round_trip = session.link_mut().and_then(|link| link.round_trip());
        if let Some(time) = round_trip.filter(|_| round_trip != self.round_trip) {
            let ms = time.as_secs_f64() * 1e3;
            info!("trace: round trip with the server: {ms:.3} ms");
        }
        self.round_trip = round_trip;
    }

    /// Sends what the session has to send now.
    pub(super) fn transmit(&mut self, session: &mut Session, now: Instant) {
        let mut bytes = Vec::with_capacity(MAX_DATAGRAM_BYTES);
        while let Some(destination) = session.poll_transmit(now, &mut bytes) {
            let address = match destination {
                Destination::Handshake => self.address(),
                Destination::Session(address) => address,
            };
            let lost = self.faults.drops();
            if self.trace {
                let description = describe(session, &bytes);
                info!(
                    "trace: to {address}: {description}, {} bytes{}",
                    bytes.len(),
                    Fate(lost)
                );
            }
            if !lost {
                self.send(address, &bytes, destination == Destination::Handshake);
            }
            if destination == Destination::Handshake && !session.is_heard()
                || session.is_searching()
            {
                self.turn();
            }
        }
    }

    /// A datagram that does not leave is lost like any other; a hello goes to the next address.
    fn send(&mut self, mut address: SocketAddr, bytes: &[u8], is_handshake: bool) {
        for _ in 0..self.addresses.len() {
            match self.sockets.send(address, bytes) {
                Ok(()) => {
                    self.traffic.sent += bytes.len() as u64;
                    return;
                }
                Err(error) => {
                    if !is_handshake {
                        return;
                    }
                    if !self.sockets.is_released() && !self.is_refused(address) {
                        self.refused.push((address, error));
                    }
                    self.turn();
                    address = self.address();
                }
            }
        }
    }

    fn turn(&mut self) {
        self.current = (self.current + 1) % self.addresses.len();
        self.skip_refused();
    }

    fn skip_refused(&mut self) {
        if self.refused.len() >= self.addresses.len() {
            return;
        }
        while self.is_refused(self.address()) {
            self.current = (self.current + 1) % self.addresses.len();
        }
    }

    fn is_refused(&self, address: SocketAddr) -> bool {
        self.refused.iter().any(|(refused, _)| *refused == address)
    }

    fn position(&self, address: SocketAddr) -> Option<usize> {
        let is_same =
            |known: &SocketAddr| (known.ip(), known.port()) == (address.ip(), address.port());
        self.addresses.iter().position(is_same)
    }
}

/// What a datagram that was just handled or written says.
fn describe(session: &mut Session, bytes: &[u8]) -> String {
    if let Some(description) = session.link_mut().and_then(|link| link.poll_trace()) {
        return Escaped::new(&description).to_string();
    }
    match bytes.first() {
        Some(b'{') => format!("handshake {}", Escaped::from_bytes(bytes).cut(TRACE_CHARS)),
        _ => "a datagram that is not of this session".into(),
    }
}

impl fmt::Display for ByteCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sent, received } = self;
        write!(f, "sent {sent} bytes, received {received} bytes")
    }
}

struct Fate(bool);

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 { ", lost on purpose" } else { "" })
    }
}
