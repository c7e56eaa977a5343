//! The server under test: where it is, how long it may take, and how it frames messages.

use std::cell::Cell;
use std::fmt;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use cli::Reason;
use tls::MaybeTls;
use trust::Fingerprint;

use crate::connection::{Connection, Wire};
use crate::failure::Failure;

/// Makes connections to the server under test.
pub struct Target {
    address: SocketAddr,
    timeout: Duration,
    wire: Cell<Wire>,
    key: Option<Fingerprint>,
    idle_limit: Duration,
}

impl Target {
    /// The server at `address`, which has `timeout` for each reply.
    #[must_use]
    pub fn new(address: SocketAddr, wire: Wire, timeout: Duration) -> Self {
        Self {
            address,
            timeout,
            wire: Cell::new(wire),
            key: None,
            idle_limit: timeout,
        }
    }

    /// The same server over TLS, by the key that it must have.
    #[must_use]
    pub fn over_tls(self, key: Fingerprint) -> Self {
        Self {
            key: Some(key),
            ..self
        }
    }

    /// The same server, which should disconnect silent clients within `limit`. Without this the limit is that of a
    /// reply.
    #[must_use]
    pub fn with_idle_limit(self, limit: Duration) -> Self {
        Self {
            idle_limit: limit,
            ..self
        }
    }

    /// How long the server may keep a client that says nothing.
    #[must_use]
    pub fn idle_limit(&self) -> Duration {
        self.idle_limit
    }

    /// Where the server listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How messages are cut out of the stream.
    #[must_use]
    pub fn wire(&self) -> Wire {
        self.wire.get()
    }

    /// How long a reply may take.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// A new client.
    ///
    /// # Errors
    ///
    /// When the server does not accept it.
    pub fn connect(&self) -> Result<Connection, Failure> {
        let cannot = |why: &dyn fmt::Display| {
            Failure::new(format!("cannot connect to {}: {why}", self.address))
        };
        let socket = TcpStream::connect_timeout(&self.address, self.timeout);
        let socket = socket.map_err(|error| cannot(&Reason(&error)))?;
        let stream = match self.key {
            None => MaybeTls::Plaintext(socket),
            Some(key) => {
                let timeout = self.timeout;
                let set = |socket: &mut TcpStream, rest: Option<Duration>| {
                    socket.set_read_timeout(rest.or(Some(timeout)))
                };
                let made = tls::client_handshake(socket, Some(key), timeout, set);
                made.map_err(|error| cannot(&error))?.0.into()
            }
        };
        Connection::new(stream, self.wire.get(), self.timeout)
            .map_err(|error| cannot(&Reason(&error)))
    }

    /// Finds out how a decimal header is padded: keeps the padding with which the server answers. A server that answers
    /// to neither is left to the checks.
    pub fn find_padding(&self) {
        let Wire::Framed(header) = self.wire.get() else {
            return;
        };
        let Some(other) = header.other_padding() else {
            return;
        };
        for header in [header, other] {
            self.wire.set(Wire::Framed(header));
            if self
                .connect()
                .and_then(|mut client| client.echo(b"hello"))
                .is_ok()
            {
                return;
            }
        }
        self.wire.set(Wire::Framed(header));
    }
}
