//! The service messages about what the client sent and received.

use std::io::{Write, stderr};
use std::sync::Arc;

use log::info;
use proto::header;

use crate::Wire;
use crate::frame_dump::FrameDump;
use crate::lesson::Lesson;

/// Bytes of a frame's header.
const HEADER_BYTES: usize = 4;

/// What the service messages show.
#[derive(Clone, Debug, Default)]
pub struct Detail {
    /// Headers and text are counted apart.
    pub splits_bytes: bool,
    /// Each frame is printed on stderr.
    pub shows_frames: bool,
    /// The server in the same program, whose messages the client's stand among.
    pub lesson: Option<Arc<Lesson>>,
}

/// Logs reads and writes.
#[derive(Clone, Debug)]
pub(crate) struct TrafficLog {
    pub(crate) wire: Wire,
    pub(crate) detail: Detail,
}

impl TrafficLog {
    /// Logs a write of whole lines.
    pub(crate) fn sent(&self, bytes: &[u8], lines: u64) {
        let text = bytes.len().checked_sub(HEADER_BYTES * lines as usize);
        info!("sent {}", self.amount(bytes.len(), lines, text));
        if self.detail.shows_frames {
            frames(bytes).for_each(|payload| print_frame("sent", payload));
        }
        if let Some(lesson) = &self.detail.lesson {
            lesson.client.add(bytes.len());
        }
    }

    /// Logs a read of `bytes`, which completed `messages` with `text` bytes of text in all. `total` is the number of
    /// bytes received so far.
    pub(crate) fn received(&self, bytes: usize, messages: u64, text: Option<usize>, total: u64) {
        if let Some(lesson) = &self.detail.lesson {
            lesson.server.wait_for(total);
        }
        info!("received {}", self.amount(bytes, messages, text));
    }

    pub(crate) fn received_frame(&self, payload: &str) {
        if self.detail.shows_frames {
            print_frame("received", payload.as_bytes());
        }
    }

    /// `21 bytes: 4 header + 17 text`, `21 bytes: 1 message`, `17 bytes`
    pub(crate) fn amount(&self, bytes: usize, messages: u64, text: Option<usize>) -> String {
        let total = format!("{bytes} bytes");
        let Wire::Framed { .. } = self.wire else {
            return total;
        };
        let counted = self.wire.amount(messages);
        match text.filter(|text| bytes == HEADER_BYTES * messages as usize + text) {
            Some(text) if self.detail.splits_bytes => {
                let header = bytes - text;
                match messages {
                    1 => format!("{total}: {header} header + {text} text"),
                    _ => format!("{total}: {counted}, {header} header + {text} text"),
                }
            }
            _ => format!("{total}: {counted}"),
        }
    }
}

/// The payloads of frames that this program made.
fn frames(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (header, rest) = bytes.split_first_chunk()?;
        let (payload, rest) = rest.split_at_checked(u32::from_be_bytes(*header) as usize)?;
        bytes = rest;
        Some(payload)
    })
}

/// One write, so that lines of other threads do not get into the middle of it.
fn print_frame(verb: &'static str, payload: &[u8]) {
    if let Ok(header) = header(payload.len()) {
        let dump = FrameDump {
            verb,
            header,
            payload,
        };
        // Only a person can miss it.
        let _ = stderr().write_all(dump.to_string().as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(wire: Wire, splits_bytes: bool) -> TrafficLog {
        let detail = Detail {
            splits_bytes,
            ..Detail::default()
        };
        TrafficLog { wire, detail }
    }

    #[test]
    fn header_and_text_are_counted_apart_where_a_read_is_whole_messages() {
        let framed = log(Wire::Framed { max_message: 8 }, true);
        assert_eq!(
            framed.amount(21, 1, Some(17)),
            "21 bytes: 4 header + 17 text"
        );
        assert_eq!(
            framed.amount(12, 2, Some(4)),
            "12 bytes: 2 messages, 8 header + 4 text"
        );
        assert_eq!(framed.amount(5, 1, Some(17)), "5 bytes: 1 message");
        assert_eq!(framed.amount(5, 0, None), "5 bytes: 0 messages");
        let short = log(Wire::Framed { max_message: 8 }, false);
        assert_eq!(short.amount(21, 1, Some(17)), "21 bytes: 1 message");
        assert_eq!(log(Wire::Raw, true).amount(17, 1, None), "17 bytes");
    }

    #[test]
    fn what_is_sent_is_seen_as_frames() {
        let bytes = b"\0\0\0\x02hi\0\0\0\0\0\0\0\x01!";
        assert_eq!(frames(bytes).collect::<Vec<_>>(), [&b"hi"[..], b"", b"!"]);
        assert_eq!(frames(b"\0\0\0\x02h").count(), 0);
    }
}
