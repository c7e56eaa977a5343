//! The name rule that ident and auth share. What a name stands for is not known here.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use crate::caseless::caseless_key;

/// The longest name, in code points.
pub const MAX_NAME_CHARS: usize = 64;

/// A name as people write it: in Unicode's composed form (NFC), without space around it, of 1 to
/// [`MAX_NAME_CHARS`] code points, and without characters that a reader cannot see or that would
/// break a line (categories Cc, Cf, Zl and Zp). Emoji are names; those joined with U+200D are
/// not, since the joiner is a format character.
///
/// [`Name::parse`] is the only way to one, also for what is read from JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// Which rule a text breaks that should have been a name. It does not hold the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// Nothing is left without the space around it.
    Empty,
    /// More than [`MAX_NAME_CHARS`].
    TooLong {
        /// Code points after composition.
        chars: usize,
    },
    /// A control, format or line-separator character.
    Forbidden {
        /// The first such character.
        character: char,
    },
}

impl Name {
    /// The name that a text is.
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
        match name.chars().find(|character| is_forbidden(*character)) {
            Some(character) => Err(NameError::Forbidden { character }),
            None => Ok(Self(name)),
        }
    }

    /// The name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What all writings of this name have in common; see [`caseless_key`].
    #[must_use]
    pub fn caseless_key(&self) -> String {
        caseless_key(&self.0)
    }
}

fn is_forbidden(character: char) -> bool {
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

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a name has at least one character"),
            Self::TooLong { chars } => write!(
                f,
                "a name has at most {MAX_NAME_CHARS} characters, this one has {chars}"
            ),
            Self::Forbidden { character } => write!(
                f,
                "a name has no control, format or line-separator characters, this one has U+{:04X}",
                u32::from(*character)
            ),
        }
    }
}

impl std::error::Error for NameError {}

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

    proptest! {
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
