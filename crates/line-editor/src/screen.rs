//! What the terminal shows: output, and below it one row with the prompt and the line.
//!
//! The line never takes more than its row: a long one is shown in part, around the cursor. So a terminal that changes
//! its size, or has fewer rows than the line would take, shows no row twice, and no output is overwritten.

use std::io::{self, Write};

use unicode_segmentation::UnicodeSegmentation;

use crate::line::Line;
use crate::width::{grapheme_columns, text_columns};

/// Makes text safe to show: what it returns must not control the terminal.
pub type Visible = fn(&str) -> String;

/// A terminal that claims to be narrower is taken to be so wide.
const MIN_COLUMNS: usize = 8;

/// The row ends one column before the edge, where some terminals wrap and others do not.
const EDGE: usize = 1;

/// A prompt that leaves the line less than this part of the row is cut to half of the row.
pub(crate) const MIN_LINE_SHARE: usize = 4;

const LEFT_OUT_BEFORE: char = '<';
const LEFT_OUT_AFTER: char = '>';

const ERASE_ROW: &str = "\r\x1b[K";
const CLEAR_SCREEN: &str = "\x1b[H\x1b[2J";
const WRAP_OFF: &str = "\x1b[?7l";
const WRAP_ON: &str = "\x1b[?7h";

/// The last row of a terminal, and what is printed above it. Nothing appears before [`flush`](Self::flush).
#[derive(Debug)]
pub struct Screen<W> {
    out: W,
    visible: Visible,
    columns: usize,
    /// Whether the terminal takes no escape sequences, just `\r` and `\n`.
    is_dumb: bool,
    /// The last row, as it is drawn; `None` if something else may have changed it.
    drawn: Option<Row>,
    /// What is to be written next.
    buffer: String,
}

/// A row as it is to be drawn.
#[derive(Debug, Default, PartialEq, Eq)]
struct Row {
    text: String,
    columns: usize,
    /// Where the cursor goes, in bytes of the text and in columns.
    cursor: (usize, usize),
}

impl<W: Write> Screen<W> {
    /// A screen of this width. A dumb one takes no escape sequences. `visible` is applied to the prompt and the line.
    pub fn new(out: W, columns: usize, is_dumb: bool, visible: Visible) -> Self {
        Self {
            out,
            visible,
            columns: columns.max(MIN_COLUMNS),
            is_dumb,
            drawn: Some(Row::default()),
            buffer: String::new(),
        }
    }

    /// Takes another width from the next [`draw`](Self::draw) on.
    pub fn resize(&mut self, columns: usize) {
        self.columns = columns.max(MIN_COLUMNS);
    }

    /// How many columns a row may take.
    pub fn row_columns(&self) -> usize {
        self.columns - EDGE
    }

    /// Draws the last row: a prompt and, if there is one, the line.
    pub fn draw(&mut self, prompt: &str, line: Option<&Line>) {
        let row = compose(prompt, line, self.row_columns(), self.visible);
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
    pub fn erase(&mut self) {
        match self.drawn.replace(Row::default()) {
            Some(row) if row.text.is_empty() => {}
            Some(row) if self.is_dumb => {
                let blanks = " ".repeat(row.columns);
                self.buffer.push_str(&format!("\r{blanks}\r"));
            }
            _ if self.is_dumb => {}
            _ => self.buffer.push_str(ERASE_ROW),
        }
    }

    /// Something else may have changed the row, so the next [`draw`](Self::draw) draws all of it.
    pub fn forget(&mut self) {
        if !self.is_dumb {
            self.drawn = None;
        }
    }

    /// Prints `text` in place of the last row. It should end with a line's end.
    pub fn print(&mut self, text: &str) {
        self.erase();
        self.buffer.push_str(text);
    }

    /// Like [`print`](Self::print), for text that the caller has cut into rows: one that the terminal draws wider than
    /// expected does not go on in another row.
    pub fn print_rows(&mut self, rows: &str) {
        self.erase();
        match self.is_dumb {
            true => self.buffer.push_str(rows),
            false => self.buffer.push_str(&format!("{WRAP_OFF}{rows}{WRAP_ON}")),
        }
    }

    /// Leaves the last row as it is, with all of the line, and begins a new one.
    pub fn keep(&mut self, prompt: &str, line: &Line) {
        let text = (self.visible)(prompt) + &(self.visible)(line.text());
        if text_columns(&text) < self.row_columns() {
            let mut line = line.clone();
            line.end();
            self.draw(prompt, Some(&line));
        } else {
            self.print(&text);
        }
        self.buffer.push('\n');
        self.drawn = Some(Row::default());
    }

    /// Empties the whole screen.
    pub fn clear(&mut self) {
        if !self.is_dumb {
            self.buffer.push_str(CLEAR_SCREEN);
            self.drawn = Some(Row::default());
        }
    }

    /// Writes all that was drawn at once.
    ///
    /// # Errors
    ///
    /// When the terminal is gone.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(self.buffer.as_bytes())?;
        self.buffer.clear();
        self.out.flush()
    }
}

/// The prompt and the part of the line around its cursor, in at most `limit` columns.
fn compose(prompt: &str, line: Option<&Line>, limit: usize, visible: Visible) -> Row {
    let mut text = String::new();
    let mut width = 0;
    let prompt = visible(prompt);
    let for_prompt = match line {
        Some(_) if text_columns(&prompt) > limit - limit / MIN_LINE_SHARE => limit / 2,
        _ => limit,
    };
    for grapheme in prompt.graphemes(true) {
        if width + grapheme_columns(grapheme) > for_prompt {
            break;
        }
        width += grapheme_columns(grapheme);
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
    // Only graphemes near the cursor are looked at: a long line takes no longer to draw.
    let (shown, is_whole) = cells_before_cursor(before, limit - width, visible);
    if !is_whole {
        text.push(LEFT_OUT_BEFORE);
        width += 1;
    }
    for cell in shown.iter().rev() {
        text.push_str(&cell.text);
        width += cell.columns;
    }
    let cursor = (text.len(), width);
    let mut after = cells(after, visible).peekable();
    while let Some(cell) = after.next() {
        let for_mark = usize::from(after.peek().is_some());
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

/// The part of `text` that is shown before the cursor, the last cell first, and whether that is all of it.
fn cells_before_cursor(text: &str, room: usize, visible: Visible) -> (Vec<Cell>, bool) {
    let mut all = cells(text, visible).rev();
    let (mut shown, mut columns) = (Vec::new(), 0);
    while columns < room {
        let Some(cell) = all.next() else {
            return (shown, true);
        };
        columns += cell.columns;
        shown.push(cell);
    }
    // The cursor stands in the last third, so that both sides of it can be seen.
    let mut room = room * 2 / 3;
    let mut fitting = 0;
    while fitting < shown.len() && shown[fitting].columns < room {
        room -= shown[fitting].columns;
        fitting += 1;
    }
    shown.truncate(fitting);
    (shown, false)
}

fn cells(text: &str, visible: Visible) -> impl DoubleEndedIterator<Item = Cell> {
    text.graphemes(true).map(move |grapheme| {
        let text = visible(grapheme);
        let columns = text_columns(&text);
        Cell { text, columns }
    })
}

#[cfg(test)]
mod tests {
    use std::cell;

    use proptest::prelude::*;

    use super::*;
    use crate::line::MAX_LINE_BYTES;

    fn line(before: &str, after: &str) -> Line {
        let mut line = Line::default();
        line.insert(after);
        line.home();
        line.insert(before);
        line
    }

    fn visible(text: &str) -> String {
        proto::Escaped::new(text).to_string()
    }

    fn compose(prompt: &str, line: &Line, limit: usize) -> Row {
        super::compose(prompt, Some(line), limit, visible)
    }

    fn drawn(screen: &Screen<Vec<u8>>) -> &str {
        std::str::from_utf8(&screen.out).unwrap()
    }

    #[test]
    fn a_long_line_is_shown_around_its_cursor() {
        let text = |before: &str, after: &str| compose("me> ", &line(before, after), 19).text;
        assert_eq!(text("hello", ""), "me> hello");
        assert_eq!(text("hello, world of", ""), "me> < world of");
        assert_eq!(text("", "hello, world of mine"), "me> hello, world o>");
        assert_eq!(text("hello, wo", "rld of mine"), "me> hello, world o>");
        assert_eq!(
            text("hello, world of", " mine and yours"),
            "me> < world of min>"
        );
        let family = "👨\u{200d}👩\u{200d}👧";
        let row = compose("me> ", &line(family, "\u{202e}\u{7}"), 30);
        assert_eq!(row.text, format!("me> {family}\\u{{202e}}\\x07"));
        let nick = "n".repeat(32);
        assert_eq!(compose(&nick, &line("hi", ""), 20).text, "nnnnnnnnnnhi");
    }

    #[test]
    fn only_graphemes_near_the_cursor_are_looked_at() {
        thread_local!(static LOOKED_AT: cell::Cell<usize> = const { cell::Cell::new(0) });
        fn counted(text: &str) -> String {
            LOOKED_AT.set(LOOKED_AT.get() + text.len());
            visible(text)
        }
        let half = "x".repeat(MAX_LINE_BYTES / 2);
        for long in [line(&half, &half), line(&half, ""), line("", &half)] {
            super::compose("> ", Some(&long), 79, counted);
            assert!(LOOKED_AT.take() < 3 * 79);
        }
    }

    #[test]
    fn a_dumb_terminal_gets_no_escapes_and_no_blank_rows() {
        let mut screen = Screen::new(Vec::new(), 40, true, visible);
        screen.draw("me> ", Some(&line("ha", "lf")));
        screen.print("12:00 <bo> hi\n");
        screen.draw("me> ", Some(&line("ha", "lf")));
        screen.flush().unwrap();
        let blanks = " ".repeat(8);
        let half = "me> half\rme> ha";
        let expected = format!("{half}\r{blanks}\r12:00 <bo> hi\n{half}");
        assert_eq!(drawn(&screen), expected);
    }

    #[test]
    fn an_accepted_line_stays_in_full() {
        let mut screen = Screen::new(Vec::new(), 20, false, visible);
        let short = line("sho", "rt");
        screen.draw("> ", Some(&short));
        screen.keep("> ", &short);
        screen.draw("", Some(&Line::default()));
        let long = line("a line of more than", " twenty columns");
        screen.draw("> ", Some(&long));
        screen.keep("> ", &long);
        screen.print("reply\n");
        screen.flush().unwrap();
        let expected = "> short\r\x1b[5C\r\x1b[K> short\n\
                        > < more than twen>\r\x1b[13C\r\x1b[K> a line of more than twenty columns\nreply\n";
        assert_eq!(drawn(&screen), expected);
    }

    proptest! {
        #[test]
        fn no_row_is_wider_than_the_terminal(
            prompt in "[a-zя山]{0,32}> ", before in "\\PC{0,60}", after in "\\PC{0,60}", limit in 8..90usize,
        ) {
            let row = compose(&prompt, &line(&before, &after), limit);
            let width: usize = row.text.graphemes(true).map(grapheme_columns).sum();
            prop_assert!(width <= limit && row.columns <= limit + 1, "{row:?}");
            prop_assert!(row.cursor.1 <= row.columns);
        }
    }
}
