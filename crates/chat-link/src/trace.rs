//! Describes bodies in a few words, for `--trace`.

use std::fmt::Write;

use crate::wire::{Frame, Frames};

/// How much of a message is shown, in bytes.
const SHOWN_BYTES: usize = 60;

/// The frames of a body. Message text in it is as the peer sent it, so a caller that shows it must escape it.
pub(crate) fn describe(body: &[u8]) -> String {
    let mut text = String::new();
    for frame in Frames::new(body) {
        if !text.is_empty() {
            text.push_str(", ");
        }
        let _ = match frame {
            Frame::Ack(ack) => {
                write!(
                    text,
                    "ack {} ({:b} earlier), messages through {}",
                    ack.largest, ack.earlier, ack.through
                )
            }
            Frame::Part(part) => {
                let shown = &part.bytes[..part.bytes.len().min(SHOWN_BYTES)];
                let more = if part.more { ", to be continued" } else { "" };
                write!(
                    text,
                    "message {}{more} {}",
                    part.seq,
                    String::from_utf8_lossy(shown)
                )
            }
            Frame::Ping => write!(text, "ping"),
            Frame::PathChallenge(_) => write!(text, "path challenge"),
            Frame::PathResponse(_) => write!(text, "path response"),
            Frame::Close(reason) => write!(text, "close {reason}"),
        };
    }
    text
}
