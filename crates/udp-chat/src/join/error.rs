//! Why a conversation did not come to a good end.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use cli::{AskError, EndpointError, LogError, Reason, ResolveError, UsageError};
use proto::Escaped;
use proto::chat::{self, Refusal};

use super::asking::PATIENCE;
use crate::nick::NickError;
use crate::trace::words;

/// So much of what a stranger or a flag says is repeated, in characters.
const SHOWN_CHARS: usize = 200;

/// Why one cannot take part, or no longer.
#[derive(Debug)]
pub enum JoinError {
    /// Flags are missing or make no sense together.
    Usage(UsageError),
    /// It is not known where the chat is.
    Endpoint(EndpointError),
    /// The server's host has no address.
    Resolve(ResolveError),
    /// Service messages cannot be shown.
    Log(LogError),
    /// The nick is none. It is refused here as the server would refuse it.
    Nick {
        /// As it was given.
        nick: String,
        /// The rule it breaks.
        why: NickError,
    },
    /// The server has not answered.
    NoAnswer {
        /// Its addresses.
        addresses: Vec<SocketAddr>,
        /// Why the last hello did not even leave, if it did not.
        unsent: Option<io::Error>,
    },
    /// The server does not want the member, or not back.
    Refused {
        /// Who asked.
        nick: String,
        /// Why, for a program.
        code: Refusal,
        /// Why, in the server's words.
        message: String,
    },
    /// The server removed the member.
    Removed(chat::Reason),
    /// Not all that the member wrote is sent and confirmed; it was told what.
    Unconfirmed,
    /// The nick was asked for and not answered.
    Question(AskError),
    /// The input cannot be read.
    Input(io::Error),
    /// The output cannot be written.
    Output(io::Error),
    /// The system does not give what it takes: a socket, a thread, randomness, a terminal's state.
    System {
        /// What was tried, as it follows `cannot`.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |text| Escaped::new(text).quoted().cut(SHOWN_CHARS);
        match self {
            Self::Usage(_) | Self::Endpoint(_) => f.write_str("cannot join"),
            Self::Question(_) => f.write_str("no nick; use --nick NAME"),
            Self::Resolve(error) => error.fmt(f),
            Self::Log(error) => error.fmt(f),
            Self::Nick { nick, why } => {
                let nick = quoted(nick);
                write!(
                    f,
                    "cannot join: {nick} is no nick: {why}; choose another with --nick"
                )
            }
            Self::NoAnswer { addresses, unsent } => {
                f.write_str("cannot join: no answer from ")?;
                for (index, address) in addresses.iter().enumerate() {
                    let comma = if index > 0 { ", " } else { "" };
                    write!(f, "{comma}{address}")?;
                }
                write!(f, " in {} s", PATIENCE.as_secs())?;
                if let Some(error) = unsent {
                    write!(f, " ({})", Reason(error))?;
                }
                f.write_str("; is the server running?")
            }
            Self::Refused {
                nick,
                code,
                message,
            } => {
                let message = Escaped::new(message).cut(SHOWN_CHARS);
                write!(
                    f,
                    "the server refuses {}: {message}; {}",
                    quoted(nick),
                    advice(*code)
                )
            }
            Self::Removed(reason) => write!(
                f,
                "removed by the server: {}; join again to go on",
                words(*reason)
            ),
            Self::Unconfirmed => f.write_str(
                "not everything is sent and confirmed; see the lines with an exclamation mark, \
                 and send them again",
            ),
            Self::Input(error) => write!(f, "cannot read the input: {}", Reason(error)),
            Self::Output(error) => write!(f, "cannot write to stdout: {}", Reason(error)),
            Self::System { what, source } => write!(f, "cannot {what}: {}", Reason(source)),
        }
    }
}

impl std::error::Error for JoinError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Usage(error) => Some(error),
            Self::Endpoint(error) => Some(error),
            Self::Question(error) => Some(error),
            _ => None,
        }
    }
}

impl From<EndpointError> for JoinError {
    fn from(error: EndpointError) -> Self {
        Self::Endpoint(error)
    }
}

impl From<ResolveError> for JoinError {
    fn from(error: ResolveError) -> Self {
        Self::Resolve(error)
    }
}

impl From<LogError> for JoinError {
    fn from(error: LogError) -> Self {
        Self::Log(error)
    }
}

/// For `map_err`: what was tried when the system refused.
pub(super) fn while_trying(what: &'static str) -> impl FnOnce(io::Error) -> JoinError {
    move |source| JoinError::System { what, source }
}

fn advice(code: Refusal) -> &'static str {
    match code {
        Refusal::BadNick => "choose another with --nick",
        // Who vanishes without a bye is waited for.
        Refusal::NickTaken => {
            "choose another with --nick (if it was you, the nick is free after a minute)"
        }
        Refusal::Full | Refusal::Stopping => "try again later",
        Refusal::BadVersion => "use the version of udp-chat that the server has",
        Refusal::Other => "ask whoever runs the server",
    }
}
