//! Unix.

use std::io;
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Signal, getpgrp, kill_current_process_group};
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp,
    tcgetwinsize, tcsetattr,
};
use signal_hook::consts::{
    SIGALRM, SIGCONT, SIGIO, SIGPROF, SIGQUIT, SIGTSTP, SIGUSR1, SIGUSR2, SIGVTALRM, SIGWINCH,
    SIGXCPU,
};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use super::TerminalEvent;

/// How a terminal treats what is typed.
#[derive(Clone, Debug)]
pub struct TerminalMode(Termios);

impl TerminalMode {
    /// The mode of the terminal on stdin.
    ///
    /// # Errors
    ///
    /// When stdin is not a terminal.
    pub fn of_stdin() -> io::Result<Self> {
        Ok(Self(tcgetattr(io::stdin())?))
    }

    /// Gives the terminal on stdin this mode, at once.
    ///
    /// # Errors
    ///
    /// When the terminal is gone.
    pub fn apply(&self) -> io::Result<()> {
        Ok(tcsetattr(io::stdin(), OptionalActions::Now, &self.0)?)
    }

    /// Whether the terminal shows what is typed.
    pub fn echoes(&self) -> bool {
        self.0.local_modes.contains(LocalModes::ECHO)
    }

    /// The same mode without echo.
    pub fn without_echo(&self) -> Self {
        let mut mode = self.0.clone();
        mode.local_modes.remove(LocalModes::ECHO);
        Self(mode)
    }

    /// Keys come one by one, without echo. Ctrl-C, Ctrl-Z and Ctrl-\ still send signals, and Enter is `\n` as without
    /// this mode. Such a signal does not discard what was typed or written just before or after it, which the kernel
    /// otherwise does (NOFLSH in termios(3)).
    pub fn keys(&self) -> Self {
        let mut mode = self.0.clone();
        let (input, local) = (&mut mode.input_modes, &mut mode.local_modes);
        input.remove(InputModes::ISTRIP | InputModes::IXON);
        local.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::IEXTEN);
        local.insert(LocalModes::NOFLSH);
        mode.special_codes[SpecialCodeIndex::VMIN] = 1;
        mode.special_codes[SpecialCodeIndex::VTIME] = 0;
        Self(mode)
    }

    /// Keys come one by one, unchanged, without echo and without effect. Output modes stay as they are.
    pub fn raw(&self) -> Self {
        let Self(mut raw) = self.keys();
        let input = &mut raw.input_modes;
        input.remove(InputModes::BRKINT | InputModes::ICRNL | InputModes::INLCR);
        input.remove(InputModes::IGNCR);
        raw.local_modes
            .remove(LocalModes::ISIG | LocalModes::NOFLSH);
        Self(raw)
    }
}

pub(super) fn columns() -> Option<usize> {
    let size = tcgetwinsize(io::stdin()).ok();
    size.map(|size| usize::from(size.ws_col))
}

/// Whether the terminal on stdin belongs to this process's job. A background job that reads from the terminal or
/// changes it is stopped by the system (SIGTTIN, SIGTTOU).
pub fn is_in_foreground() -> bool {
    tcgetpgrp(io::stdin()).is_ok_and(|foreground| foreground == getpgrp())
}

/// Stops the whole job, as the terminal does at Ctrl-Z. It may return before the stop, which another thread may take;
/// [`TerminalEvent::Continued`] comes after it.
///
/// # Errors
///
/// When the system refuses the signal.
pub fn suspend() -> io::Result<()> {
    Ok(kill_current_process_group(Signal::TSTP)?)
}

/// Waits until stdin has something to read, at most for `limit`; true if it has.
pub(crate) fn wait_for_input(limit: Option<Duration>) -> io::Result<bool> {
    let limit = limit.map(Timespec::try_from).transpose();
    let limit = limit.map_err(io::Error::other)?;
    let stdin = io::stdin();
    match poll(&mut [PollFd::new(&stdin, PollFlags::IN)], limit.as_ref()) {
        Ok(count) => Ok(count > 0),
        // The caller reads again, and waits again.
        Err(Errno::INTR) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// Signals that end or stop a program unless it handles them. SIGINT, SIGTERM and SIGHUP are not among them: programs
/// handle those.
const LEAVING: [i32; 9] = [
    SIGALRM, SIGIO, SIGPROF, SIGQUIT, SIGTSTP, SIGUSR1, SIGUSR2, SIGVTALRM, SIGXCPU,
];

pub(super) fn watch(
    leaving: bool,
    react: impl Fn(TerminalEvent) + Send + 'static,
) -> io::Result<()> {
    let mut signals = Signals::new([SIGWINCH, SIGCONT])?;
    if leaving {
        for signal in LEAVING {
            signals.add_signal(signal)?;
        }
    }
    let thread = thread::Builder::new().name("terminal".into());
    thread.spawn(move || {
        for signal in signals.forever() {
            match signal {
                SIGWINCH => react(TerminalEvent::Resized),
                SIGCONT => react(TerminalEvent::Continued),
                signal => {
                    react(TerminalEvent::Leaving);
                    // It fails only for signals that signal-hook does not know.
                    let _ = emulate_default_handler(signal);
                }
            }
        }
    })?;
    Ok(())
}
