//! Characters that a reader cannot see, and the few places where a script or an emoji needs one.

use unicode_joining_type::{JoiningType, get_joining_type};
use unicode_normalization::char::canonical_combining_class;
use unicode_properties::UnicodeEmoji;

/// Joins the characters around it.
pub(crate) const JOINER: char = '\u{200d}';
/// Keeps the characters around it from joining.
pub(crate) const NON_JOINER: char = '\u{200c}';
/// Selects the coloured form of the emoji before it.
pub(crate) const EMOJI_STYLE: char = '\u{fe0f}';

/// Whether nothing, or nothing but a blank, is shown for this character, spaces aside.
///
/// These are the default ignorable code points of Unicode 16 (fillers, joiners, variation selectors, tags, most format
/// characters), the format characters of annotations and hieroglyphs, the blanks that are letters, marks or symbols,
/// and the noncharacters.
#[must_use]
pub fn is_invisible(character: char) -> bool {
    is_noncharacter(character)
        || matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}'
        | '\u{fff9}'..='\u{fffb}' | '\u{13430}'..='\u{1343f}'
        | '\u{2800}' | '\u{13441}'..='\u{13442}' | '\u{16fe4}' | '\u{1d159}')
}

/// Whether Unicode never gives this code point a character: U+FDD0 to U+FDEF, and the last two of each plane.
fn is_noncharacter(character: char) -> bool {
    let number = u32::from(character);
    matches!(number, 0xfdd0..=0xfdef) || number & 0xfffe == 0xfffe
}

/// Whether the character changes the form of the one before it.
pub(crate) fn is_variation_selector(character: char) -> bool {
    matches!(character,
        '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// Whether a script needs the joiner or non-joiner between these texts: after a virama, and for a non-joiner also
/// between letters that would join (rule ContextJ of UTS 46, which is RFC 5892, appendices A.1 and A.2).
pub(crate) fn is_needed(before: &str, joiner: char, after: &str) -> bool {
    const VIRAMA: u8 = 9;
    let previous = before.chars().next_back();
    if previous.is_some_and(|previous| canonical_combining_class(previous) == VIRAMA) {
        return true;
    }
    let is_transparent = |joining: &JoiningType| *joining == JoiningType::Transparent;
    let mut backwards = before.chars().rev().map(get_joining_type);
    let mut onwards = after.chars().map(get_joining_type);
    joiner == NON_JOINER
        && matches!(
            backwards.find(|joining| !is_transparent(joining)),
            Some(JoiningType::LeftJoining | JoiningType::DualJoining)
        )
        && matches!(
            onwards.find(|joining| !is_transparent(joining)),
            Some(JoiningType::RightJoining | JoiningType::DualJoining)
        )
}

/// Whether a joiner between these texts makes one emoji of two.
pub(crate) fn joins_emoji(before: &str, after: &str) -> bool {
    let before = before.strip_suffix(EMOJI_STYLE).unwrap_or(before);
    before.chars().next_back().is_some_and(is_emoji) && after.chars().next().is_some_and(is_emoji)
}

/// Whether the character is an emoji. Digits, `#` and `*` are not, although a combining mark turns them into keycaps.
pub(crate) fn is_emoji(character: char) -> bool {
    !character.is_ascii() && character.is_emoji_char()
}

/// Whether an emoji style between these texts has something to change: an emoji, or a key such as `1️⃣`.
pub(crate) fn takes_emoji_style(before: &str, after: &str) -> bool {
    const KEY: char = '\u{20e3}';
    before.chars().next_back().is_some_and(|previous| {
        is_emoji(previous) || matches!(previous, '0'..='9' | '#' | '*') && after.starts_with(KEY)
    })
}

#[cfg(test)]
mod tests {
    use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

    use super::*;

    #[test]
    fn every_format_character_is_invisible_or_shown_before_digits() {
        for character in '\0'..=char::MAX {
            let is_sign = matches!(u32::from(character),
                0x600..=0x605 | 0x6dd | 0x70f | 0x890..=0x891 | 0x8e2 | 0x110bd | 0x110cd);
            if character.general_category() == GeneralCategory::Format {
                assert_ne!(
                    is_invisible(character),
                    is_sign,
                    "{}",
                    character.escape_unicode()
                );
            }
        }
    }

    #[test]
    fn all_66_noncharacters_are_invisible() {
        let found = ('\0'..=char::MAX).filter(|&character| is_noncharacter(character));
        assert_eq!(found.clone().count(), 66);
        assert!(found.clone().all(is_invisible));
        for character in [
            '\u{fdd0}',
            '\u{fdef}',
            '\u{fffe}',
            '\u{ffff}',
            '\u{1fffe}',
            char::MAX,
        ] {
            assert!(is_noncharacter(character), "{}", character.escape_unicode());
        }
        assert!(!is_noncharacter('\u{fffd}') && !is_noncharacter('\u{fdf0}'));
    }

    #[test]
    fn scripts_need_joiners_after_viramas_and_between_joining_letters() {
        for (before, joiner, after, expected) in [
            ("می", NON_JOINER, "خواهم", true),
            ("م\u{650}", NON_JOINER, "\u{650}خ", true),
            ("د", NON_JOINER, "خ", false), // dal joins to the right alone
            ("می", NON_JOINER, "", false),
            ("می", JOINER, "خ", false),
            ("क्", JOINER, "ष", true),
            ("क्", NON_JOINER, "ष", true),
            ("ක්", JOINER, "", true),
            ("क", JOINER, "ष", false),
            ("an", NON_JOINER, "na", false),
            ("", JOINER, "a", false),
        ] {
            assert_eq!(
                is_needed(before, joiner, after),
                expected,
                "{before}|{after}"
            );
        }
    }

    #[test]
    fn emoji_are_joined_and_styled() {
        assert!(
            joins_emoji("👩", "🚀") && joins_emoji("a🏳\u{fe0f}", "🌈") && joins_emoji("👩🏽", "🚀")
        );
        assert!(!joins_emoji("a", "🚀") && !joins_emoji("👩", "") && !joins_emoji("1", "2"));
        assert!(takes_emoji_style("❤", "") && takes_emoji_style("1", "\u{20e3}"));
        assert!(
            !takes_emoji_style("1", "2")
                && !takes_emoji_style("", "❤")
                && !takes_emoji_style("я", "")
        );
    }
}
