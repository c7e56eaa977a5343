//! What happens in a room, as service messages show it.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use chat_link::{CloseReason, RefusalCode};
use log::Level;
use proto::{Count, Escaped, Network};

use super::traffic_log::{Direction, Sum};

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
        /// Whether its session is readable on the way.
        plaintext: bool,
        /// How many members there are now.
        members: usize,
    },
    /// A member has proved that it receives at another address.
    Moved {
        /// Its nick.
        nick: String,
        /// Where it was.
        from: SocketAddr,
        /// Where it is.
        to: SocketAddr,
    },
    /// A member has left.
    Left {
        /// Its nick.
        nick: String,
        /// Why.
        reason: CloseReason,
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
    /// Somebody was not let in.
    Refused {
        /// The nick it wanted, unchecked.
        nick: String,
        /// From where.
        address: SocketAddr,
        /// Why.
        code: RefusalCode,
    },
    /// The operator removed a member, or excluded it.
    Removed {
        /// Its nick.
        nick: String,
        /// Where it was.
        address: IpAddr,
        /// Whether it is excluded, and for how many minutes.
        ban: Option<Option<u64>>,
    },
    /// The operating system gave no randomness for a session, so a handshake was not answered.
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
    /// Datagrams of a member's session were received or sent.
    Traffic {
        /// Which of the two.
        direction: Direction,
        /// The member's nick.
        nick: String,
        /// Its address.
        address: SocketAddr,
        /// The datagrams' bytes.
        bytes: u64,
        /// How many datagrams.
        datagrams: u64,
    },
    /// Joins, refusals, renames and departures that got no lines of their own, since there were too many.
    Summed {
        /// From where; `None` for several networks.
        network: Option<Network>,
        /// How many.
        sum: EventSum,
    },
    /// What is in a datagram that was sent or received; only while tracing.
    Trace {
        /// The member's nick.
        nick: String,
        /// The datagram in words, unchecked.
        text: String,
    },
}

impl RoomEvent {
    /// How much it matters. What people write is private, so it is only in a log for debugging.
    #[must_use]
    pub fn level(&self) -> Level {
        match self {
            Self::Said { .. } => Level::Debug,
            Self::NoRandomness(_)
            | Self::Left {
                reason: CloseReason::TooSlow,
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
                plaintext,
                members,
            } => {
                let how = if *plaintext { ", not encrypted" } else { "" };
                let members = Count(*members as u64, "member");
                write!(
                    f,
                    "{nick} joined from {}{how}; {members}",
                    canonical(*address)
                )
            }
            Self::Moved { nick, from, to } => {
                write!(
                    f,
                    "{nick} moved from {} to {}",
                    canonical(*from),
                    canonical(*to)
                )
            }
            Self::Left {
                nick,
                reason,
                texts,
                members,
            } => {
                let (texts, members) = (Count(*texts, "message"), Count(*members as u64, "member"));
                write!(
                    f,
                    "{nick} left: {}; wrote {texts}; {members}",
                    words(*reason)
                )
            }
            Self::Renamed { old, new } => write!(f, "{old} is now {new}"),
            Self::Refused {
                nick,
                address,
                code,
            } => {
                let why = match code {
                    RefusalCode::BadNick => "not a valid nick",
                    RefusalCode::NickTaken => "the nick is taken",
                    RefusalCode::Full => "no place is free",
                    RefusalCode::Stopping => "the server stops",
                    RefusalCode::BadVersion => "another version of the protocol",
                    RefusalCode::Banned => "banned",
                    RefusalCode::PlaintextRefused => "plaintext is not allowed",
                    RefusalCode::Other => "another reason",
                };
                write!(
                    f,
                    "refused {} from {}: {why}",
                    shown(nick),
                    canonical(*address)
                )
            }
            Self::Removed {
                nick,
                address,
                ban: None,
            } => write!(f, "kicked {nick} at {address}"),
            Self::Removed {
                nick,
                address,
                ban: Some(None),
            } => {
                write!(f, "banned {nick} at {address} until the server stops")
            }
            Self::Removed {
                nick,
                address,
                ban: Some(Some(minutes)),
            } => {
                write!(
                    f,
                    "banned {nick} at {address} for {}",
                    Count(*minutes, "minute")
                )
            }
            Self::NoRandomness(why) => write!(
                f,
                "cannot begin a session: {why}; the client will try again"
            ),
            Self::Said {
                from,
                to: None,
                text,
            } => write!(f, "{from} says {}", shown(text)),
            Self::Said {
                from,
                to: Some(to),
                text,
            } => write!(f, "{from} says to {to} {}", shown(text)),
            Self::Traffic {
                direction,
                nick,
                address,
                bytes,
                datagrams,
            } => {
                let (verb, operation, preposition) = direction.words();
                write!(f, "{verb} {bytes} bytes ")?;
                if *datagrams > 1 {
                    write!(f, "in {} ", Count(*datagrams, operation))?;
                }
                write!(f, "{preposition} {nick} at {}", canonical(*address))
            }
            Self::Summed { network, sum } => {
                match network {
                    Some(network) => write!(f, "more from {network}: ")?,
                    None => f.write_str("more from other networks: ")?,
                }
                let EventSum {
                    joined,
                    refused,
                    renamed,
                    left,
                    ..
                } = sum;
                write!(
                    f,
                    "{joined} joined, {refused} refused, {renamed} renamed, {left} left"
                )?;
                for (direction, Sum { bytes, datagrams }) in [
                    (Direction::Received, sum.received),
                    (Direction::Sent, sum.sent),
                ] {
                    let (verb, operation, _) = direction.words();
                    if datagrams > 0 {
                        write!(
                            f,
                            "; {verb} {bytes} bytes in {}",
                            Count(datagrams, operation)
                        )?;
                    }
                }
                Ok(())
            }
            Self::Trace { nick, text } => write!(f, "trace: {nick}: {}", Escaped::new(text)),
        }
    }
}

/// What happened in a network and is in no line of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventSum {
    /// How many members joined.
    pub joined: u64,
    /// How many clients were not let in.
    pub refused: u64,
    /// How many members took another nick.
    pub renamed: u64,
    /// How many members left.
    pub left: u64,
    /// What came from those who left, as far as no line says so.
    pub received: Sum,
    /// What was sent to those who left, as far as no line says so.
    pub sent: Sum,
}

impl EventSum {
    /// Adds a member that left, with its traffic that is in no line.
    pub(super) fn add_departure(&mut self, traffic: impl Iterator<Item = (Direction, Sum)>) {
        self.left += 1;
        for (direction, Sum { bytes, datagrams }) in traffic {
            let sum = match direction {
                Direction::Received => &mut self.received,
                Direction::Sent => &mut self.sent,
            };
            sum.bytes += bytes;
            sum.datagrams += datagrams;
        }
    }
}

/// An IPv4 client of a socket for both families is shown by its IPv4 address.
pub(super) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// A reason as it reads after a colon.
fn words(reason: CloseReason) -> &'static str {
    match reason {
        CloseReason::Quit => "quit",
        CloseReason::Stopping => "the server stops",
        CloseReason::TooSlow => "too slow",
        CloseReason::TimedOut => "timed out",
        CloseReason::Kicked => "kicked",
        CloseReason::Banned => "banned",
        CloseReason::TakenOver => "joined again from elsewhere",
        CloseReason::Other => "a breach of the protocol",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_says_what_happened_and_what_was_sent() {
        let received = Sum {
            bytes: 900,
            datagrams: 1,
        };
        let sum = EventSum {
            joined: 57,
            left: 3,
            received,
            ..EventSum::default()
        };
        let network = Some(Network::of("127.0.0.1".parse().unwrap()));
        assert_eq!(
            RoomEvent::Summed { network, sum }.to_string(),
            "more from 127.0.0.1: 57 joined, 0 refused, 0 renamed, 3 left; received 900 bytes in 1 read"
        );
    }

    #[test]
    fn what_members_write_is_escaped_in_the_log() {
        let hostile = "\u{1b}[2J\u{202e}\n".to_owned();
        let address = "192.0.2.1:4000".parse().unwrap();
        for event in [
            RoomEvent::Said {
                from: "Anna".into(),
                to: None,
                text: hostile.clone(),
            },
            RoomEvent::Refused {
                nick: hostile.clone(),
                address,
                code: RefusalCode::BadNick,
            },
            RoomEvent::Trace {
                nick: "Anna".into(),
                text: hostile,
            },
        ] {
            let text = event.to_string();
            assert!(
                !text.contains(|c: char| c.is_control() || c == '\u{202e}'),
                "{text:?}"
            );
        }
    }
}
