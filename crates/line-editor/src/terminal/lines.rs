//! Lines as a stream of bytes, each with its end, for programs that read a pipe in the same way.

use std::io::{self, BufRead, ErrorKind, Read, stdin};
use std::time::Duration;

use super::Terminal;
use super::state::End;
use crate::console::wait_for_input;

/// How long the rest of an escape sequence is waited for; then Escape was a key.
const KEY_GRACE: Duration = Duration::from_millis(50);

/// What is typed at a [`Terminal`]. At the end of input (Ctrl-D in an empty line) it reads as empty once; a person may
/// go on after it.
#[derive(Debug)]
pub struct Lines {
    terminal: Terminal,
    line: Vec<u8>,
    /// How much of the line is read.
    consumed: usize,
}

impl Lines {
    pub(super) fn new(terminal: Terminal) -> Self {
        Self {
            terminal,
            line: vec![],
            consumed: 0,
        }
    }

    /// The next line, or a part of it; empty at the end of input.
    fn next_line(&self) -> io::Result<Vec<u8>> {
        // The lock is released before waiting.
        let is_edited = self.terminal.lock_unless_ended().edits_next_line();
        if is_edited {
            self.edited_line()
        } else {
            self.plain_line()
        }
    }

    fn edited_line(&self) -> io::Result<Vec<u8>> {
        loop {
            // The key is undecided only if all that was read is handled, so stdin's buffer is empty.
            if self.terminal.lock().is_key_undecided() && !wait_for_input(Some(KEY_GRACE))? {
                self.terminal.lock().decide_key();
            }
            let mut stdin = stdin().lock();
            let Some(bytes) = fill(&mut stdin)? else {
                continue;
            };
            if bytes.is_empty() {
                return Ok(vec![]);
            }
            let (length, end) = self.terminal.lock_unless_ended().press(bytes);
            // The rest may be the answer to a hidden prompt, which the terminal's own lines take.
            stdin.consume(length);
            match end {
                None => {}
                Some(End::EndOfInput) => return Ok(vec![]),
                Some(End::Line(line)) => return Ok((line + "\n").into_bytes()),
            }
        }
    }

    /// A line as the terminal gives it.
    fn plain_line(&self) -> io::Result<Vec<u8>> {
        loop {
            let mut stdin = stdin().lock();
            let Some(bytes) = fill(&mut stdin)? else {
                continue;
            };
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let line = bytes[..end.map_or(bytes.len(), |end| end + 1)].to_vec();
            stdin.consume(line.len());
            if line.is_empty() || end.is_some() {
                self.terminal.lock().end_plain_line(line.is_empty());
            }
            return Ok(line);
        }
    }
}

/// What stdin has; `None` to try again.
fn fill(stdin: &mut impl BufRead) -> io::Result<Option<&[u8]>> {
    match stdin.fill_buf() {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::Interrupted => Ok(None),
        // Another program with the same terminal can make it non-blocking.
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            wait_for_input(None)?;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

impl BufRead for Lines {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.consumed == self.line.len() {
            self.line = self.next_line()?;
            self.consumed = 0;
        }
        Ok(&self.line[self.consumed..])
    }

    fn consume(&mut self, amount: usize) {
        self.consumed += amount;
    }
}

impl Read for Lines {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(room)?;
        self.consume(length);
        Ok(length)
    }
}
