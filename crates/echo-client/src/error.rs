//! Why a dialogue failed.

use std::fmt;
use std::io;

use cli::Reason;
use proto::RecvError;

/// Why a dialogue failed. Outstanding amounts are in messages, or in bytes in raw mode.
#[derive(Debug)]
pub enum Error {
    /// The server closed the connection, or the network failed.
    ServerGone {
        /// How much was unanswered; `None` when nothing was, but the input was not at its end.
        outstanding: Option<String>,
        /// What broke the connection, unless the server closed it between messages.
        cause: Option<io::Error>,
        /// It sent nothing back for bytes without frames.
        may_speak_frames: bool,
    },
    /// What came back is not what was sent.
    WrongReply,
    /// The server sent something that is no frame.
    InvalidReply {
        /// What is wrong with it.
        cause: RecvError,
    },
    /// The connection is open, but there was no progress for the time-out.
    TimedOut {
        /// How much was unanswered.
        outstanding: String,
        /// The time-out.
        seconds: f64,
    },
    /// A line is longer than a message may be.
    LineTooLong {
        /// The line's number, from 1.
        line: u64,
        /// The longest message, in bytes.
        limit: usize,
    },
    /// A line is not UTF-8, so no message can carry it.
    LineNotUtf8 {
        /// The line's number, from 1.
        line: u64,
        /// Bytes of the line before the first that does not decode.
        valid_up_to: usize,
    },
    /// The input cannot be read.
    Input(io::Error),
    /// The output cannot be written.
    Output(io::Error),
    /// A thread cannot be started.
    Thread(io::Error),
    /// The dialogue has been run before.
    AlreadyRun,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ServerGone {
                outstanding,
                cause,
                may_speak_frames,
            } => {
                match cause {
                    None => f.write_str("the server closed the connection")?,
                    Some(cause) => {
                        write!(f, "the connection to the server broke ({})", Reason(cause))?
                    }
                }
                match outstanding {
                    Some(outstanding) if *may_speak_frames => {
                        write!(f, " with {outstanding} unanswered; if it speaks frames, leave out --raw")
                    }
                    Some(outstanding) => write!(f, " with {outstanding} unanswered"),
                    None => f.write_str(
                        " before the end of the input: it stops, or received nothing for its idle time; connect again",
                    ),
                }
            }
            Self::WrongReply => {
                f.write_str("what came back is not what was sent, so this is not an echo server")
            }
            Self::InvalidReply { cause } => {
                write!(f, "the server sent an invalid message: {cause}")?;
                match cause.is_tls_alert() {
                    true => Ok(()),
                    false => f.write_str("; if it is a plain echo server, use --raw"),
                }
            }
            Self::TimedOut {
                outstanding,
                seconds,
            } => {
                write!(
                    f,
                    "no progress for {seconds} s with {outstanding} unanswered; --timeout waits longer"
                )
            }
            Self::LineTooLong { line, limit } => write!(
                f,
                "line {line} is longer than {limit} bytes, the longest message; --max-message allows more, and \
                 --raw any length"
            ),
            Self::LineNotUtf8 { line, valid_up_to } => write!(
                f,
                "line {line} is not UTF-8 from byte {valid_up_to} on, and messages are text; --raw sends any bytes"
            ),
            Self::Input(cause) => write!(f, "cannot read the input: {}", Reason(cause)),
            Self::Output(cause) => write!(f, "cannot write the output: {}", Reason(cause)),
            Self::AlreadyRun => {
                f.write_str("the dialogue was run before; a dialogue needs a connection of its own")
            }
            Self::Thread(cause) => write!(f, "cannot start a thread: {}", Reason(cause)),
        }
    }
}

impl std::error::Error for Error {}
