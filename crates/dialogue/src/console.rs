//! A client's console: commands in, results and explanations out. It does not know what the commands mean.

use std::fmt::Display;
use std::io::{self, BufRead, Write};

use proto::{Escaped, Reason};
use thiserror::Error;

use crate::command::{Commands, Line};
use crate::line::{BadLine, read_line};

/// Gets what the terminal shows before the next line.
type SetPrompt<'a> = Box<dyn Fn(&str) + 'a>;

/// Input and output of a client: a terminal, or files and pipes in its place.
pub struct Console<'a> {
    input: Box<dyn BufRead + 'a>,
    output: Box<dyn Write + 'a>,
    errors: Box<dyn Write + 'a>,
    set_prompt: Option<SetPrompt<'a>>,
    repeats_lines: bool,
    /// Lines that failed.
    not_done: usize,
}

/// Why a console cannot go on, or was of no use.
#[derive(Debug, Error)]
pub enum ConsoleError {
    /// The dialogue came to its end, but some commands of the input were not carried out.
    #[error("{} not carried out, as explained above", match .count {
        1 => "1 command was".to_owned(),
        count => format!("{count} commands were"),
    })]
    NotAllDone {
        /// How many.
        count: usize,
    },
    /// The input cannot be read.
    #[error("cannot read the input: {}", Reason(.0))]
    Input(io::Error),
    /// The output cannot be written.
    #[error("cannot write the output: {}", Reason(.0))]
    Output(io::Error),
}

impl<'a> Console<'a> {
    /// A console over files or pipes. `output` gets results, `errors` questions and explanations; failures to write to
    /// `errors` are ignored.
    pub fn new(input: impl BufRead + 'a, output: impl Write + 'a, errors: impl Write + 'a) -> Self {
        Self {
            input: Box::new(input),
            output: Box::new(output),
            errors: Box::new(errors),
            set_prompt: None,
            repeats_lines: true,
            not_done: 0,
        }
    }

    /// The same console at a terminal, where a person answers questions and sees what failed. `set_prompt` gets what
    /// the terminal shows before the next line.
    #[must_use]
    pub fn at_terminal(self, set_prompt: impl Fn(&str) + 'a) -> Self {
        Self {
            set_prompt: Some(Box::new(set_prompt)),
            ..self
        }
    }

    /// The same console, but explanations repeat no line, because it may be a password in the wrong place.
    #[must_use]
    pub fn without_repeating_lines(self) -> Self {
        Self {
            repeats_lines: false,
            ..self
        }
    }

    /// Whether a person answers, at a terminal.
    #[must_use]
    pub fn is_interactive(&self) -> bool {
        self.set_prompt.is_some()
    }

    /// The input, for lines that are not text for the console.
    pub fn input(&mut self) -> &mut (dyn BufRead + 'a) {
        &mut *self.input
    }

    /// Reads lines until one is a command of the program. Answers the others. `None` at `exit` and at the end of the
    /// input.
    ///
    /// # Errors
    ///
    /// When the input cannot be read.
    pub fn next_command<C>(&mut self, commands: &Commands<C>) -> Result<Option<C>, ConsoleError> {
        while let Some(line) = self.read_line("> ")? {
            match line.map(|line| commands.parse(&line)) {
                Ok(Line::Nothing) => {}
                Ok(Line::Help(text)) => self.explain(text),
                Ok(Line::Exit) => return Ok(None),
                Ok(Line::Do(command)) => return Ok(Some(command)),
                Ok(Line::Unknown(why)) => {
                    let why = Escaped::new(&why);
                    self.fail(format_args!("{why}; help lists the commands"));
                }
                Err(bad_line) => {
                    self.not_done += 1;
                    self.explain_bad_line(&bad_line);
                }
            }
        }
        Ok(None)
    }

    /// Reads the answer to a question; `None` at the end of the input. A person is asked again after a line that is no
    /// text.
    ///
    /// # Errors
    ///
    /// When the input cannot be read.
    pub fn ask(&mut self, question: &str) -> Result<Option<Result<String, BadLine>>, ConsoleError> {
        loop {
            match self.read_line(question)? {
                Some(Err(bad_line)) if self.is_interactive() => self.explain_bad_line(&bad_line),
                answer => return Ok(answer),
            }
        }
    }

    /// Shows a result.
    ///
    /// # Errors
    ///
    /// When the output cannot be written.
    pub fn print(&mut self, lines: impl Display) -> Result<(), ConsoleError> {
        let printed = writeln!(self.output, "{lines}").and_then(|()| self.output.flush());
        printed.map_err(ConsoleError::Output)
    }

    /// Explains something.
    pub fn explain(&mut self, lines: impl Display) {
        let _ = writeln!(self.errors, "{lines}");
    }

    /// Explains why a command was not carried out, and counts it.
    pub fn fail(&mut self, why: impl Display) {
        self.not_done += 1;
        self.explain(why);
    }

    /// Ends the dialogue.
    ///
    /// # Errors
    ///
    /// [`ConsoleError::NotAllDone`] if commands failed and no person saw it.
    pub fn finish(&self) -> Result<(), ConsoleError> {
        match self.not_done {
            count @ 1.. if !self.is_interactive() => Err(ConsoleError::NotAllDone { count }),
            _ => Ok(()),
        }
    }

    fn read_line(&mut self, prompt: &str) -> Result<Option<Result<String, BadLine>>, ConsoleError> {
        if let Some(set_prompt) = &self.set_prompt {
            set_prompt(prompt);
        }
        read_line(&mut self.input).map_err(ConsoleError::Input)
    }

    fn explain_bad_line(&mut self, bad_line: &BadLine) {
        match self.repeats_lines {
            true => self.explain(bad_line),
            false => self.explain("the line is too long, or is not UTF-8 text"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    const COMMANDS: Commands<String> = Commands {
        help: "say TEXT",
        explain_message: |message| (message == "sent").then(|| "bytes that left".into()),
        parse: |word, rest| match word {
            "say" => Ok(rest.to_owned()),
            _ => Err(format!("{word} is not a command")),
        },
    };

    /// Runs all commands of the input. Returns them, the explanations, and the end.
    fn run(input: &[u8], repeats_lines: bool) -> (Vec<String>, String, String) {
        let (mut errors, mut commands) = (vec![], vec![]);
        let mut console = Console::new(input, io::sink(), &mut errors);
        if !repeats_lines {
            console = console.without_repeating_lines();
        }
        while let Some(command) = console.next_command(&COMMANDS).unwrap() {
            commands.push(command);
        }
        let end = console
            .finish()
            .map_or_else(|error| error.to_string(), |()| "done".into());
        drop(console);
        (commands, String::from_utf8(errors).unwrap(), end)
    }

    #[test]
    fn commands_are_read_until_exit_or_the_end() {
        let (commands, errors, end) = run(b" say  a b \n\n\t\nsay\nexit\nsay c\n", true);
        assert_eq!(
            (commands, end),
            (vec!["a b".into(), String::new()], "done".into())
        );
        assert_eq!(errors, "");
        assert_eq!(run(b"say c", true).0, ["c"]);
    }

    #[test]
    fn help_is_shown_and_what_is_no_command_is_explained_and_counted() {
        let input = b"help\nhelp sent\nhelp me\ndo\x1b it\nexit now\n\xff\n";
        let (commands, errors, end) = run(input, true);
        assert!(commands.is_empty());
        let expected = "say TEXT\n\
                        bytes that left\n\
                        there is no such service message; help lists the commands\n\
                        do\\x1b is not a command; help lists the commands\n\
                        exit is not a command; help lists the commands\n\
                        \"\\xff\" is not UTF-8 text\n";
        assert_eq!(errors, expected);
        assert_eq!(end, "4 commands were not carried out, as explained above");
        let (_, errors, end) = run(b"\xff\n", false);
        assert_eq!(errors, "the line is too long, or is not UTF-8 text\n");
        assert_eq!(end, "1 command was not carried out, as explained above");
    }

    #[test]
    fn a_person_gets_prompts_and_is_asked_again() {
        let prompts = RefCell::new(String::new());
        let (mut errors, mut output) = (vec![], vec![]);
        let input = &b"\xff\nAnna\ndo\n"[..];
        let console = Console::new(input, &mut output, &mut errors);
        let mut console = console.at_terminal(|prompt| prompts.borrow_mut().push_str(prompt));
        assert_eq!(console.ask("Name? ").unwrap(), Some(Ok("Anna".into())));
        assert_eq!(console.next_command(&COMMANDS).unwrap(), None);
        console.finish().unwrap();
        console.print("Hello").unwrap();
        drop(console);
        assert_eq!(prompts.into_inner(), "Name? Name? > > ");
        assert_eq!(output, b"Hello\n");
        let errors = String::from_utf8(errors).unwrap();
        let expected =
            "\"\\xff\" is not UTF-8 text\ndo is not a command; help lists the commands\n";
        assert_eq!(errors, expected);

        let mut pipe = Console::new(&b"\xff\n"[..], io::sink(), io::sink());
        assert!(matches!(pipe.ask("Name? "), Ok(Some(Err(_)))));
    }
}
