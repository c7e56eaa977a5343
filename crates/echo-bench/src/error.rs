//! Why a measurement failed.

use std::io;

use proto::{Count, Reason};

/// Why a measurement failed.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A reply differs from its message.
    #[error(
        "reply {reply} of a connection is not what was sent, from byte {byte} on; does the server speak the same wire \
         (--raw)?"
    )]
    WrongReply {
        /// The reply's number on its connection, from 1.
        reply: u64,
        /// The first byte that differs, counted from the start of the message (from its header, if it has one).
        byte: usize,
    },
    /// More bytes came back than were sent.
    #[error("more came back on a connection than was sent, so this is no echo server")]
    Unasked,
    /// The server closed a connection on which replies were outstanding.
    #[error(
        "the server closed a connection with {} unanswered; does it speak the same wire (--raw)?",
        Count(*.outstanding, "message")
    )]
    Closed {
        /// How many replies were outstanding.
        outstanding: u64,
    },
    /// No reply came within the time-out.
    #[error(
        "nothing came back on a connection with {} unanswered; --timeout waits longer",
        Count(*.outstanding, "message")
    )]
    TimedOut {
        /// How many replies were outstanding on the connection.
        outstanding: u64,
    },
    /// A connection broke.
    #[error("a connection broke: {}", Reason(.0))]
    Broken(io::Error),
    /// A thread cannot be started.
    #[error("cannot start a thread: {}; use fewer --connections", Reason(.0))]
    Thread(io::Error),
}
