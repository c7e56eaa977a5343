//! Text from stdin, where lines are answers, names, passwords or commands.

use std::io::{self, BufRead, Read, StdinLock, stdin};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::standard_streams::RetryWouldBlock;

/// What Windows programs write before UTF-8 text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Whether stdin has been read as text before: a byte-order mark can stand only at its start.
static STDIN_WAS_READ: AtomicBool = AtomicBool::new(false);

/// Text, without the byte-order mark that it may begin with.
#[derive(Debug)]
pub struct TextInput<R> {
    input: R,
    at_start: bool,
    /// The first bytes of a byte-order mark that turned out to be none.
    pending: &'static [u8],
}

impl TextInput<RetryWouldBlock<StdinLock<'static>>> {
    /// Stdin, locked, and waited for if it does not block. Its buffer belongs to the process: what this leaves unread
    /// is there for the next reader.
    pub fn stdin() -> Self {
        let was_read = STDIN_WAS_READ.swap(true, Ordering::Relaxed);
        Self {
            at_start: !was_read,
            ..Self::new(RetryWouldBlock(stdin().lock()))
        }
    }
}

impl<R: BufRead> TextInput<R> {
    /// Text from its first byte on.
    pub fn new(input: R) -> Self {
        Self {
            input,
            at_start: true,
            pending: &[],
        }
    }

    /// Byte by byte, since a pipe may bring the mark in pieces. Returns whether the input ends here: a terminal says so
    /// once (Ctrl-D), and then waits for more.
    fn skip_byte_order_mark(&mut self) -> io::Result<bool> {
        let mut matched = 0;
        let is_end = loop {
            match self.input.fill_buf()?.first() {
                None => break true,
                Some(byte) if Some(byte) == BYTE_ORDER_MARK.get(matched) => {
                    self.input.consume(1);
                    matched += 1;
                }
                Some(_) => break false,
            }
        };
        self.at_start = false;
        if matched < BYTE_ORDER_MARK.len() {
            self.pending = &BYTE_ORDER_MARK[..matched];
        }
        Ok(is_end && self.pending.is_empty())
    }
}

impl<R: BufRead> BufRead for TextInput<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at_start && self.skip_byte_order_mark()? {
            return Ok(&[]);
        }
        match self.pending {
            [] => self.input.fill_buf(),
            pending => Ok(pending),
        }
    }

    fn consume(&mut self, amount: usize) {
        match self.pending {
            [] => self.input.consume(amount),
            pending => self.pending = &pending[amount..],
        }
    }
}

impl<R: BufRead> Read for TextInput<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use proptest::prelude::*;

    use super::*;

    fn text_of(bytes: &[u8], portion: usize) -> Vec<u8> {
        let mut text = Vec::new();
        let input = BufReader::with_capacity(portion, bytes);
        TextInput::new(input).read_to_end(&mut text).unwrap();
        text
    }

    #[test]
    fn one_leading_mark_is_dropped() {
        assert_eq!(text_of("\u{feff}Аня".as_bytes(), 1), "Аня".as_bytes());
        let twice = "\u{feff}\u{feff}a\u{feff}";
        assert_eq!(
            text_of(twice.as_bytes(), 64),
            "\u{feff}a\u{feff}".as_bytes()
        );
    }

    /// Like a terminal where a person presses Ctrl-D and then goes on.
    struct EndThenMore(bool);

    impl Read for EndThenMore {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match std::mem::replace(&mut self.0, true) {
                false => Ok(0),
                true => (&b"more"[..]).read(buffer),
            }
        }
    }

    #[test]
    fn an_end_of_input_is_seen_the_first_time() {
        let mut input = TextInput::new(BufReader::new(EndThenMore(false)));
        assert_eq!(input.fill_buf().unwrap(), b"");
        assert_eq!(input.fill_buf().unwrap(), b"more");
    }

    proptest! {
        #[test]
        fn nothing_else_changes(
            start in prop::sample::select(vec![&b""[..], b"\xef", b"\xef\xbb", b"\xef\xef\xbb\xbf"]),
            rest in "[a-z\n]{0,9}",
            portion in 1..9usize,
        ) {
            let bytes = [start, rest.as_bytes()].concat();
            prop_assert_eq!(text_of(&bytes, portion), bytes);
        }
    }
}
