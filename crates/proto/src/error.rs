//! What can go wrong with a message, sorted by who is at fault.

use std::fmt;
use std::io;

use crate::frame::{HEADER_BYTES, spelled_text};
use crate::json::InvalidMessage;

/// Why no message could be received.
///
/// The end of the stream between two frames is no error: receivers answer it with `None`.
#[derive(Debug)]
pub enum RecvError {
    /// The stream ended inside a header, of which `got` bytes had come.
    CutOffHeader {
        /// Bytes of the header that came, 1 to 3.
        got: usize,
    },
    /// The stream ended inside a payload.
    CutOffPayload {
        /// Bytes of the payload that came.
        got: usize,
        /// Bytes the header had promised.
        length: usize,
    },
    /// The header promises more than this receiver takes. Nothing was allocated for it.
    TooLong {
        /// Bytes the header promised.
        length: u32,
        /// The receiver's limit in bytes.
        limit: usize,
    },
    /// The payload is not UTF-8.
    NotUtf8 {
        /// The payload's length in bytes.
        length: usize,
        /// Bytes before the first one that does not decode.
        valid_up_to: usize,
    },
    /// The text is not JSON.
    NotJson(serde_json::Error),
    /// The text is JSON, but no message that the receiver knows.
    UnknownMessage(InvalidMessage),
    /// The stream failed: reset, timed out, or another fault of the system.
    Io(io::Error),
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CutOffHeader { got } => {
                write!(
                    f,
                    "the stream ended after {got} of the {HEADER_BYTES} bytes of a header"
                )
            }
            Self::CutOffPayload { got, length } => {
                write!(
                    f,
                    "the stream ended after {got} of the {length} bytes of a payload"
                )
            }
            Self::TooLong { length, limit } => {
                write!(
                    f,
                    "a payload of {length} bytes is over the limit of {limit}"
                )?;
                match spelled_text(*length) {
                    Some(text) => write!(
                        f,
                        " (the header spells {text:?}: the peer seems to send plain text, not frames)"
                    ),
                    None => Ok(()),
                }
            }
            Self::NotUtf8 {
                length,
                valid_up_to,
            } => {
                write!(
                    f,
                    "a payload of {length} bytes is not UTF-8 from byte {valid_up_to} on"
                )
            }
            Self::NotJson(error) => write!(f, "the message is not JSON: {error}"),
            Self::UnknownMessage(error) => write!(f, "the message is not a known one: {error}"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RecvError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            // Its text is the whole of ours, so what lies behind it comes next.
            Self::Io(error) => error.source(),
            _ => None,
        }
    }
}

impl From<io::Error> for RecvError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Why a message could not be sent.
#[derive(Debug)]
pub enum SendError {
    /// The payload is longer than a header can say.
    TooLong {
        /// The payload's length in bytes.
        length: usize,
    },
    /// The value cannot be written as JSON.
    NotJson(serde_json::Error),
    /// The stream failed.
    Io(io::Error),
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { length } => {
                write!(
                    f,
                    "a payload of {length} bytes is longer than a header can say ({})",
                    u32::MAX
                )
            }
            Self::NotJson(error) => write!(f, "the message cannot be written as JSON: {error}"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SendError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => error.source(),
            _ => None,
        }
    }
}

impl From<io::Error> for SendError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
