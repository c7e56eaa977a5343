//! One line for the person at the terminal.

use std::fmt;
use std::io::{self, Write};

use crate::escape::OneLine;

/// Writes a line to stderr. Nobody may be there to read it, so a failure is nobody's business.
pub(crate) fn say(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{}", OneLine(line));
}
