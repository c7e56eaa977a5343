//! The client's half: a request, then its reply.

use std::io::{Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::outbox::Outbox;
use super::{DialogueError, Passed};
use crate::error::{RecvError, SendError};
use crate::frame::MAX_DIALOGUE_BYTES;
use crate::frame_buffer::FrameBuffer;
use crate::json::from_json;

/// A client's half of a dialogue, over a stream to the server. `told` hears of each read and write.
#[derive(Debug)]
pub struct Caller<S, T> {
    stream: S,
    told: T,
    frames: FrameBuffer,
    outbox: Outbox,
}

impl<S: Read + Write, T: FnMut(Passed)> Caller<S, T> {
    /// A dialogue in which nothing was said yet.
    pub fn new(stream: S, told: T) -> Self {
        Self {
            stream,
            told,
            frames: FrameBuffer::new(MAX_DIALOGUE_BYTES),
            outbox: Outbox::default(),
        }
    }

    /// Sends a request and waits for the reply; `None` when the server closed the connection instead.
    ///
    /// # Errors
    ///
    /// When either fails, or the reply is no message that `R` knows.
    pub fn ask<R: DeserializeOwned>(
        &mut self,
        request: &impl Serialize,
    ) -> Result<Option<R>, DialogueError> {
        self.outbox.put(request)?;
        let sent = self.outbox.send(&mut self.stream).map_err(SendError::Io)?;
        sent.into_iter().for_each(&mut self.told);
        self.hear()
    }

    /// Waits for the next message of the server; `None` when it closed the connection.
    ///
    /// # Errors
    ///
    /// When nothing can be received, or it is no message that `R` knows.
    pub fn hear<R: DeserializeOwned>(&mut self) -> Result<Option<R>, DialogueError> {
        loop {
            if let Some(text) = self.frames.next_text()? {
                return Ok(Some(from_json(text)?));
            }
            let stream = &mut self.stream;
            let bytes = self.frames.read_from(stream).map_err(RecvError::Io)?;
            if bytes == 0 {
                self.frames.finish()?;
                return Ok(None);
            }
            let messages = self.frames.whole();
            (self.told)(Passed::Received { bytes, messages });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::dialogue::stream_in_memory::{MemoryStream, wire};

    #[test]
    fn a_request_is_one_write_and_its_reply_may_come_in_pieces() {
        let reply = wire(&[r#"{"a":1}"#, r#"{"b":2}"#]);
        let mut stream = MemoryStream::sending(&[&reply[..5], &reply[5..13], &reply[13..]]);
        let mut told = vec![];
        let mut caller = Caller::new(&mut stream, |passed| told.push(passed));
        let first: Option<Value> = caller.ask(&json!({"q": 1})).unwrap();
        assert_eq!(first, Some(json!({"a": 1})));
        let unasked: Option<Value> = caller.hear().unwrap();
        assert_eq!(unasked, Some(json!({"b": 2})));
        let none: Option<Value> = caller.ask(&json!({"q": 2})).unwrap();
        assert_eq!(none, None, "the server has closed the connection");

        let received = |bytes, messages| Passed::Received { bytes, messages };
        let sent = Passed::Sent {
            bytes: 11,
            messages: 1,
        };
        assert_eq!(
            told,
            [sent, received(5, 0), received(8, 1), received(9, 1), sent]
        );
        assert_eq!(
            stream.writes,
            [wire(&[r#"{"q":1}"#]), wire(&[r#"{"q":2}"#])]
        );
    }

    #[test]
    fn what_is_no_reply_is_an_error() {
        for wire in [
            &b"\0\0\0\x01{"[..],
            b"\0\0\0\x02[]",
            b"\0\0\0\x05{",
            b"HTTP/1.1",
        ] {
            let mut stream = MemoryStream::sending(&[wire]);
            let reply = Caller::new(&mut stream, |_| {}).hear::<Value>();
            assert!(reply.is_err(), "{reply:?}");
        }
    }
}
