//! Lines of text from a person or a script, bounded in length.

use std::io::{self, BufRead, Read};

use proto::Escaped;

/// More than any host name (253 bytes) and any name of a person (64 characters of 4 bytes) needs.
const MAX_LINE_BYTES: usize = 1024;
/// How many characters of a bad line an error repeats.
const SHOWN_CHARACTERS: usize = 60;

/// Reads one line without its end (`\n` or `\r\n`); `None` at the end of input. Reads and drops the rest of a line that
/// is too long.
///
/// # Errors
///
/// When reading fails.
pub fn read_line(input: &mut impl BufRead) -> io::Result<Option<Result<String, BadLine>>> {
    let mut line = Vec::new();
    let limit = MAX_LINE_BYTES as u64 + 1;
    if input.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.len() > MAX_LINE_BYTES && !line.ends_with(b"\n") {
        input.skip_until(b'\n')?;
        let why = format!("too long: at most {MAX_LINE_BYTES} bytes");
        return Ok(Some(Err(BadLine::new(&line, why))));
    }
    let line = line.strip_suffix(b"\n").unwrap_or(&line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = std::str::from_utf8(line).map(str::to_owned);
    Ok(Some(
        text.map_err(|_| BadLine::new(line, "not UTF-8 text".into())),
    ))
}

/// A line that is too long or not text: `"\xff" is not UTF-8 text`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{shown} is {why}")]
pub struct BadLine {
    /// The line, escaped, quoted and cut.
    pub shown: String,
    /// What is wrong with it.
    pub why: String,
}

impl BadLine {
    fn new(line: &[u8], why: String) -> Self {
        let shown = Escaped::from_bytes(line.trim_ascii()).quoted();
        let shown = shown.cut(SHOWN_CHARACTERS).to_string();
        Self { shown, why }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
