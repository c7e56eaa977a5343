//! Why a dialogue broke off.

use std::fmt;

use crate::error::{RecvError, SendError};

/// Why a dialogue did not come to its end.
#[derive(Debug)]
pub enum DialogueError {
    /// Nothing more can be received, or what came is no message.
    Receive(RecvError),
    /// A message could not be sent.
    Send(SendError),
}

impl fmt::Display for DialogueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Receive(error) => error.fmt(f),
            Self::Send(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for DialogueError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            // Their text is the whole of ours, so what lies behind them comes next.
            Self::Receive(error) => error.source(),
            Self::Send(error) => error.source(),
        }
    }
}

impl From<RecvError> for DialogueError {
    fn from(error: RecvError) -> Self {
        Self::Receive(error)
    }
}

impl From<SendError> for DialogueError {
    fn from(error: SendError) -> Self {
        Self::Send(error)
    }
}
