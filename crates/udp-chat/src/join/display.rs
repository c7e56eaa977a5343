//! What is shown of a conversation, and how it reads in a file or pipe: a line each.
//!
//! Whatever a stranger wrote is escaped here. Colours and times are the terminal's business.

use std::fmt::{self, Display, Formatter};

use proto::chat::{Kind, Reason};

use super::command::Wish;
use super::visible::visible;
use crate::trace::words;

/// One thing to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DisplayEvent {
    Said(Said),
    Joined {
        nick: String,
    },
    Left {
        nick: String,
        reason: Reason,
    },
    Renamed {
        old: String,
        new: String,
        /// The member ignores whoever it is.
        is_hidden: bool,
    },
    /// Who is here.
    Members(Vec<String>),
    /// Who was here when the member came; the history comes before it.
    Found(Vec<String>),
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
    /// In Unix milliseconds.
    pub(super) at: u64,
    pub(super) from: String,
    pub(super) kind: Kind,
    pub(super) text: String,
}

impl DisplayEvent {
    /// Whether it is to be known and not to be shown.
    pub(super) fn is_hidden(&self) -> bool {
        matches!(
            self,
            Self::Renamed {
                is_hidden: true,
                ..
            }
        )
    }

    /// For the author of a message that may or may not have arrived.
    pub(super) fn not_confirmed(wish: Wish) -> Self {
        Self::Trouble(format!("not confirmed: {wish}"))
    }
}

/// A line without its end.
impl Display for DisplayEvent {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Said(said) => said.fmt(f),
            Self::Joined { nick } => write!(f, "* {} joined", visible(nick)),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn said(kind: Kind, history: bool, from: &str, text: &str) -> String {
        DisplayEvent::Said(Said {
            history,
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
            (DisplayEvent::Joined { nick: nick() }, "* bo joined"),
            (left(Reason::Quit), "* bo left (quit)"),
            (left(Reason::TimedOut), "* bo left (timed out)"),
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
                DisplayEvent::Joined { nick: nick() }.to_string(),
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
