//! What a line of a dialogue's console means.

/// The commands of one program. `help` and `exit` are the same in all.
#[derive(Debug)]
pub struct Commands<C> {
    /// The list that `help` shows.
    pub help: &'static str,
    /// What a service message means, for `help MESSAGE`.
    pub explain_message: fn(&str) -> Option<String>,
    /// Parses a command from its first word and what follows it. The error says why it is no command.
    pub parse: fn(&str, &str) -> Result<C, String>,
}

/// A line of input.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<C> {
    /// A blank line.
    Nothing,
    /// Shows this text.
    Help(String),
    /// Ends the dialogue.
    Exit,
    /// A command of the program.
    Do(C),
    /// Not a command, and why not.
    Unknown(String),
}

impl<C> Commands<C> {
    /// Parses a line. Blanks around it do not count.
    #[must_use]
    pub fn parse(&self, line: &str) -> Line<C> {
        let line = line.trim();
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        match (word, rest.trim()) {
            ("", _) => Line::Nothing,
            ("exit", "") => Line::Exit,
            ("help", "") => Line::Help(self.help.into()),
            ("help", message) => match (self.explain_message)(message) {
                Some(meaning) => Line::Help(meaning),
                None => Line::Unknown("there is no such service message".into()),
            },
            (word, rest) => match (self.parse)(word, rest) {
                Ok(command) => Line::Do(command),
                Err(why) => Line::Unknown(why),
            },
        }
    }
}
