//! A text that must not be shown: a password or a token.

use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// A password or a token. It is written to JSON as it is, and shown by nothing else: its debug
/// print has no character of it, and reading one that is not a text gives an error without a value.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes a text that must not be shown.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself. The caller must not show, log or store it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // A `String` that meets a number puts the number into its error; a `Value` takes anything.
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self(text)),
            _ => Err(D::Error::custom("a password or token must be a string")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_json_and_expose_show_it() {
        let secret = Secret::new("пароль123".into());
        assert_eq!(format!("{secret:?} {secret:#?}"), "Secret(..) Secret(..)");
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"пароль123\"");
        assert_eq!(secret.expose(), "пароль123");
    }

    #[test]
    fn what_is_no_text_is_not_quoted() {
        for json in [
            "12345678",
            "-12345678",
            "1234.5678",
            "[12345678]",
            "{\"12345678\":1}",
        ] {
            let error = serde_json::from_str::<Secret>(json)
                .unwrap_err()
                .to_string();
            assert!(error.contains("must be a string"), "{error}");
            assert!(!error.contains("1234"), "{error}");
        }
    }
}
