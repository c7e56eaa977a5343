//! Prints replies: byte for byte into a pipe, and with control characters escaped on a terminal.

use proto::Escaped;
use std::io::{self, Write};

/// The output, and the bytes to write to it next.
pub(crate) struct ReplyPrinter<W> {
    output: W,
    is_terminal: bool,
    text: Vec<u8>,
    /// The start of a character whose other bytes have not come yet.
    partial: Vec<u8>,
}

impl<W: Write> ReplyPrinter<W> {
    pub(crate) fn new(output: W, is_terminal: bool) -> Self {
        Self {
            output,
            is_terminal,
            text: vec![],
            partial: vec![],
        }
    }

    /// Adds a message as a line. In a pipe, `is_unterminated` leaves out the line's end, as in the input.
    pub(crate) fn add_line(&mut self, text: &str, is_unterminated: bool) {
        if self.is_terminal {
            self.add_escaped(text.as_bytes());
        } else {
            self.text.extend_from_slice(text.as_bytes());
        }
        if self.is_terminal || !is_unterminated {
            self.text.push(b'\n');
        }
    }

    /// Adds the next bytes of a stream, which may be cut anywhere.
    pub(crate) fn add_bytes(&mut self, bytes: &[u8]) {
        if !self.is_terminal {
            return self.text.extend_from_slice(bytes);
        }
        self.partial.extend_from_slice(bytes);
        let bytes = std::mem::take(&mut self.partial);
        let (whole, partial) = bytes.split_at(bytes.len() - partial_character_bytes(&bytes));
        for line in whole.split_inclusive(|byte| *byte == b'\n') {
            self.add_escaped(line.strip_suffix(b"\n").unwrap_or(line));
            if line.ends_with(b"\n") {
                self.text.push(b'\n');
            }
        }
        self.partial.extend_from_slice(partial);
    }

    /// Writes everything that was added.
    pub(crate) fn print(&mut self) -> io::Result<()> {
        self.output.write_all(&self.text)?;
        self.text.clear();
        self.output.flush()
    }

    fn add_escaped(&mut self, bytes: &[u8]) {
        write!(self.text, "{}", Escaped::from_bytes(bytes))
            .expect("a Vec takes all that is written");
    }
}

/// How many bytes at the end are the start of an incomplete character.
fn partial_character_bytes(bytes: &[u8]) -> usize {
    let last = bytes
        .utf8_chunks()
        .last()
        .map_or(&[][..], |chunk| chunk.invalid());
    match std::str::from_utf8(last) {
        Err(error) if error.error_len().is_none() => last.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(is_terminal: bool, add: impl FnOnce(&mut ReplyPrinter<&mut Vec<u8>>)) -> String {
        let mut output = vec![];
        let mut printer = ReplyPrinter::new(&mut output, is_terminal);
        add(&mut printer);
        printer.print().unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn a_pipe_gets_the_bytes_themselves() {
        let text = printed(false, |printer| {
            printer.add_line("\x1b[2J\r", false);
            printer.add_line("Ж", true);
        });
        assert_eq!(text, "\x1b[2J\r\nЖ");
        assert_eq!(
            printed(false, |printer| printer.add_bytes("a\0Ж\n".as_bytes())),
            "a\0Ж\n"
        );
    }

    #[test]
    fn a_terminal_gets_lines_that_cannot_command_it() {
        let text = printed(true, |printer| {
            printer.add_line("\x1b[2J", false);
            printer.add_line("два\nlines", true);
        });
        assert_eq!(text, "\\x1b[2J\nдва\\nlines\n");
    }

    #[test]
    fn a_character_that_is_cut_in_a_stream_is_shown_whole() {
        let bytes = "a🙂\nб\x07".as_bytes();
        for cut in 0..=bytes.len() {
            let text = printed(true, |printer| {
                printer.add_bytes(&bytes[..cut]);
                printer.add_bytes(&bytes[cut..]);
            });
            assert_eq!(text, "a🙂\nб\\x07", "cut at {cut}");
        }
        assert_eq!(
            printed(true, |printer| printer.add_bytes(b"\xff\xd0\xd0b")),
            "\\xff\\xd0\\xd0b"
        );
    }
}
