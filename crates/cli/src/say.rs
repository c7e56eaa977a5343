//! One line for the person at the terminal.

use std::fmt;
use std::io::{self, Write};

use crate::one_line::OneLine;

/// Writes a line to stderr. Nobody may be there to read it, so a failure is nobody's business.
pub(crate) fn say(line: fmt::Arguments<'_>) {
    // In one write, so that no line of another program comes into the middle of it.
    let _ = io::stderr().write_all(format!("{}\n", OneLine(line)).as_bytes());
}
