//! The line editor: a thread of its own that turns keys into lines.

use std::borrow::Cow;
use std::io;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rustyline::completion::Completer;
use rustyline::config::Configurer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::DefaultHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{ColorMode, CompletionType, Config, Context, ExternalPrinter, Helper};

use super::super::command::Command;
use super::super::input::Input;
use super::roster::Roster;
use super::stage::Stage;

/// How many lines can be called back.
const MAX_HISTORY: usize = 1_000;

/// Prints above the line.
pub(super) type Above = Box<dyn ExternalPrinter + Send>;

/// The terminal's line editor, not begun yet.
pub(super) struct Editor {
    editor: rustyline::Editor<Hooks, DefaultHistory>,
    stage: Arc<Stage>,
    roster: Arc<Mutex<Roster>>,
}

impl Editor {
    /// Fails on a terminal that cannot do more than print lines.
    pub(super) fn new(
        stage: Arc<Stage>,
        roster: Arc<Mutex<Roster>>,
    ) -> Result<(Self, Above), ReadlineError> {
        let config = Config::builder()
            .completion_type(CompletionType::List)
            // It colours nothing by itself; without colours it would not call the hooks.
            .color_mode(ColorMode::Forced)
            .build();
        let mut editor = rustyline::Editor::with_config(config)?;
        editor.set_max_history_size(MAX_HISTORY)?;
        editor.set_auto_add_history(true);
        editor.set_helper(Some(Hooks {
            stage: Arc::clone(&stage),
            roster: Arc::clone(&roster),
        }));
        let above = Box::new(editor.create_external_printer()?);
        let editor = Self {
            editor,
            stage,
            roster,
        };
        Ok((editor, above))
    }

    /// Hands on each line until there are no more.
    pub(super) fn start(mut self, inputs: SyncSender<Input>) -> io::Result<()> {
        let thread = thread::Builder::new().name("editor".into());
        thread.spawn(move || self.run(&inputs))?;
        Ok(())
    }

    fn run(&mut self, inputs: &SyncSender<Input>) {
        while self.stage.enter() {
            let prompt = format!("{}> ", lock(&self.roster).own());
            let read = self.editor.readline(&prompt);
            self.stage.leave();
            let last = match read {
                Ok(text) => {
                    // A pasted text may have several.
                    for line in text.lines().filter(|line| !line.trim().is_empty()) {
                        if inputs.send(Input::Line(Ok(line.to_owned()))).is_err() {
                            return;
                        }
                    }
                    if !text
                        .lines()
                        .any(|line| Command::parse(line) == Ok(Command::Quit))
                    {
                        continue;
                    }
                    Input::LinesEnded
                }
                Err(ReadlineError::Eof) => Input::LinesEnded,
                Err(ReadlineError::Interrupted) => Input::Interrupted,
                Err(ReadlineError::Io(error)) => Input::LinesBroken(error),
                Err(error) => Input::LinesBroken(io::Error::other(error)),
            };
            self.stage.end();
            // The conversation may be over already.
            let _ = inputs.send(last);
            return;
        }
    }
}

/// What the editor asks and tells while it edits.
struct Hooks {
    stage: Arc<Stage>,
    roster: Arc<Mutex<Roster>>,
}

impl Helper for Hooks {}

impl Completer for Hooks {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(lock(&self.roster).complete(line, position))
    }
}

impl Hinter for Hooks {
    type Hint = String;
}

impl Validator for Hooks {
    /// Called at Enter, before anything moves.
    fn validate(&self, _: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        self.stage.leave();
        Ok(ValidationResult::Valid(None))
    }
}

impl Highlighter for Hooks {
    /// Called whenever the line is painted.
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        self.stage.painted();
        Cow::Borrowed(prompt)
    }
}

pub(super) fn lock(roster: &Mutex<Roster>) -> std::sync::MutexGuard<'_, Roster> {
    // It only helps typing: half learnt is good enough.
    roster.lock().unwrap_or_else(PoisonError::into_inner)
}
