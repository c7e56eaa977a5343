//! The traffic of a client's dialogue: as service messages, as frames, and as a sum for the last message.

mod scanner;

use std::fmt::{self, Display, Formatter};
use std::io::{self, IsTerminal, Read, Write, stderr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use log::info;
use proto::{Count, HEADER_BYTES, Observer};

use crate::frame_dump::FrameDump;
use scanner::FrameScanner;

/// Counts and logs what passes in both directions. It is shared with the code that logs the last message.
#[derive(Debug)]
pub struct Traffic {
    sent: Direction,
    received: Direction,
    /// Whether headers and text are counted apart, for a person.
    splits_bytes: bool,
}

#[derive(Debug)]
struct Direction {
    verb: &'static str,
    bytes: AtomicU64,
    frames: Mutex<FrameScanner>,
}

impl Traffic {
    /// No traffic so far. With `shows_frames` each frame is printed on stderr.
    pub fn new(shows_frames: bool) -> Self {
        let direction = |verb| Direction {
            verb,
            bytes: AtomicU64::new(0),
            frames: Mutex::new(FrameScanner::new(shows_frames)),
        };
        Self {
            sent: direction("sent"),
            received: direction("received"),
            splits_bytes: stderr().is_terminal(),
        }
    }

    /// The stream whose frames are counted and shown. Without it, only bytes and messages are.
    pub fn watch<S>(&self, stream: S) -> Watched<'_, S> {
        Watched {
            traffic: self,
            stream,
        }
    }

    fn report(&self, direction: &Direction, bytes: usize, messages: usize) {
        direction.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        let (verb, frames) = (direction.verb, direction.lock().take_complete());
        let text = frames.iter().map(|frame| frame.length).sum();
        let amount = FrameBytes {
            bytes,
            messages,
            text: Some(text).filter(|_| self.splits_bytes),
        };
        info!("{verb} {amount}");
        for payload in frames.iter().filter_map(|frame| frame.payload.as_ref()) {
            if let Ok(dump) = FrameDump::new(verb, payload) {
                // Only a person can miss it.
                let _ = stderr().write_all(dump.to_string().as_bytes());
            }
        }
    }
}

impl Direction {
    fn lock(&self) -> MutexGuard<'_, FrameScanner> {
        self.frames.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for &Traffic {
    fn on_received(&mut self, bytes: usize, messages: usize) {
        self.report(&self.received, bytes, messages);
    }

    fn on_sent(&mut self, bytes: usize, messages: usize) {
        self.report(&self.sent, bytes, messages);
    }
}

/// `sent 41 bytes, received 74 bytes`
impl Display for Traffic {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let [sent, received] =
            [&self.sent, &self.received].map(|direction| direction.bytes.load(Ordering::Relaxed));
        write!(f, "sent {sent} bytes, received {received} bytes")
    }
}

/// A stream whose frames a [`Traffic`] counts.
#[derive(Debug)]
pub struct Watched<'a, S> {
    traffic: &'a Traffic,
    stream: S,
}

impl<S: Read> Read for Watched<'_, S> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.stream.read(room)?;
        self.traffic.received.lock().push(&room[..count]);
        Ok(count)
    }
}

impl<S: Write> Write for Watched<'_, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.stream.write(bytes)?;
        self.traffic.sent.lock().push(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// The size of a read or write of frames: `21 bytes: 4 header + 17 text`, `21 bytes: 1 message`.
#[derive(Clone, Copy, Debug)]
pub struct FrameBytes {
    /// Bytes on the wire.
    pub bytes: usize,
    /// How many messages ended in them.
    pub messages: usize,
    /// The text of these messages in bytes, if it is to be shown. It is shown only where the bytes are whole messages.
    pub text: Option<usize>,
}

impl Display for FrameBytes {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            bytes, messages, ..
        } = *self;
        let header = HEADER_BYTES * messages;
        let counted = Count(messages as u64, "message");
        match self.text.filter(|text| bytes == header + text) {
            Some(text) if messages == 1 => {
                write!(f, "{bytes} bytes: {header} header + {text} text")
            }
            Some(text) if messages > 1 => {
                write!(f, "{bytes} bytes: {counted}, {header} header + {text} text")
            }
            _ => write!(f, "{bytes} bytes: {counted}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions_are_summed_up() {
        let traffic = Traffic::new(false);
        let mut observer = &traffic;
        observer.on_sent(41, 1);
        observer.on_received(70, 2);
        observer.on_received(4, 0);
        assert_eq!(traffic.to_string(), "sent 41 bytes, received 74 bytes");
    }

    #[test]
    fn header_and_text_are_counted_apart_where_a_read_is_whole_messages() {
        let shown = |bytes, messages, text| {
            let amount = FrameBytes {
                bytes,
                messages,
                text,
            };
            amount.to_string()
        };
        assert_eq!(shown(21, 1, Some(17)), "21 bytes: 4 header + 17 text");
        let two = "12 bytes: 2 messages, 8 header + 4 text";
        assert_eq!(shown(12, 2, Some(4)), two);
        assert_eq!(shown(5, 1, Some(17)), "5 bytes: 1 message");
        assert_eq!(shown(5, 0, Some(0)), "5 bytes: 0 messages");
        assert_eq!(shown(21, 1, None), "21 bytes: 1 message");
    }
}
