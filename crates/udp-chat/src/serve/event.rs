//! What happens in a room, as service messages tell it.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use log::Level;
use proto::Escaped;
use proto::chat::{Reason, Refusal};

use crate::trace::{RoundTrip, words};

/// How much of a text or a refused nick is shown, in characters.
const SHOWN_CHARS: usize = 80;

/// One thing that happened. Its `Display` form is harmless whatever members wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomEvent {
    /// Somebody is a member from now on.
    Joined {
        /// Its nick.
        nick: String,
        /// From where.
        address: SocketAddr,
        /// How many members there are now.
        members: usize,
    },
    /// A member that was away goes on with its link.
    CameBack {
        /// Its nick.
        nick: String,
        /// From where.
        address: SocketAddr,
    },
    /// A member writes from another address than before.
    Moved {
        /// Its nick.
        nick: String,
        /// Where it was.
        from: SocketAddr,
        /// Where it is.
        to: SocketAddr,
    },
    /// A member is none any more.
    Left {
        /// Its nick.
        nick: String,
        /// Why.
        reason: Reason,
        /// How many texts it wrote.
        texts: u64,
        /// How many members there are now.
        members: usize,
    },
    /// A member has another nick.
    Renamed {
        /// The nick so far.
        old: String,
        /// The nick from now on.
        new: String,
    },
    /// A hello could not be granted.
    Refused {
        /// The nick it wanted, unchecked.
        nick: String,
        /// From where.
        address: SocketAddr,
        /// Why.
        code: Refusal,
    },
    /// The operating system gave no randomness for a session, so a hello was not answered.
    NoRandomness(String),
    /// Somebody wrote a text.
    Said {
        /// Its nick.
        from: String,
        /// The addressee's nick; `None` for all.
        to: Option<String>,
        /// The text, unchecked.
        text: String,
    },
    /// A round trip to a member was measured; told only while tracing.
    RoundTrip {
        /// Its nick.
        nick: String,
        /// The smoothed time.
        time: Duration,
    },
}

impl RoomEvent {
    /// How much it matters. What people write is nobody's business but a debugger's.
    pub fn level(&self) -> Level {
        match self {
            Self::Said { .. } => Level::Debug,
            Self::NoRandomness(_)
            | Self::Left {
                reason: Reason::Flooding | Reason::TooSlow,
                ..
            } => Level::Warn,
            _ => Level::Info,
        }
    }
}

impl fmt::Display for RoomEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |text| Escaped::new(text).quoted().cut(SHOWN_CHARS);
        match self {
            Self::Joined {
                nick,
                address,
                members,
            } => write!(
                f,
                "{nick} joined from {address}; {}",
                Count(*members as u64, "member")
            ),
            Self::CameBack { nick, address } => write!(f, "{nick} came back from {address}"),
            Self::Moved { nick, from, to } => write!(f, "{nick} moved from {from} to {to}"),
            Self::Left {
                nick,
                reason,
                texts,
                members,
            } => write!(
                f,
                "{nick} left: {}; wrote {}; {}",
                words(*reason),
                Count(*texts, "message"),
                Count(*members as u64, "member")
            ),
            Self::Renamed { old, new } => write!(f, "{old} is now {new}"),
            Self::Refused {
                nick,
                address,
                code,
            } => {
                let why = match code {
                    Refusal::BadNick => "no nick",
                    Refusal::NickTaken => "taken",
                    Refusal::Full => "the room is full",
                    Refusal::Stopping => "the server stops",
                    Refusal::BadVersion => "another version of the protocol",
                    Refusal::Other => "for a reason unknown here",
                };
                write!(f, "refused {} from {address}: {why}", shown(nick))
            }
            Self::NoRandomness(why) => write!(f, "cannot let anybody join: {why}"),
            Self::Said { from, to, text } => match to {
                Some(to) => write!(f, "{from} to {to}: {}", shown(text)),
                None => write!(f, "{from}: {}", shown(text)),
            },
            Self::RoundTrip { nick, time } => RoundTrip(nick, *time).fmt(f),
        }
    }
}

/// So many of something, of which one is called so.
pub(super) struct Count(pub(super) u64, pub(super) &'static str);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(count, one) = self;
        let s = if *count == 1 { "" } else { "s" };
        write!(f, "{count} {one}{s}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_wrote_is_quoted_escaped_and_cut() {
        let hostile = "\u{1b}[2J\n\"x\u{202e}".to_owned() + &"long".repeat(100);
        let address = "127.0.0.1:1".parse().unwrap();
        let from = "Anna".to_owned();
        let code = Refusal::BadNick;
        for (event, start) in [
            (
                RoomEvent::Refused {
                    nick: hostile.clone(),
                    address,
                    code,
                },
                r#"refused "\x1b[2J\n\"x\u{202e}long"#,
            ),
            (
                RoomEvent::Said {
                    from,
                    to: None,
                    text: hostile.clone(),
                },
                r#"Anna: "\x1b[2J\n\"x\u{202e}long"#,
            ),
        ] {
            let line = event.to_string();
            assert!(line.starts_with(start), "{line}");
            assert!(line.chars().count() < 200, "{line}");
            assert!(!line.contains(|c: char| c.is_control() || c == '\u{202e}'));
        }
    }
}
