//! How wide text is on a terminal.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How many columns one grapheme may take. Terminals differ over joined emoji, so this is the larger answer: a row that
/// is too short is harmless, and one that is too long wraps.
pub fn grapheme_columns(grapheme: &str) -> usize {
    let each: usize = grapheme.chars().filter_map(UnicodeWidthChar::width).sum();
    each.max(grapheme.width())
}

/// How many columns a text may take.
pub(crate) fn text_columns(text: &str) -> usize {
    text.graphemes(true).map(grapheme_columns).sum()
}
