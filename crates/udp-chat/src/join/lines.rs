//! Reads lines of an input that may hold anything. A line is whole, bounded and text, or an error that says what is
//! wrong.

use std::io::{self, BufRead, Read};

use chat_link::message::MAX_TEXT_BYTES;

use crate::nick::MAX_NICK_BYTES;

/// The longest line that can mean anything: a text said to the longest nick.
const MAX_LINE_BYTES: usize = MAX_TEXT_BYTES + MAX_NICK_BYTES + "/msg  ".len();

/// A line that cannot be sent. The number is the line's, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum LineError {
    /// Its bytes before the first that does not decode.
    #[error("not sent: line {line} is not UTF-8 from byte {valid_up_to} on")]
    NotUtf8 { line: u64, valid_up_to: usize },
    /// Its length in bytes.
    #[error(
        "not sent: line {line} has {length} bytes, and texts of {MAX_TEXT_BYTES} are the limit"
    )]
    TooLong { line: u64, length: u64 },
}

/// Takes lines from an input.
#[derive(Debug)]
pub(super) struct Lines<R> {
    input: R,
    line: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, line: 0 }
    }

    /// The next line without its end; `None` at the end of the input. A last line without an end
    /// counts.
    pub(super) fn next_line(&mut self) -> io::Result<Option<Result<String, LineError>>> {
        let mut bytes = Vec::new();
        let limit = MAX_LINE_BYTES as u64 + 2;
        let length = self
            .input
            .by_ref()
            .take(limit)
            .read_until(b'\n', &mut bytes)?;
        if length == 0 {
            return Ok(None);
        }
        self.line += 1;
        let line = self.line;
        if !bytes.ends_with(b"\n") && length as u64 == limit {
            let length = limit + skip_line(&mut self.input)?;
            return Ok(Some(Err(LineError::TooLong { line, length })));
        }
        let end = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let end = end.strip_suffix(b"\r").unwrap_or(end).len();
        bytes.truncate(end);
        Ok(Some(String::from_utf8(bytes).map_err(|error| {
            let valid_up_to = error.utf8_error().valid_up_to();
            LineError::NotUtf8 { line, valid_up_to }
        })))
    }
}

/// Reads to the end of a line without keeping it, and tells how long the rest was.
fn skip_line(input: &mut impl BufRead) -> io::Result<u64> {
    let mut length = 0;
    loop {
        let block = match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            block => block?,
        };
        let end = block.iter().position(|&byte| byte == b'\n');
        let used = end.map_or(block.len(), |end| end + 1);
        length += end.unwrap_or(used) as u64;
        let is_end = end.is_some() || used == 0;
        input.consume(used);
        if is_end {
            return Ok(length);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(input: &[u8]) -> Vec<Result<String, LineError>> {
        let mut lines = Lines::new(input);
        std::iter::from_fn(|| lines.next_line().unwrap()).collect()
    }

    #[test]
    fn lines_come_without_their_ends() {
        let expected = ["one", "", "два", "last"].map(|line| Ok(line.to_owned()));
        assert_eq!(lines("one\n\nдва\r\nlast".as_bytes()), expected);
        assert_eq!(lines(b""), []);
        assert_eq!(lines(b"\n"), [Ok(String::new())]);
    }

    #[test]
    fn invalid_utf8_is_reported_and_the_next_line_read() {
        let (line, valid_up_to) = (2, 1);
        let expected = [
            Ok("a".to_owned()),
            Err(LineError::NotUtf8 { line, valid_up_to }),
            Ok("c".to_owned()),
        ];
        assert_eq!(lines(b"a\nb\xff\nc\n"), expected);
    }

    #[test]
    fn a_line_over_the_limit_is_counted_without_being_stored() {
        for length in [MAX_LINE_BYTES + 2, MAX_LINE_BYTES + 3, 1 << 20] {
            for end in ["", "\nnext"] {
                let input = "x".repeat(length) + end;
                let lines = lines(input.as_bytes());
                let (line, length) = (1, length as u64);
                assert_eq!(lines[0], Err(LineError::TooLong { line, length }));
                assert_eq!(lines.len(), if end.is_empty() { 1 } else { 2 });
            }
        }
        let longest = "x".repeat(MAX_LINE_BYTES);
        assert_eq!(lines(longest.as_bytes()), [Ok(longest)]);
    }

    proptest! {
        #[test]
        fn any_input_gives_one_item_a_line(input: Vec<u8>) {
            let ends = input.iter().filter(|&&byte| byte == b'\n').count();
            let open = usize::from(input.last().is_some_and(|&byte| byte != b'\n'));
            prop_assert_eq!(lines(&input).len(), ends + open);
        }
    }
}
