//! The conversation without a terminal: lines on stdout, in the words that scripts know.
//!
//! Nothing is dropped here. A reader that is slow slows the server down: see
//! [`Output::is_ready`].

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread::{self, JoinHandle};

use super::backlog::Backlog;
use super::display::DisplayEvent;
use super::input::Input;
use super::output::Output;

pub(super) struct PipeOutput {
    backlog: Arc<Backlog>,
    printer: JoinHandle<()>,
}

impl PipeOutput {
    /// Prints on `stdout` from a thread of its own. A failure becomes an
    /// [`Input::OutputFailed`].
    pub(super) fn start(
        mut stdout: impl Write + Send + 'static,
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
        Ok(Self { backlog, printer })
    }
}

impl Output for PipeOutput {
    fn is_ready(&self) -> bool {
        self.backlog.has_room()
    }

    fn show(&mut self, event: &DisplayEvent) {
        match event {
            event if event.is_hidden() => {}
            DisplayEvent::Hint(_) => {
                // Nobody may be there to read it.
                let _ = writeln!(io::stderr(), "{event}");
            }
            DisplayEvent::You { .. } | DisplayEvent::Found(_) => {}
            _ => self.backlog.push(format!("{event}\n")),
        }
    }

    fn clear(&mut self) {}

    fn is_for_a_person(&self) -> bool {
        false
    }

    /// Never: who is here is not kept for a file.
    fn misses(&self, _: &str) -> bool {
        false
    }

    fn close(self) {
        self.backlog.close();
        // It printed all it could.
        let _ = self.printer.join();
    }
}
