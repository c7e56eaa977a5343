//! What a program gives to this crate: its service, and the limits to serve it within.

use std::error::Error;
use std::net::TcpStream;
use std::time::Duration;

use crate::client::Client;

/// The conversation with a client. One value serves all clients, each on a thread of its own.
pub trait Service: Send + Sync + 'static {
    /// Talks with one client until the conversation ends. The caller closes the connection afterwards.
    ///
    /// # Errors
    ///
    /// Any fault that ended the conversation. It becomes the reason in the service message `client disconnected`.
    fn serve(&self, client: &mut Client) -> Result<EndReason, BoxError>;

    /// Refuses a client because its network has reached its limit of connections. By default the connection is closed
    /// without a message. Each read and write may take a second at most.
    fn refuse(&self, stream: &mut TcpStream) {
        let _ = stream;
    }
}

/// Why a conversation ended as it should, in words for the service message: `the client said exit`.
pub type EndReason = &'static str;

/// A fault that ended a conversation.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// How much a server takes on.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Clients served at once, at least 1. More clients wait in the listener's backlog. Off loopback, one network (an
    /// IPv4 address or an IPv6 /64) gets a quarter of them, but at least 64.
    pub max_clients: usize,
    /// How long a client may send no whole message, or read none of its pending replies; above zero. The server notices
    /// the former up to a tenth of that time later, and two seconds at most.
    pub idle_timeout: Option<Duration>,
}

impl Default for Limits {
    /// 10,000 clients, 300 seconds.
    fn default() -> Self {
        Self {
            max_clients: 10_000,
            idle_timeout: Some(Duration::from_secs(300)),
        }
    }
}
