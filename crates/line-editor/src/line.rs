//! The line being typed: a text and a cursor that stands between graphemes.

use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

/// The longest line. It bounds the work for each key, and keeps a stuck key harmless.
pub(crate) const MAX_LINE_BYTES: usize = 64 << 10;

/// A text, and where its cursor stands.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Line {
    text: String,
    cursor: usize,
}

impl Line {
    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the cursor stands, in bytes.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Replaces everything; the cursor goes to the end.
    pub fn set(&mut self, text: String) {
        self.cursor = text.len();
        self.text = text;
    }

    /// Empties the line and returns its text.
    pub fn take(&mut self) -> String {
        self.cursor = 0;
        std::mem::take(&mut self.text)
    }

    /// Inserts at the cursor; false if there is no room.
    pub fn insert(&mut self, text: &str) -> bool {
        if self.text.len() + text.len() > MAX_LINE_BYTES {
            return false;
        }
        self.text.insert_str(self.cursor, text);
        self.cursor += text.len();
        self.settle();
        true
    }

    /// Replaces what stands between `start` and the cursor; false if there is no room.
    pub fn complete(&mut self, start: usize, text: &str) -> bool {
        self.text.replace_range(start..self.cursor, "");
        self.cursor = start;
        self.insert(text)
    }

    /// Moves the cursor over the grapheme before it.
    pub fn left(&mut self) {
        self.cursor = self.before();
    }

    /// Moves the cursor over the grapheme after it.
    pub fn right(&mut self) {
        self.cursor = self.after();
    }

    /// Moves the cursor to the start of the word before it.
    pub fn word_left(&mut self) {
        self.cursor = self.word_start();
    }

    /// Moves the cursor to the end of the word after it.
    pub fn word_right(&mut self) {
        self.cursor = self.word_end();
    }

    /// Moves the cursor to the start.
    pub fn home(&mut self) {
        self.cursor = 0;
    }

    /// Moves the cursor to the end.
    pub fn end(&mut self) {
        self.cursor = self.text.len();
    }

    /// Deletes the grapheme before the cursor.
    pub fn backspace(&mut self) {
        self.remove(self.before(), self.cursor);
    }

    /// Deletes the grapheme after the cursor.
    pub fn delete(&mut self) {
        self.remove(self.cursor, self.after());
    }

    /// Deletes the word before the cursor, up to the blank before it, and returns it.
    pub fn delete_word_left(&mut self) -> String {
        let before = &self.text[..self.cursor];
        let word = before.trim_end();
        let start = word.rfind(char::is_whitespace).map_or(0, |at| {
            at + word[at..].chars().next().map_or(0, char::len_utf8)
        });
        self.remove(start, self.cursor)
    }

    /// Deletes up to the end of the word after the cursor, and returns it.
    pub fn delete_word_right(&mut self) -> String {
        self.remove(self.cursor, self.word_end())
    }

    /// Deletes everything before the cursor, and returns it.
    pub fn delete_to_start(&mut self) -> String {
        self.remove(0, self.cursor)
    }

    /// Deletes everything after the cursor, and returns it.
    pub fn delete_to_end(&mut self) -> String {
        self.remove(self.cursor, self.text.len())
    }

    fn remove(&mut self, start: usize, end: usize) -> String {
        let removed = self.text.drain(start..end).collect();
        self.cursor = start;
        self.settle();
        removed
    }

    /// Moves the cursor out of a grapheme that an edit joined. It looks at the text around the cursor alone, so that a
    /// long line takes no longer for each key.
    fn settle(&mut self) {
        let mut boundary = GraphemeCursor::new(self.cursor, self.text.len(), true);
        // With the whole text at hand, neither call fails.
        if boundary.is_boundary(&self.text, 0) == Ok(false)
            && let Ok(Some(end)) = boundary.next_boundary(&self.text, 0)
        {
            self.cursor = end;
        }
    }

    fn before(&self) -> usize {
        let before = self.text[..self.cursor].grapheme_indices(true).next_back();
        before.map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        let next = self.text[self.cursor..].graphemes(true).next();
        self.cursor + next.map_or(0, str::len)
    }

    /// The start of the word before the cursor.
    fn word_start(&self) -> usize {
        let mut words = self.text[..self.cursor].unicode_word_indices();
        words.next_back().map_or(0, |(at, _)| at)
    }

    /// The end of the word after the cursor.
    fn word_end(&self) -> usize {
        let next = self.text[self.cursor..].unicode_word_indices().next();
        next.map_or(self.text.len(), |(at, word)| self.cursor + at + word.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(before: &str, after: &str) -> Line {
        Line {
            text: format!("{before}{after}"),
            cursor: before.len(),
        }
    }

    #[test]
    fn the_cursor_goes_by_graphemes_and_words() {
        let mut edited = line("hi 👨\u{200d}👩\u{200d}👧", "");
        edited.left();
        assert_eq!(edited, line("hi ", "👨\u{200d}👩\u{200d}👧"));
        edited.delete();
        edited.insert("e\u{301}");
        edited.backspace();
        assert_eq!(edited, line("hi ", ""));
        let mut edited = line("one, two ", "three");
        edited.word_left();
        assert_eq!(edited, line("one, ", "two three"));
        edited.word_right();
        edited.word_right();
        assert_eq!(edited, line("one, two three", ""));
        assert_eq!(edited.delete_word_left(), "three");
        assert_eq!(edited, line("one, two ", ""));
    }

    #[test]
    fn there_is_a_limit() {
        let mut line = Line::default();
        assert!(line.insert(&"x".repeat(MAX_LINE_BYTES)));
        assert!(!line.insert("y"));
        assert_eq!(line.take().len(), MAX_LINE_BYTES);
    }

    proptest! {
        #[test]
        fn no_edit_leaves_the_cursor_inside_a_grapheme(
            edits in prop::collection::vec((0..14u8, "[ aя\u{301}\u{200d}👩🇺🇦]{0,3}"), 0..40),
        ) {
            let mut line = Line::default();
            for (edit, text) in edits {
                match edit {
                    0..5 => drop(line.insert(&text)),
                    5 => line.left(),
                    6 => line.right(),
                    7 => line.word_left(),
                    8 => line.word_right(),
                    9 => line.backspace(),
                    10 => line.delete(),
                    11 => drop(line.delete_word_left()),
                    12 => drop(line.delete_word_right()),
                    _ => line.home(),
                }
                let mut cuts = line.text.grapheme_indices(true).map(|(at, _)| at);
                prop_assert!(line.cursor == line.text.len() || cuts.any(|at| at == line.cursor));
            }
        }
    }
}
