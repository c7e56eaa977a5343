//! Why a dialogue did not come to its end.

use std::fmt;
use std::io;

use cli::{BadLine, Reason};
use dialogue::DialogueError;
use proto::{Escaped, RecvError, SendError};

/// Why a dialogue failed.
#[derive(Debug)]
pub enum Error {
    /// The server closed the connection, or the network failed.
    ServerGone {
        /// The fault of the socket, where there was one.
        cause: Option<io::Error>,
    },
    /// The server is there, but nothing came from it for the whole of the time-out, or it took nothing.
    TimedOut,
    /// What the server sent is no message.
    Garbled {
        /// What is wrong with it.
        cause: DialogueError,
    },
    /// The server sent a message that has no place there.
    OutOfPlace,
    /// The server asks for a name, and the input has none.
    NoName,
    /// Where the input should have a name it has a command.
    CommandForName {
        /// The line.
        line: String,
    },
    /// Where the input should have a name it has a line that is no text.
    BadAnswer(BadLine),
    /// The server does not take the name that was given for it.
    NameRefused {
        /// The server's words.
        message: String,
    },
    /// The server ended the dialogue, since too many names were none.
    TooManyBadNames,
    /// The dialogue came to its end, but some commands of the input were not carried out.
    NotAllDone {
        /// How many.
        count: usize,
    },
    /// The input cannot be read.
    Input(io::Error),
    /// The output cannot be written.
    Output(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ServerGone { cause: None } => f.write_str(
                "the server closed the connection: it stops, or heard nothing for its idle time; connect again",
            ),
            Self::ServerGone { cause: Some(cause) } => {
                let cause = Reason(cause);
                write!(f, "the connection to the server broke ({cause}); connect again")
            }
            Self::TimedOut => f.write_str(
                "the server does not answer; is it an ident-server? --timeout waits longer",
            ),
            Self::Garbled { cause } => {
                write!(f, "what the server sent is no message: {cause}; is it an ident-server?")
            }
            Self::OutOfPlace => f.write_str(
                "the server sent a message that has no place there; is it an ident-server?",
            ),
            Self::NoName => f.write_str(
                "the server asks for a name, and the input has none; give one with --name",
            ),
            Self::CommandForName { line } => write!(
                f,
                "the server asks for a name first, and {} is a command; give the name with --name",
                Escaped::new(line.trim()).quoted().cut(60)
            ),
            Self::BadAnswer(bad_line) => write!(
                f,
                "the server asks for a name first, and {bad_line}; give the name with --name"
            ),
            Self::NameRefused { message } => write!(
                f,
                "the server does not take the name: {}",
                Escaped::new(message)
            ),
            Self::TooManyBadNames => {
                f.write_str("the server closed the connection after too many bad names; connect again")
            }
            Self::NotAllDone { count: 1 } => {
                f.write_str("1 command was not carried out, as explained above")
            }
            Self::NotAllDone { count } => {
                write!(f, "{count} commands were not carried out, as explained above")
            }
            Self::Input(cause) => write!(f, "cannot read the input: {}", Reason(cause)),
            Self::Output(cause) => write!(f, "cannot write the output: {}", Reason(cause)),
        }
    }
}

impl std::error::Error for Error {}

impl From<DialogueError> for Error {
    fn from(error: DialogueError) -> Self {
        match error {
            DialogueError::Receive(RecvError::Io(cause))
            | DialogueError::Send(SendError::Io(cause)) => match cause.kind() {
                // A socket's time-out is told by either, as the platform likes.
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Self::TimedOut,
                _ => Self::ServerGone { cause: Some(cause) },
            },
            cause => Self::Garbled { cause },
        }
    }
}
