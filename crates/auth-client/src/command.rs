//! The commands of the command line and of a dialogue. This module knows neither the server nor the terminal.

use clap::Subcommand;
use cli::explain_client_message;
use dialogue::Commands;

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

/// The commands of a dialogue. Why a line is no command does not quote it: it may be a password in the wrong place.
pub(crate) const COMMANDS: Commands<Command> = Commands {
    help: HELP,
    explain_message: explain_client_message,
    parse,
};

fn parse(word: &str, rest: &str) -> Result<Command, String> {
    let user = (!rest.is_empty()).then(|| rest.to_owned());
    Ok(match (word, rest) {
        ("register", _) => Command::Register { user },
        ("login", _) => Command::Login { user },
        ("revoke", "") => return Err("revoke needs an id after it, as sessions lists them".into()),
        ("revoke", id) => Command::Revoke { id: id.to_owned() },
        ("whoami", "") => Command::Whoami,
        ("passwd", "") => Command::Passwd,
        ("sessions", "") => Command::Sessions,
        ("logout", "") => Command::Logout { all: false },
        ("logout", "all") => Command::Logout { all: true },
        ("logout", _) => return Err("logout stands alone, or before all".into()),
        ("exit" | "whoami" | "passwd" | "sessions", _) => {
            return Err(format!("{word} stands alone"));
        }
        _ => return Err("that is no command".into()),
    })
}

#[cfg(test)]
mod tests {
    use dialogue::Line;

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
            let parsed = COMMANDS.parse(&command);
            assert!(
                matches!(parsed, Line::Do(_) | Line::Help(_) | Line::Exit),
                "{command}: {parsed:?}"
            );
        }
        assert_eq!(COMMANDS.parse(" help "), Line::Help(HELP.into()));
        assert_eq!(COMMANDS.parse(" \t"), Line::Nothing);
    }

    #[test]
    fn a_name_is_the_rest_of_the_line() {
        let user = Some(String::from("Anna  Maria"));
        assert_eq!(
            COMMANDS.parse(" login \t Anna  Maria "),
            Line::Do(Command::Login { user })
        );
        assert_eq!(
            COMMANDS.parse("register"),
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
            assert_eq!(COMMANDS.parse(line), Line::Unknown(why.into()));
        }
    }
}
