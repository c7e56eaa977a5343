//! The service messages about what the client sent and received.

use std::io::{Write, stderr};
use std::sync::Arc;

use cli::{FrameBytes, FrameDump};
use line_editor::Terminal;
use log::info;
use proto::HEADER_BYTES;

use crate::Wire;
use crate::log_order::LogOrder;

/// What the service messages show.
#[derive(Clone, Debug, Default)]
pub struct Detail {
    /// Headers and text are counted apart.
    pub splits_bytes: bool,
    /// Each frame is printed on stderr.
    pub shows_frames: bool,
    /// The terminal that stderr may be.
    pub terminal: Terminal,
    /// The server in the same program, whose messages the client's stand among.
    pub log_order: Option<Arc<LogOrder>>,
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
            frames(bytes).for_each(|payload| self.print_frame("sent", payload));
        }
        if let Some(log_order) = &self.detail.log_order {
            log_order.client.add(bytes.len());
        }
    }

    /// Logs a read of `bytes`, which completed `messages` with `text` bytes of text in all. `total` is the number of
    /// bytes received so far.
    pub(crate) fn received(&self, bytes: usize, messages: u64, text: Option<usize>, total: u64) {
        if let Some(log_order) = &self.detail.log_order {
            log_order.server.wait_for(total);
        }
        info!("received {}", self.amount(bytes, messages, text));
    }

    pub(crate) fn received_frame(&self, payload: &str) {
        if self.detail.shows_frames {
            self.print_frame("received", payload.as_bytes());
        }
    }

    /// One write, so that lines of other threads do not get into the middle of it.
    fn print_frame(&self, verb: &'static str, payload: &[u8]) {
        if let Ok(dump) = FrameDump::new(verb, payload) {
            let mut output = self.detail.terminal.output(stderr());
            // Only a person can miss it.
            let _ = output.write_all(dump.to_string().as_bytes());
        }
    }

    /// `21 bytes: 4 header + 17 text`, `21 bytes: 1 message`, `17 bytes`
    fn amount(&self, bytes: usize, messages: u64, text: Option<usize>) -> String {
        match self.wire {
            Wire::Raw => format!("{bytes} bytes"),
            Wire::Framed { .. } => {
                let amount = FrameBytes {
                    bytes,
                    messages: messages as usize,
                    text: text.filter(|_| self.detail.splits_bytes),
                };
                amount.to_string()
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_seen_as_frames() {
        let bytes = b"\0\0\0\x02hi\0\0\0\0\0\0\0\x01!";
        assert_eq!(frames(bytes).collect::<Vec<_>>(), [&b"hi"[..], b"", b"!"]);
        assert_eq!(frames(b"\0\0\0\x02h").count(), 0);
    }
}
