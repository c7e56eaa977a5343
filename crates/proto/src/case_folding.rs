//! When two texts are one, whatever their case and their compatibility forms.

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;

/// What all texts have in common that differ only in case or compatibility form: `ANNA`, `anna`
/// and `ａｎｎａ` have the key `anna`. Two texts have one key exactly when they are a
/// compatibility caseless match (Unicode Standard, section 3.13, definition D146); the key is
/// kept composed, which takes fewer bytes. The key of a key is the key itself.
#[must_use]
pub fn caseless_key(text: &str) -> String {
    // Folding can undo normalization and the reverse, so each runs twice.
    text.nfd()
        .default_case_fold()
        .nfkd()
        .default_case_fold()
        .nfkc()
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn case_and_compatibility_forms_are_one() {
        for (key, writings) in [
            (
                "anna",
                &["anna", "ANNA", "aNNa", "ａｎｎａ", "𝓐nna", "ⒶNNA"][..],
            ),
            ("аня", &["Аня", "АНЯ"]),
            ("strasse", &["Straße", "STRASSE", "Stra\u{1e9e}e"]),
            ("andr\u{e9}", &["Andre\u{301}", "ANDR\u{c9}"]),
            ("σοφοσ", &["ΣΟΦΟΣ", "σοφος"]),
            ("\u{1c0}fi", &["\u{1c0}ﬁ"]),
        ] {
            for writing in writings {
                assert_eq!(caseless_key(writing), key, "{writing}");
            }
        }
        assert_ne!(caseless_key("anna"), caseless_key("аnna"), "Cyrillic а");
    }

    #[test]
    fn the_key_of_each_character_is_its_own_key_and_that_of_its_cases() {
        // Beyond these nothing has a case or a compatibility form.
        for character in '\0'..='\u{2ffff}' {
            let key = caseless_key(&character.to_string());
            assert_eq!(caseless_key(&key), key, "{character:?}");
            let decomposed: String = character.to_string().nfkd().collect();
            assert_eq!(caseless_key(&decomposed), key, "{character:?}");
        }
    }

    proptest! {
        #[test]
        fn a_key_is_its_own_key(text in ".{0,40}|[\u{300}-\u{345}A-Za-zͅἀ-ῼ]{0,20}") {
            let key = caseless_key(&text);
            prop_assert_eq!(caseless_key(&key), key);
        }

        #[test]
        fn one_key_is_a_compatibility_caseless_match(a in "\\PC{0,6}", b in "\\PC{0,6}") {
            let upper = a.to_uppercase();
            for b in [&b, &upper] {
                prop_assert_eq!(
                    caseless_key(&a) == caseless_key(b),
                    caseless::compatibility_caseless_match_str(&a, b)
                );
            }
        }
    }
}
