//! What can go wrong with a message, sorted by who is at fault.

use std::io;

use thiserror::Error;

use crate::invalid_message::InvalidMessage;
use crate::limits::HEADER_BYTES;

/// Why no message could be received.
///
/// The end of the stream between two frames is no error: receivers return `None` there.
#[derive(Debug, Error)]
pub enum RecvError {
    /// The stream ended inside a header.
    #[error("the stream ended after {received} of the {HEADER_BYTES} bytes of a header")]
    CutOffHeader {
        /// Bytes of the header that came, 1 to 3.
        received: usize,
    },
    /// The stream ended inside a payload.
    #[error("the stream ended after {received} of the {length} bytes of a payload")]
    CutOffPayload {
        /// Bytes of the payload that came.
        received: usize,
        /// Bytes that the header announced.
        length: usize,
    },
    /// The header announces more than this receiver accepts. Nothing was allocated for it.
    #[error("a payload of {length} bytes is over the limit of {limit}{}", plain_text_hint(*.length))]
    TooLong {
        /// Bytes that the header announced.
        length: u32,
        /// The receiver's limit in bytes.
        limit: usize,
    },
    /// The payload is not UTF-8.
    #[error("a payload of {length} bytes is not UTF-8 from byte {valid_up_to} on")]
    NotUtf8 {
        /// The payload's length in bytes.
        length: usize,
        /// Bytes before the first one that does not decode.
        valid_up_to: usize,
    },
    /// The text is not JSON.
    #[error("the message is not JSON: {0}")]
    NotJson(serde_json::Error),
    /// The text is JSON, but not a message that the receiver knows.
    #[error("the message is not a known one: {0}")]
    UnknownMessage(InvalidMessage),
    /// The stream failed: it was reset, it timed out, or the system reported another fault.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl RecvError {
    /// Whether the peer answered with an alert of TLS in place of a message.
    #[must_use]
    pub fn is_tls_alert(&self) -> bool {
        matches!(self, Self::TooLong { length, .. } if is_tls_alert(*length))
    }
}

/// The header of a TLS alert: 21, then the version 3.x (RFC 8446, section 5.1).
fn is_tls_alert(length: u32) -> bool {
    length >> 16 == 0x1503
}

fn plain_text_hint(length: u32) -> String {
    if is_tls_alert(length) {
        return " (it is an alert of TLS: the peer speaks TLS, so try --tls)".into();
    }
    spelled_text(length).map_or_else(String::new, |text| {
        format!(" (the header spells {text:?}: the peer seems to send plain text, not frames)")
    })
}

/// Why a message could not be sent.
#[derive(Debug, Error)]
pub enum SendError {
    /// The payload is longer than a header can say.
    #[error(
        "a payload of {length} bytes is longer than a header can say ({})",
        u32::MAX
    )]
    TooLong {
        /// The payload's length in bytes.
        length: usize,
    },
    /// The value cannot be written as JSON.
    #[error("the message cannot be written as JSON: {0}")]
    NotJson(serde_json::Error),
    /// The stream failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The four characters that a length spells when the peer sends text in place of a header: `GET ` for a browser, `SSH-`
/// for an SSH client.
fn spelled_text(length: u32) -> Option<String> {
    let header = length.to_be_bytes();
    let printable = header.iter().all(|byte| matches!(byte, b' '..=b'~'));
    printable.then(|| header.map(char::from).iter().collect())
}
