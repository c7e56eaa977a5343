//! Lines that a person types. The terminal may have cut them.

use std::io::{self, Read};

use log::warn;

/// A terminal collects a line until Enter, and drops the bytes beyond this number (termios(3), canonical mode). The
/// last byte is the end of the line.
const LONGEST_LINE: usize = 4096;

/// A terminal's input. Warns when a line may be cut, and calls `at_end` at the end of the input, where the cursor still
/// stands in a line.
pub(crate) struct Typed<R, F> {
    input: R,
    at_end: F,
}

impl<R, F> Typed<R, F> {
    pub(crate) fn new(input: R, at_end: F) -> Self {
        Self { input, at_end }
    }
}

impl<R: Read, F: FnMut()> Read for Typed<R, F> {
    /// Reads at most one line, as a terminal gives it.
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(room)?;
        if count == 0 {
            (self.at_end)();
        }
        if count == LONGEST_LINE && room[..count].ends_with(b"\n") {
            warn!(
                "the terminal keeps {} bytes of a line at most, so the end of this one may be lost; \
                 use a pipe or a file",
                LONGEST_LINE - 1
            );
        }
        Ok(count)
    }
}
