//! The way to the server: its addresses, of which the one that answers is kept.
//!
//! The sockets are not connected, so that a machine that moves to another network goes on
//! sending from wherever it is.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::mpsc::SyncSender;

use super::input::{Input, receive};

#[derive(Debug)]
pub(super) struct Route {
    addresses: Vec<SocketAddr>,
    current: usize,
    v4: Option<UdpSocket>,
    v6: Option<UdpSocket>,
}

impl Route {
    /// Opens what it takes to reach `addresses`, of which there is at least one. What comes back
    /// becomes [`Input::Datagram`]s.
    pub(super) fn open(addresses: Vec<SocketAddr>, inputs: &SyncSender<Input>) -> io::Result<Self> {
        let open = |wanted: bool, any: SocketAddr| {
            let socket = wanted.then(|| UdpSocket::bind(any)).transpose()?;
            if let Some(socket) = &socket {
                receive(socket.try_clone()?, inputs.clone())?;
            }
            io::Result::Ok(socket)
        };
        let is_v4 = addresses.iter().any(SocketAddr::is_ipv4);
        let is_v6 = addresses.iter().any(SocketAddr::is_ipv6);
        Ok(Self {
            addresses,
            current: 0,
            v4: open(is_v4, (Ipv4Addr::UNSPECIFIED, 0).into())?,
            v6: open(is_v6, (Ipv6Addr::UNSPECIFIED, 0).into())?,
        })
    }

    /// All of the server's addresses.
    pub(super) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Where the next datagram goes.
    pub(super) fn address(&self) -> SocketAddr {
        self.addresses[self.current]
    }

    /// Sends one there.
    pub(super) fn send(&self, datagram: &[u8]) -> io::Result<()> {
        let socket = match self.address() {
            SocketAddr::V4(_) => &self.v4,
            SocketAddr::V6(_) => &self.v6,
        };
        let socket = socket
            .as_ref()
            .expect("each family of the addresses has a socket");
        socket.send_to(datagram, self.address()).map(drop)
    }

    /// Tries the next address, in turn.
    pub(super) fn turn(&mut self) {
        self.current = (self.current + 1) % self.addresses.len();
    }

    /// Whether `from` is one of the server's addresses; then it is the one to keep.
    pub(super) fn keep(&mut self, from: SocketAddr) -> bool {
        let same =
            |address: &SocketAddr| (address.ip(), address.port()) == (from.ip(), from.port());
        let found = self.addresses.iter().position(same);
        self.current = found.unwrap_or(self.current);
        found.is_some()
    }
}
