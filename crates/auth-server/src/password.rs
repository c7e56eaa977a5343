//! Which passwords a user may choose. It does not know how they are stored.

use std::fmt;

use proto::{Count, Name, Secret, caseless_key, is_invisible};
use unicode_normalization::UnicodeNormalization;

use crate::user_key::UserKey;

/// The lowest minimum of code points that may be set: ASVS 5.0.0, 6.2.1. NIST SP 800-63B-4, section 3.1.1.2, requires
/// 15 where the password is the only factor, and 8 where it is one of two.
pub const MIN_PASSWORD_CHARS: usize = 8;

/// The most code points of a password: twice what NIST SP 800-63B-4 asks to permit.
pub const MAX_PASSWORD_CHARS: usize = 128;

/// The 3,000 commonest passwords of at least 8 characters, after comments with their source and its licence. Shorter
/// ones are refused in any case.
const COMMON_PASSWORDS: &str = include_str!("../data/common-passwords.txt");

/// A password in Unicode's composed form (NFC), so that it is the same however it was typed.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// Takes a password as it was sent. The rules need not allow it.
    #[must_use]
    pub fn new(sent: &Secret) -> Self {
        Self(sent.expose().nfc().collect())
    }

    /// The bytes to hash.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// The words that the service's names are made of: `socketlab` and `auth-server` are no passwords here.
const SERVICE_WORDS: [&str; 10] = [
    "socket", "sockets", "lab", "auth", "echo", "ident", "chat", "udp", "server", "client",
];

/// Shorter words within a password say nothing about it.
const MIN_WORD_CHARS: usize = 3;

/// The rules for new passwords.
#[derive(Clone, Copy, Debug)]
pub struct PasswordRules {
    min_chars: usize,
}

/// Why a password may not be chosen. It holds nothing of the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Fewer code points than the minimum, those that cannot be seen aside.
    #[error("the password has {}; it needs at least {min}", Count(*.chars as u64, "character"))]
    TooShort {
        /// Code points of the password, those that cannot be seen aside.
        chars: usize,
        /// The minimum.
        min: usize,
    },
    /// More code points than [`MAX_PASSWORD_CHARS`].
    #[error("the password has {chars} characters; {MAX_PASSWORD_CHARS} are the most")]
    TooLong {
        /// Code points of the password.
        chars: usize,
    },
    /// Nothing of it can be seen.
    #[error("the password is blank")]
    Blank,
    /// The user's name or its words, in whatever case or compatibility form, repeated or backwards, with digits and
    /// punctuation at most.
    #[error("the password is made of the user's name")]
    UserName,
    /// The same with the words of the service's names.
    #[error("the password is made of the service's name")]
    ServiceName,
    /// One of the commonest passwords, in whatever case or compatibility form.
    #[error("the password is one of the 3,000 commonest")]
    Common,
}

impl PasswordRules {
    /// Rules with a minimum of code points, which must be in [`MIN_PASSWORD_CHARS`] to [`MAX_PASSWORD_CHARS`].
    #[must_use]
    pub fn new(min_chars: usize) -> Option<Self> {
        let settable = MIN_PASSWORD_CHARS..=MAX_PASSWORD_CHARS;
        settable.contains(&min_chars).then_some(Self { min_chars })
    }

    /// The minimum of code points.
    #[must_use]
    pub fn min_chars(self) -> usize {
        self.min_chars
    }

    /// Checks whether a user may choose a password.
    ///
    /// # Errors
    ///
    /// The first rule that the password breaks.
    pub fn check(self, password: &Password, user: &UserKey) -> Result<(), WeakPassword> {
        let chars = password.0.chars().count();
        if chars > MAX_PASSWORD_CHARS {
            return Err(WeakPassword::TooLong { chars });
        }
        if chars >= self.min_chars && !password.0.chars().any(is_visible) {
            return Err(WeakPassword::Blank);
        }
        // Those that cannot be seen hide neither that a password is short nor what it is made of.
        let is_counted = |character: &char| !is_invisible(*character);
        let counted: String = password.0.chars().filter(is_counted).collect();
        let (chars, min) = (counted.chars().count(), self.min_chars);
        if chars < min {
            return Err(WeakPassword::TooShort { chars, min });
        }
        let key = caseless_key(counted.trim());
        let compact = letters_and_digits(&key);
        if is_user_name(&key, &compact, user.as_str()) {
            return Err(WeakPassword::UserName);
        }
        if is_made_of(&compact, &SERVICE_WORDS) {
            return Err(WeakPassword::ServiceName);
        }
        match common_passwords().any(|common| common == key) {
            true => Err(WeakPassword::Common),
            false => Ok(()),
        }
    }
}

/// A character that could stand in a name alone: neither blank nor invisible nor a control character.
fn is_visible(character: char) -> bool {
    Name::parse(character.encode_utf8(&mut [0; 4])).is_ok()
}

fn letters_and_digits(text: &str) -> String {
    text.chars()
        .filter(|character| character.is_alphanumeric())
        .collect()
}

fn is_user_name(key: &str, compact: &str, name: &str) -> bool {
    let whole = letters_and_digits(name);
    let is_part = !compact.is_empty() && whole.contains(compact);
    if key == name || is_part || is_repeated(compact, &whole) {
        return true;
    }
    let words = name.split(|character: char| !character.is_alphanumeric());
    let words: Vec<_> = words.chain([whole.as_str()]).collect();
    let backwards: String = compact.chars().rev().collect();
    is_made_of(compact, &words) || is_made_of(&backwards, &words)
}

/// Whether a text is a word, however short, over and over.
fn is_repeated(compact: &str, word: &str) -> bool {
    !word.is_empty() && !compact.is_empty() && compact.replace(word, "").is_empty()
}

/// Whether no letter is left of a text without these words.
fn is_made_of(compact: &str, words: &[&str]) -> bool {
    let mut words: Vec<_> = words
        .iter()
        .filter(|word| word.chars().count() >= MIN_WORD_CHARS)
        .collect();
    // The longest first, so that a short one does not cut a long one apart.
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    let mut rest = compact.to_owned();
    for word in words {
        // A blank keeps the letters on both sides of a word from making another one.
        rest = rest.replace(word, " ");
    }
    rest.contains(' ') && !rest.contains(char::is_alphabetic)
}

/// A search through all of them takes far less time than a hash.
fn common_passwords() -> impl Iterator<Item = &'static str> {
    let is_comment = |line: &&str| *line == "#" || line.starts_with("# ");
    COMMON_PASSWORDS.lines().skip_while(is_comment)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use proptest::prelude::*;

    fn password(text: &str) -> Password {
        Password::new(&Secret::new(text.into()))
    }

    fn check(text: &str) -> Result<(), WeakPassword> {
        let user = UserKey::of(&Name::parse("Анна Maria").unwrap());
        PasswordRules::new(8).unwrap().check(&password(text), &user)
    }

    #[test]
    fn any_eight_code_points_are_enough() {
        for text in [
            "correct!",
            "пароль-1",
            "😀😁😂🤣😃😄😅😆",
            "a  \u{7}\0 z ",
            "𠀀龍𠀁虎𠀂豹𠀃蛇",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
        assert_eq!(
            check("correct"),
            Err(WeakPassword::TooShort { chars: 7, min: 8 })
        );
        assert_eq!(check(""), Err(WeakPassword::TooShort { chars: 0, min: 8 }));
        // Sixteen code points as typed, eight composed.
        assert_eq!(check(&"e\u{301}".repeat(8)), Ok(()));
        assert_eq!(
            check(&"e\u{301}".repeat(7)),
            Err(WeakPassword::TooShort { chars: 7, min: 8 })
        );
    }

    #[test]
    fn a_hundred_and_twenty_eight_are_the_most() {
        assert_eq!(check(&"ж".repeat(128)), Ok(()));
        assert_eq!(
            check(&"ж".repeat(129)),
            Err(WeakPassword::TooLong { chars: 129 })
        );
    }

    #[test]
    fn the_minimum_can_be_raised_and_not_lowered() {
        assert!(PasswordRules::new(7).is_none() && PasswordRules::new(129).is_none());
        let user = UserKey::of(&Name::parse("bo").unwrap());
        let rules = PasswordRules::new(15).unwrap();
        assert_eq!(
            rules.check(&password("correct horse!"), &user),
            Err(WeakPassword::TooShort { chars: 14, min: 15 })
        );
        assert_eq!(rules.check(&password("correct horse!!"), &user), Ok(()));
    }

    #[test]
    fn what_is_made_of_the_users_name_is_no_password() {
        for text in [
            "Анна Maria",
            "АННА MARIA",
            " анна ｍａｒｉａ ",
            "Анна Maria 7",
            "анна-АННА",
            "mariamaria",
            "2007maria!",
            "airamairam",
            "аннаmari",
        ] {
            assert_eq!(check(text), Err(WeakPassword::UserName), "{text}");
        }
        for text in [
            "Анна likes Maria",
            "marianna and i",
            "мария и анна",
            "annals of maria",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
        let of = |name: &str, text: &str| {
            let user = UserKey::of(&Name::parse(name).unwrap());
            PasswordRules::new(8).unwrap().check(&password(text), &user)
        };
        for (name, text) in [("anna", "annaanna"), ("bo", "bobobobo"), ("a", "aaaaaaaaa")] {
            assert_eq!(of(name, text), Err(WeakPassword::UserName), "{text}");
        }
        for (name, text) in [
            ("a", "bananas and apples"),
            ("1", "84721093"),
            ("bo", "robots and boats"),
            ("!!", "!!!!!!!!!!"),
        ] {
            assert_eq!(of(name, text), Ok(()), "{text} for {name}");
        }
    }

    #[test]
    fn what_is_made_of_the_services_name_is_no_password() {
        for text in [
            "socketlab",
            "SocketLab1",
            "Socket-Lab-2026",
            "auth-server",
            "clientserver",
            "labsocket!",
            "echoserver",
            "identserver",
            "udp-chat",
            "auth\u{200b}server",
        ] {
            assert_eq!(check(text), Err(WeakPassword::ServiceName), "{text}");
        }
        for text in [
            "labyrinth",
            "observer",
            "socket wrench",
            "author of labels",
            "chateau and echoes",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_seen_is_no_password() {
        for text in [
            "        ",
            "\u{a0}\u{2003}\u{3000} \t\t\t\t",
            &"\u{200b}".repeat(8),
            &"\u{3164}\u{115f}\u{34f}\u{e0041}".repeat(2),
            &"\u{7}\0".repeat(4),
        ] {
            assert_eq!(check(text), Err(WeakPassword::Blank), "{text:?}");
        }
        assert_eq!(check("       7"), Ok(()));
        // Between characters that can be seen they count as nothing.
        let hidden = format!(".{}", "\u{200b}".repeat(7));
        let too_short = WeakPassword::TooShort { chars: 1, min: 8 };
        assert_eq!(check(&hidden), Err(too_short));
        assert_eq!(
            check("mar\u{ad}ia\u{3164}maria"),
            Err(WeakPassword::UserName)
        );
        assert_eq!(check("pass\u{2060}word"), Err(WeakPassword::Common));
        assert_eq!(
            check("корова\u{200c}7"),
            Err(WeakPassword::TooShort { chars: 7, min: 8 })
        );
        assert_eq!(check("корова\u{200c}77"), Ok(()));
    }

    #[test]
    fn the_commonest_are_no_passwords() {
        for text in [
            "password",
            "Password1",
            "PASSWORD1",
            "ｉｌｏｖｅｙｏｕ",
            "123456789",
            "webster1",
        ] {
            assert_eq!(check(text), Err(WeakPassword::Common), "{text}");
        }
        assert_eq!(check("passwords and words"), Ok(()));
    }

    #[test]
    fn the_list_is_three_thousand_that_the_rules_would_allow_else() {
        let list: Vec<_> = common_passwords().collect();
        assert_eq!(list.len(), 3_000);
        assert_eq!(list.iter().collect::<HashSet<_>>().len(), 3_000);
        assert_eq!((list[0], list[2_999]), ("123456789", "webster1"));
        for common in list {
            assert!(common.chars().count() >= MIN_PASSWORD_CHARS, "{common}");
            assert_eq!(caseless_key(common), common);
        }
    }

    #[test]
    fn nothing_shows_a_password() {
        let secret = "hunter22hunter22";
        assert_eq!(format!("{:?}", password(secret)), "Password(..)");
        let error = check("hunter").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter"));
    }

    proptest! {
        #[test]
        fn typed_composed_or_decomposed_it_is_one(text in "\\PC{0,20}") {
            let composed: String = text.nfc().collect();
            let decomposed: String = text.nfd().collect();
            prop_assert_eq!(password(&composed).0, password(&decomposed).0);
            prop_assert_eq!(check(&composed), check(&decomposed));
        }
    }
}
