//! Messages on their way out: collected as frames, sent with one write.

use std::io::{self, Write};

use serde::Serialize;

use super::Passed;
use crate::error::SendError;
use crate::frame::{HEADER_BYTES, header};
use crate::frame_read_buffer::{FIRST_BYTES, LARGE_BYTES};

/// Frames that wait to be sent.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    wire: Vec<u8>,
    messages: usize,
}

impl Outbox {
    /// Adds a message. After an error nothing of it is there.
    pub(super) fn put(&mut self, message: &impl Serialize) -> Result<(), SendError> {
        let start = self.wire.len();
        let framed = self.frame(message, start);
        match framed {
            Ok(()) => self.messages += 1,
            Err(_) => self.wire.truncate(start),
        }
        framed
    }

    fn frame(&mut self, message: &impl Serialize, start: usize) -> Result<(), SendError> {
        self.wire.extend_from_slice(&[0; HEADER_BYTES]);
        serde_json::to_writer(&mut self.wire, message).map_err(SendError::NotJson)?;
        let payload = start + HEADER_BYTES;
        let header = header(self.wire.len() - payload)?;
        self.wire[start..payload].copy_from_slice(&header);
        Ok(())
    }

    /// Whether so much waits that more of it would only cost memory.
    pub(super) fn is_full(&self) -> bool {
        self.wire.len() >= LARGE_BYTES
    }

    /// Sends what waits, if anything does, and tells what that was.
    pub(super) fn send(&mut self, stream: &mut impl Write) -> io::Result<Option<Passed>> {
        if self.messages == 0 {
            return Ok(None);
        }
        stream.write_all(&self.wire)?;
        let passed = Passed::Sent {
            bytes: self.wire.len(),
            messages: self.messages,
        };
        self.wire.clear();
        self.wire.shrink_to(FIRST_BYTES);
        self.messages = 0;
        Ok(Some(passed))
    }
}
