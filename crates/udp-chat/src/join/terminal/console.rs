//! The terminal that is stdin and stdout, taken over for the conversation.

use std::io::{self, IsTerminal, Write};

use cli::RetryWouldBlock;
use line_editor::{TerminalMode, is_dumb};

/// Asks the terminal to mark pasted text.
const MARK_PASTES: &str = "\x1b[?2004h";

/// Ends what was asked of the terminal: marks around pastes, no wrapping.
const AS_USUAL: &str = "\x1b[?2004l\x1b[?7h";

/// A terminal whose keys come one by one and are not echoed, until it is restored.
#[derive(Clone)]
pub(super) struct Console {
    found: TerminalMode,
    is_dumb: bool,
}

impl Console {
    /// The terminal that is stdin and stdout, if it is one that shows what is typed. One that does not show it belongs
    /// to a program that edits lines itself (Emacs), and gets lines.
    pub(super) fn open() -> Option<Self> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return None;
        }
        let found = TerminalMode::of_stdin().ok().filter(TerminalMode::echoes)?;
        Some(Self {
            found,
            is_dumb: is_dumb(),
        })
    }

    pub(super) fn is_dumb(&self) -> bool {
        self.is_dumb
    }

    /// Takes the terminal over.
    pub(super) fn take_over(&self) -> io::Result<()> {
        self.found.raw().apply()?;
        if !self.is_dumb {
            RetryWouldBlock(io::stdout()).write_all(MARK_PASTES.as_bytes())?;
        }
        Ok(())
    }

    /// Gives the terminal back as it was, at once: the output of a stopped one is not waited for.
    pub(super) fn restore(&self) {
        // If it fails the terminal is gone, and nobody is there to see an error.
        let _ = self.found.apply();
        if !self.is_dumb {
            let _ = io::stdout().write_all(AS_USUAL.as_bytes());
            let _ = io::stdout().flush();
        }
    }
}

/// Whether stdin is a terminal that shows by itself what is typed, Ctrl-C too.
pub(in super::super) fn echoes() -> bool {
    TerminalMode::of_stdin().is_ok_and(|mode| mode.echoes())
}
