//! Why a measurement failed.

use std::fmt;
use std::io;

use proto::{Count, Reason};

/// Why a measurement failed.
#[derive(Debug)]
pub enum BenchError {
    /// A reply differs from its message.
    WrongReply {
        /// The reply's number on its connection, from 1.
        reply: u64,
        /// The first byte that differs, counted from the start of the message (from its header, if it has one).
        byte: usize,
    },
    /// More bytes came back than were sent.
    Unasked,
    /// The server closed a connection on which replies were outstanding.
    Closed {
        /// How many replies were outstanding.
        outstanding: u64,
    },
    /// No reply came within the time-out.
    TimedOut {
        /// How many replies were outstanding on the connection.
        outstanding: u64,
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
                "reply {reply} of a connection is not what was sent, from byte {byte} on; does the server speak the \
                 same wire (--raw)?"
            ),
            Self::Unasked => f.write_str(
                "more came back on a connection than was sent, so this is no echo server",
            ),
            Self::Closed { outstanding } => write!(
                f,
                "the server closed a connection with {} unanswered; does it speak the same wire (--raw)?",
                Count(*outstanding, "message")
            ),
            Self::TimedOut { outstanding } => write!(
                f,
                "nothing came back on a connection with {} unanswered; --timeout waits longer",
                Count(*outstanding, "message")
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
