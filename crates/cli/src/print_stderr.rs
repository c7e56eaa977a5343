//! One line on stderr.

use std::fmt;
use std::io::{self, Write};

use crate::one_line::OneLine;

/// Writes a line to stderr. A failure is ignored: there is nowhere else to report it.
pub(crate) fn print_stderr(line: fmt::Arguments<'_>) {
    // One write, so that other programs' lines do not get into the middle of it.
    let _ = io::stderr().write_all(format!("{}\n", OneLine(line)).as_bytes());
}
