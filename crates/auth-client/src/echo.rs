//! The echo of the terminal that is standard input: off while a password is typed, and on again whatever happens.

use std::io::{self, stdin};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// Shared with whoever ends the program on Ctrl-C.
#[derive(Debug, Default)]
pub struct Echo {
    /// How the terminal was, while its echo is off.
    before: Mutex<Option<Termios>>,
}

impl Echo {
    /// Turns the echo off until the guard is dropped.
    ///
    /// # Errors
    ///
    /// When standard input is no terminal, or does not obey.
    pub(crate) fn hide(&self) -> io::Result<Hidden<'_>> {
        let now = tcgetattr(stdin())?;
        let mut quiet = now.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        let mut before = self.before();
        tcsetattr(stdin(), OptionalActions::Now, &quiet)?;
        *before = Some(now);
        Ok(Hidden { echo: self })
    }

    /// Makes the terminal as it was.
    pub fn restore(&self) {
        if let Some(before) = self.before().take() {
            // A terminal that is gone needs no echo.
            let _ = tcsetattr(stdin(), OptionalActions::Now, &before);
        }
    }

    fn before(&self) -> MutexGuard<'_, Option<Termios>> {
        self.before.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// While it lives, nothing that is typed is shown.
pub(crate) struct Hidden<'a> {
    echo: &'a Echo,
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        self.echo.restore();
    }
}
