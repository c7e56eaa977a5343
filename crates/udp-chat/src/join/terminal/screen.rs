//! What the terminal shows: messages, and below them one row with the prompt and the line.
//!
//! The line never takes more than its row: a long one is shown in part, around the cursor. So a
//! terminal that changes its size, or that is lower than the line is long, shows no row twice, and
//! no message is ever overwritten.

use std::io::{self, Write};

use unicode_segmentation::UnicodeSegmentation;

use super::super::wrap::{columns, wrap};
use super::format::Message;
use super::line::Line;
use crate::visible::visible;

/// A terminal that claims to be narrower is taken to be so wide.
const MIN_COLUMNS: usize = 8;

/// The row ends one column before the edge, where some terminals wrap and others do not.
const EDGE: usize = 1;

const LEFT_OUT_BEFORE: char = '<';
const LEFT_OUT_AFTER: char = '>';

const ERASE_ROW: &str = "\r\x1b[K";
const CLEAR_SCREEN: &str = "\x1b[H\x1b[2J";
/// Without it a text that the terminal draws wider than we think would go on in another row.
const WRAP_OFF: &str = "\x1b[?7l";
const WRAP_ON: &str = "\x1b[?7h";

pub(super) struct Screen<W> {
    out: W,
    columns: usize,
    /// Whether the terminal takes no escape sequences, just `\r` and `\n`.
    is_dumb: bool,
    /// The last row, as it is drawn.
    drawn: Option<Row>,
    /// What is to be written next.
    buffer: String,
}

/// A row as it is to be drawn.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    text: String,
    columns: usize,
    /// Where the cursor goes, in bytes of the text and in columns.
    cursor: (usize, usize),
}

impl<W: Write> Screen<W> {
    pub(super) fn new(out: W, columns: usize, is_dumb: bool) -> Self {
        Self {
            out,
            columns: columns.max(MIN_COLUMNS),
            is_dumb,
            drawn: None,
            buffer: String::new(),
        }
    }

    /// The terminal may have another width now.
    pub(super) fn resize(&mut self, columns: usize) {
        self.columns = columns.max(MIN_COLUMNS);
    }

    /// Draws the last row. Nothing appears before [`Screen::flush`].
    pub(super) fn draw(&mut self, prompt: &str, line: Option<&Line>) {
        let row = compose(prompt, line, self.columns - EDGE);
        let is_cursor_last = row.cursor.1 == row.columns;
        let appended = match &self.drawn {
            Some(drawn) if *drawn == row => return,
            Some(drawn) if is_cursor_last && drawn.cursor.1 == drawn.columns => {
                row.text.strip_prefix(&drawn.text)
            }
            _ => None,
        };
        if let Some(appended) = appended {
            self.buffer.push_str(appended);
        } else {
            self.erase();
            self.buffer.push_str(&row.text);
        }
        if !is_cursor_last && self.is_dumb {
            self.buffer.push('\r');
            self.buffer.push_str(&row.text[..row.cursor.0]);
        } else if !is_cursor_last {
            self.buffer.push_str(&format!("\r\x1b[{}C", row.cursor.1));
        }
        self.drawn = Some(row);
    }

    /// Empties the last row.
    pub(super) fn erase(&mut self) {
        let drawn = self.drawn.take();
        if !self.is_dumb {
            self.buffer.push_str(ERASE_ROW);
        } else if let Some(row) = drawn {
            let blanks = " ".repeat(row.columns);
            self.buffer.push_str(&format!("\r{blanks}\r"));
        }
    }

    /// Draws everything anew at the next [`Screen::draw`]: something else has changed the row.
    pub(super) fn forget(&mut self) {
        if !self.is_dumb {
            self.drawn = None;
        }
    }

    /// Prints messages where the last row was.
    pub(super) fn print(&mut self, messages: &[Message]) {
        self.erase();
        if !self.is_dumb {
            self.buffer.push_str(WRAP_OFF);
        }
        for message in messages {
            let room = self.columns - EDGE;
            // Below the text, so that no row can look like another message.
            let indent = message.head_columns.clamp(2, room / 2);
            let first = room.saturating_sub(message.head_columns);
            self.buffer.push_str(&message.head);
            for (index, text) in wrap(&message.text, first, room - indent).iter().enumerate() {
                if index > 0 {
                    self.buffer.push_str(&" ".repeat(indent));
                }
                self.buffer.push_str(&message.styled(text));
                self.buffer.push('\n');
            }
            if message.rings {
                self.buffer.push('\u{7}');
            }
        }
        if !self.is_dumb {
            self.buffer.push_str(WRAP_ON);
        }
    }

    /// Scrolls everything out of sight.
    pub(super) fn clear(&mut self) {
        if !self.is_dumb {
            self.buffer.push_str(CLEAR_SCREEN);
            self.drawn = None;
        }
    }

    /// Writes all that was drawn at once.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(self.buffer.as_bytes())?;
        self.buffer.clear();
        self.out.flush()
    }
}

/// The prompt and the part of the line around its cursor, in at most `limit` columns.
fn compose(prompt: &str, line: Option<&Line>, limit: usize) -> Row {
    let mut text = String::new();
    let mut width = 0;
    // A question is shown as far as it fits; a nick leaves half of the row to the line.
    let for_prompt = if line.is_some() { limit / 2 } else { limit };
    for grapheme in visible(prompt).graphemes(true) {
        if width + columns(grapheme) > for_prompt {
            break;
        }
        width += columns(grapheme);
        text.push_str(grapheme);
    }
    let Some(line) = line else {
        let cursor = (text.len(), width);
        return Row {
            text,
            columns: width,
            cursor,
        };
    };
    let (before, after) = line.text().split_at(line.cursor());
    let (before, after) = (cells(before), cells(after));
    let mut start = 0;
    if width + before.iter().map(|cell| cell.columns).sum::<usize>() + 1 > limit {
        // The cursor stands in the last third, so that both sides of it can be seen.
        let mut room = (limit - width) * 2 / 3;
        start = before.len();
        while start > 0 && before[start - 1].columns < room {
            start -= 1;
            room -= before[start].columns;
        }
        text.push(LEFT_OUT_BEFORE);
        width += 1;
    }
    for cell in &before[start..] {
        text.push_str(&cell.text);
        width += cell.columns;
    }
    let cursor = (text.len(), width);
    for (index, cell) in after.iter().enumerate() {
        let for_mark = usize::from(index + 1 < after.len());
        if width + cell.columns + for_mark > limit {
            text.push(LEFT_OUT_AFTER);
            width += 1;
            break;
        }
        text.push_str(&cell.text);
        width += cell.columns;
    }
    Row {
        text,
        columns: width,
        cursor,
    }
}

/// A grapheme as it is shown.
struct Cell {
    text: String,
    columns: usize,
}

fn cells(text: &str) -> Vec<Cell> {
    let cell = |grapheme: &str| {
        let text = visible(grapheme);
        let columns = text.graphemes(true).map(columns).sum();
        Cell { text, columns }
    };
    text.graphemes(true).map(cell).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(before: &str, after: &str) -> Line {
        let mut line = Line::default();
        line.insert(after);
        line.home();
        line.insert(before);
        line
    }

    fn message(text: &str) -> Message {
        Message::plain("12:00 <bo> ", text)
    }

    fn drawn(screen: &Screen<Vec<u8>>) -> &str {
        std::str::from_utf8(&screen.out).unwrap()
    }

    #[test]
    fn a_long_line_is_shown_around_its_cursor() {
        let text = |before: &str, after: &str| compose("me> ", Some(&line(before, after)), 19).text;
        assert_eq!(text("hello", ""), "me> hello");
        assert_eq!(text("hello, world of", ""), "me> < world of");
        assert_eq!(text("", "hello, world of mine"), "me> hello, world o>");
        assert_eq!(text("hello, wo", "rld of mine"), "me> hello, world o>");
        assert_eq!(
            text("hello, world of", " mine and yours"),
            "me> < world of min>"
        );
        let family = "👨\u{200d}👩\u{200d}👧";
        let row = compose("me> ", Some(&line(family, "\u{202e}\u{7}")), 30);
        assert_eq!(row.text, format!("me> {family}\\u{{202e}}\\x07"));
        let nick = "n".repeat(32);
        assert_eq!(
            compose(&nick, Some(&line("hi", "")), 20).text,
            "nnnnnnnnnnhi"
        );
    }

    #[test]
    fn rows_after_the_first_stand_below_the_text() {
        let mut screen = Screen::new(Vec::new(), 31, true);
        let padding = " ".repeat(40);
        screen.print(&[
            message(&format!("hi all{padding}12:00 <Anna> I lie")),
            message("short"),
        ]);
        screen.flush().unwrap();
        let rows: Vec<_> = drawn(&screen).lines().collect();
        let indent = " ".repeat(11);
        let forged = format!("{indent}12:00 <Anna> I lie");
        assert_eq!(rows, ["12:00 <bo> hi all", &forged, "12:00 <bo> short"]);
    }

    #[test]
    fn a_dumb_terminal_gets_no_escapes_and_no_blank_rows() {
        let mut screen = Screen::new(Vec::new(), 40, true);
        screen.draw("me> ", Some(&line("ha", "lf")));
        screen.print(&[message("hi")]);
        screen.draw("me> ", Some(&line("ha", "lf")));
        screen.flush().unwrap();
        let blanks = " ".repeat(8);
        let half = "me> half\rme> ha";
        let expected = format!("{half}\r{blanks}\r12:00 <bo> hi\n{half}");
        assert_eq!(drawn(&screen), expected);
    }

    proptest! {
        #[test]
        fn no_row_is_wider_than_the_terminal(
            prompt in "[a-zя山]{0,32}> ", before in "\\PC{0,60}", after in "\\PC{0,60}", limit in 8..90usize,
        ) {
            let row = compose(&prompt, Some(&line(&before, &after)), limit);
            let width: usize = row.text.graphemes(true).map(columns).sum();
            prop_assert!(width <= limit && row.columns <= limit + 1, "{row:?}");
            prop_assert!(row.cursor.1 <= row.columns);
        }
    }
}
