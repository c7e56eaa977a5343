//! Reports of what passes over a connection: they become service messages and totals, and show the idle watch that the
//! client is active.

use std::sync::Arc;

use proto::Observer;

use crate::connection::Connection;
use crate::registry::Registry;
use crate::service_log::Direction;

/// Observes one connection. Clones observe the same one.
#[derive(Clone, Debug)]
pub struct Reporter {
    registry: Arc<Registry>,
    connection: Arc<Connection>,
    /// Without frames there are no messages to count, and each byte shows that the client is active.
    is_framed: bool,
}

impl Reporter {
    pub(crate) fn new(
        registry: &Arc<Registry>,
        connection: &Arc<Connection>,
        is_framed: bool,
    ) -> Self {
        Self {
            registry: Arc::clone(registry),
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
        let messages = self.is_framed.then_some(messages);
        let log = &self.registry.log;
        log.add(&self.connection, Direction::Received, bytes, messages);
    }

    fn on_sent(&mut self, bytes: usize, messages: usize) {
        self.connection.wait.end();
        let messages = self.is_framed.then_some(messages);
        let log = &self.registry.log;
        log.add(&self.connection, Direction::Sent, bytes, messages);
    }

    fn on_buffered(&mut self, bytes: usize) {
        self.registry.hold_frame(self.connection.number, bytes);
    }
}
