//! The blocking editor: prompts, lines and hidden answers on the terminal that is stdin and stderr.
//!
//! A thread that reads takes one line after another. Other threads may print at any time: their output appears above
//! the line. Every way out of the program, and every stop of it, gives the terminal back as it was.

mod lines;
mod output;
mod state;

use std::io::{self, IsTerminal, stderr, stdin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::console::{self, TerminalEvent};
pub use lines::Lines;
pub use output::OutputAbove;
use state::State;

/// The terminal of a program. Clones share it: one is for the reader of lines, one for the log, one for the handler of
/// Ctrl-C ([`break_off`](Self::break_off)).
///
/// Before [`start`](Self::start) it changes nothing and output passes through. A terminal that takes no escape
/// sequences (`TERM=dumb`) edits its lines itself, as terminals do; everything else is the same.
#[derive(Clone, Debug, Default)]
pub struct Terminal {
    state: Arc<Mutex<State>>,
}

impl Terminal {
    /// Takes the terminal over until the session is dropped; `None` unless stdin and stderr are a terminal, and the
    /// program is in the foreground.
    ///
    /// # Errors
    ///
    /// When the terminal's mode cannot be read, or the system refuses the signal handlers.
    pub fn start(&self) -> io::Result<Option<Session<'_>>> {
        if !stdin().is_terminal() || !stderr().is_terminal() || !console::is_in_foreground() {
            return Ok(None);
        }
        let watched = self.clone();
        console::watch_terminal(true, move |event| watched.react(event))?;
        self.lock_unless_ended().start()?;
        Ok(Some(Session { terminal: self }))
    }

    /// Whether lines are edited here, and not by the terminal itself.
    pub fn is_editing(&self) -> bool {
        self.lock().is_editing()
    }

    /// Shows a prompt before the line that is being typed, or before the next one. It is gone with the line.
    pub fn set_prompt(&self, prompt: &str) {
        self.lock_unless_ended().set_prompt(prompt);
    }

    /// Shows a prompt; what is typed is not shown until the guard is dropped. The terminal itself reads these lines,
    /// which are not remembered.
    ///
    /// # Errors
    ///
    /// When the terminal's echo cannot be turned off.
    pub fn ask_hidden(&self, prompt: &str) -> io::Result<HiddenPrompt<'_>> {
        self.lock_unless_ended().hide_input(prompt)?;
        Ok(HiddenPrompt { terminal: self })
    }

    /// What is typed, line by line.
    pub fn lines(&self) -> Lines {
        Lines::new(self.clone())
    }

    /// Output to the same terminal, which appears above the line that is being typed.
    pub fn output<W: io::Write>(&self, out: W) -> OutputAbove<W> {
        OutputAbove::new(self.clone(), out)
    }

    /// For the end of the program by a signal: the terminal is as it was, output begins on a new line, and nothing can
    /// be asked any more.
    pub fn break_off(&self) {
        self.lock().stop(true);
    }

    fn react(&self, event: TerminalEvent) {
        self.lock().react(event);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // After a panic the row may be out of date, which the next one repairs.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A question that began between [`break_off`](Self::break_off) and the end of the program would leave the terminal
    /// without echo, so its thread waits for the end.
    fn lock_unless_ended(&self) -> MutexGuard<'_, State> {
        loop {
            let state = self.lock();
            if !state.has_ended() {
                return state;
            }
            drop(state);
            thread::park();
        }
    }
}

/// While it lives, the terminal is taken over.
#[derive(Debug)]
pub struct Session<'a> {
    terminal: &'a Terminal,
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        self.terminal.lock().stop(false);
    }
}

/// While it lives, the terminal shows nothing of what is typed.
#[derive(Debug)]
pub struct HiddenPrompt<'a> {
    terminal: &'a Terminal,
}

impl Drop for HiddenPrompt<'_> {
    fn drop(&mut self) {
        self.terminal.lock().show_input();
    }
}
