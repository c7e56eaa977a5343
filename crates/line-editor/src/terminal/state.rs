//! What the terminal shows and in which mode it is, under one lock.

use std::io::{self, Stderr, Write, stderr};

use proto::Escaped;

use crate::console::{self, TerminalEvent, TerminalMode};
use crate::editor::{Edited, Editor};
use crate::keys::{Key, KeyParser, MAX_PASTE_BYTES};
use crate::screen::{MIN_LINE_SHARE, Screen};
use crate::width::text_columns;

#[derive(Debug)]
pub(super) struct State<W = Stderr> {
    /// The terminal's mode before the start; `None` before it and after the end.
    found: Option<TerminalMode>,
    /// Where the line is drawn, unless the terminal edits its lines itself.
    screen: Option<Screen<W>>,
    editor: Editor,
    keys: KeyParser,
    /// Empty if there is none.
    prompt: String,
    /// What is typed is not shown.
    is_hidden: bool,
    /// The last output has not ended its line.
    is_unended: bool,
    /// The program is in the background, where the terminal belongs to another.
    is_away: bool,
    has_ended: bool,
}

/// What ended a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    Line(String),
    EndOfInput,
}

impl<W> Default for State<W> {
    fn default() -> Self {
        Self {
            found: None,
            screen: None,
            editor: Editor::default(),
            keys: KeyParser::default(),
            prompt: String::new(),
            is_hidden: false,
            is_unended: false,
            is_away: false,
            has_ended: false,
        }
    }
}

impl State {
    pub(super) fn start(&mut self) -> io::Result<()> {
        let found = TerminalMode::of_stdin()?;
        // A terminal without echo belongs to a program that edits lines itself (Emacs), and gets whole lines.
        let is_editing = !console::is_dumb() && found.echoes() && found.keys().apply().is_ok();
        if is_editing {
            let columns = console::columns();
            self.screen = Some(Screen::new(stderr(), columns, false, visible));
        }
        self.found = Some(found);
        Ok(())
    }
}

impl<W: Write> State<W> {
    /// Gives the terminal back. What is shown stays, and the next output begins on a new line.
    pub(super) fn stop(&mut self, is_end: bool) {
        self.has_ended |= is_end;
        let Some(found) = self.found.take() else {
            return;
        };
        if !self.is_away {
            // If it fails the terminal is gone.
            let _ = found.apply();
            if self.has_row() {
                let _ = self.keep_row();
            }
        }
        self.screen = None;
        self.is_hidden = false;
    }

    pub(super) fn has_ended(&self) -> bool {
        self.has_ended
    }

    pub(super) fn is_editing(&self) -> bool {
        self.screen.is_some()
    }

    /// Whether the next line is edited here; the terminal itself reads hidden ones.
    pub(super) fn edits_next_line(&self) -> bool {
        self.screen.is_some() && !self.is_hidden
    }

    pub(super) fn set_prompt(&mut self, prompt: &str) {
        prompt.clone_into(&mut self.prompt);
        if !self.edits_next_line() {
            return show(prompt);
        }
        if let Some(screen) = &mut self.screen {
            screen.resize(console::columns());
            let (rows, last) = split_prompt(prompt, screen.row_columns());
            if !rows.is_empty() {
                screen.print(&rows);
            }
            last.clone_into(&mut self.prompt);
        }
        self.paint();
    }

    pub(super) fn hide_input(&mut self, prompt: &str) -> io::Result<()> {
        let found = self.found.clone().map_or_else(TerminalMode::of_stdin, Ok)?;
        found.without_echo().apply()?;
        if let Some(screen) = &mut self.screen {
            screen.erase();
            screen.flush()?;
        }
        prompt.clone_into(&mut self.prompt);
        self.is_hidden = true;
        show(prompt);
        Ok(())
    }

    /// Ends [`hide_input`](Self::hide_input). Enter had no echo either.
    pub(super) fn show_input(&mut self) {
        // After the end of the program began, the terminal is as it was.
        if std::mem::take(&mut self.is_hidden) {
            self.prompt.clear();
            self.apply_mode();
            show("\n");
        }
    }

    /// Handles the keys in `bytes` up to the end of a line, and draws once. Returns how many bytes that took.
    pub(super) fn press(&mut self, bytes: &[u8]) -> (usize, Option<End>) {
        for (index, byte) in bytes.iter().enumerate() {
            for key in self.keys.push(&[*byte]) {
                if let Some(end) = self.press_key(key) {
                    return (index + 1, Some(end));
                }
            }
        }
        self.paint();
        (bytes.len(), None)
    }

    pub(super) fn is_key_undecided(&self) -> bool {
        self.keys.is_undecided()
    }

    /// Nothing follows an undecided key.
    pub(super) fn decide_key(&mut self) {
        for key in self.keys.decide() {
            // Enter and Ctrl-D are never undecided.
            let _ = self.press_key(key);
        }
        self.paint();
    }

    fn press_key(&mut self, key: Key) -> Option<End> {
        let edited = match self.editor.edit(key) {
            Edited::Other(Key::Enter) => {
                let _ = self.keep_row();
                return Some(End::Line(self.editor.accept()));
            }
            Edited::Other(Key::EndOfInput) => {
                if self.has_row() {
                    let _ = self.keep_row();
                }
                return Some(End::EndOfInput);
            }
            // Where nothing is completed, a tab is text, and so is a paste.
            Edited::Other(Key::Tab) => self.editor.edit(Key::Character('\t')),
            Edited::Other(Key::Paste(text)) => {
                let text = text.replace('\n', " ");
                match self.editor.line_mut().insert(&text) {
                    true => Edited::Done,
                    false => Edited::Full,
                }
            }
            Edited::Other(Key::LongPaste(_)) => {
                self.note(&format!("not pasted: more than {MAX_PASTE_BYTES} bytes"));
                Edited::Done
            }
            Edited::Other(Key::ClearScreen) => {
                if let Some(screen) = &mut self.screen {
                    screen.clear();
                }
                Edited::Done
            }
            edited => edited,
        };
        if edited == Edited::Full {
            self.note("the line is full; a pipe or a file takes longer ones");
        }
        None
    }

    fn note(&mut self, text: &str) {
        if let Some(screen) = &mut self.screen {
            screen.print(&format!("{text}\n"));
        }
    }

    /// The terminal read a line itself, or the end of input.
    pub(super) fn end_plain_line(&mut self, is_end_of_input: bool) {
        if !self.is_hidden {
            self.prompt.clear();
            if is_end_of_input && self.found.is_some() {
                // Ctrl-D leaves the cursor after the prompt.
                show("\n");
            }
        }
    }

    /// Lets `print` write to the terminal, above the row.
    pub(super) fn print(
        &mut self,
        bytes: &[u8],
        print: impl FnOnce(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        if let Some(screen) = &mut self.screen {
            screen.erase();
            screen.flush()?;
        } else if self.found.is_some() && !self.prompt.is_empty() {
            // The cursor stands after a prompt that cannot be erased.
            self.prompt.clear();
            show("\n");
        }
        print(bytes)?;
        self.is_unended = !bytes.ends_with(b"\n");
        self.paint();
        Ok(())
    }

    pub(super) fn react(&mut self, event: TerminalEvent) {
        let Some(found) = &self.found else { return };
        match event {
            TerminalEvent::Resized => {
                self.forget_row();
                self.paint();
            }
            TerminalEvent::Leaving => {
                if let Some(screen) = &mut self.screen
                    && !self.is_hidden
                {
                    screen.erase();
                    let _ = screen.flush();
                }
                let _ = found.apply();
            }
            TerminalEvent::Continued => {
                self.is_away = !console::is_in_foreground();
                if self.is_away {
                    return;
                }
                self.apply_mode();
                self.forget_row();
                match self.edits_next_line() {
                    true => self.paint(),
                    false => show(&self.prompt),
                }
            }
        }
    }

    /// Something else may have changed the row.
    fn forget_row(&mut self) {
        if let Some(screen) = &mut self.screen
            && !self.is_unended
        {
            screen.forget();
        }
    }

    fn apply_mode(&self) {
        if let Some(found) = &self.found {
            // If it fails the terminal is gone.
            let _ = match (self.is_hidden, &self.screen) {
                (true, _) => found.without_echo().apply(),
                (false, Some(_)) => found.keys().apply(),
                (false, None) => found.apply(),
            };
        }
    }

    fn has_row(&self) -> bool {
        !self.prompt.is_empty() || !self.editor.line().is_empty()
    }

    /// Draws the prompt and the line. A terminal that is gone shows nothing; reading reports it.
    fn paint(&mut self) {
        let has_row = self.has_row();
        let (prompt, line) = (&self.prompt, self.editor.line());
        if let Some(screen) = &mut self.screen
            && !self.is_hidden
            && !self.is_away
        {
            if has_row && std::mem::take(&mut self.is_unended) {
                screen.print("\n");
            }
            if has_row || !self.is_unended {
                screen.resize(console::columns());
                screen.draw(prompt, Some(line));
            }
            let _ = screen.flush();
        }
    }

    /// Ends the row: it stays to be seen, and what follows begins on a new line.
    fn keep_row(&mut self) -> io::Result<()> {
        let prompt = std::mem::take(&mut self.prompt);
        let line = self.editor.line();
        match &mut self.screen {
            Some(screen) if !self.is_hidden => {
                screen.keep(&prompt, line);
                screen.flush()
            }
            _ => {
                if !prompt.is_empty() {
                    show("\n");
                }
                Ok(())
            }
        }
    }
}

/// Splits a prompt that leaves no room for a line: rows to print above, and what stands before the line.
fn split_prompt(prompt: &str, room: usize) -> (String, &str) {
    let (mut rows, mut rest) = (String::new(), prompt);
    while text_columns(rest) > room - room / MIN_LINE_SHARE {
        let blanks = rest.trim_end().match_indices(' ');
        let fits = |(at, _): &(usize, &str)| text_columns(&rest[..*at]) <= room;
        let Some((at, _)) = blanks.take_while(fits).last() else {
            break;
        };
        rows.push_str(&visible(&rest[..at]));
        rows.push('\n');
        rest = &rest[at + 1..];
    }
    (rows, rest)
}

fn visible(text: &str) -> String {
    Escaped::new(text).to_string()
}

/// A failure is ignored: the terminal is gone, and reading reports it.
fn show(text: &str) {
    let mut stderr = stderr();
    let _ = stderr.write_all(text.as_bytes());
    let _ = stderr.flush();
}

#[cfg(test)]
mod tests;
