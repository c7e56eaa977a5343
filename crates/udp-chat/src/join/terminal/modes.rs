//! The terminal as it was found, to be left so on every way out.

use std::io::{self, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// Ends what the line editor asks of a terminal beyond its modes: marks around pasted text.
const PASTE_UNMARKED: &str = "\x1b[?2004l";

#[derive(Clone)]
pub(super) struct Modes(Termios);

impl Modes {
    /// Of the terminal that is stdin, which echoes nothing from now on: the editor shows what is
    /// typed, and between two of its lines an echo would land in the middle of a message.
    pub(super) fn save() -> io::Result<Self> {
        let found = tcgetattr(io::stdin())?;
        let mut silent = found.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Now, &silent)?;
        Ok(Self(found))
    }

    /// Gives the terminal back as it was, at once: the output of a stopped one is not waited for.
    pub(super) fn restore(&self) {
        // If it fails the terminal is gone, and nobody is there to be told.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
        let _ = io::stdout().write_all(PASTE_UNMARKED.as_bytes());
        let _ = io::stdout().flush();
    }
}

/// Whether stdin is a terminal that shows by itself what is typed, Ctrl-C too.
pub(in super::super) fn echoes() -> bool {
    tcgetattr(io::stdin()).is_ok_and(|modes| modes.local_modes.contains(LocalModes::ECHO))
}
