//! Output above the line.

use std::io::{self, LineWriter, Write};

use super::Terminal;

/// Output to the terminal that appears above the line that is being typed; see [`Terminal::output`].
#[derive(Debug)]
pub struct OutputAbove<W: Write> {
    whole_lines: LineWriter<Above<W>>,
}

impl<W: Write> OutputAbove<W> {
    pub(super) fn new(terminal: Terminal, out: W) -> Self {
        Self {
            whole_lines: LineWriter::new(Above { terminal, out }),
        }
    }
}

impl<W: Write> Write for OutputAbove<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.whole_lines.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.whole_lines.flush()
    }
}

/// Prints each write at once.
#[derive(Debug)]
struct Above<W> {
    terminal: Terminal,
    out: W,
}

impl<W: Write> Write for Above<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.terminal.lock();
        state.print(bytes, |bytes| {
            self.out.write_all(bytes)?;
            self.out.flush()
        })?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
