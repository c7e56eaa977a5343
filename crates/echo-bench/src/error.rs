//! Why a measurement came to nothing.

use std::fmt;
use std::io;

use cli::Reason;

use crate::counted;

/// Why there is nothing to report.
#[derive(Debug)]
pub enum BenchError {
    /// What came back is not what was sent.
    WrongReply {
        /// The reply's number on its connection, from 1.
        reply: u64,
        /// Where it differs, in bytes from its start (its header, if it has one).
        byte: usize,
    },
    /// More came back than was sent.
    Unasked,
    /// The server closed a connection that still awaited replies.
    Closed {
        /// How many it awaited.
        owed: u64,
    },
    /// No reply came for as long as one may take.
    TimedOut {
        /// How many a connection awaited.
        owed: u64,
    },
    /// A connection broke.
    Broken(io::Error),
    /// A thread cannot be started.
    Thread(io::Error),
}

impl fmt::Display for BenchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongReply { reply, byte } => write!(
                f,
                "reply {reply} of a connection is not what was sent, from byte {byte} on; does the server speak the same wire (--raw)?"
            ),
            Self::Unasked => f.write_str(
                "more came back on a connection than was sent, so this is no echo server",
            ),
            Self::Closed { owed } => write!(
                f,
                "the server closed a connection while it owed {}; does it speak the same wire (--raw)?",
                counted(*owed, "message")
            ),
            Self::TimedOut { owed } => write!(
                f,
                "nothing came back on a connection that is owed {}; --timeout waits longer",
                counted(*owed, "message")
            ),
            Self::Broken(cause) => write!(f, "a connection broke: {}", Reason(cause)),
            Self::Thread(cause) => write!(
                f,
                "cannot start a thread: {}; use fewer --connections",
                Reason(cause)
            ),
        }
    }
}

impl std::error::Error for BenchError {}
