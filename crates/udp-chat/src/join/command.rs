//! Parses what a member writes: a text, or a command.

use std::fmt;

use chat_link::message::MAX_TEXT_BYTES;

use crate::nick::MAX_NICK_BYTES;
use crate::visible::has_visible;

/// The commands, each with its arguments and what it does.
pub(super) const COMMANDS: [(&str, &str, &str); 9] = [
    ("/who", "", "who is here"),
    ("/msg", "NICK TEXT", "say something to one member alone"),
    ("/r", "TEXT", "reply to the last private message"),
    ("/me", "TEXT", "say what you do"),
    ("/nick", "NEW", "take another nick"),
    (
        "/ignore",
        "NICK",
        "hide a member's texts and renames; again: show them",
    ),
    ("/clear", "", "clear the screen"),
    (
        "/help",
        "",
        "this list; //TEXT says a text that begins with a slash",
    ),
    ("/quit", "", "leave"),
];

/// A parsed line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// Something for the server.
    Ask(Outgoing),
    /// A text for the sender of the last private one.
    Reply(String),
    Ignore(String),
    Clear,
    Help,
    Quit,
}

/// What a member sends to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outgoing {
    Say(String),
    Me(String),
    Private { to: String, text: String },
    Nick(String),
    Who,
}

/// Why a line is no command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum CommandError {
    #[error("there is no command {0}; /help lists them, and // begins a text with a slash")]
    Unknown(String),
    #[error("write it as: {usage}")]
    Incomplete { usage: String },
    /// In bytes.
    #[error(
        "not sent: the text has {length} bytes, and {MAX_TEXT_BYTES} are the limit; write it in parts"
    )]
    TooLong { length: usize },
    #[error("not sent: the nick has {length} bytes, and {MAX_NICK_BYTES} are the limit")]
    NickTooLong { length: usize },
    #[error("not sent: a reader would see nothing of this text")]
    Invisible,
}

impl Command {
    /// Parses a line without its end. Blanks before a command do not make it a text: what is meant
    /// for one member would be said to all, a mistyped command too.
    pub(super) fn parse(line: &str) -> Result<Self, CommandError> {
        let unindented = line.trim_start();
        let Some(rest) = unindented.strip_prefix('/') else {
            return Ok(Self::Ask(Outgoing::say(line)?));
        };
        if rest.starts_with('/') {
            return Ok(Self::Ask(Outgoing::say(rest)?));
        }
        let line = unindented;
        let (name, rest) = word(line);
        let incomplete = || incomplete(name);
        let nick = || match word(rest) {
            ("", _) => Err(incomplete()),
            (nick, _) if nick.len() > MAX_NICK_BYTES => {
                Err(CommandError::NickTooLong { length: nick.len() })
            }
            (nick, rest) => Ok((nick.to_owned(), rest)),
        };
        let alone =
            |(nick, rest): (String, &str)| rest.is_empty().then_some(nick).ok_or_else(incomplete);
        let text = |text: &str| match text {
            "" => Err(incomplete()),
            text => checked(text),
        };
        match name {
            "/who" => Ok(Self::Ask(Outgoing::Who)),
            "/msg" => {
                let (to, rest) = nick()?;
                let text = text(rest)?;
                Ok(Self::Ask(Outgoing::Private { to, text }))
            }
            "/r" => Ok(Self::Reply(text(rest)?)),
            "/clear" => Ok(Self::Clear),
            "/me" => Ok(Self::Ask(Outgoing::Me(text(rest)?))),
            "/nick" => Ok(Self::Ask(Outgoing::Nick(alone(nick()?)?))),
            "/ignore" => Ok(Self::Ignore(alone(nick()?)?)),
            "/help" => Ok(Self::Help),
            "/quit" => Ok(Self::Quit),
            _ => Err(CommandError::Unknown(name.to_owned())),
        }
    }
}

impl Outgoing {
    /// Says `text` to all, whatever it begins with.
    pub(super) fn say(text: &str) -> Result<Self, CommandError> {
        Ok(Self::Say(checked(text)?))
    }

    /// Says `text` to one member.
    pub(super) fn private(to: &str, text: &str) -> Result<Self, CommandError> {
        let (to, text) = (to.to_owned(), checked(text)?);
        Ok(Self::Private { to, text })
    }
}

/// As its author would write it; of what is said to all the text alone.
impl fmt::Display for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Say(text) => f.write_str(text),
            Self::Me(text) => write!(f, "/me {text}"),
            Self::Private { to, text } => write!(f, "/msg {to} {text}"),
            Self::Nick(nick) => write!(f, "/nick {nick}"),
            Self::Who => f.write_str("/who"),
        }
    }
}

/// Whom a half-typed line is for, if it is `/msg NICK` and nothing more.
pub(super) fn private_recipient(line: &str) -> Option<&str> {
    let (name, rest) = word(line.trim_start());
    let (nick, text) = word(rest);
    (name == "/msg" && !nick.is_empty() && text.is_empty()).then_some(nick)
}

/// The first word, and what follows the blanks after it.
fn word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim_start())
}

fn checked(text: &str) -> Result<String, CommandError> {
    match text.len() {
        length if length > MAX_TEXT_BYTES => Err(CommandError::TooLong { length }),
        _ if !has_visible(text) => Err(CommandError::Invisible),
        _ => Ok(text.to_owned()),
    }
}

fn incomplete(name: &str) -> CommandError {
    let known = COMMANDS.iter().find(|(command, ..)| *command == name);
    let usage = known.map_or_else(String::new, |(_, arguments, _)| {
        format!("{name} {arguments}")
    });
    CommandError::Incomplete { usage }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asked(line: &str) -> Outgoing {
        match Command::parse(line).unwrap() {
            Command::Ask(wish) => wish,
            other => panic!("{line:?} is {other:?}"),
        }
    }

    #[test]
    fn lines_are_texts_or_commands() {
        assert_eq!(asked("hi /who"), Outgoing::Say("hi /who".into()));
        assert_eq!(asked("//who"), Outgoing::Say("/who".into()));
        assert_eq!(asked("//"), Outgoing::Say("/".into()));
        assert_eq!(asked("/who"), Outgoing::Who);
        assert_eq!(asked(" \t/who"), Outgoing::Who);
        assert_eq!(asked(" //who"), Outgoing::Say("/who".into()));
        assert_eq!(asked("  indented"), Outgoing::Say("  indented".into()));
        assert_eq!(asked("/me  waves "), Outgoing::Me("waves ".into()));
        assert_eq!(asked("/nick Anna "), Outgoing::Nick("Anna".into()));
        let (to, text) = ("Аня".to_owned(), "psst  you".to_owned());
        assert_eq!(asked("/msg Аня psst  you"), Outgoing::Private { to, text });
        assert_eq!(
            Command::parse("/ignore bo"),
            Ok(Command::Ignore("bo".into()))
        );
        assert_eq!(Command::parse("/r so"), Ok(Command::Reply("so".into())));
        assert_eq!(Command::parse("/clear"), Ok(Command::Clear));
        assert_eq!(Command::parse("/quit"), Ok(Command::Quit));
        assert_eq!(Command::parse("/help"), Ok(Command::Help));
    }

    #[test]
    fn errors_say_what_is_wrong_with_a_command() {
        for (line, said) in [
            ("/what now", "there is no command /what; /help lists them"),
            (" /mgs Anna secret", "there is no command /mgs;"),
            ("\u{a0}/usr/bin", "there is no command /usr/bin;"),
            ("/", "there is no command /;"),
            ("", "not sent: a reader would see nothing"),
            ("\u{3164} \u{200b}", "not sent: a reader would see nothing"),
            ("/msg bo \u{2800}", "not sent: a reader would see nothing"),
            ("/msg", "write it as: /msg NICK TEXT"),
            ("/msg bo", "write it as: /msg NICK TEXT"),
            ("/msg bo  ", "write it as: /msg NICK TEXT"),
            ("/nick a b", "write it as: /nick NEW"),
            ("/ignore", "write it as: /ignore NICK"),
            ("/me", "write it as: /me TEXT"),
        ] {
            let error = Command::parse(line).unwrap_err().to_string();
            assert!(error.starts_with(said), "{line}: {error}");
        }
        let long = "я".repeat(MAX_TEXT_BYTES / 2);
        assert_eq!(asked(&long), Outgoing::Say(long.clone()));
        let error = Command::parse(&format!("{long}!")).unwrap_err().to_string();
        assert!(error.contains("4097 bytes, and 4096 are the limit"));
        let nick = "n".repeat(MAX_NICK_BYTES + 1);
        assert!(Command::parse(&format!("/msg {nick} hi")).is_err());
    }

    #[test]
    fn the_recipient_of_a_half_typed_line_is_known() {
        assert_eq!(private_recipient(" /msg bo "), Some("bo"));
        for line in ["/msg", "/msg bo hi", "/me bo", "bo"] {
            assert_eq!(private_recipient(line), None, "{line}");
        }
    }

    #[test]
    fn each_command_of_the_list_is_one() {
        for (name, arguments, _) in COMMANDS {
            let line = format!("{name} {arguments}");
            assert!(Command::parse(line.trim_end()).is_ok(), "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(line in "[ \t]?(/{0,2}[a-z]{0,6} ?)?\\PC{0,200}") {
            let parsed = Command::parse(&line);
            let is_said = matches!(&parsed, Ok(Command::Ask(Outgoing::Say(_))));
            prop_assert!(!is_said || !line.trim_start().starts_with('/') || line.contains("//"));
        }
    }
}
