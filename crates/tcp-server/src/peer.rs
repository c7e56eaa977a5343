//! The former interface of conversations, for services that do not use a [`Reporter`](crate::Reporter) yet.

use std::io::{Read, Write};

use proto::Observer;

use crate::client::Client;

/// A stream that is told about its own traffic.
pub trait Peer: Read + Write {
    /// Reports one read; `None` for raw bytes.
    fn took(&mut self, bytes: usize, messages: Option<usize>);

    /// Reports one write; `None` for raw bytes.
    fn gave(&mut self, bytes: usize, messages: Option<usize>);
}

impl Peer for Client {
    fn took(&mut self, bytes: usize, messages: Option<usize>) {
        if let Some(messages) = messages {
            self.reporter().on_received(bytes, messages);
        }
    }

    fn gave(&mut self, bytes: usize, messages: Option<usize>) {
        if let Some(messages) = messages {
            self.reporter().on_sent(bytes, messages);
        }
    }
}
