//! The server under test: where it is, how long it may take, and how it frames messages.

use std::cell::Cell;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use cli::Reason;

use crate::check::failure;
use crate::connection::{Connection, Failure, Wire};

/// Makes connections to the server under test.
pub struct Target {
    address: SocketAddr,
    timeout: Duration,
    wire: Cell<Wire>,
}

impl Target {
    /// The server at `address`, which has `timeout` for each reply.
    #[must_use]
    pub fn new(address: SocketAddr, wire: Wire, timeout: Duration) -> Self {
        Self {
            address,
            timeout,
            wire: Cell::new(wire),
        }
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
        let socket = TcpStream::connect_timeout(&self.address, self.timeout);
        let connection =
            socket.and_then(|socket| Connection::new(socket, self.wire.get(), self.timeout));
        connection.map_err(|error| {
            failure(format!(
                "cannot connect to {}: {}",
                self.address,
                Reason(&error)
            ))
        })
    }

    /// Finds out how a decimal header is padded: keeps the padding with which the server answers. A server that answers to
    /// neither is left to the checks.
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
