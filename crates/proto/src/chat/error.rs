//! What can be wrong with a datagram or a message.
//!
//! The errors repeat nothing of what the peer wrote, so they are safe in a log.

use std::fmt;

/// Why bytes from the network are no datagram, or a body no message. The peer is at fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecodeError {
    /// Longer than a datagram may be.
    TooLong(TooLong),
    /// A hello that is not padded to exactly [`MAX_DATAGRAM_BYTES`](super::MAX_DATAGRAM_BYTES).
    Unpadded {
        /// Its length in bytes.
        length: usize,
    },
    /// Not UTF-8.
    NotUtf8 {
        /// How many bytes before the first bad one are good.
        valid_up_to: usize,
    },
    /// Not a JSON object of a known type with that type's fields.
    NotKnown {
        /// The column where reading stopped, in bytes.
        column: usize,
    },
}

/// Something does not fit in a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong {
    /// Its length as encoded, in bytes.
    pub length: usize,
    /// The longest allowed, in bytes.
    pub limit: usize,
}

impl From<serde_json::Error> for DecodeError {
    fn from(error: serde_json::Error) -> Self {
        DecodeError::NotKnown {
            column: error.column(),
        }
    }
}

impl From<TooLong> for DecodeError {
    fn from(error: TooLong) -> Self {
        DecodeError::TooLong(error)
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::TooLong(error) => error.fmt(f),
            DecodeError::Unpadded { length } => {
                write!(
                    f,
                    "a hello of {length} bytes, not padded to {}",
                    super::MAX_DATAGRAM_BYTES
                )
            }
            DecodeError::NotUtf8 { valid_up_to } => write!(f, "not UTF-8 after byte {valid_up_to}"),
            DecodeError::NotKnown { column } => {
                write!(f, "no known message: reading stopped at byte {column}")
            }
        }
    }
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes, the limit is {}", self.length, self.limit)
    }
}

impl std::error::Error for DecodeError {}
impl std::error::Error for TooLong {}
