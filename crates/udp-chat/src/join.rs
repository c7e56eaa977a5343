//! `udp-chat join`: one member's end.

use std::fmt;
use std::process::ExitCode;

use clap::Args;
use cli::{EndpointFlags, Program};

use crate::faults::FaultFlags;

/// Takes part in a chat, in a terminal or line by line in a pipe
#[derive(Args, Clone, Debug)]
pub struct JoinFlags {
    /// Where the chat is.
    #[command(flatten)]
    pub endpoint: EndpointFlags,

    /// The name to be known by
    #[arg(long, value_name = "NAME")]
    pub nick: Option<String>,

    /// What goes wrong on purpose, and what is shown of it.
    #[command(flatten)]
    pub faults: FaultFlags,
}

/// Takes part in a chat until the person or the server ends it.
///
/// # Errors
/// Always, so far.
pub fn join(_flags: &JoinFlags, _program: &Program) -> Result<ExitCode, JoinError> {
    Err(JoinError::NotBuilt)
}

/// Why one cannot take part.
#[derive(Debug)]
pub enum JoinError {
    /// There is no client yet.
    NotBuilt,
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBuilt => f.write_str("cannot join: this build serves only"),
        }
    }
}

impl std::error::Error for JoinError {}
