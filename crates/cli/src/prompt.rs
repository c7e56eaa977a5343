//! Questions and their answers, over anything that reads lines and writes. It does not know what is asked.

use std::fmt::Display;
use std::io::{self, BufRead, IsTerminal, Write, stderr, stdin};

use dialogue::read_line;
use proto::Escaped;

use crate::input::TextInput;
use proto::Reason;

/// How many characters of a bad answer an error repeats.
const SHOWN_CHARACTERS: usize = 60;

/// Who answers questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A person at a terminal, who can correct an answer.
    Person,
    /// A pipe or a file. Its next line is not another answer to the same question.
    Pipe,
}

impl Asked {
    /// Who answers on stdin.
    pub fn on_stdin() -> Self {
        match stdin().is_terminal() {
            true => Self::Person,
            false => Self::Pipe,
        }
    }
}

/// Asks `Label [default]: ` and parses the answer. Enter takes the default.
///
/// A person who gives a bad answer gets `parse`'s error and is asked again; a bad answer from a pipe is an error. End
/// of input leaves the program where a person ends it (Ctrl-D), and takes the default in a pipe. Reads no byte of
/// `input` beyond the lines that it takes.
///
/// # Errors
///
/// [`AskError`], when there is no answer.
pub fn ask<T, E: Display>(
    input: &mut impl BufRead,
    output: &mut impl Write,
    asked: Asked,
    label: &str,
    default: T,
    mut parse: impl FnMut(&str) -> Result<T, E>,
) -> Result<T, AskError>
where
    T: Display,
{
    loop {
        write!(output, "{label} [{default}]: ")?;
        output.flush()?;
        let Some(line) = read_line(input)? else {
            // Nobody pressed Enter, so the cursor still stands after the question.
            writeln!(output)?;
            return match asked {
                Asked::Person => Err(AskError::EndOfInput),
                Asked::Pipe => Ok(default),
            };
        };
        let answer = line.as_deref().map(str::trim_ascii);
        let refused = match answer {
            Ok("") => return Ok(default),
            Ok(answer) => match parse(answer) {
                Ok(value) => return Ok(value),
                Err(why) => (shown(answer.as_bytes()).to_string(), why.to_string()),
            },
            Err(bad_line) => (bad_line.shown.clone(), bad_line.why.clone()),
        };
        let (answer, why) = refused;
        match asked {
            Asked::Person => writeln!(output, "{answer}: {why}")?,
            Asked::Pipe => {
                // The question's line ends here, too.
                writeln!(output)?;
                let label = label.to_owned();
                return Err(AskError::BadAnswer { label, answer, why });
            }
        }
    }
}

/// [`ask`] on stdin and stderr.
///
/// # Errors
///
/// [`AskError`], when there is no answer.
pub fn ask_on_stdin<T: Display, E: Display>(
    label: &str,
    default: T,
    parse: impl FnMut(&str) -> Result<T, E>,
) -> Result<T, AskError> {
    let (input, output) = (&mut TextInput::stdin(), &mut stderr());
    ask(input, output, Asked::on_stdin(), label, default, parse)
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// A person ended the input, and so the program.
    #[error("the input ended at a question")]
    EndOfInput,
    /// The answer from a pipe is wrong.
    #[error("{answer} is no answer to the question {label}: {why}")]
    BadAnswer {
        /// The question.
        label: String,
        /// The answer, escaped and quoted.
        answer: String,
        /// What is wrong with it.
        why: String,
    },
    /// The question cannot be shown, or the answer cannot be read.
    #[error("cannot ask a question: {}", Reason(.0))]
    Io(io::Error),
}

impl From<io::Error> for AskError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn shown(line: &[u8]) -> Escaped<'_> {
    Escaped::from_bytes(line).quoted().cut(SHOWN_CHARACTERS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ask_port(asked: Asked, mut input: &[u8]) -> (Result<u16, AskError>, String, &[u8]) {
        let mut output = Vec::new();
        let parse = |answer: &str| answer.parse::<u16>().map_err(|_| "a port is a number");
        let port = ask(&mut input, &mut output, asked, "Port", 9090, parse);
        (port, String::from_utf8(output).unwrap(), input)
    }

    #[test]
    fn an_answer_is_taken_and_nothing_after_it() {
        for asked in [Asked::Person, Asked::Pipe] {
            let (port, shown, rest) = ask_port(asked, b" 9191 \r\nhello\n");
            assert_eq!(
                (port.unwrap(), shown.as_str(), rest),
                (9191, "Port [9090]: ", &b"hello\n"[..])
            );
            assert_eq!(ask_port(asked, b"9191").0.unwrap(), 9191);
            let (port, _, rest) = ask_port(asked, b"\nhello\n");
            assert_eq!((port.unwrap(), rest), (9090, &b"hello\n"[..]));
        }
    }

    #[test]
    fn at_the_end_of_input_a_person_leaves_and_a_pipe_takes_the_default() {
        let (left, shown, _) = ask_port(Asked::Person, b"");
        assert!(matches!(left, Err(AskError::EndOfInput)));
        assert_eq!(shown, "Port [9090]: \n");
        let (port, shown, _) = ask_port(Asked::Pipe, b"");
        assert_eq!((port.unwrap(), shown.as_str()), (9090, "Port [9090]: \n"));
    }

    #[test]
    fn a_person_is_asked_again() {
        let (port, shown, _) = ask_port(Asked::Person, b"ninety\n\x1b[2J\xff\n99999\n9191\n");
        assert_eq!(port.unwrap(), 9191);
        assert_eq!(
            shown,
            "Port [9090]: \"ninety\": a port is a number\n\
             Port [9090]: \"\\x1b[2J\\xff\": not UTF-8 text\n\
             Port [9090]: \"99999\": a port is a number\n\
             Port [9090]: "
        );
    }

    #[test]
    fn a_bad_answer_from_a_pipe_is_the_last() {
        for (input, expected) in [
            (
                &b"ninety\n9191\n"[..],
                "\"ninety\" is no answer to the question Port: a port is a number",
            ),
            (
                b"\xff\n9191\n",
                "\"\\xff\" is no answer to the question Port: not UTF-8 text",
            ),
        ] {
            let (bad, shown, rest) = ask_port(Asked::Pipe, input);
            assert_eq!(bad.unwrap_err().to_string(), expected);
            assert_eq!((shown.as_str(), rest), ("Port [9090]: \n", &b"9191\n"[..]));
        }
    }

    #[test]
    fn a_long_line_is_bounded_and_skipped() {
        let long = [&[b'9'; 1 << 20][..], b"\n9191\nrest"].concat();
        let (port, shown, rest) = ask_port(Asked::Person, &long);
        assert_eq!((port.unwrap(), rest), (9191, &b"rest"[..]));
        assert!(shown.contains("too long: at most 1024 bytes"));
        assert!(shown.len() < 200, "{shown}");
    }

    proptest! {
        #[test]
        fn any_input_ends_the_question_and_shows_no_control_characters(input: Vec<u8>) {
            for asked in [Asked::Person, Asked::Pipe] {
                let (port, mut shown, _) = ask_port(asked, &input);
                if let Err(error) = port {
                    shown += &error.to_string();
                }
                prop_assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown:?}");
            }
        }
    }
}
