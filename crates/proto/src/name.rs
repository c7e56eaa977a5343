//! The rules for names, which ident and auth share.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use crate::case_folding::caseless_key;
use crate::invisible::{
    EMOJI_STYLE, JOINER, NON_JOINER, is_invisible, is_needed, takes_emoji_style,
};

/// The longest name, in code points.
pub const MAX_NAME_CHARS: usize = 64;

/// A name as people write it: in Unicode's composed form (NFC), without space around it, of 1 to [`MAX_NAME_CHARS`]
/// code points, and without characters that a reader cannot see or that would break a line.
///
/// Two invisible characters are allowed where a script needs them: ZWJ and ZWNJ (UTS 46, ContextJ), as in
/// `می‌خواهم`. The emoji style U+FE0F is allowed after an emoji. Emoji that are joined by ZWJ are no names.
///
/// [`Name::parse`] is the only way to make one, also from JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// The rule that a text breaks. It does not contain the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing is left without the space around it.
    #[error("a name has at least one character")]
    Empty,
    /// More than [`MAX_NAME_CHARS`].
    #[error("a name has at most {MAX_NAME_CHARS} characters, this one has {chars}")]
    TooLong {
        /// Code points after composition.
        chars: usize,
    },
    /// A control character, a line separator, or a character that cannot be seen.
    #[error("a name has no control or invisible characters, this one has U+{:04X}", u32::from(*.character))]
    Forbidden {
        /// The first such character.
        character: char,
    },
}

impl Name {
    /// Parses a name.
    ///
    /// # Errors
    ///
    /// The first rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let name: String = text.trim().nfc().collect();
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        let chars = name.chars().count();
        if chars > MAX_NAME_CHARS {
            return Err(NameError::TooLong { chars });
        }
        for (at, character) in name.char_indices() {
            let after = &name[at + character.len_utf8()..];
            if is_forbidden(&name[..at], character, after) {
                return Err(NameError::Forbidden { character });
            }
        }
        Ok(Self(name))
    }

    /// The name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key that all spellings of this name share: in any case, compatibility form (see [`caseless_key`]), and with
    /// or without joiners and emoji styles.
    #[must_use]
    pub fn caseless_key(&self) -> String {
        let visible = |character: &char| !is_invisible(*character);
        caseless_key(&self.0.chars().filter(visible).collect::<String>())
    }
}

/// A name in a data file. Older versions took names with characters that cannot be seen: each is read as U+FFFD, so
/// that the file still loads. For serde's `deserialize_with`.
///
/// # Errors
///
/// When it is no text, or breaks a rule that old names kept, too.
pub fn stored_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Name, D::Error> {
    let text = String::deserialize(deserializer)?;
    let visible = |character| match is_invisible(character) && !is_control(character) {
        true => char::REPLACEMENT_CHARACTER,
        false => character,
    };
    Name::parse(&text)
        .or_else(|_| Name::parse(&text.chars().map(visible).collect::<String>()))
        .map_err(de::Error::custom)
}

fn is_forbidden(before: &str, character: char, after: &str) -> bool {
    match character {
        JOINER | NON_JOINER => !is_needed(before, character, after),
        EMOJI_STYLE => !takes_emoji_style(before, after),
        _ => is_invisible(character) || is_control(character),
    }
}

fn is_control(character: char) -> bool {
    matches!(
        character.general_category(),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
    )
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Result<String, NameError> {
        Name::parse(text).map(String::from)
    }

    #[test]
    fn names_are_trimmed_and_composed() {
        assert_eq!(parsed(" \tАня\r\n\u{2028}").unwrap(), "Аня");
        assert_eq!(parsed("Andre\u{301}").unwrap(), "Andr\u{e9}");
        assert_eq!(parsed("Anna  Maria").unwrap(), "Anna  Maria");
        assert_eq!(parsed("❤\u{fe0f}").unwrap(), "❤\u{fe0f}");
    }

    #[test]
    fn the_length_counts_composed_code_points() {
        assert!(parsed(&"😀".repeat(64)).is_ok());
        assert!(parsed(&"e\u{301}".repeat(64)).is_ok());
        assert_eq!(
            parsed(&"я".repeat(65)),
            Err(NameError::TooLong { chars: 65 })
        );
        assert_eq!(parsed(" \u{3000}\n"), Err(NameError::Empty));
        assert_eq!(parsed(""), Err(NameError::Empty));
    }

    #[test]
    fn what_hides_or_breaks_a_line_is_refused() {
        let hostile = [
            '\0',
            '\u{1b}',
            '\n',
            '\u{7f}',
            '\u{85}', // Cc
            '\u{ad}',
            '\u{200b}',
            '\u{200d}',
            '\u{202e}',
            '\u{2066}',
            '\u{feff}',
            '\u{e0041}', // Cf
            '\u{2028}',
            '\u{2029}', // Zl, Zp
            '\u{3164}',
            '\u{115f}',
            '\u{1160}',
            '\u{ffa0}',
            '\u{34f}',
            '\u{180b}',
            '\u{17b4}',
            '\u{2800}',
            '\u{fe00}',
            '\u{e0100}', // fillers, blanks, variation selectors
            '\u{fdd0}',
            '\u{ffff}',
            '\u{10fffe}', // noncharacters
            '\u{200c}',
            '\u{fe0f}', // not needed here
        ];
        for character in hostile {
            assert_eq!(
                parsed(&format!("a{character}b")),
                Err(NameError::Forbidden { character })
            );
        }
    }

    #[test]
    fn an_error_names_the_rule_and_does_not_quote() {
        let texts = ["", &"a".repeat(65), "secret\u{1b}[2J"].map(|text| {
            let error = Name::parse(text).unwrap_err();
            format!("{error} {error:?}")
        });
        assert!(texts[0].contains("at least one"), "{texts:?}");
        assert!(texts[1].contains("at most 64") && texts[1].contains("has 65"));
        assert!(texts[2].contains("U+001B") && !texts[2].contains("secret"));
        assert!(
            texts
                .concat()
                .chars()
                .all(|character| !character.is_control())
        );
    }

    #[test]
    fn json_makes_no_name_that_parse_refuses() {
        assert_eq!(
            serde_json::from_str::<Name>("\" Bo \"").unwrap().as_str(),
            "Bo"
        );
        let error = serde_json::from_str::<Name>("\"a\\u0000\"").unwrap_err();
        assert!(error.to_string().contains("U+0000"), "{error}");
    }

    #[test]
    fn a_data_file_may_have_names_that_are_refused_now() {
        let stored = |text: &str| {
            let json = serde_json::Value::from(text);
            stored_name(json).map(String::from)
        };
        for (text, name) in [
            ("Аня", "Аня"),
            ("a\u{fffe}b", "a\u{fffd}b"),
            ("\u{fdd0}", "\u{fffd}"),
            ("a\u{3164}", "a\u{fffd}"),
        ] {
            assert_eq!(stored(text).unwrap(), name);
        }
        for text in ["", "a\0b", "a\u{200b}b"] {
            assert!(stored(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn joiners_and_emoji_styles_are_names_where_they_are_needed() {
        for name in [
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "ශ්\u{200d}රී",
            "❤\u{fe0f}",
            "1\u{fe0f}\u{20e3}",
        ] {
            assert_eq!(parsed(name).unwrap(), name);
        }
        for name in [
            "می\u{200c}",
            "❤\u{fe0f}\u{fe0f}",
            "\u{fe0f}",
            "👩\u{200d}🚀",
        ] {
            assert!(
                matches!(parsed(name), Err(NameError::Forbidden { .. })),
                "{name}"
            );
        }
    }

    #[test]
    fn names_that_look_the_same_have_one_key() {
        let key = |text| Name::parse(text).unwrap().caseless_key();
        assert_eq!(key("❤\u{fe0f}"), key("❤"));
        assert_eq!(key("می\u{200c}خواهم"), key("میخواهم"));
        assert_eq!(key("ＡＮＮＡ"), key("anna"));
    }

    proptest! {
        #[test]
        fn what_cannot_be_seen_is_no_part_of_a_name(
            before in "[a-zа-яक\u{4e00}-\u{4fff}]{0,9}",
            hidden in "[\u{ad}\u{34f}\u{61c}\u{115f}\u{1160}\u{17b4}\u{180b}-\u{180f}\u{200b}-\u{200f}\
                \u{202a}-\u{202e}\u{2060}-\u{206f}\u{2800}\u{3164}\u{fe00}-\u{fe0f}\u{feff}\u{ffa0}\
                \u{fff9}-\u{fffb}\u{e0001}-\u{e01ef}]",
            after in "[a-zа-яक\u{4e00}-\u{4fff}]{0,9}",
        ) {
            let character = hidden.chars().next().unwrap();
            let refused = Err(NameError::Forbidden { character });
            prop_assert_eq!(parsed(&format!("{before}{hidden}{after}")), refused);
        }

        #[test]
        fn the_key_of_a_name_has_nothing_invisible(text in "[\\PC\u{200c}\u{200d}\u{fe0f}]{1,20}") {
            if let Ok(name) = Name::parse(&text) {
                prop_assert!(!name.caseless_key().contains(is_invisible));
            }
        }

        #[test]
        fn a_name_parses_to_itself(text in "\\PC{0,70}|.{0,70}") {
            if let Ok(name) = Name::parse(&text) {
                prop_assert_eq!(Name::parse(name.as_str()), Ok(name.clone()));
                prop_assert!((1..=64).contains(&name.as_str().chars().count()));
                prop_assert_eq!(name.as_str().trim(), name.as_str());
            }
        }
    }
}
