//! What a server did in its life, for its last service message.

use std::fmt;

use proto::Count;

/// The sums over all clients of a server.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    /// Clients that were served.
    pub clients: u64,
    /// Bytes received from them.
    pub bytes_received: u64,
    /// Bytes sent to them.
    pub bytes_sent: u64,
    /// Clients whose thread had not ended five seconds after the stop.
    pub abandoned: usize,
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            clients,
            bytes_received,
            bytes_sent,
            abandoned,
        } = self;
        write!(
            f,
            "served {}, received {bytes_received} bytes, sent {bytes_sent} bytes",
            Count(*clients, "client")
        )?;
        match abandoned {
            0 => Ok(()),
            count => write!(
                f,
                ", abandoned {} in threads that did not end",
                Count(*count as u64, "client")
            ),
        }
    }
}
