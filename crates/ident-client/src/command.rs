//! The commands of the dialogue. Knows neither the server nor the terminal.

use cli::explain_client_message;
use proto::ident::Request;

/// The list of commands.
pub(crate) const HELP: &str = "\
whoami        show the name that the server has for you
name NAME     give your name, if the server has none
rename NAME   change your name
forget        delete your name from the server
help          list these commands
help MESSAGE  what a service message means: help sent
exit          end the dialogue";

/// A line of input.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// A blank line.
    Nothing,
    /// Shows this text.
    Help(String),
    Say(Request),
    /// Not a command, and why not.
    Unknown(String),
}

const WORDS: [&str; 6] = ["whoami", "name", "rename", "forget", "help", "exit"];

impl Command {
    /// Whether the line is a command, or the word of one that lacks its name.
    pub(crate) fn is_command(line: &str) -> bool {
        matches!(Self::parse(line), Self::Say(_) | Self::Help(_)) || WORDS.contains(&line.trim())
    }

    pub(crate) fn parse(line: &str) -> Self {
        let line = line.trim();
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let name = rest.trim();
        let says = |request| match name {
            "" => Self::Say(request),
            _ => Self::Unknown(format!("{word} takes nothing after it")),
        };
        let says_name = |request: fn(String) -> Request| match name {
            "" => Self::Unknown(format!("{word} needs a name after it")),
            _ => Self::Say(request(name.to_owned())),
        };
        match word {
            "" => Self::Nothing,
            "help" if name.is_empty() => Self::Help(HELP.into()),
            "help" => match explain_client_message(name) {
                Some(meaning) => Self::Help(meaning),
                None => Self::Unknown("there is no such service message".into()),
            },
            "whoami" => says(Request::Whoami),
            "name" => says_name(|name| Request::Name { name }),
            "rename" => says_name(|name| Request::Rename { name }),
            "forget" => says(Request::Forget),
            "exit" => says(Request::Exit),
            _ => Self::Unknown(format!("{word} is not a command")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_of_the_help_is_known() {
        for line in HELP.lines() {
            let command = line.split("  ").next().unwrap().replace("MESSAGE", "sent");
            let parsed = Command::parse(&command);
            assert!(
                matches!(parsed, Command::Say(_) | Command::Help(_)),
                "{command}: {parsed:?}"
            );
        }
    }

    #[test]
    fn a_name_is_not_taken_for_a_command() {
        for line in HELP.lines() {
            let command = line.split("  ").next().unwrap().replace("MESSAGE", "sent");
            assert!(Command::is_command(&command), "{line}");
        }
        for line in WORDS {
            assert!(Command::is_command(&format!(" {line}\t")), "{line}");
        }
        for line in ["Anna", "Exit", "help desk", "forget me not", "", "whoami2"] {
            assert!(!Command::is_command(line), "{line}");
        }
    }

    #[test]
    fn a_name_is_the_rest_of_the_line() {
        let name = String::from("Anna  Maria");
        let rename = Command::Say(Request::Rename { name });
        assert_eq!(Command::parse(" rename \t Anna  Maria "), rename);
    }

    #[test]
    fn what_is_no_command_has_a_reason() {
        for (line, why) in [
            ("rename", "rename needs a name after it"),
            ("name  ", "name needs a name after it"),
            ("exit now", "exit takes nothing after it"),
            ("help me", "there is no such service message"),
            ("Whoami", "Whoami is not a command"),
            ("Аня", "Аня is not a command"),
        ] {
            assert_eq!(Command::parse(line), Command::Unknown(why.into()));
        }
        assert_eq!(Command::parse(" \t"), Command::Nothing);
    }
}
