//! The terminal's modes and size, and the signals about it: all that differs by platform.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub(crate) use system::wait_for_input;
pub use system::{TerminalMode, is_in_foreground, suspend};

use std::env;
use std::io;

/// What is assumed of a terminal that does not know its width.
const DEFAULT_COLUMNS: usize = 80;

/// What happens to the terminal, or to the program that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TerminalEvent {
    /// The terminal may have another size.
    Resized,
    /// A signal is about to end or stop the program.
    Leaving,
    /// The program goes on after a stop.
    Continued,
}

/// Calls `react` in a thread of its own at each change of the terminal's size, and each time the program goes on after
/// a stop. With `leaving` it is also called before a signal ends or stops the program, except for SIGINT, SIGTERM and
/// SIGHUP, which programs handle themselves.
///
/// # Errors
///
/// When the system refuses the handlers or the thread.
pub fn watch_terminal(
    leaving: bool,
    react: impl Fn(TerminalEvent) + Send + 'static,
) -> io::Result<()> {
    system::watch(leaving, react)
}

/// The terminal's width.
pub fn columns() -> usize {
    let columns = system::columns().filter(|&columns| columns > 0);
    columns.unwrap_or(DEFAULT_COLUMNS)
}

/// Whether the terminal takes no escape sequences. Consoles of Windows have no `TERM` and take them.
pub fn is_dumb() -> bool {
    let term = env::var("TERM").unwrap_or_default();
    cfg!(unix) && matches!(&*term, "" | "dumb" | "cons25" | "emacs")
}
