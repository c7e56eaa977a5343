//! Which passwords a user may choose. How they are stored is not known here.

use std::fmt;

use proto::{Secret, caseless_key};
use unicode_normalization::UnicodeNormalization;

use crate::user_key::UserKey;

/// The fewest code points that a minimum may be set to. NIST SP 800-63B-4, section 3.1.1.2, has 8
/// where the password is one of two factors, and 15 where it stands alone.
pub const MIN_PASSWORD_CHARS: usize = 8;

/// The most code points of a password; twice what NIST SP 800-63B-4 asks to permit.
pub const MAX_PASSWORD_CHARS: usize = 128;

/// The 3,000 commonest passwords of at least 8 characters, after comments with their source and
/// its licence. Shorter ones are refused anyway, so that a list with them would refuse fewer.
const COMMON_PASSWORDS: &str = include_str!("../data/common-passwords.txt");

/// A password in Unicode's composed form (NFC), so that it is the same however it was typed.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// The password that was sent, which need not be one that the rules allow.
    #[must_use]
    pub fn new(sent: &Secret) -> Self {
        Self(sent.expose().nfc().collect())
    }

    /// What is hashed.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// What a new password has to be.
#[derive(Clone, Copy, Debug)]
pub struct PasswordRules {
    min_chars: usize,
}

/// Why a password may not be chosen. It holds nothing of the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeakPassword {
    /// Fewer code points than the minimum.
    TooShort {
        /// Code points of the password.
        chars: usize,
        /// The minimum.
        min: usize,
    },
    /// More code points than [`MAX_PASSWORD_CHARS`].
    TooLong {
        /// Code points of the password.
        chars: usize,
    },
    /// The user's name, in whatever case or compatibility form.
    UserName,
    /// One of the commonest passwords, in whatever case or compatibility form.
    Common,
}

impl PasswordRules {
    /// Rules with a minimum of code points; none when it is not in [`MIN_PASSWORD_CHARS`] to
    /// [`MAX_PASSWORD_CHARS`].
    #[must_use]
    pub fn new(min_chars: usize) -> Option<Self> {
        let settable = MIN_PASSWORD_CHARS..=MAX_PASSWORD_CHARS;
        settable.contains(&min_chars).then_some(Self { min_chars })
    }

    /// Whether a user may choose a password.
    ///
    /// # Errors
    ///
    /// The first rule that it breaks.
    pub fn check(self, password: &Password, user: &UserKey) -> Result<(), WeakPassword> {
        let chars = password.0.chars().count();
        if chars < self.min_chars {
            let min = self.min_chars;
            return Err(WeakPassword::TooShort { chars, min });
        }
        if chars > MAX_PASSWORD_CHARS {
            return Err(WeakPassword::TooLong { chars });
        }
        let key = caseless_key(password.0.trim());
        if key == user.as_str() {
            return Err(WeakPassword::UserName);
        }
        match common_passwords().any(|common| common == key) {
            true => Err(WeakPassword::Common),
            false => Ok(()),
        }
    }
}

/// Looking through all of them takes far less time than a hash.
fn common_passwords() -> impl Iterator<Item = &'static str> {
    let is_comment = |line: &&str| *line == "#" || line.starts_with("# ");
    COMMON_PASSWORDS.lines().skip_while(is_comment)
}

impl fmt::Display for WeakPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { chars: 1, min } => {
                write!(f, "the password has 1 character; it needs at least {min}")
            }
            Self::TooShort { chars, min } => write!(
                f,
                "the password has {chars} characters; it needs at least {min}"
            ),
            Self::TooLong { chars } => write!(
                f,
                "the password has {chars} characters; {MAX_PASSWORD_CHARS} are the most"
            ),
            Self::UserName => f.write_str("the password is the user's name"),
            Self::Common => f.write_str("the password is one of the 3,000 commonest"),
        }
    }
}

impl std::error::Error for WeakPassword {}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;
    use proto::Name;

    use super::*;

    fn password(text: &str) -> Password {
        Password::new(&Secret::new(text.into()))
    }

    fn check(text: &str) -> Result<(), WeakPassword> {
        let user = UserKey::of(&Name::parse("Анна Maria").unwrap());
        PasswordRules::new(8).unwrap().check(&password(text), &user)
    }

    #[test]
    fn any_eight_code_points_will_do() {
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
    fn the_users_name_is_no_password() {
        for text in ["Анна Maria", "АННА MARIA", " анна ｍａｒｉａ "] {
            assert_eq!(check(text), Err(WeakPassword::UserName), "{text}");
        }
        assert_eq!(check("Анна Maria 7"), Ok(()));
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
