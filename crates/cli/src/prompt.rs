//! Questions to a person, over anything that reads lines and writes. It knows nothing of what is asked.

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::io::{self, BufRead, Read, Write};

use proto::Escaped;

/// Longer than any host name (253) and any name of a person (64 characters of 4 bytes).
const MAX_LINE_BYTES: usize = 1024;
/// So much of a bad answer is repeated to the one who gave it.
const SHOWN_CHARACTERS: usize = 60;

/// Asks `Label [default]: ` until `parse` takes the answer.
///
/// Enter and the end of input take the default. A bad answer is explained by `parse`'s error. Reads from `input` not a byte
/// beyond the lines it consumes.
///
/// # Errors
/// When reading or writing fails.
pub fn ask<T, E: Display>(
    input: &mut impl BufRead,
    output: &mut impl Write,
    label: &str,
    default: T,
    mut parse: impl FnMut(&str) -> Result<T, E>,
) -> io::Result<T>
where
    T: Display,
{
    loop {
        write!(output, "{label} [{default}]: ")?;
        output.flush()?;
        let Some(line) = read_line(input)? else {
            // Nobody pressed Enter, so the cursor still stands after the question.
            writeln!(output)?;
            return Ok(default);
        };
        match line.as_deref().map(str::trim_ascii) {
            Err(bad_line) => writeln!(output, "{bad_line}")?,
            Ok("") => return Ok(default),
            Ok(answer) => match parse(answer) {
                Ok(value) => return Ok(value),
                Err(why) => writeln!(output, "{}: {why}", shown(answer.as_bytes()))?,
            },
        }
    }
}

/// Reads one line that a person typed or a pipe brought, without its end (`\n` or `\r\n`); `None` at the end of input. Of a
/// line that is none of text the rest is read, too, and forgotten.
///
/// # Errors
/// When reading fails.
pub fn read_line(input: &mut impl BufRead) -> io::Result<Option<Result<String, BadLine>>> {
    let mut line = Vec::new();
    let limit = MAX_LINE_BYTES as u64 + 1;
    if input.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.len() > MAX_LINE_BYTES && !line.ends_with(b"\n") {
        input.skip_until(b'\n')?;
        let why = format!("is too long: at most {MAX_LINE_BYTES} bytes");
        return Ok(Some(Err(BadLine::new(&line, why))));
    }
    let line = line.strip_suffix(b"\n").unwrap_or(&line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = std::str::from_utf8(line).map(str::to_owned);
    Ok(Some(text.map_err(|_| {
        BadLine::new(line, "is not UTF-8 text".into())
    })))
}

/// A line that is no text, or too much of it, in words for the one who gave it: `"\xff" is not UTF-8 text`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine(String);

impl BadLine {
    fn new(line: &[u8], why: String) -> Self {
        Self(format!("{} {why}", shown(line.trim_ascii())))
    }
}

impl Display for BadLine {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for BadLine {}

fn shown(line: &[u8]) -> Escaped<'_> {
    Escaped::from_bytes(line).quoted().cut(SHOWN_CHARACTERS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ask_port(mut input: &[u8]) -> (u16, String, &[u8]) {
        let mut output = Vec::new();
        let parse = |answer: &str| answer.parse::<u16>().map_err(|_| "a port is a number");
        let port = ask(&mut input, &mut output, "Port", 9090, parse).unwrap();
        (port, String::from_utf8(output).unwrap(), input)
    }

    #[test]
    fn an_answer_is_taken_and_nothing_after_it() {
        assert_eq!(
            ask_port(b" 9191 \r\nhello\n"),
            (9191, "Port [9090]: ".into(), &b"hello\n"[..])
        );
        assert_eq!(ask_port(b"9191").0, 9191);
    }

    #[test]
    fn enter_and_the_end_of_input_take_the_default() {
        assert_eq!(
            ask_port(b"\nhello\n"),
            (9090, "Port [9090]: ".into(), &b"hello\n"[..])
        );
        assert_eq!(ask_port(b""), (9090, "Port [9090]: \n".into(), &b""[..]));
    }

    #[test]
    fn bad_answers_are_explained_and_asked_again() {
        let (port, said, _) = ask_port(b"ninety\n\x1b[2J\xff\n99999\n9191\n");
        assert_eq!(port, 9191);
        assert_eq!(
            said,
            "Port [9090]: \"ninety\": a port is a number\n\
             Port [9090]: \"\\x1b[2J\\xff\" is not UTF-8 text\n\
             Port [9090]: \"99999\": a port is a number\n\
             Port [9090]: "
        );
        assert_eq!(ask_port(b"ninety").0, 9090);
    }

    #[test]
    fn a_long_line_is_bounded_and_skipped() {
        let long = [&[b'9'; 1 << 20][..], b"\n9191\nrest"].concat();
        let (port, said, rest) = ask_port(&long);
        assert_eq!((port, rest), (9191, &b"rest"[..]));
        assert!(said.contains("is too long: at most 1024 bytes"));
        assert!(said.len() < 200, "{said}");
    }

    #[test]
    fn a_line_is_read_without_its_end() {
        let mut input = &b" a\r \r\n\n\xff\nlast"[..];
        let mut next = || read_line(&mut input).unwrap();
        let text = |text: &str| Some(Ok(text.to_owned()));
        assert_eq!(next(), text(" a\r "));
        assert_eq!(next(), text(""));
        assert_eq!(
            next().unwrap().unwrap_err().to_string(),
            r#""\xff" is not UTF-8 text"#
        );
        assert_eq!(next(), text("last"));
        assert_eq!(next(), None);
    }

    proptest! {
        #[test]
        fn any_input_ends_in_a_port_and_harmless_words(input: Vec<u8>) {
            let (_, said, _) = ask_port(&input);
            prop_assert!(!said.chars().any(|c| c.is_control() && c != '\n'), "{said:?}");
        }
    }
}
