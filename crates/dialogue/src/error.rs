//! Why a dialogue ended early.

use proto::{RecvError, SendError};
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
