//! Lines that a person types, of which the terminal may have kept a part.

use std::io::{self, Read};

use log::warn;

/// A terminal collects a line until Enter, and drops what is beyond this (termios(3), canonical mode; the last byte is the end
/// of the line).
const LONGEST_LINE: usize = 4096;

/// A terminal's input. It tells when a line may be cut.
pub(crate) struct Typed<R>(pub(crate) R);

impl<R: Read> Read for Typed<R> {
    /// A terminal gives one line at most.
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(room)?;
        if count == LONGEST_LINE && room[..count].ends_with(b"\n") {
            warn!(
                "the terminal keeps {} bytes of a line at most, so the end of this one may be lost; use a pipe or a file",
                LONGEST_LINE - 1
            );
        }
        Ok(count)
    }
}
