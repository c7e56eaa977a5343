//! Why a command or a dialogue failed.

use std::fmt;
use std::io;
use std::time::Duration;

use cli::Reason;
use dialogue::{ClientError, ConsoleError};
use proto::Escaped;
use proto::auth::ErrorCode;
use proto::{Name, NameError};
use trust::FileError;

/// Why a dialogue failed. Nothing of a password or token is in it.
#[derive(Debug)]
pub enum Error {
    /// The server did not grant what was asked for.
    Refused {
        /// Why.
        code: ErrorCode,
        /// The server's words.
        message: String,
    },
    /// The user or the password is wrong.
    WrongPassword {
        /// The server's words.
        message: String,
        /// How long the server refuses the next attempt, after the failures that this program knows of.
        wait: Duration,
    },
    /// No session is kept, and no terminal is there to log in.
    NotLoggedIn,
    /// The kept session is of another user than the one that was named.
    AnothersSession {
        /// The server's key in the token file.
        server: String,
        /// The session's user.
        owner: Name,
        /// The user that was named.
        user: Name,
    },
    /// A password is needed, and there is no terminal to ask at.
    NoTerminal,
    /// A user's name is needed, and the input has none.
    NoName,
    /// A user's name is invalid.
    BadName(NameError),
    /// A password is needed, and the input is at its end.
    NoPassword,
    /// A line that should be a password is no UTF-8 text, or far too long.
    BadPassword,
    /// The token file cannot be used. Nothing was changed on the server.
    TokenFile(FileError),
    /// The server did its part, but the token file could not be changed.
    NotKept {
        /// What was done on the server, and what was not done here.
        done: &'static str,
        /// Why the file could not be changed.
        cause: FileError,
    },
    /// There is no reply.
    Dialogue(ClientError),
    /// The terminal does not hide what is typed.
    Terminal(io::Error),
    /// The console cannot go on, or not all commands were carried out.
    Console(ConsoleError),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused {
                code: ErrorCode::NameTaken,
                message,
            } => write!(f, "{}; choose another, or log in", Escaped::new(message)),
            Self::WrongPassword { message, wait } => write!(
                f,
                "{}; wait {} s before the next attempt",
                Escaped::new(message),
                wait.as_secs()
            ),
            Self::Refused { message, .. } => Escaped::new(message).fmt(f),
            Self::NotLoggedIn => f.write_str("you are not logged in; auth-client login does it"),
            Self::AnothersSession {
                server,
                owner,
                user,
            } => write!(
                f,
                "the session kept for {server} is {owner}'s; auth-client login --user {user} opens one"
            ),
            Self::NoTerminal => f.write_str(
                "a password is needed, and stdin and stderr are no terminal to ask at; --password-stdin reads it from \
                 a file or a pipe",
            ),
            Self::NoName => f.write_str("a user's name is needed; give it with --user"),
            Self::BadName(error) => error.fmt(f),
            Self::NoPassword => {
                f.write_str("a password is needed, and the input is at its end; nothing was done")
            }
            Self::BadPassword => f.write_str("a password is one line of UTF-8 text"),
            Self::TokenFile(error) => write!(
                f,
                "{}; nothing was changed on the server; --token-file chooses another file",
                Escaped::new(&error.to_string())
            ),
            Self::NotKept { done, cause } => {
                write!(f, "{done}: {}; log in again next time", Escaped::new(&cause.to_string()))
            }
            Self::Dialogue(error) => f.write_str(&error.describe("an auth-server")),
            Self::Terminal(cause) => write!(
                f,
                "the terminal cannot hide a password: {}; --password-stdin reads it from the input",
                Reason(cause)
            ),
            Self::Console(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<FileError> for Error {
    fn from(error: FileError) -> Self {
        Self::TokenFile(error)
    }
}

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
