//! Signals that ask a program to end. It knows nothing of what ending takes.

use std::fs;
use std::io;
use std::process;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

/// Calls `stop` in a thread of its own at the first Ctrl-C (SIGINT), SIGTERM or SIGHUP (the terminal was closed).
///
/// To be called after the prompts: until then these signals simply end the process, while a prompt would not notice `stop`.
/// A second Ctrl-C or SIGTERM ends the process at once with status 128 + its number, whatever it is doing.
///
/// # Errors
/// When the system refuses the handlers or the thread.
pub fn on_stop(stop: impl FnOnce() + Send + 'static) -> io::Result<()> {
    on_signal(move |_| stop())
}

/// For a client: at the first of these signals calls `last_words`, brings the log to its end, and exits, with status 130 after
/// Ctrl-C.
///
/// # Errors
/// As [`on_stop`].
pub fn exit_on_stop(last_words: impl FnOnce() + Send + 'static) -> io::Result<()> {
    on_signal(move |signal| {
        last_words();
        log::logger().flush();
        process::exit(exit_status(signal));
    })
}

fn on_signal(react: impl FnOnce(i32) + Send + 'static) -> io::Result<()> {
    let stopping = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order the signal that sets the flag does not find it set.
        flag::register_conditional_shutdown(signal, exit_status(signal), Arc::clone(&stopping))?;
        flag::register(signal, Arc::clone(&stopping))?;
    }
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    if !hangup_is_ignored() {
        signals.add_signal(SIGHUP)?;
    }
    thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            if let Some(signal) = signals.forever().next() {
                react(signal);
            }
            // Goes on holding the handlers: dropped, they would leave the signals without effect.
            loop {
                thread::park();
            }
        })?;
    Ok(())
}

fn exit_status(signal: i32) -> i32 {
    128 + signal
}

/// Whether the program was started with `nohup`, so that it outlives its terminal. Told by Linux alone.
fn hangup_is_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (SIGHUP - 1)) != 0)
}
