//! The thread that owns the screen: it prints messages and turns keys into lines.

use std::io::{self, Stdout};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cli::RetryWouldBlock;
use jiff::Timestamp;
use line_editor::{Key, KeyParser, Screen, grapheme_columns};
use unicode_segmentation::UnicodeSegmentation;

use super::super::input::Input;
use super::console::Console;
use super::editor::{Action, Editor};
use super::events::{Events, Pending};
use super::format::{Format, Message};
use super::lock;
use super::roster::Roster;
use crate::visible::visible;

/// How long the rest of an escape sequence is waited for; then Escape was a key.
const KEY_GRACE: Duration = Duration::from_millis(50);

/// How long the job may take to stop. It may not stop at all: nobody could continue it.
const STOP_GRACE: Duration = Duration::from_secs(1);

pub(super) struct Painter {
    console: Console,
    screen: Screen<RetryWouldBlock<Stdout>>,
    keys: KeyParser,
    editor: Editor,
    roster: Arc<Mutex<Roster>>,
    format: Arc<Mutex<Format>>,
    /// The prompt, if it is not the nick.
    prompt: Option<String>,
    inputs: SyncSender<Input>,
    /// The last question that did not fit its row, and stands above.
    printed_question: Option<String>,
    /// Whether the terminal is ours; it is not while the job is in the background.
    has_terminal: bool,
}

impl Painter {
    pub(super) fn new(
        console: Console,
        roster: Arc<Mutex<Roster>>,
        format: Arc<Mutex<Format>>,
        inputs: SyncSender<Input>,
    ) -> Self {
        let screen = Screen::new(
            RetryWouldBlock(io::stdout()),
            line_editor::columns(),
            console.is_dumb(),
            visible,
        );
        Self {
            console,
            screen,
            keys: KeyParser::default(),
            editor: Editor::default(),
            roster,
            format,
            prompt: None,
            printed_question: None,
            inputs,
            has_terminal: true,
        }
    }

    /// Paints until the conversation is over, or the terminal is gone; that ends the conversation
    /// by a signal.
    pub(super) fn run(mut self, events: &Events) {
        let mut painted = self.paint();
        while painted.is_ok() {
            let limit = self.keys.is_undecided().then_some(KEY_GRACE);
            let pending = events.take(limit);
            let is_closed = pending.closed;
            painted = self.step(pending, events);
            if is_closed {
                let _ = painted.and_then(|()| self.leave());
                return;
            }
        }
    }

    fn step(&mut self, pending: Pending, events: &Events) -> io::Result<()> {
        self.screen.resize(line_editor::columns());
        if pending.resumed {
            self.resume()?;
        }
        if pending.resized {
            self.screen.forget();
        }
        if pending.cleared {
            self.screen.clear();
        }
        let mut messages = Vec::from(pending.messages);
        if pending.dropped > 0 {
            let dropped = match pending.dropped {
                1 => "1 message was".to_owned(),
                messages => format!("{messages} messages were"),
            };
            let text = format!("{dropped} dropped while the terminal stood still");
            messages.push(Message::plain("! ", &text));
        }
        if !messages.is_empty() {
            self.print(&messages);
        }
        if let Some(prompt) = pending.question {
            self.editor.ask(prompt);
        }
        if let Some(prompt) = pending.prompt {
            self.prompt = prompt;
        }
        let keys = match pending.keys.is_empty() {
            true => self.keys.decide(),
            false => self.keys.push(&pending.keys),
        };
        for key in keys {
            self.press(key, events)?;
        }
        if let Some(end) = pending.keys_ended {
            self.editor.close();
            self.send(end.map_or_else(Input::LinesBroken, |()| Input::LinesEnded));
        }
        self.paint()
    }

    fn press(&mut self, key: Key, events: &Events) -> io::Result<()> {
        let roster = Arc::clone(&self.roster);
        let complete = move |line: &str, cursor: usize| lock(&roster).complete(line, cursor);
        for action in self.editor.handle(key, &complete) {
            self.perform(action, events)?;
        }
        Ok(())
    }

    fn perform(&mut self, action: Action, events: &Events) -> io::Result<()> {
        match action {
            Action::Typed(line) => {
                self.print_own(&line);
                self.send(Input::Line(Ok(line)));
            }
            Action::Pasted { texts, to } => {
                for text in &texts {
                    match &to {
                        Some(to) => self.print_own(&format!("/msg {to} {text}")),
                        None => self.print_own(text),
                    }
                }
                self.send(Input::Texts { texts, to });
            }
            Action::Hint(text) => self.print(&[Message::plain("* ", &text)]),
            Action::Keep(text) => self.print(&[Message::plain("", &text)]),
            Action::Answered(answer) => self.send(Input::Answer(answer)),
            Action::Interrupt => self.send(Input::Interrupted),
            Action::EndOfInput => self.send(Input::LinesEnded),
            Action::ClearScreen => self.screen.clear(),
            Action::Suspend => self.suspend(events)?,
        }
        Ok(())
    }

    fn print(&mut self, messages: &[Message]) {
        let room = self.screen.row_columns();
        let rows: String = messages.iter().map(|message| message.rows(room)).collect();
        self.screen.print_rows(&rows);
    }

    /// A line stays to be seen as it was typed, with its time if it is part of the conversation and no answer.
    fn print_own(&mut self, line: &str) {
        let message = match &self.prompt {
            Some(prompt) => Message::plain(prompt, line),
            None => {
                let nick = lock(&self.roster).own().to_string();
                lock(&self.format).own(&nick, line, Timestamp::now())
            }
        };
        self.print(&[message]);
    }

    /// Gives the terminal back, stops the job, and takes the terminal again once it goes on.
    fn suspend(&mut self, events: &Events) -> io::Result<()> {
        self.screen.erase();
        self.screen.flush()?;
        self.console.restore();
        self.has_terminal = false;
        if line_editor::suspend().is_ok() {
            events.await_resumption(STOP_GRACE);
        }
        self.resume()
    }

    /// Takes the terminal, unless the job goes on in the background.
    fn resume(&mut self) -> io::Result<()> {
        self.screen.forget();
        self.has_terminal = line_editor::is_in_foreground();
        if self.has_terminal {
            self.console.take_over()?;
        }
        Ok(())
    }

    fn paint(&mut self) -> io::Result<()> {
        if !self.has_terminal || self.editor.is_closed() {
            self.screen.erase();
            return self.screen.flush();
        }
        let prompt = match self.editor.question() {
            Some(question) => self.fit_question(question),
            None => {
                self.printed_question = None;
                self.prompt()
            }
        };
        self.screen.draw(&prompt, Some(self.editor.line()));
        self.screen.flush()
    }

    /// A question as a prompt. One that is too wide loses its start, since its end says how to answer, and stands in
    /// full above.
    fn fit_question(&mut self, question: String) -> String {
        let fitted = end_of(&question, self.screen.row_columns() * 2 / 3);
        if fitted != question && self.printed_question.as_ref() != Some(&question) {
            self.print(&[Message::plain("", question.trim_end())]);
            self.printed_question = Some(question);
        }
        fitted
    }

    fn prompt(&self) -> String {
        let nick = || format!("{}> ", lock(&self.roster).own());
        self.prompt.clone().unwrap_or_else(nick)
    }

    /// A line that was not sent stays to be seen; the shell's prompt goes below.
    fn leave(&mut self) -> io::Result<()> {
        self.screen.erase();
        if !self.editor.unsent().is_empty() {
            let unsent = Message::plain(&self.prompt(), self.editor.unsent());
            self.print(&[unsent]);
        }
        self.screen.flush()
    }

    fn send(&self, input: Input) {
        // The conversation may be over already.
        let _ = self.inputs.send(input);
    }
}

/// A prompt as it is shown, without its start if it takes more than `columns`.
fn end_of(prompt: &str, columns: usize) -> String {
    let shown = visible(prompt);
    let mut width = 0;
    let mut start = shown.len();
    for (at, grapheme) in shown.grapheme_indices(true).rev() {
        width += grapheme_columns(grapheme);
        let for_mark = usize::from(at > 0);
        if width + for_mark > columns {
            return format!("<{}", &shown[start..]);
        }
        start = at;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_prompt_keeps_its_end() {
        assert_eq!(end_of("Trust it? [y/N] ", 16), "Trust it? [y/N] ");
        assert_eq!(end_of("Trust it? [y/N] ", 15), "<ust it? [y/N] ");
        assert_eq!(end_of("山山 [y/N] ", 10), "<山 [y/N] ");
        assert_eq!(end_of("Trust it? [y/N] ", 3), "<] ");
        assert_eq!(end_of("a\u{7}", 5), "a\\x07");
    }
}
