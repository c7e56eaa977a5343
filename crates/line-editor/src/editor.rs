//! What keys do to a line: edit it, and recall earlier lines. It draws nothing and reads nothing.

use crate::history::History;
use crate::keys::Key;
use crate::line::Line;

/// A line that is being typed, and the lines before it.
#[derive(Debug, Default)]
pub struct Editor {
    line: Line,
    history: History,
    /// The last deleted text, for Ctrl-Y.
    deleted: String,
}

/// What a key did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edited {
    /// It edited the line, or moved the cursor.
    Done,
    /// The line is full, and stays as it was.
    Full,
    /// It is not for editing.
    Other(Key),
}

impl Editor {
    /// The line being typed.
    pub fn line(&self) -> &Line {
        &self.line
    }

    /// The line being typed, for changes.
    pub fn line_mut(&mut self) -> &mut Line {
        &mut self.line
    }

    /// Removes the line and remembers it, unless it is blank.
    pub fn accept(&mut self) -> String {
        let line = self.line.take();
        if !line.trim().is_empty() {
            self.history.add(&line);
        }
        line
    }

    /// Applies a key. Ctrl-D deletes a character, except in an empty line.
    pub fn edit(&mut self, key: Key) -> Edited {
        let line = &mut self.line;
        match key {
            Key::Character(character) => return inserted(line, character.encode_utf8(&mut [0; 4])),
            Key::Yank => return inserted(line, &self.deleted),
            Key::Left => line.left(),
            Key::Right => line.right(),
            Key::WordLeft => line.word_left(),
            Key::WordRight => line.word_right(),
            Key::Home => line.home(),
            Key::End => line.end(),
            Key::Up => {
                if let Some(older) = self.history.older(line.text()) {
                    line.set(older);
                }
            }
            Key::Down => {
                if let Some(newer) = self.history.newer() {
                    line.set(newer);
                }
            }
            Key::Backspace => line.backspace(),
            Key::EndOfInput if line.is_empty() => return Edited::Other(key),
            Key::Delete | Key::EndOfInput => line.delete(),
            Key::DeleteWordLeft => self.deleted = line.delete_word_left(),
            Key::DeleteWordRight => self.deleted = line.delete_word_right(),
            Key::DeleteToStart => self.deleted = line.delete_to_start(),
            Key::DeleteToEnd => self.deleted = line.delete_to_end(),
            key => return Edited::Other(key),
        }
        Edited::Done
    }
}

fn inserted(line: &mut Line, text: &str) -> Edited {
    match line.insert(text) {
        true => Edited::Done,
        false => Edited::Full,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::MAX_LINE_BYTES;

    fn press(editor: &mut Editor, keys: impl IntoIterator<Item = Key>) {
        for key in keys {
            assert_eq!(editor.edit(key), Edited::Done);
        }
    }

    fn typed(text: &str) -> impl Iterator<Item = Key> + '_ {
        text.chars().map(Key::Character)
    }

    #[test]
    fn lines_are_edited_and_recalled() {
        let mut editor = Editor::default();
        press(&mut editor, typed("привёт"));
        press(&mut editor, [Key::Left, Key::Backspace]);
        press(&mut editor, typed("е"));
        assert_eq!(editor.accept(), "привет");
        press(&mut editor, typed(" "));
        assert_eq!(editor.accept(), " ");
        press(&mut editor, typed("draft"));
        press(&mut editor, [Key::Up]);
        assert_eq!(editor.line().text(), "привет", "a blank line is not kept");
        press(&mut editor, [Key::Down]);
        assert_eq!(editor.line().text(), "draft");
    }

    #[test]
    fn deleted_words_come_back() {
        let mut editor = Editor::default();
        press(&mut editor, typed("one two"));
        press(&mut editor, [Key::DeleteWordLeft, Key::Home, Key::Yank]);
        assert_eq!(editor.line().text(), "twoone ");
    }

    #[test]
    fn ctrl_d_deletes_or_is_the_end_of_input() {
        let mut editor = Editor::default();
        press(&mut editor, typed("a"));
        press(&mut editor, [Key::Home, Key::EndOfInput]);
        let end = Edited::Other(Key::EndOfInput);
        assert_eq!(editor.edit(Key::EndOfInput), end);
        assert_eq!(editor.edit(Key::Tab), Edited::Other(Key::Tab));
    }

    #[test]
    fn a_full_line_takes_no_more() {
        let mut editor = Editor::default();
        editor.line_mut().set("x".repeat(MAX_LINE_BYTES));
        assert_eq!(editor.edit(Key::Character('y')), Edited::Full);
        assert_eq!(editor.line().text().len(), MAX_LINE_BYTES);
    }
}
