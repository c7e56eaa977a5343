//! Questions to a person, over anything that reads lines and writes. It knows nothing of what is asked.

use std::fmt::Display;
use std::io::{self, BufRead, Read, Write};

use crate::escape::Escaped;

/// Longer than any host name (253); what a line has beyond it is read and forgotten.
const MAX_ANSWER_BYTES: usize = 1024;
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
    let mut line = Vec::new();
    loop {
        write!(output, "{label} [{default}]: ")?;
        output.flush()?;
        let Some(whole) = read_line(input, &mut line)? else {
            // Nobody pressed Enter, so the cursor still stands after the question.
            writeln!(output)?;
            return Ok(default);
        };
        let answer = line.trim_ascii();
        let shown = Escaped::from_bytes(answer).quoted().cut(SHOWN_CHARACTERS);
        match std::str::from_utf8(answer) {
            _ if !whole => writeln!(
                output,
                "{shown} is too long: at most {MAX_ANSWER_BYTES} bytes"
            )?,
            Err(_) => writeln!(output, "{shown} is not UTF-8 text")?,
            Ok("") => return Ok(default),
            Ok(answer) => match parse(answer) {
                Ok(value) => return Ok(value),
                Err(why) => writeln!(output, "{shown}: {why}")?,
            },
        }
    }
}

/// Reads a line, of a long one the start. `None` at the end of input, else whether the line is whole.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<bool>> {
    line.clear();
    let limit = MAX_ANSWER_BYTES as u64 + 1;
    if input.by_ref().take(limit).read_until(b'\n', line)? == 0 {
        return Ok(None);
    }
    if line.len() <= MAX_ANSWER_BYTES || line.ends_with(b"\n") {
        return Ok(Some(true));
    }
    input.skip_until(b'\n')?;
    Ok(Some(false))
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

    proptest! {
        #[test]
        fn any_input_ends_in_a_port_and_harmless_words(input: Vec<u8>) {
            let (_, said, _) = ask_port(&input);
            prop_assert!(!said.chars().any(|c| c.is_control() && c != '\n'), "{said:?}");
        }
    }
}
