//! The conversation without a terminal: lines on stdout, in the words that scripts know.
//!
//! Nothing is dropped here. A reader that is slow slows the server down: see
//! [`Output::is_ready`].

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread::{self, JoinHandle};
use std::time::{SystemTime, UNIX_EPOCH};

use cli::ask_to_trust;
use trust::Question;

use super::backlog::Backlog;
use super::display::DisplayEvent;
use super::input::Input;
use super::json::json_line;
use super::output::{Asked, Output};

pub(super) struct PipeOutput {
    backlog: Arc<Backlog>,
    as_json: bool,
    printer: JoinHandle<()>,
}

impl PipeOutput {
    /// Prints on `stdout` from a thread of its own. A failure becomes an
    /// [`Input::OutputFailed`].
    pub(super) fn start(
        mut stdout: impl Write + Send + 'static,
        as_json: bool,
        inputs: SyncSender<Input>,
    ) -> io::Result<Self> {
        let backlog = Arc::new(Backlog::default());
        let lines = Arc::clone(&backlog);
        let printer = thread::Builder::new()
            .name("printer".into())
            .spawn(move || {
                while let Some(batch) = lines.take() {
                    let written = stdout.write_all(batch.text.as_bytes());
                    if let Err(error) = written.and_then(|()| stdout.flush()) {
                        // The conversation may be over already.
                        let _ = inputs.send(Input::OutputFailed(error));
                        return;
                    }
                    if batch.was_full {
                        // A full channel wakes the conversation, too.
                        let _ = inputs.try_send(Input::Wake);
                    }
                }
            })?;
        Ok(Self {
            backlog,
            as_json,
            printer,
        })
    }
}

impl Output for PipeOutput {
    fn is_ready(&self) -> bool {
        self.backlog.has_room()
    }

    fn show(&mut self, event: &DisplayEvent) {
        match event {
            event if event.is_hidden() && !self.as_json => {}
            DisplayEvent::Renamed {
                is_hidden: true, ..
            } => {}
            DisplayEvent::Hint(_) => {
                // Nobody may be there to read it.
                let _ = writeln!(io::stderr(), "{event}");
            }
            event if self.as_json => self.backlog.push(json_line(event, now())),
            DisplayEvent::You { .. } | DisplayEvent::Found(_) | DisplayEvent::Confirmed { .. } => {}
            _ => self.backlog.push(format!("{event}\n")),
        }
    }

    fn clear(&mut self) {}

    fn is_for_a_person(&self) -> bool {
        false
    }

    fn ask_to_trust(&mut self, question: &Question) -> Asked {
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Asked::Nobody;
        }
        // A person types lines here, and none is read before the server is joined.
        ask_to_trust(question).map_or(Asked::Nobody, Asked::Now)
    }

    fn ask_for_nick(&mut self, _: bool) {}

    fn close(self) {
        self.backlog.close();
        // It printed all it could.
        let _ = self.printer.join();
    }
}

/// The time in Unix milliseconds.
fn now() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
