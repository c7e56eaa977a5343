//! Reports of what passes over a connection: they become service messages and totals, and show the idle watch that the
//! client is active.

use std::fmt;
use std::sync::Arc;

use log::info;
use proto::Observer;

use crate::connection::{Connection, Traffic};

/// Observes one connection. Clones observe the same one.
#[derive(Clone, Debug)]
pub struct Reporter {
    connection: Arc<Connection>,
    /// Without frames there are no messages to count, and each byte shows that the client is active.
    is_framed: bool,
}

impl Reporter {
    pub(crate) fn new(connection: &Arc<Connection>, is_framed: bool) -> Self {
        Self {
            connection: Arc::clone(connection),
            is_framed,
        }
    }
}

impl Observer for Reporter {
    fn on_received(&mut self, bytes: usize, messages: usize) {
        if messages > 0 || !self.is_framed {
            self.connection.wait.end();
        }
        self.connection.received.add(bytes, messages);
        let messages = Messages(self.is_framed.then_some(messages));
        info!(
            "received {bytes} bytes from {}{messages}",
            self.connection.name
        );
    }

    fn on_sent(&mut self, bytes: usize, messages: usize) {
        self.connection.wait.end();
        self.connection.sent.add(bytes, messages);
        let messages = Messages(self.is_framed.then_some(messages));
        info!("sent {bytes} bytes to {}{messages}", self.connection.name);
    }
}

/// `4096 bytes in 12 messages`, without messages where none were counted.
impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.bytes())?;
        match self.messages() {
            0 => Ok(()),
            1 => f.write_str(" in 1 message"),
            count => write!(f, " in {count} messages"),
        }
    }
}

/// `: 2 messages`; nothing where there are no messages to count.
struct Messages(Option<usize>);

impl fmt::Display for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => Ok(()),
            Some(1) => f.write_str(": 1 message"),
            Some(count) => write!(f, ": {count} messages"),
        }
    }
}
