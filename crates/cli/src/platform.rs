//! What differs between systems: signals, terminals, limits, socket options.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub(crate) use system::{
    APPENDS_ARE_WHOLE, allow_restart, append_to, is_out_of_descriptors, is_same_file, make_private,
    raise_descriptor_limit, survive_file_size_limit, wait_for_line, watch_signals,
};

use std::io::{IsTerminal, stderr, stdin};

use line_editor::is_in_foreground;

/// Whether a person can be asked: stdin and stderr are terminals, and reading stdin does not stop the program.
pub fn is_interactive() -> bool {
    stdin().is_terminal() && stderr().is_terminal() && is_in_foreground()
}

/// A request from the system or the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(windows, allow(dead_code, reason = "Windows has no such signals"))]
pub(crate) enum Signal {
    /// Ctrl-C or SIGTERM; on Windows also Ctrl-Break and a closed console.
    Stop {
        /// The status with which a client exits.
        exit_status: i32,
    },
    /// SIGHUP: the terminal is gone, or logs are to be reopened.
    Hangup {
        /// Whether the program was started with SIGHUP ignored (`nohup`).
        was_ignored: bool,
    },
}
