//! Windows.

use std::io;
use std::os::windows::process::ExitStatusExt;
use std::process::{self, ExitStatus};
use std::thread;
use std::time::Duration;

/// How often a child is checked for its end.
const WAIT_POLL: Duration = Duration::from_millis(10);

/// The signals that tests name. Windows has only the end of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal(i32);

impl Signal {
    /// The terminal is gone.
    pub const HUP: Self = Self(1);
    /// Ctrl-C.
    pub const INT: Self = Self(2);
    /// Ctrl-\.
    pub const QUIT: Self = Self(3);
    /// The end, at once.
    pub const KILL: Self = Self(9);
    /// An end to prepare for.
    pub const TERM: Self = Self(15);

    /// The number that Unix has for it.
    pub fn as_raw(self) -> i32 {
        self.0
    }
}

/// What Wine 8 answers now and then when many programs start at once (`ERROR_INTERNAL_ERROR`).
const INTERNAL_ERROR: i32 = 1359;
/// How often and after which pause a start is tried again then.
const START_TRIES: usize = 5;
const START_PAUSE: Duration = Duration::from_millis(200);

/// Starts a program.
pub(crate) fn spawn(command: &mut process::Command) -> io::Result<process::Child> {
    for _ in 1..START_TRIES {
        match command.spawn() {
            Err(error) if error.raw_os_error() == Some(INTERNAL_ERROR) => {
                thread::sleep(START_PAUSE);
            }
            started => return started,
        }
    }
    command.spawn()
}

/// A child process, with pipes or in a terminal.
pub(crate) enum Child {
    Piped(process::Child),
    InTerminal(Box<dyn portable_pty::Child + Send + Sync>),
}

/// A child that portable-pty started.
pub(crate) fn child_in_terminal(child: Box<dyn portable_pty::Child + Send + Sync>) -> Child {
    Child::InTerminal(child)
}

/// A child that std started.
pub(crate) fn child_with_pipes(child: process::Child) -> Child {
    Child::Piped(child)
}

impl Child {
    pub(crate) fn id(&self) -> u32 {
        match self {
            Self::Piped(child) => child.id(),
            Self::InTerminal(child) => child.process_id().unwrap_or_default(),
        }
    }

    pub(crate) fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        match self {
            Self::Piped(child) => child.try_wait(),
            Self::InTerminal(child) => {
                let status = child.try_wait()?;
                Ok(status.map(|status| ExitStatus::from_raw(status.exit_code())))
            }
        }
    }

    pub(crate) fn wait(&mut self) -> io::Result<ExitStatus> {
        loop {
            match self.try_wait()? {
                Some(status) => return Ok(status),
                None => thread::sleep(WAIT_POLL),
            }
        }
    }
}

/// Ends the child, whatever the signal: a console event would reach all programs of the console, the test included.
pub(crate) fn send(child: &mut Child, _: Signal) {
    // It fails if the child has just ended.
    let _ = match child {
        Child::Piped(child) => child.kill(),
        Child::InTerminal(child) => child.kill(),
    };
}

/// Waits until `try_wait` sees the child's end.
pub(crate) fn await_end(_pid: u32, mut try_wait: impl FnMut() -> bool) {
    while !try_wait() {
        thread::sleep(WAIT_POLL);
    }
}

/// The exit status of a process that [`send`] ended.
const KILLED: i32 = 1;

/// Whether the test ended a process by this signal, the last one that it sent.
pub(crate) fn ended_by(signal: Signal, status: ExitStatus, sent: Option<Signal>) -> bool {
    sent == Some(signal) && status.code() == Some(KILLED)
}

/// Whether a process ended with exit status 0. Who is asked to stop is killed here, and cannot say how that went.
pub(crate) fn succeeded(status: ExitStatus, sent: Option<Signal>) -> bool {
    status.success() || ended_by(Signal::TERM, status, sent)
}

/// STATUS_CONTROL_C_EXIT.
const CONTROL_C_EXIT: u32 = 0xC000_013A;

/// Whether Ctrl-C ended a program that does nothing about it.
pub fn is_interrupted(status: ExitStatus) -> bool {
    status.code() == Some(CONTROL_C_EXIT.cast_signed())
}
