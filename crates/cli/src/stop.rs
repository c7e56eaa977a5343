//! What a program does at signals that end it or reopen its logs. The caller says what ending takes.

use std::io::{self, IsTerminal, stderr, stdin, stdout};
use std::process;

use crate::platform::{self, Signal};

/// Calls `stop` in another thread at the first Ctrl-C (SIGINT) or SIGTERM, and `reopen_logs` at each SIGHUP. SIGHUP
/// stops the server, too, if it was started in a terminal that is gone. A second Ctrl-C or SIGTERM ends the process at
/// once with status 128 + its number.
///
/// Call it after the prompts: until then these signals end the process, while a prompt would not notice `stop`.
///
/// # Errors
///
/// When the system refuses the handlers or the thread.
pub fn on_server_signals(
    stop: impl FnOnce() + Send + 'static,
    mut reopen_logs: impl FnMut() + Send + 'static,
) -> io::Result<()> {
    // BSD's nohup leaves stdin alone and redirects the others.
    let has_terminal = stdin().is_terminal() && (stderr().is_terminal() || stdout().is_terminal());
    let mut stop = Some(stop);
    platform::watch_signals(move |signal| {
        let lost_terminal = has_terminal && !stdin().is_terminal();
        match stops_server(signal, lost_terminal) {
            true => stop.take().into_iter().for_each(|stop| stop()),
            false => reopen_logs(),
        }
    })
}

/// Whether a signal stops a server. Closing a terminal sends SIGHUP, and so does an administrator who wants new log
/// files.
fn stops_server(signal: Signal, lost_terminal: bool) -> bool {
    match signal {
        Signal::Stop { .. } => true,
        Signal::Hangup { was_ignored } => lost_terminal && !was_ignored,
    }
}

/// For a client: at the first Ctrl-C, SIGTERM or SIGHUP calls `on_exit`, flushes the log, and exits, after Ctrl-C
/// with status 130.
///
/// # Errors
///
/// When the system refuses the handlers or the thread.
pub fn exit_on_stop(on_exit: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let mut on_exit = Some(on_exit);
    platform::watch_signals(move |signal| {
        let status = match signal {
            Signal::Stop { exit_status } => exit_status,
            Signal::Hangup { was_ignored: true } => return,
            Signal::Hangup { was_ignored: false } => HANGUP_STATUS,
        };
        if let Some(on_exit) = on_exit.take() {
            on_exit();
        }
        log::logger().flush();
        process::exit(status);
    })
}

/// 128 + SIGHUP.
const HANGUP_STATUS: i32 = 129;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hangup_stops_a_server_whose_terminal_is_gone() {
        let stop = Signal::Stop { exit_status: 130 };
        let hangup = |was_ignored| Signal::Hangup { was_ignored };
        assert!(stops_server(stop, false) && stops_server(stop, true));
        assert!(stops_server(hangup(false), true));
        assert!(!stops_server(hangup(false), false), "to reopen logs");
        assert!(!stops_server(hangup(true), true), "started with nohup");
    }
}
