//! The conversation in a terminal: messages above, the line being typed below.
//!
//! One thread owns the screen and edits the line; another reads keys. A terminal that has stopped
//! stops these alone: the conversation goes on.

mod console;
mod editor;
mod events;
mod format;
mod painter;
mod question;
mod roster;

use std::io::{self, ErrorKind, Read, Write};
use std::panic;
use std::process;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use cli::RetryWouldBlock;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use line_editor::{TerminalEvent, watch_terminal};
use log::{Log, Metadata, Record};
use trust::Question;

use super::display::DisplayEvent;
use super::input::Input;
use super::output::{Asked, Output};
use crate::nick::Nick;
use console::Console;
pub(super) use console::echoes;
use events::Events;
pub use format::Bell;
use format::{Format, Message};
use painter::Painter;
use roster::Roster;

/// How long the end waits for a terminal that does not take what is written to it.
const CLOSE_GRACE: Duration = Duration::from_secs(1);

/// The status of a program that panicked.
const PANICKED: i32 = 101;

pub(super) struct Terminal {
    events: Arc<Events>,
    format: Arc<Mutex<Format>>,
    roster: Arc<Mutex<Roster>>,
    console: Console,
    /// Closed by the thread that owns the screen, at its end.
    painted: Receiver<()>,
}

impl Terminal {
    /// Takes the terminal over, if stdin and stdout are one.
    pub(super) fn start(
        nick: &Nick,
        bell: Bell,
        inputs: &SyncSender<Input>,
    ) -> io::Result<Option<Self>> {
        let Some(console) = Console::open() else {
            return Ok(None);
        };
        let events = Arc::new(Events::default());
        let roster = Arc::new(Mutex::new(Roster::new(nick.clone())));
        let watched = Arc::clone(&events);
        watch_terminal(false, move |event| match event {
            TerminalEvent::Continued => watched.resume(),
            TerminalEvent::Resized | TerminalEvent::Leaving => watched.resize(),
        })?;
        restore_at_panic(console.clone());
        console.take_over()?;
        let is_coloured = !console.is_dumb() && wants_colours();
        let format = Format::new(is_coloured, bell, TimeZone::system());
        let format = Arc::new(Mutex::new(format));
        let painter = Painter::new(
            console.clone(),
            Arc::clone(&roster),
            Arc::clone(&format),
            inputs.clone(),
        );
        let (is_painted, painted) = mpsc::channel();
        let start_threads = || {
            let reading = Arc::clone(&events);
            let reader = thread::Builder::new().name("keys".into());
            reader.spawn(move || read_keys(&reading))?;
            let painting = Arc::clone(&events);
            let screen = thread::Builder::new().name("screen".into());
            screen.spawn(move || {
                painter.run(&painting);
                drop::<mpsc::Sender<()>>(is_painted);
            })?;
            io::Result::Ok(())
        };
        start_threads().inspect_err(|_| console.restore())?;
        Ok(Some(Self {
            events,
            format,
            roster,
            console,
            painted,
        }))
    }

    /// Where service messages go while the terminal shows the conversation.
    pub(super) fn logger(&self) -> impl Log + 'static {
        ScreenLogger {
            events: Arc::clone(&self.events),
            format: Arc::clone(&self.format),
        }
    }
}

impl Output for Terminal {
    /// Always: messages that a stopped terminal has no room for are dropped and counted.
    fn is_ready(&self) -> bool {
        true
    }

    fn show(&mut self, event: &DisplayEvent) {
        let mut roster = lock(&self.roster);
        roster.learn(event);
        if event.is_hidden() {
            return;
        }
        let mut format = lock(&self.format);
        let message = format.message(event, roster.own().as_str(), Timestamp::now());
        self.events.offer(message);
    }

    fn clear(&mut self) {
        self.events.clear();
    }

    fn is_for_a_person(&self) -> bool {
        true
    }

    fn ask_to_trust(&mut self, question: &Question) -> Asked {
        let text = question.to_string();
        // Only the last sentence is the prompt, so that it fits more terminals and can be asked again.
        let prompt_at = text.rfind(". ").map_or(0, |end| end + ". ".len());
        let (facts, prompt) = text.split_at(prompt_at);
        for line in facts.lines() {
            self.events.offer(Message::plain("", line.trim_end()));
        }
        self.events.ask(prompt);
        Asked::Later
    }

    fn ask_for_nick(&mut self, asks: bool) {
        let prompt = asks.then(|| "another nick: ".to_owned());
        self.events.set_prompt(prompt);
    }

    fn close(self) {
        self.events.close();
        // Nothing is ever sent: it returns when the thread ends, or when the time is over.
        let _ = self.painted.recv_timeout(CLOSE_GRACE);
        self.console.restore();
    }
}

/// Hands on every key until there are no more.
fn read_keys(events: &Events) {
    let mut buffer = [0; 1_024];
    loop {
        // Through std's buffer: it may hold keys that were typed after an answer.
        match RetryWouldBlock(io::stdin().lock()).read(&mut buffer) {
            Ok(0) => return events.end_keys(Ok(())),
            Ok(length) => events.push_keys(&buffer[..length]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return events.end_keys(Err(error)),
        }
    }
}

/// A panic anywhere ends the program, with the terminal as it was.
fn restore_at_panic(console: Console) {
    let default_hook = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        console.restore();
        let _ = writeln!(io::stdout());
        default_hook(info);
        process::exit(PANICKED);
    }));
}

/// Colours are left out when a person says so (no-color.org).
fn wants_colours() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    // Who is here and how wide names are may be out of date after a panic, and nothing worse.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Shows service messages among the others.
struct ScreenLogger {
    events: Arc<Events>,
    format: Arc<Mutex<Format>>,
}

impl Log for ScreenLogger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let text = record.args().to_string();
            let message = lock(&self.format).service(&text, Timestamp::now());
            self.events.offer(message);
        }
    }

    fn flush(&self) {}
}
