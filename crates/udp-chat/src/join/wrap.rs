//! Texts cut into rows by their width on a terminal, so that no text can look like two messages.

use line_editor::grapheme_columns;
use unicode_segmentation::UnicodeSegmentation;

/// A row narrower than this is not worth cutting for.
const MIN_COLUMNS: usize = 4;

/// Cuts `text` into rows of at most `first` columns, then of at most `rest` columns; between words
/// where there is a blank in the second half of a row. Blanks at a cut are left out.
pub(super) fn wrap(mut text: &str, first: usize, rest: usize) -> Vec<&str> {
    let mut rows = Vec::new();
    let mut room = first.max(MIN_COLUMNS);
    loop {
        let cut = row_end(text, room);
        if cut == text.len() {
            rows.push(text);
            return rows;
        }
        rows.push(text[..cut].trim_end());
        text = text[cut..].trim_start();
        if text.is_empty() {
            return rows;
        }
        room = rest.max(MIN_COLUMNS);
    }
}

/// Where the first row of `text` ends, in bytes.
fn row_end(text: &str, room: usize) -> usize {
    let mut width = 0;
    let mut after_blank = None;
    for (at, grapheme) in text.grapheme_indices(true) {
        let is_blank = grapheme.chars().all(char::is_whitespace);
        if width + grapheme_columns(grapheme) > room && at > 0 {
            return if is_blank {
                at
            } else {
                after_blank.unwrap_or(at)
            };
        }
        width += grapheme_columns(grapheme);
        if is_blank && width * 2 >= room {
            after_blank = Some(at + grapheme.len());
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rows_end_between_words_or_where_they_must() {
        assert_eq!(wrap("one two three", 20, 20), ["one two three"]);
        assert_eq!(wrap("one two three", 8, 8), ["one two", "three"]);
        assert_eq!(wrap("abcdefghijkl", 5, 4), ["abcde", "fghi", "jkl"]);
        assert_eq!(wrap("a bcdefghij", 6, 6), ["a bcde", "fghij"]);
        assert_eq!(wrap("山田山田", 5, 5), ["山田", "山田"]);
        assert_eq!(wrap("", 5, 5), [""]);
    }

    #[test]
    fn padding_does_not_reach_the_next_row() {
        let forged = format!("hi all{}19:59   <Anna> I am the traitor", " ".repeat(59));
        let rows = wrap(&forged, 65, 65);
        assert_eq!(rows, ["hi all", "19:59   <Anna> I am the traitor"]);
        let forged = format!("hi{}forged", "\u{a0}".repeat(200));
        assert_eq!(wrap(&forged, 20, 20), ["hi", "forged"]);
    }

    proptest! {
        #[test]
        fn no_row_is_too_wide_and_no_letter_lost(
            text in "[ -~я山\u{301}\u{a0}👨\u{200d}]{0,200}", first in 4..30usize, rest in 4..30usize,
        ) {
            let rows = wrap(&text, first, rest);
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&rows.concat()), letters(&text));
            for (index, row) in rows.iter().enumerate() {
                let width: usize = row.graphemes(true).map(grapheme_columns).sum();
                let room = if index == 0 { first } else { rest };
                let is_one_cluster = row.graphemes(true).count() == 1;
                prop_assert!(width <= room || is_one_cluster, "{width} > {room}: {row:?}");
            }
        }
    }
}
