//! Why a conversation did not come to a good end.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use chat_link::{CloseReason, RefusalCode};
use cli::{AskError, EndpointError, LogError, Reason, ResolveError, UsageError};
use proto::Escaped;
use trust::{FileError, TrustError};

use super::display::words;
use super::session::NO_ANSWER;
use crate::nick::NickError;

/// So much of what a stranger or a flag says is repeated, in characters.
const SHOWN_CHARS: usize = 200;

/// Why a member cannot take part, or not any longer.
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
        /// Whether it began to answer.
        is_heard: bool,
        /// Why nothing reached it, if the system said so.
        unsent: Option<io::Error>,
    },
    /// The server does not want the member, or not back.
    Refused {
        /// Who asked.
        nick: String,
        /// Why, for a program.
        code: RefusalCode,
        /// Why, in the server's words.
        message: String,
        /// The versions of the protocol that it speaks, if it does not speak ours.
        versions: Vec<u32>,
    },
    /// The server removed the member.
    Removed(CloseReason),
    /// The server's key is not trusted.
    Trust(TrustError),
    /// The member's own key cannot be kept.
    Identity(FileError),
    /// Not all that the member wrote is sent and confirmed; what is not was shown.
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
            Self::NoAnswer {
                addresses,
                is_heard,
                unsent,
            } => {
                let addresses: Vec<_> = addresses.iter().map(SocketAddr::to_string).collect();
                let addresses = addresses.join(", ");
                if *is_heard {
                    return write!(
                        f,
                        "cannot join: {addresses} answers, but does not let us in; \
                         the network may lose too much, try again"
                    );
                }
                write!(f, "cannot join: no answer from {addresses}")?;
                match unsent {
                    Some(error) => write!(f, " ({})", Reason(error))?,
                    None => write!(f, " in {} s", NO_ANSWER.as_secs())?,
                }
                f.write_str("; is the server running, and is the port right?")
            }
            Self::Refused {
                nick,
                code,
                message,
                versions,
            } => {
                let message = Escaped::new(message).cut(SHOWN_CHARS);
                write!(f, "the server refuses {}: {message}", quoted(nick))?;
                if !versions.is_empty() {
                    let versions: Vec<_> = versions.iter().map(u32::to_string).collect();
                    write!(f, " (it speaks version {})", versions.join(", "))?;
                }
                write!(f, "; {}", advice(*code))
            }
            Self::Trust(error) => write!(f, "cannot join: {error}"),
            Self::Identity(error) => write!(f, "cannot keep a key of your own: {error}"),
            Self::Removed(CloseReason::TakenOver) => f.write_str(
                "you have joined with the same nick from elsewhere, which takes over; this end leaves",
            ),
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

impl From<TrustError> for JoinError {
    fn from(error: TrustError) -> Self {
        Self::Trust(error)
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

fn advice(code: RefusalCode) -> &'static str {
    match code {
        RefusalCode::BadNick => "choose another with --nick",
        RefusalCode::NickTaken => {
            "choose another with --nick (if it was you, the nick is kept for you for 10 minutes)"
        }
        RefusalCode::Full | RefusalCode::Stopping => "try again later",
        RefusalCode::BadVersion => "use the version of udp-chat that the server has",
        RefusalCode::Banned => "ask the server's operator",
        RefusalCode::PlaintextRefused => {
            "join without --plaintext, or start the server with --plaintext as well"
        }
        RefusalCode::Other => "ask the server's operator",
    }
}
