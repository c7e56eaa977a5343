//! A view of the connected clients from outside the server, for an administrator's console.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use crate::connection::Connection;
use crate::registry::Registry;

/// The connected clients of a server. Clones show the same server. It is empty before the server starts and after it
/// stopped.
#[derive(Clone, Debug, Default)]
pub struct ClientList(Arc<Mutex<Weak<Registry>>>);

/// One connected client.
#[derive(Clone, Debug)]
pub struct ClientInfo {
    /// The connection's number, as service messages have it.
    pub number: u64,
    /// Where the client connects from.
    pub address: SocketAddr,
    /// The age of the connection.
    pub connected_for: Duration,
    /// Bytes received from the client.
    pub bytes_received: u64,
    /// Bytes sent to the client.
    pub bytes_sent: u64,
}

/// `192.0.2.7:50000 (connection 3): connected for 12 s, received 9 bytes, sent 9 bytes`
impl fmt::Display for ClientInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            number,
            address,
            connected_for,
            bytes_received,
            bytes_sent,
        } = self;
        let seconds = connected_for.as_secs();
        write!(
            f,
            "{address} (connection {number}): connected for {seconds} s, "
        )?;
        write!(
            f,
            "received {bytes_received} bytes, sent {bytes_sent} bytes"
        )
    }
}

impl ClientList {
    /// The clients that are connected now, the oldest connection first.
    #[must_use]
    pub fn list(&self) -> Vec<ClientInfo> {
        let registry = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .upgrade();
        let connections = registry.map(|registry| registry.connections());
        let info = |connection: &Arc<Connection>| ClientInfo {
            number: connection.number,
            address: connection.peer,
            connected_for: connection.began.elapsed(),
            bytes_received: connection.received.total().bytes,
            bytes_sent: connection.sent.total().bytes,
        };
        connections.unwrap_or_default().iter().map(info).collect()
    }

    /// Shows the clients of this server from now on.
    pub(crate) fn show(&self, registry: &Arc<Registry>) {
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *shown = Arc::downgrade(registry);
    }
}
