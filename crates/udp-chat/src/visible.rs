//! Texts of people, made safe to show: escapes for what is invisible, a limit for stacked marks.
//!
//! `Escaped` handles control characters and directions. Here is what only a chat needs: people
//! read its texts as texts, so a character that hides, or covers its neighbours, is an attack.

use std::fmt::Write as _;

use proto::Escaped;
use unicode_properties::{
    GeneralCategory, GeneralCategoryGroup, UnicodeEmoji, UnicodeGeneralCategory,
};

/// How many combining marks are shown in a row. No script needs more; hundreds cover the rows
/// above and below.
const MAX_MARKS: usize = 8;

const ZERO_WIDTH_NON_JOINER: char = '\u{200c}';
const ZERO_WIDTH_JOINER: char = '\u{200d}';
const BLACK_FLAG: char = '\u{1f3f4}';

/// `text` as it is shown: control, bidirectional and invisible characters as escapes, and at most
/// [`MAX_MARKS`] combining marks in a row. Joined emoji and joined letters stay joined.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut marks = 0;
    let mut before = ' ';
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let joins = matches!(character, ZERO_WIDTH_JOINER | ZERO_WIDTH_NON_JOINER)
            && is_joinable(before)
            && characters.peek().copied().is_some_and(is_joinable);
        let is_mark = character.general_category_group() == GeneralCategoryGroup::Mark;
        marks = if is_mark { marks + 1 } else { 0 };
        if is_mark && marks > MAX_MARKS {
            continue;
        }
        let is_flag_tag = is_tag(character) && (is_tag(before) || before == BLACK_FLAG);
        if is_invisible(character) && !joins && !is_flag_tag {
            let _ = write!(shown, "{}", character.escape_unicode());
        } else {
            shown.push(character);
        }
        before = character;
    }
    Escaped::new(&shown).to_string()
}

/// Whether a reader would see anything of `text`.
pub(crate) fn has_visible(text: &str) -> bool {
    const BRAILLE_BLANK: char = '\u{2800}';
    let shows = |character: char| {
        !character.is_whitespace()
            && !character.is_control()
            && character != BRAILLE_BLANK
            && !is_invisible(character)
            && character.general_category_group() != GeneralCategoryGroup::Mark
    };
    text.chars().any(shows)
}

/// A character that has no glyph of its own. Variation selectors are not among them: they belong
/// to the character before and count as marks.
fn is_invisible(character: char) -> bool {
    match character {
        // Fillers, which count as letters or marks.
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{ffa0}' => {
            true
        }
        // Signs that enclose the number after them.
        '\u{600}'..='\u{605}'
        | '\u{6dd}'
        | '\u{70f}'
        | '\u{890}'
        | '\u{891}'
        | '\u{8e2}'
        | '\u{110bd}'
        | '\u{110cd}' => false,
        _ => character.general_category() == GeneralCategory::Format,
    }
}

/// What a joiner may stand beside: a letter, a mark, or an emoji.
fn is_joinable(character: char) -> bool {
    matches!(
        character.general_category_group(),
        GeneralCategoryGroup::Letter | GeneralCategoryGroup::Mark
    ) || !character.is_ascii() && character.is_emoji_char()
}

/// The invisible letters that spell a region after a black flag.
fn is_tag(character: char) -> bool {
    matches!(character, '\u{e0020}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn people_s_texts_stay_as_they_are() {
        for text in [
            "Привет, 山田!",
            "👨\u{200d}👩\u{200d}👧 ❤\u{fe0f} 👍🏽",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "e\u{301}\u{302}",
            "tab-less \"quotes\" \\ back",
        ] {
            assert_eq!(visible(text), text);
        }
    }

    #[test]
    fn what_hides_is_shown_as_an_escape() {
        for (text, shown) in [
            ("a\u{200b}b", r"a\u{200b}b"),
            ("a\u{200d} b", r"a\u{200d} b"),
            ("a\u{200d}\u{200d}b", r"a\u{200d}\u{200d}b"),
            ("\u{3164}", r"\u{3164}"),
            ("a\u{ad}b\u{2060}", r"a\u{ad}b\u{2060}"),
            ("a\u{e0041}", r"a\u{e0041}"),
            ("\x1b[2J\u{202e}", r"\x1b[2J\u{202e}"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }

    #[test]
    fn stacked_marks_are_cut() {
        let stacked = format!("a{}b\u{301}", "\u{301}".repeat(450));
        let shown = format!("a{}b\u{301}", "\u{301}".repeat(MAX_MARKS));
        assert_eq!(visible(&stacked), shown);
    }

    #[test]
    fn a_text_without_a_visible_character_is_recognised() {
        for text in [
            "",
            "  ",
            "\u{a0}\u{3000}",
            "\u{200b}\u{3164}",
            "\u{2800}",
            "\u{301}",
            "\u{7}",
        ] {
            assert!(!has_visible(text), "{text:?}");
        }
        for text in [".", "я", "👍🏽", " a ", "❤\u{fe0f}"] {
            assert!(has_visible(text), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_shown_is_harmful(text in "\\PC{0,40}|[\u{0}-\u{9f}\u{2000}-\u{2070}\u{300}]{0,40}") {
            let shown = visible(&text);
            let harmful = |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c);
            prop_assert!(!shown.contains(harmful), "{shown:?}");
        }
    }
}
