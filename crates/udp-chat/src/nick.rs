//! Nicks: which texts are nicks, and which nicks look alike.
//!
//! This module does not know who is in the room; the server compares.

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fmt;
use std::sync::LazyLock;

use proto::caseless_key;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{
    GeneralCategory, GeneralCategoryGroup, UnicodeEmoji, UnicodeGeneralCategory,
};
use unicode_security::confusable_detection::skeleton;

/// The longest nick in characters (code points, composed).
pub const MAX_NICK_CHARS: usize = 32;

/// The longest nick in bytes of UTF-8.
pub const MAX_NICK_BYTES: usize = 64;

/// More marks on one letter would reach into the rows above and below.
const MAX_MARKS: usize = 2;

/// How often a look is taken at most until nothing changes. Each round maps letters to simpler
/// ones; two or three rounds are usual.
const MAX_ROUNDS: usize = 16;

/// Nicks that people would take for the server's own voice, or for everybody.
const RESERVED: [&str; 22] = [
    "server",
    "service",
    "system",
    "admin",
    "administrator",
    "moderator",
    "operator",
    "owner",
    "root",
    "support",
    "security",
    "chat",
    "udp-chat",
    "all",
    "everyone",
    "nobody",
    "сервер",
    "система",
    "админ",
    "администратор",
    "модератор",
    "все",
];

/// What a member is called: letters, marks and digits of any script, emoji, `_`, `-` and `.`, in
/// composed form (NFC). Nothing in it is invisible, a letter has at most two marks, and it does
/// not begin with a mark, which would change the character before it. Emoji joined by U+200D are
/// not nicks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nick {
    text: String,
    key: String,
}

impl Nick {
    /// The nick that a text is.
    ///
    /// # Errors
    ///
    /// The first rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, NickError> {
        let text: String = text.nfc().collect();
        let chars = text.chars().count();
        if chars == 0 {
            return Err(NickError::Empty);
        }
        if chars > MAX_NICK_CHARS || text.len() > MAX_NICK_BYTES {
            let bytes = text.len();
            return Err(NickError::TooLong { chars, bytes });
        }
        let mut before = None;
        let mut marks = 0;
        for character in text.chars() {
            // Composed letters have marks, too.
            let within = character.nfd().filter(|&part| is_mark(part)).count();
            marks = within + if is_mark(character) { marks } else { 0 };
            if !may_follow(before, character) || marks > MAX_MARKS {
                return Err(NickError::Forbidden { character });
            }
            before = Some(character);
        }
        let key = caseless_key(&text);
        let nick = Self { text, key };
        if nick
            .forms()
            .iter()
            .any(|form| RESERVED_FORMS.contains(form))
        {
            return Err(NickError::Reserved);
        }
        Ok(nick)
    }

    /// As people write it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The same for all its cases and compatibility forms.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Two nicks with a form in common are one to a reader: they differ in case or compatibility
    /// form alone, or they look alike (UTS 39, section 4) as written, in lower or in upper case.
    #[must_use]
    pub fn forms(&self) -> [String; 4] {
        let capitals = self.key.to_uppercase();
        let [written, small, capital] = [&self.text, &self.key, &capitals].map(|text| looks(text));
        [self.key.clone(), written, small, capital]
    }
}

static RESERVED_FORMS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let nick = |text: &&str| Nick {
        text: (*text).to_owned(),
        key: caseless_key(text),
    };
    RESERVED
        .iter()
        .map(nick)
        .flat_map(|nick| nick.forms())
        .collect()
});

/// The skeleton without case, taken until nothing changes: a letter may look like a capital whose
/// small form looks like yet another letter.
fn looks(text: &str) -> String {
    let mut text: String = text.chars().filter(|&letter| !is_stretch(letter)).collect();
    for _ in 0..MAX_ROUNDS {
        let simpler: String = skeleton(&text).collect();
        let simpler = caseless_key(&simpler);
        if simpler == text {
            break;
        }
        text = simpler;
    }
    text
}

/// Letters that only make the one before them wider.
fn is_stretch(character: char) -> bool {
    const TATWEEL: char = '\u{640}';
    const LAJANYALAN: char = '\u{7fa}';
    const NIRUGU: char = '\u{180a}';
    matches!(character, TATWEEL | LAJANYALAN | NIRUGU)
}

fn is_mark(character: char) -> bool {
    character.general_category_group() == GeneralCategoryGroup::Mark
}

/// Marks that are drawn across or around a letter, which make it look like another one.
fn is_overlay(character: char) -> bool {
    matches!(character, '\u{334}'..='\u{338}' | '\u{20d2}' | '\u{20d3}' | '\u{20d8}'..='\u{20da}'
        | '\u{20dd}'..='\u{20e0}' | '\u{20e2}'..='\u{20e6}' | '\u{20ea}' | '\u{20eb}')
}

impl fmt::Display for Nick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

fn may_follow(before: Option<char>, character: char) -> bool {
    if character == EMOJI_STYLE {
        return before.is_some_and(is_emoji);
    }
    if is_invisible(character) || is_overlay(character) {
        return false;
    }
    match character.general_category_group() {
        GeneralCategoryGroup::Letter => true,
        GeneralCategoryGroup::Mark => before.is_some(),
        _ => {
            character.general_category() == GeneralCategory::DecimalNumber
                || matches!(character, '_' | '-' | '.')
                || is_emoji(character)
        }
    }
}

/// Asks for the coloured form of the emoji before it.
const EMOJI_STYLE: char = '\u{fe0f}';

fn is_emoji(character: char) -> bool {
    // In ASCII, digits, `#` and `*` count as emoji, since a mark can make keys of them.
    !character.is_ascii() && character.is_emoji_char()
}

/// Some letters and marks are invisible: fillers of Hangul, variation selectors.
fn is_invisible(character: char) -> bool {
    // A skeleton leaves out what is ignorable by default, and nothing else.
    skeleton(character.encode_utf8(&mut [0; 4]))
        .next()
        .is_none()
}

/// Why a text is not a nick. It does not hold the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NickError {
    /// No character at all.
    Empty,
    /// More than [`MAX_NICK_CHARS`] or [`MAX_NICK_BYTES`].
    TooLong {
        /// Its length in code points.
        chars: usize,
        /// And in bytes.
        bytes: usize,
    },
    /// A character that is not allowed, or not in this place.
    Forbidden {
        /// The first such character.
        character: char,
    },
    /// Readers would take it for somebody else's voice: the server's, or everybody's.
    Reserved,
}

impl fmt::Display for NickError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a nick has at least one character"),
            Self::TooLong { chars, bytes } => write!(
                f,
                "a nick has at most {MAX_NICK_CHARS} characters in {MAX_NICK_BYTES} bytes, \
                 this one has {chars} in {bytes}"
            ),
            Self::Forbidden { character } if is_mark(*character) => write!(
                f,
                "a nick has at most {MAX_MARKS} marks on a letter and none across it, \
                 this one has U+{:04X}",
                u32::from(*character)
            ),
            Self::Forbidden { character } => write!(
                f,
                "a nick has letters, digits, emoji, '_', '-' and '.', this one has U+{:04X}",
                u32::from(*character)
            ),
            Self::Reserved => f.write_str("this nick is reserved, or looks like one that is"),
        }
    }
}

impl std::error::Error for NickError {}
