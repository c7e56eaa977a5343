//! Dialogues: one JSON object a frame, one reply a request, in order. Both halves are here, over
//! anything that reads and writes; what is asked and answered is not known here.

mod caller;
mod error;
mod outbox;
mod responder;

pub use caller::Caller;
pub use error::DialogueError;
pub use responder::{Answer, Responder, converse};

/// What one read or one write moved, for service messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// One read brought something.
    Received {
        /// Bytes on the wire.
        bytes: usize,
        /// Messages that are whole with them.
        messages: usize,
    },
    /// Something was written.
    Sent {
        /// Bytes on the wire.
        bytes: usize,
        /// Messages in them.
        messages: usize,
    },
}

#[cfg(test)]
mod stream_in_memory {
    use std::collections::VecDeque;
    use std::io::{self, Read, Write};

    /// A stream whose other side sends these packets and then closes. It notes what is written.
    #[derive(Default)]
    pub(crate) struct MemoryStream {
        packets: VecDeque<Vec<u8>>,
        pub(crate) writes: Vec<Vec<u8>>,
    }

    impl MemoryStream {
        pub(crate) fn sending(packets: &[&[u8]]) -> Self {
            let packets = packets.iter().map(|packet| packet.to_vec()).collect();
            let writes = vec![];
            Self { packets, writes }
        }
    }

    impl Read for MemoryStream {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let Some(packet) = self.packets.front_mut() else {
                return Ok(0);
            };
            let count = packet.len().min(room.len());
            room[..count].copy_from_slice(&packet[..count]);
            packet.drain(..count);
            if packet.is_empty() {
                self.packets.pop_front();
            }
            Ok(count)
        }
    }

    impl Write for MemoryStream {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.writes.push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The texts as they go over the wire.
    pub(crate) fn wire(texts: &[&str]) -> Vec<u8> {
        let frame = |text: &&str| {
            let header = crate::header(text.len()).expect("a test's text is short");
            [&header[..], text.as_bytes()].concat()
        };
        texts.iter().flat_map(frame).collect()
    }
}
