//! Lines from a terminal that edits them itself. It may have cut them.

use std::io::{self, Read};

use log::warn;

/// A terminal collects a line until Enter, and drops the bytes beyond this number (termios(3), canonical mode). The
/// last byte is the end of the line.
const LONGEST_LINE: usize = 4096;

/// The input of such a terminal. Warns when a line may be cut.
pub(crate) struct UneditedLines<R>(pub(crate) R);

impl<R: Read> Read for UneditedLines<R> {
    /// Reads at most one line, as a terminal gives it.
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(room)?;
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
