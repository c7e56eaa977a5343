//! The commands of the dialogue. Knows neither the server nor the terminal.

use cli::explain_client_message;
use dialogue::{Commands, Line};
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

/// The words with which commands begin.
const WORDS: [&str; 6] = ["whoami", "name", "rename", "forget", "help", "exit"];

/// The commands, which become requests.
pub(crate) const COMMANDS: Commands<Request> = Commands {
    help: HELP,
    explain_message: explain_client_message,
    parse,
};

/// Whether the line is a command, or the word of one that lacks its name.
pub(crate) fn is_command(line: &str) -> bool {
    match COMMANDS.parse(line) {
        Line::Do(_) | Line::Help(_) | Line::Exit => true,
        Line::Nothing | Line::Unknown(_) => WORDS.contains(&line.trim()),
    }
}

fn parse(word: &str, rest: &str) -> Result<Request, String> {
    let alone = |request| match rest {
        "" => Ok(request),
        _ => Err(format!("{word} takes nothing after it")),
    };
    let with_name = |request: fn(String) -> Request| match rest {
        "" => Err(format!("{word} needs a name after it")),
        name => Ok(request(name.to_owned())),
    };
    match word {
        "whoami" => alone(Request::Whoami),
        "name" => with_name(|name| Request::Name { name }),
        "rename" => with_name(|name| Request::Rename { name }),
        "forget" => alone(Request::Forget),
        "exit" => alone(Request::Exit),
        _ => Err(format!("{word} is not a command")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_of_the_help_is_known() {
        for line in HELP.lines() {
            let command = line.split("  ").next().unwrap().replace("MESSAGE", "sent");
            let parsed = COMMANDS.parse(&command);
            assert!(
                matches!(parsed, Line::Do(_) | Line::Help(_) | Line::Exit),
                "{command}: {parsed:?}"
            );
        }
    }

    #[test]
    fn a_name_is_not_taken_for_a_command() {
        for line in HELP.lines() {
            let command = line.split("  ").next().unwrap().replace("MESSAGE", "sent");
            assert!(is_command(&command), "{line}");
        }
        for line in WORDS {
            assert!(is_command(&format!(" {line}\t")), "{line}");
        }
        for line in ["Anna", "Exit", "help desk", "forget me not", "", "whoami2"] {
            assert!(!is_command(line), "{line}");
        }
    }

    #[test]
    fn a_name_is_the_rest_of_the_line() {
        let name = String::from("Anna  Maria");
        let rename = Line::Do(Request::Rename { name });
        assert_eq!(COMMANDS.parse(" rename \t Anna  Maria "), rename);
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
            assert_eq!(COMMANDS.parse(line), Line::Unknown(why.into()));
        }
        assert_eq!(COMMANDS.parse(" \t"), Line::Nothing);
    }
}
