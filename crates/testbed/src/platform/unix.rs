//! Unix.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{self, ExitStatus};

use rustix::io::retry_on_intr;
pub use rustix::process::Signal;
use rustix::process::{Pid, WaitId, WaitIdOptions, kill_process, waitid};

/// A child process.
pub(crate) type Child = process::Child;

/// Starts a program.
pub(crate) fn spawn(command: &mut process::Command) -> io::Result<process::Child> {
    command.spawn()
}

/// A child that std started.
pub(crate) fn child_with_pipes(child: process::Child) -> Child {
    child
}

/// A child that portable-pty started.
pub(crate) fn child_in_terminal(child: Box<dyn portable_pty::Child>) -> Child {
    let child = child.downcast::<Child>().ok();
    *child.expect("portable-pty gives std's child on Unix")
}

/// Sends a signal to a child that is not reaped.
pub(crate) fn send(child: &mut Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).expect("a child that is not reaped takes signals");
}

/// Waits for the end of the child with this process id, without reaping it.
pub(crate) fn await_end(pid: u32, _try_wait: impl FnMut() -> bool) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let pid = pid.expect("a process id is positive");
    let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    retry_on_intr(|| waitid(WaitId::Pid(pid), ended)).expect("a child can be waited for");
}

/// Whether this signal ended a process.
pub(crate) fn ended_by(signal: Signal, status: ExitStatus, _sent: Option<Signal>) -> bool {
    status.signal() == Some(signal.as_raw())
}

/// Whether a process ended with exit status 0.
pub(crate) fn succeeded(status: ExitStatus, _sent: Option<Signal>) -> bool {
    status.success()
}

/// Whether Ctrl-C ended a program that does nothing about it.
pub fn is_interrupted(status: ExitStatus) -> bool {
    status.signal() == Some(Signal::INT.as_raw())
}
