//! The error of JSON that is not a message. It never quotes the JSON: a password may be anywhere in it.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

/// Why JSON is not a message. The text holds nothing of what was received: the names of fields and messages in it are
/// those that the receiver knows.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct InvalidMessage(pub(crate) String);

/// The default of each method that takes a received value would quote it.
impl de::Error for InvalidMessage {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self(reason.to_string())
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(format!(
            "a value is not of the right type, which is {expected}"
        ))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(format!(
            "a value is not what it has to be, which is {expected}"
        ))
    }

    fn unknown_variant(_: &str, known: &'static [&'static str]) -> Self {
        Self(format!(
            "a value is none of those known: {}",
            known.join(", ")
        ))
    }

    fn unknown_field(_: &str, known: &'static [&'static str]) -> Self {
        Self(format!(
            "a field is none of those known: {}",
            known.join(", ")
        ))
    }
}
