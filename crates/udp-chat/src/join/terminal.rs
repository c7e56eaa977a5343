//! The conversation in a terminal: messages above, the line being typed below, once the member has
//! joined.
//!
//! Two threads stand between the conversation and the terminal, one that edits and one that
//! prints, so that a terminal that has stopped stops these alone.

mod editor;
mod look;
mod modes;
mod roster;
mod stage;

use std::io::{self, IsTerminal, Write};
use std::panic;
use std::process;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use log::{Log, Metadata, Record};

use super::backlog::Backlog;
use super::input::Input;
use super::output::Output;
use super::shown::Shown;
use crate::nick::Nick;
use editor::{Above, Editor, lock};
use look::Look;
use modes::Modes;
pub(super) use modes::echoes;
use roster::Roster;
use stage::{Stage, Way};

/// How long the end waits for a terminal that does not take what is written to it.
const PATIENCE: Duration = Duration::from_secs(1);

/// The status of a program that panicked.
const PANICKED: i32 = 101;

pub(super) struct Terminal {
    backlog: Arc<Backlog>,
    look: Arc<Mutex<Look>>,
    roster: Arc<Mutex<Roster>>,
    stage: Arc<Stage>,
    modes: Modes,
    /// Closed by the printing thread at its end.
    printed: Receiver<()>,
}

impl Terminal {
    /// Takes the terminal over, if stdin and stdout are one that can do more than print lines.
    pub(super) fn start(nick: &Nick, inputs: &SyncSender<Input>) -> io::Result<Option<Self>> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Ok(None);
        }
        let stage = Arc::new(Stage::new());
        let roster = Arc::new(Mutex::new(Roster::new(nick.clone())));
        let Ok((editor, above)) = Editor::new(Arc::clone(&stage), Arc::clone(&roster)) else {
            return Ok(None);
        };
        let modes = Modes::save()?;
        restore_at_panic(modes.clone());
        let backlog = Arc::new(Backlog::default());
        let (is_printed, printed) = mpsc::channel();
        let printer = thread::Builder::new().name("printer".into());
        let printing = printer.spawn({
            let (backlog, stage) = (Arc::clone(&backlog), Arc::clone(&stage));
            move || {
                print(&backlog, &stage, above);
                drop::<mpsc::Sender<()>>(is_printed);
            }
        });
        printing
            .and_then(|_| editor.start(inputs.clone()))
            .inspect_err(|_| modes.restore())?;
        let look = Look::new(wants_colours(), TimeZone::system());
        Ok(Some(Self {
            backlog,
            look: Arc::new(Mutex::new(look)),
            roster,
            stage,
            modes,
            printed,
        }))
    }

    /// Where service messages go while the terminal shows the conversation.
    pub(super) fn notes(&self) -> impl Log + 'static {
        Notes {
            backlog: Arc::clone(&self.backlog),
            look: Arc::clone(&self.look),
        }
    }
}

impl Output for Terminal {
    /// Always: what a stopped terminal has no room for is dropped, and told.
    fn is_ready(&self) -> bool {
        true
    }

    fn show(&mut self, shown: &Shown) {
        if let Shown::You { .. } = shown {
            // Before the line, whose printing it waits for.
            self.stage.open();
        }
        let mut roster = lock(&self.roster);
        roster.learn(shown);
        let mut look = self.look.lock().unwrap_or_else(PoisonError::into_inner);
        let line = look.line(shown, roster.own().as_str(), Timestamp::now());
        self.backlog.offer(line);
    }

    fn is_for_a_person(&self) -> bool {
        true
    }

    fn misses(&self, nick: &str) -> bool {
        !lock(&self.roster).has(nick)
    }

    fn close(self) {
        self.backlog.close();
        // Nothing is ever sent: it returns when the printer ends, or when patience does.
        let _ = self.printed.recv_timeout(PATIENCE);
        let was_editing = self.stage.take_over(PATIENCE);
        self.modes.restore();
        if was_editing {
            // What was half typed stays to be seen; the shell's prompt goes below.
            let _ = writeln!(io::stdout());
        }
    }
}

/// Prints what comes, as long as it comes.
fn print(backlog: &Backlog, stage: &Stage, mut above: Above) {
    while let Some(batch) = backlog.take() {
        let mut text = batch.text;
        if batch.dropped > 0 {
            let dropped = match batch.dropped {
                1 => "1 line was".to_owned(),
                lines => format!("{lines} lines were"),
            };
            text += &format!("! {dropped} dropped while the terminal stood still\n");
        }
        let printed = match stage.await_way() {
            Way::Above { painted } => {
                let printed = above.print(text);
                stage.await_paint(painted, PATIENCE);
                printed.is_ok()
            }
            Way::Directly => {
                let mut stdout = io::stdout();
                let written = stdout.write_all(text.as_bytes());
                let printed = written.and_then(|()| stdout.flush());
                stage.printed();
                printed.is_ok()
            }
        };
        if !printed {
            return; // The terminal is gone, which ends the conversation by a signal.
        }
    }
}

/// A panic anywhere ends the program, with the terminal as it was.
fn restore_at_panic(modes: Modes) {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        modes.restore();
        usual(info);
        process::exit(PANICKED);
    }));
}

/// Colours are left out when a person says so (no-color.org).
fn wants_colours() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Service messages among the others.
struct Notes {
    backlog: Arc<Backlog>,
    look: Arc<Mutex<Look>>,
}

impl Log for Notes {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let text = record.args().to_string();
            let mut look = self.look.lock().unwrap_or_else(PoisonError::into_inner);
            let line = look.note(&text, Timestamp::now());
            self.backlog.offer(line);
        }
    }

    fn flush(&self) {}
}
