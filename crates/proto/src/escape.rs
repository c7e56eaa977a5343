//! Makes untrusted text safe to show in a log or on a terminal.
//!
//! Control characters could move the cursor, forge a log line or retitle a window; bidirectional controls could show
//! text in a misleading order; invisible characters could hide text or make two names look the same. Each is shown as
//! an escape in Rust's notation (`\n`, `\x1b`, `\u{202e}`). Everything else is shown unchanged, in every script:
//! joiners and variation selectors too, where a script or an emoji needs them.

use std::fmt::{self, Display, Formatter, Write as _};

use crate::invisible::{
    JOINER, NON_JOINER, is_invisible, is_needed, is_variation_selector, joins_emoji,
};

const BLACK_FLAG: char = '\u{1f3f4}';

/// Displays untrusted text with every character escaped that could mislead a reader or control a terminal. Allocates
/// nothing.
///
/// ```
/// use proto::Escaped;
///
/// assert_eq!(Escaped::new("Аня\x1b[2J").to_string(), r"Аня\x1b[2J");
/// assert_eq!(Escaped::from_bytes(b"\xff!").to_string(), r"\xff!");
/// assert_eq!(Escaped::new("a long story").quoted().cut(6).to_string(), r#""a long…" (12 bytes)"#);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'a> {
    bytes: &'a [u8],
    quoted: bool,
    limit: usize,
}

impl<'a> Escaped<'a> {
    /// All of `text`, without quotes.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self::from_bytes(text.as_bytes())
    }

    /// Like [`new`](Self::new), for bytes that may not be UTF-8. Invalid bytes are shown as `\xff`.
    #[must_use]
    pub fn from_bytes(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            quoted: false,
            limit: usize::MAX,
        }
    }

    /// Adds double quotes, and escapes quotes and backslashes in the text, so that the text cannot fake its own end.
    #[must_use]
    pub fn quoted(self) -> Self {
        Self {
            quoted: true,
            ..self
        }
    }

    /// Shows at most `limit` characters. A longer text is cut and followed by `…` and its full length in bytes.
    #[must_use]
    pub fn cut(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// Writes up to `limit` characters, and returns whether the text has more.
    fn write_content(&self, out: &mut Formatter<'_>) -> Result<bool, fmt::Error> {
        let mut room = self.limit;
        for chunk in self.bytes.utf8_chunks() {
            let valid = chunk.valid();
            let mut plain_from = 0;
            for (at, character) in valid.char_indices() {
                let harmful = must_escape(valid, at, character, self.quoted);
                if harmful || room == 0 {
                    out.write_str(&valid[plain_from..at])?;
                    plain_from = at + character.len_utf8();
                }
                if room == 0 {
                    return Ok(true);
                }
                if harmful {
                    write_escape(out, character)?;
                }
                room -= 1;
            }
            out.write_str(&valid[plain_from..])?;
            for byte in chunk.invalid() {
                if room == 0 {
                    return Ok(true);
                }
                write!(out, "\\x{byte:02x}")?;
                room -= 1;
            }
        }
        Ok(false)
    }
}

impl Display for Escaped<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let quote = if self.quoted { "\"" } else { "" };
        out.write_str(quote)?;
        let cut = self.write_content(out)?;
        if cut {
            out.write_char('…')?;
        }
        out.write_str(quote)?;
        if cut {
            write!(out, " ({} bytes)", self.bytes.len())?;
        }
        Ok(())
    }
}

/// Whether `character`, which is at byte `at` of `text`, must be escaped.
fn must_escape(text: &str, at: usize, character: char, quoted: bool) -> bool {
    let around = || (&text[..at], &text[at + character.len_utf8()..]);
    match character {
        '"' | '\\' => quoted,
        ' '..='~' => false,
        '\u{2028}' | '\u{2029}' => true,
        JOINER | NON_JOINER => {
            let (before, after) = around();
            let joins_emoji = character == JOINER && joins_emoji(before, after);
            !joins_emoji && !is_needed(before, character, after)
        }
        _ if is_variation_selector(character) => {
            let previous = around().0.chars().next_back();
            !previous.is_some_and(|previous| {
                !is_invisible(previous) && !previous.is_control() && previous != ' '
            })
        }
        // Tags after a black flag spell a region, such as that of Wales. Elsewhere they hide text.
        _ if is_tag(character) => !around().0.trim_end_matches(is_tag).ends_with(BLACK_FLAG),
        _ => is_invisible(character) || character.is_control(),
    }
}

fn is_tag(character: char) -> bool {
    matches!(character, '\u{e0020}'..='\u{e007f}')
}

fn write_escape(out: &mut Formatter<'_>, character: char) -> fmt::Result {
    match character {
        '\t' | '\r' | '\n' | '"' | '\\' => write!(out, "{}", character.escape_default()),
        '\0'..='\x7f' => write!(out, "\\x{:02x}", character as u32),
        _ => write!(out, "{}", character.escape_unicode()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn controls_are_shown_and_scripts_are_kept() {
        let shown = |text| Escaped::new(text).to_string();
        assert_eq!(
            shown("a\tb\r\n\0\x1b]0;x\x07\x7f"),
            r"a\tb\r\n\x00\x1b]0;x\x07\x7f"
        );
        assert_eq!(shown("\u{85}\u{9b}31m"), r"\u{85}\u{9b}31m");
        assert_eq!(
            shown("evil\u{202e}txt\u{2066}\u{200f}\u{61c}"),
            r"evil\u{202e}txt\u{2066}\u{200f}\u{61c}"
        );
        assert_eq!(shown("one\u{2028}two\u{2029}"), r"one\u{2028}two\u{2029}");
        assert_eq!(shown("Привет, 👨‍👩‍👧 \"a\\b\""), "Привет, 👨‍👩‍👧 \"a\\b\"");
    }

    #[test]
    fn what_cannot_be_seen_is_shown() {
        let shown = |text| Escaped::new(text).to_string();
        assert_eq!(
            shown("a\u{200b}b\u{ffff}\u{feff}c\u{ad}d\u{e0041}\u{3164}\u{34f}\u{2060}\u{fff9}"),
            r"a\u{200b}b\u{ffff}\u{feff}c\u{ad}d\u{e0041}\u{3164}\u{34f}\u{2060}\u{fff9}"
        );
        assert_eq!(
            shown("a\u{200d}b \u{fe0f}\u{200c}"),
            r"a\u{200d}b \u{fe0f}\u{200c}"
        );
        assert_eq!(shown("❤\u{fe0f}\u{fe0f}"), "❤\u{fe0f}\\u{fe0f}");
        for kept in [
            "👩\u{200d}🚀",
            "🏳\u{fe0f}\u{200d}🌈",
            "1\u{fe0f}\u{20e3}",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "葛\u{e0100}",
        ] {
            assert_eq!(shown(kept), kept);
        }
    }

    #[test]
    fn quoted_text_cannot_fake_its_end() {
        let quoted = Escaped::new("a\" b\\n\n").quoted().to_string();
        assert_eq!(quoted, r#""a\" b\\n\n""#);
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        let cut = |text, limit| Escaped::new(text).cut(limit).to_string();
        assert_eq!(cut("Привет", 6), "Привет");
        assert_eq!(cut("Привет", 2), "Пр… (12 bytes)");
        assert_eq!(cut("a\n\nb", 2), "a\\n… (4 bytes)");
        assert_eq!(cut("", 0), "");
        assert_eq!(cut("x", 0), "… (1 bytes)");
        assert_eq!(
            Escaped::from_bytes(b"\xff\xfe").cut(1).to_string(),
            "\\xff… (2 bytes)"
        );
    }

    const DIRECTIONS_AND_SEPARATORS: &str = "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\
        \u{2066}\u{2067}\u{2068}\u{2069}\u{2028}\u{2029}";

    fn is_harmful(c: char) -> bool {
        let is_needed_somewhere = matches!(c, JOINER | NON_JOINER) || is_variation_selector(c);
        c < ' '
            || ('\x7f'..='\u{9f}').contains(&c)
            || DIRECTIONS_AND_SEPARATORS.contains(c)
            || is_invisible(c) && !is_needed_somewhere
    }

    proptest! {
        #[test]
        fn nothing_harmful_passes(bytes: Vec<u8>, limit in 0..80usize) {
            for shown in [
                Escaped::from_bytes(&bytes).to_string(),
                Escaped::from_bytes(&bytes).quoted().cut(limit).to_string(),
                Escaped::new(&String::from_utf8_lossy(&bytes)).to_string(),
            ] {
                prop_assert!(!shown.contains(is_harmful), "{shown:?}");
            }
        }

        #[test]
        fn nothing_harmful_passes_among_harmless(
            text in "[а-я\u{7f}-\u{9f}\u{ad}\u{61c}\u{2000}-\u{206f}\u{3164}\u{feff}\u{e0000}-\u{e01ef}]{0,60}",
        ) {
            let shown = Escaped::new(&text).to_string();
            prop_assert!(!shown.contains(is_harmful), "{shown:?}");
        }

        #[test]
        fn joiners_pass_only_between_what_they_join(text in "[a-z \u{200c}\u{200d}\u{fe0f}]{0,60}") {
            let shown = Escaped::new(&text).to_string();
            prop_assert!(!shown.contains([JOINER, NON_JOINER]), "{shown:?}");
            prop_assert!(!shown.contains("\u{fe0f}\u{fe0f}"), "{shown:?}");
        }

        #[test]
        fn plain_text_is_unchanged(text in "([ -~а-яё€🙂]|🙂\u{200d}🙂|❤\u{fe0f}|می\u{200c}خ){0,60}") {
            prop_assert_eq!(Escaped::new(&text).to_string(), text);
        }
    }
}
