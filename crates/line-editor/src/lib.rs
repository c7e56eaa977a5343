//! A line editor for terminals: keys become a line, and other output appears above the line while it is typed.
//!
//! - [`Terminal`] is the blocking editor for programs that read one line after another.
//! - [`KeyParser`], [`Editor`] and [`Screen`] are its parts, for programs with an event loop of their own.
//! - [`TerminalMode`] and the functions beside it are what differs by platform.
//!
//! It does not know what the lines are for.

mod console;
mod editor;
mod history;
mod keys;
mod line;
mod screen;
mod terminal;
mod width;

pub use console::{
    TerminalEvent, TerminalMode, columns, is_dumb, is_in_foreground, suspend, watch_terminal,
};
pub use editor::{Edited, Editor};
pub use keys::{Key, KeyParser, MAX_PASTE_BYTES};
pub use line::Line;
pub use screen::{Screen, Visible};
pub use terminal::{HiddenPrompt, Lines, OutputAbove, Session, Terminal};
pub use width::grapheme_columns;
