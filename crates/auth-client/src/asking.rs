//! The question that stands at the terminal: its prompt, and no echo while the answer is a password. Signals may come in between
//! that end the program, or bring it back to the foreground. What is asked is not known here.

use std::io::{self, Write, stderr, stdin};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use signal_hook::consts::SIGCONT;
use signal_hook::iterator::Signals;

/// Questions to a person at the terminal that is standard input and error, one after another. It is shared with whoever ends the
/// program on Ctrl-C.
#[derive(Debug, Default)]
pub struct Asking {
    open: Mutex<Option<Question>>,
}

/// A question without an answer.
#[derive(Debug)]
struct Question {
    prompt: String,
    /// How the terminal was before its echo was turned off, for a password.
    before: Option<Termios>,
}

impl Asking {
    /// Asks again whenever the program goes on after it was stopped (Ctrl-Z, then `fg`): the shell has had the terminal in the
    /// meantime, and has turned its echo on.
    ///
    /// # Errors
    ///
    /// When the system refuses the handler or the thread.
    pub fn go_on_after_stops(self: &Arc<Self>) -> io::Result<()> {
        let mut continued = Signals::new([SIGCONT])?;
        let asking = Arc::clone(self);
        let thread = thread::Builder::new().name("continued".into());
        thread.spawn(move || {
            for _ in continued.forever() {
                asking.ask_again();
            }
        })?;
        Ok(())
    }

    /// For the end of the program: leaves the question without an answer. The terminal is as it was, what is shown next begins a
    /// line, and nothing can be asked any more.
    pub fn break_off(&self) {
        let mut open = self.open();
        if close(&mut open) {
            let _ = writeln!(stderr());
        }
        // A password asked for between now and the end would leave the terminal without echo, so whoever asks waits for the end.
        mem::forget(open);
    }

    /// Shows a prompt. The question is open until the guard is dropped.
    pub(crate) fn ask(&self, prompt: &str) -> Asked<'_> {
        *self.open() = Some(Question {
            prompt: prompt.to_owned(),
            before: None,
        });
        show(prompt);
        Asked { asking: self }
    }

    /// Like [`ask`](Self::ask), and nothing that is typed is shown until the guard is dropped.
    ///
    /// # Errors
    ///
    /// When standard input is no terminal, or does not obey.
    pub(crate) fn ask_hidden(&self, prompt: &str) -> io::Result<Asked<'_>> {
        let before = tcgetattr(stdin())?;
        {
            let mut open = self.open();
            hide(&before)?;
            *open = Some(Question {
                prompt: prompt.to_owned(),
                before: Some(before),
            });
        }
        show(prompt);
        Ok(Asked { asking: self })
    }

    fn ask_again(&self) {
        let prompt = {
            let open = self.open();
            let Some(question) = &*open else { return };
            if let Some(before) = &question.before {
                // A terminal that is gone shows nothing.
                let _ = hide(before);
            }
            question.prompt.clone()
        };
        show(&prompt);
    }

    fn open(&self) -> MutexGuard<'_, Option<Question>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// While it lives, the question is open.
pub(crate) struct Asked<'a> {
    asking: &'a Asking,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        close(&mut self.asking.open());
    }
}

/// Makes the terminal as it was before the question; says whether there was one.
fn close(open: &mut Option<Question>) -> bool {
    let question = open.take();
    if let Some(before) = question
        .as_ref()
        .and_then(|question| question.before.as_ref())
    {
        // A terminal that is gone needs no echo.
        let _ = tcsetattr(stdin(), OptionalActions::Now, before);
    }
    question.is_some()
}

/// Makes the terminal as it was, but without echo.
fn hide(before: &Termios) -> io::Result<()> {
    let mut quiet = before.clone();
    quiet.local_modes.remove(LocalModes::ECHO);
    Ok(tcsetattr(stdin(), OptionalActions::Now, &quiet)?)
}

/// That nobody can read it does not matter.
fn show(prompt: &str) {
    let mut stderr = stderr();
    let _ = stderr.write_all(prompt.as_bytes());
    let _ = stderr.flush();
}
