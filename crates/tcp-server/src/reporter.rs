//! Reports of what passes over a connection: they become service messages and totals, and show the idle watch that the
//! client is active.

use std::fmt;
use std::sync::Arc;

use log::Level;
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

    /// Logs a line about the client, such as that it was greeted. A client can cause any number of lines, so each
    /// network has a budget of them. Lines without room are counted, and a sum tells their number once a second, after
    /// `label`: `greeted: 57 more from 192.0.2.7`.
    pub fn log(&self, level: Level, label: &'static str, line: fmt::Arguments<'_>) {
        let log = &self.registry.log;
        log.service_line(&self.connection, level, label, line);
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
