//! Why a dialogue did not come to its end.

use std::fmt;

use dialogue::{BadLine, ClientError, ConsoleError};
use proto::Escaped;

/// Why a dialogue failed.
#[derive(Debug)]
pub enum Error {
    /// The server does not greet.
    NoGreeting,
    /// The server closes the connection instead of a greeting.
    ClosedBeforeGreeting,
    /// There is no reply.
    Dialogue(ClientError),
    /// The server has no dialogue with this client.
    Refused {
        /// The server's words.
        message: String,
    },
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
    /// The console cannot go on, or not all commands were carried out.
    Console(ConsoleError),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoGreeting => f.write_str(
                "the server does not answer; is it an ident-server? If it was started with --tls, use --tls here too; \
                 --timeout waits longer",
            ),
            Self::ClosedBeforeGreeting => f.write_str(
                "the server closed the connection without a greeting; is it an ident-server? If it was started with \
                 --tls, use --tls here too",
            ),
            Self::Dialogue(error) => f.write_str(&error.describe("an ident-server")),
            Self::Refused { message } => {
                write!(f, "the server refuses: {}", Escaped::new(message))
            }
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
            Self::Console(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<ClientError> for Error {
    fn from(error: ClientError) -> Self {
        Self::Dialogue(error)
    }
}

impl From<ConsoleError> for Error {
    fn from(error: ConsoleError) -> Self {
        Self::Console(error)
    }
}
