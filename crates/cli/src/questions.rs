//! Questions at a terminal whose answers may be hidden. Every way out of the program shows again what is typed.

use std::io::{self, Write, stderr};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::platform::{self, QuestionSignal, TerminalMode};

/// The question that a person at the terminal (stdin and stderr) is asked right now. Clones share it: one is for the
/// handler of Ctrl-C ([`break_off`](Self::break_off)).
#[derive(Clone, Debug, Default)]
pub struct Questions {
    open: Arc<Mutex<Option<Question>>>,
}

#[derive(Debug)]
struct Question {
    prompt: String,
    /// The terminal's mode before its echo was turned off for a password.
    before: Option<TerminalMode>,
}

impl Questions {
    /// Handles signals that end or stop the program while a question is open: the terminal gets its echo back, then the
    /// signal has its usual effect. When the program goes on (Ctrl-Z, then `fg`), it asks again. Does not handle the
    /// signals of [`exit_on_stop`](crate::exit_on_stop), which must call [`break_off`](Self::break_off).
    ///
    /// # Errors
    /// When the system refuses the handlers or the thread.
    pub fn watch_signals(&self) -> io::Result<()> {
        let questions = self.clone();
        platform::watch_question_signals(move |signal| match signal {
            QuestionSignal::LeavesTerminal => {
                if let Some(question) = &*questions.lock() {
                    question.restore();
                }
            }
            QuestionSignal::Continued => questions.ask_again(),
        })
    }

    /// For the end of the program: leaves the question without an answer. The terminal echoes again, output begins on a
    /// new line, and nothing can be asked any more.
    pub fn break_off(&self) {
        let mut open = self.lock();
        if let Some(question) = open.take() {
            question.restore();
            let _ = writeln!(stderr());
        }
        // A question that began between now and the end would leave the terminal without echo, so its thread waits for
        // the end.
        mem::forget(open);
    }

    /// Shows a prompt. The question is open until the guard is dropped.
    pub fn ask(&self, prompt: &str) -> OpenQuestion<'_> {
        *self.lock() = Some(Question {
            prompt: prompt.to_owned(),
            before: None,
        });
        show(prompt);
        OpenQuestion { questions: self }
    }

    /// Like [`ask`](Self::ask), and the terminal shows nothing of what is typed until the guard is dropped.
    ///
    /// # Errors
    /// When stdin is not a terminal, or its echo cannot be turned off.
    pub fn ask_hidden(&self, prompt: &str) -> io::Result<OpenQuestion<'_>> {
        let before = TerminalMode::of_stdin()?;
        {
            let mut open = self.lock();
            before.without_echo().apply()?;
            *open = Some(Question {
                prompt: prompt.to_owned(),
                before: Some(before),
            });
        }
        show(prompt);
        Ok(OpenQuestion { questions: self })
    }

    fn ask_again(&self) {
        let prompt = {
            let open = self.lock();
            let Some(question) = &*open else { return };
            if let Some(before) = &question.before {
                // If it fails the terminal is gone.
                let _ = before.without_echo().apply();
            }
            question.prompt.clone()
        };
        show(&prompt);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Question>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Question {
    fn restore(&self) {
        if let Some(before) = &self.before {
            // If it fails the terminal is gone.
            let _ = before.apply();
        }
    }
}

/// While it lives, the question is open.
#[derive(Debug)]
pub struct OpenQuestion<'a> {
    questions: &'a Questions,
}

impl Drop for OpenQuestion<'_> {
    fn drop(&mut self) {
        if let Some(question) = self.questions.lock().take() {
            question.restore();
        }
    }
}

/// A failure is ignored: then nobody can read the prompt.
fn show(prompt: &str) {
    let mut stderr = stderr();
    let _ = stderr.write_all(prompt.as_bytes());
    let _ = stderr.flush();
}
