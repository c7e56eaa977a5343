//! What is shown of a conversation, and how it reads in a file or pipe: a line each.
//!
//! Whatever a stranger wrote is escaped here. Colours and times are the terminal's business.

use std::fmt::{self, Display, Formatter};

use chat_link::CloseReason;
use chat_link::message::Kind;

use super::command::Outgoing;
use crate::visible::visible;

/// One thing to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DisplayEvent {
    Said(Said),
    Joined {
        nick: String,
        /// Whether others on the way can read what is said to it.
        plaintext: bool,
    },
    Left {
        nick: String,
        reason: CloseReason,
    },
    Renamed {
        old: String,
        new: String,
        /// The member ignores this person.
        is_hidden: bool,
    },
    /// Who is here.
    Members(Vec<String>),
    /// Who was here when the member came; the history comes before it.
    Found(Vec<String>),
    /// The server has relayed a text of the member's own; for programs.
    Confirmed {
        /// Requests of a session are counted from 1.
        request: u64,
        id: u64,
        at: u64,
    },
    /// Something is wrong.
    Trouble(String),
    /// The member's own nick from now on.
    You {
        nick: String,
    },
    /// For a person to know, no part of the conversation.
    Hint(String),
}

/// A text somebody wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    /// Written before the member joined.
    pub(super) history: bool,
    pub(super) id: u64,
    /// In Unix milliseconds.
    pub(super) at: u64,
    pub(super) from: String,
    pub(super) kind: Kind,
    pub(super) text: String,
}

impl DisplayEvent {
    /// Whether it is to be known and not to be shown.
    pub(super) fn is_hidden(&self) -> bool {
        let is_hidden_rename = matches!(
            self,
            Self::Renamed {
                is_hidden: true,
                ..
            }
        );
        is_hidden_rename || matches!(self, Self::Confirmed { .. })
    }

    /// For the author of a message that may or may not have arrived.
    pub(super) fn not_confirmed(outgoing: Outgoing) -> Self {
        Self::Trouble(format!("not confirmed: {outgoing}"))
    }
}

/// A line without its end.
impl Display for DisplayEvent {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Said(said) => said.fmt(f),
            Self::Joined { nick, plaintext } => {
                let note = if *plaintext { " (not encrypted)" } else { "" };
                write!(f, "* {} joined{note}", visible(nick))
            }
            Self::Left { nick, reason } => {
                write!(f, "* {} left ({})", visible(nick), words(*reason))
            }
            Self::Renamed { old, new, .. } => {
                write!(f, "* {} is now {}", visible(old), visible(new))
            }
            Self::Members(nicks) | Self::Found(nicks) => {
                let nicks = nicks.join(", ");
                write!(f, "* here: {}", visible(&nicks))
            }
            Self::Confirmed { request, .. } => write!(f, "* request {request} is confirmed"),
            Self::Trouble(text) => write!(f, "! {}", visible(text)),
            Self::You { nick } => write!(f, "* you are {}", visible(nick)),
            Self::Hint(text) => write!(f, "* {}", visible(text)),
        }
    }
}

impl Display for Said {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.history {
            f.write_str("| ")?;
        }
        write!(f, "{} {}", self.tag(), visible(&self.text))
    }
}

impl Said {
    /// What stands before the text.
    pub(super) fn tag(&self) -> String {
        let from = visible(&self.from);
        match self.kind {
            Kind::Say => format!("<{from}>"),
            Kind::Private => format!("[{from}]"),
            Kind::Me => format!("** {from}"),
        }
    }
}

/// A reason as it reads after a comma or in parentheses.
pub(super) fn words(reason: CloseReason) -> &'static str {
    match reason {
        CloseReason::Quit => "quit",
        CloseReason::Stopping => "the server stops",
        CloseReason::TooSlow => "too slow",
        CloseReason::TimedOut => "timed out",
        CloseReason::Kicked => "kicked",
        CloseReason::Banned => "banned",
        CloseReason::TakenOver => "taken over from elsewhere",
        CloseReason::Other => "for another reason",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(kind: Kind, history: bool, from: &str, text: &str) -> String {
        DisplayEvent::Said(Said {
            history,
            id: 1,
            at: 0,
            from: from.into(),
            kind,
            text: text.into(),
        })
        .to_string()
    }

    #[test]
    fn the_lines_are_those_that_scripts_know() {
        assert_eq!(said(Kind::Say, false, "Аня", "hi"), "<Аня> hi");
        assert_eq!(said(Kind::Private, false, "bo", "hi"), "[bo] hi");
        assert_eq!(said(Kind::Me, false, "bo", "waves"), "** bo waves");
        assert_eq!(said(Kind::Me, true, "bo", "waves"), "| ** bo waves");
        let nick = || "bo".to_owned();
        let left = |reason| DisplayEvent::Left {
            nick: nick(),
            reason,
        };
        let (old, new) = (nick(), "Ли".to_owned());
        for (shown, line) in [
            (
                DisplayEvent::Joined {
                    nick: nick(),
                    plaintext: false,
                },
                "* bo joined",
            ),
            (left(CloseReason::Quit), "* bo left (quit)"),
            (left(CloseReason::TimedOut), "* bo left (timed out)"),
            (
                DisplayEvent::Renamed {
                    old,
                    new,
                    is_hidden: false,
                },
                "* bo is now Ли",
            ),
            (
                DisplayEvent::Trouble("no such nick".into()),
                "! no such nick",
            ),
        ] {
            assert_eq!(shown.to_string(), line);
        }
    }

    #[test]
    fn nothing_commands_a_terminal_or_forges_a_line() {
        let family = "👨‍👩‍👧";
        assert_eq!(
            said(Kind::Say, false, family, family),
            format!("<{family}> {family}")
        );
        for evil in [
            "\x1b[2J",
            "a\n<bo> b",
            "\u{202e}ab",
            "\u{9b}1m",
            "\r",
            "\x07",
        ] {
            let nick = || evil.to_owned();
            for line in [
                said(Kind::Say, true, evil, evil),
                said(Kind::Me, false, evil, evil),
                DisplayEvent::Joined {
                    nick: nick(),
                    plaintext: false,
                }
                .to_string(),
                DisplayEvent::Renamed {
                    old: nick(),
                    new: nick(),
                    is_hidden: false,
                }
                .to_string(),
                DisplayEvent::Members(vec![nick()]).to_string(),
                DisplayEvent::Trouble(nick()).to_string(),
                DisplayEvent::You { nick: nick() }.to_string(),
                DisplayEvent::Hint(nick()).to_string(),
            ] {
                let harmful = |c: char| c.is_control() || c == '\u{202e}';
                assert!(!line.contains(harmful), "{line:?}");
            }
        }
    }
}
