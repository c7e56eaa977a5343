//! Why a dialogue ended early.

use std::io::{self, ErrorKind};

use proto::{Reason, RecvError, SendError};
use thiserror::Error;

/// Why a dialogue did not come to its end.
#[derive(Debug, Error)]
pub enum DialogueError {
    /// Nothing more can be received, or what came is not a message.
    #[error(transparent)]
    Receive(#[from] RecvError),
    /// A message could not be sent.
    #[error(transparent)]
    Send(#[from] SendError),
}

/// Why a client has no reply.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The server closed the connection.
    #[error(
        "the server closed the connection: it stops, or received nothing for its idle time; connect again"
    )]
    Closed,
    /// The network failed.
    #[error("the connection to the server broke ({}); connect again", Reason(.0))]
    Broken(io::Error),
    /// The server is there, but nothing came from it for the whole of the time-out, or it took nothing.
    #[error("the server does not answer")]
    TimedOut,
    /// What the server sent is no message.
    #[error("the server sent an invalid message: {0}")]
    InvalidReply(RecvError),
    /// The client's own request is not a message that can be sent.
    #[error("cannot send this request: {0}")]
    InvalidRequest(SendError),
    /// The server sent a message that is not a reply to the request.
    #[error("the server sent an unexpected message")]
    UnexpectedMessage,
}

impl ClientError {
    /// The error for the user of a client: it may talk to something else than `server` (`an ident-server`).
    #[must_use]
    pub fn describe(&self, server: &str) -> String {
        match self {
            Self::Closed | Self::Broken(_) | Self::InvalidRequest(_) => self.to_string(),
            Self::TimedOut => format!("{self}; is it {server}? --timeout waits longer"),
            Self::InvalidReply(_) | Self::UnexpectedMessage => format!("{self}; is it {server}?"),
        }
    }
}

impl From<DialogueError> for ClientError {
    fn from(error: DialogueError) -> Self {
        match error {
            DialogueError::Receive(RecvError::Io(cause))
            | DialogueError::Send(SendError::Io(cause)) => match cause.kind() {
                // The time-out of a socket is either, depending on the platform.
                ErrorKind::WouldBlock | ErrorKind::TimedOut => Self::TimedOut,
                _ => Self::Broken(cause),
            },
            DialogueError::Receive(cause) => Self::InvalidReply(cause),
            DialogueError::Send(cause) => Self::InvalidRequest(cause),
        }
    }
}
