//! Why a dialogue did not come to its end.

use std::fmt;
use std::io;

use cli::{BadLine, Reason};
use dialogue::ClientError;
use proto::Escaped;

/// Why a dialogue failed.
#[derive(Debug)]
pub enum Error {
    /// The server does not greet.
    NoGreeting,
    /// There is no reply.
    Dialogue(ClientError),
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
            Self::NoGreeting => f.write_str(
                "the server does not answer; is it an ident-server? If it was started with --tls, use --tls here too; \
                 --timeout waits longer",
            ),
            Self::Dialogue(error) => f.write_str(&error.describe("an ident-server")),
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

impl From<ClientError> for Error {
    fn from(error: ClientError) -> Self {
        Self::Dialogue(error)
    }
}
