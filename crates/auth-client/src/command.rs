//! The commands of the command line and of a dialogue. This module knows neither the server nor the terminal.

use clap::Subcommand;
use cli::explain_client_message;

/// The list of commands in a dialogue.
pub(crate) const HELP: &str = "\
register [NAME]  become a user
login [NAME]     begin a session
whoami           whose session this is
passwd           change the password, and end all other sessions
sessions         list your sessions
revoke ID        end one of them
logout           end this session
logout all       end all of them
help             list these commands
help MESSAGE     what a service message means: help sent
exit             leave; the session goes on at the next start";

/// A command.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Become a user, and begin a session
    Register {
        /// The user's name; asked for if it is missing.
        #[arg(skip)]
        user: Option<String>,
    },
    /// Begin a session
    Login {
        /// The user's name; asked for if it is missing.
        #[arg(skip)]
        user: Option<String>,
    },
    /// Show whose session this is
    Whoami,
    /// Change the password, and end all other sessions
    Passwd,
    /// List your sessions
    Sessions,
    /// End one of your sessions
    Revoke {
        /// As `sessions` lists it
        #[arg(allow_hyphen_values = true)]
        id: String,
    },
    /// End this session
    Logout {
        /// End all your sessions
        #[arg(long)]
        all: bool,
    },
}

/// A line of a dialogue.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A blank line.
    Nothing,
    /// Shows this text.
    Help(String),
    Exit,
    Do(Command),
    /// Not a command, and why not. The reason does not quote the line, which may be a password in the wrong place.
    Unknown(String),
}

impl Line {
    pub(crate) fn parse(line: &str) -> Self {
        let line = line.trim();
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        let user = (!rest.is_empty()).then(|| rest.to_owned());
        match (word, rest) {
            ("", _) => Self::Nothing,
            ("register", _) => Self::Do(Command::Register { user }),
            ("login", _) => Self::Do(Command::Login { user }),
            ("revoke", "") => {
                Self::Unknown("revoke needs an id after it, as sessions lists them".into())
            }
            ("revoke", id) => Self::Do(Command::Revoke { id: id.to_owned() }),
            ("logout", "all") => Self::Do(Command::Logout { all: true }),
            ("help", "") => Self::Help(HELP.into()),
            ("help", message) => match explain_client_message(message) {
                Some(meaning) => Self::Help(meaning),
                None => Self::Unknown("there is no such service message".into()),
            },
            ("exit", "") => Self::Exit,
            ("whoami", "") => Self::Do(Command::Whoami),
            ("passwd", "") => Self::Do(Command::Passwd),
            ("sessions", "") => Self::Do(Command::Sessions),
            ("logout", "") => Self::Do(Command::Logout { all: false }),
            ("logout", _) => Self::Unknown("logout stands alone, or before all".into()),
            ("exit" | "whoami" | "passwd" | "sessions", _) => {
                Self::Unknown(format!("{word} stands alone"))
            }
            _ => Self::Unknown("that is no command".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_of_the_help_is_known() {
        for line in HELP.lines() {
            let command = line
                .split("  ")
                .next()
                .unwrap()
                .replace(['[', ']'], "")
                .replace("MESSAGE", "sent");
            let parsed = Line::parse(&command);
            assert!(
                matches!(parsed, Line::Do(_) | Line::Help(_) | Line::Exit),
                "{command}: {parsed:?}"
            );
        }
        assert_eq!(Line::parse(" help "), Line::Help(HELP.into()));
        assert_eq!(Line::parse(" \t"), Line::Nothing);
    }

    #[test]
    fn a_name_is_the_rest_of_the_line() {
        let user = Some(String::from("Anna  Maria"));
        assert_eq!(
            Line::parse(" login \t Anna  Maria "),
            Line::Do(Command::Login { user })
        );
        assert_eq!(
            Line::parse("register"),
            Line::Do(Command::Register { user: None })
        );
    }

    #[test]
    fn what_is_no_command_is_not_quoted() {
        for (line, why) in [
            ("correct horse", "that is no command"),
            ("whoami hunter22", "whoami stands alone"),
            ("passwd hunter22", "passwd stands alone"),
            ("logout hunter22", "logout stands alone, or before all"),
            ("Exit", "that is no command"),
        ] {
            assert_eq!(Line::parse(line), Line::Unknown(why.into()));
        }
    }
}
