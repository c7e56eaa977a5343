//! What a line means. Neither the server nor the person is known here.

use proto::ident::Request;

/// What there is to say, for a person who asks or errs.
pub(crate) const HELP: &str = "\
whoami        who the server thinks you are
name NAME     tell it your name, when it has none for you
rename NAME   be called otherwise
forget        have your name deleted
help          list these commands
exit          end the dialogue";

/// A line of input.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// A blank line.
    Nothing,
    Help,
    Say(Request),
    /// No command, with what is wrong about it.
    Unknown(String),
}

impl Command {
    pub(crate) fn parse(line: &str) -> Self {
        let line = line.trim();
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let name = rest.trim();
        let says = |request| match name {
            "" => Self::Say(request),
            _ => Self::Unknown(format!("{word} stands alone")),
        };
        let says_name = |request: fn(String) -> Request| match name {
            "" => Self::Unknown(format!("{word} needs a name after it")),
            _ => Self::Say(request(name.to_owned())),
        };
        match word {
            "" => Self::Nothing,
            "help" if name.is_empty() => Self::Help,
            "help" => Self::Unknown("help stands alone".into()),
            "whoami" => says(Request::Whoami),
            "name" => says_name(|name| Request::Name { name }),
            "rename" => says_name(|name| Request::Rename { name }),
            "forget" => says(Request::Forget),
            "exit" => says(Request::Exit),
            _ => Self::Unknown(format!("{word} is no command")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_of_the_help_is_known() {
        for line in HELP.lines() {
            let command = line.split("  ").next().unwrap();
            let parsed = Command::parse(command);
            assert!(
                matches!(parsed, Command::Say(_) | Command::Help),
                "{command}: {parsed:?}"
            );
        }
    }

    #[test]
    fn a_name_is_the_rest_of_the_line() {
        let name = String::from("Anna  Maria");
        let rename = Command::Say(Request::Rename { name });
        assert_eq!(Command::parse(" rename \t Anna  Maria "), rename);
    }

    #[test]
    fn what_is_no_command_is_told_why() {
        for (line, why) in [
            ("rename", "rename needs a name after it"),
            ("name  ", "name needs a name after it"),
            ("exit now", "exit stands alone"),
            ("help me", "help stands alone"),
            ("Whoami", "Whoami is no command"),
            ("Аня", "Аня is no command"),
        ] {
            assert_eq!(Command::parse(line), Command::Unknown(why.into()));
        }
        assert_eq!(Command::parse(" \t"), Command::Nothing);
    }
}
