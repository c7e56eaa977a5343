//! The key of a user: what all spellings of the name have in common.

use std::fmt;

use proto::Name;
use serde::{Deserialize, Serialize};

/// The key of a user: the same for every case and compatibility form of the name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserKey(String);

impl UserKey {
    /// The key of the user with this name.
    #[must_use]
    pub fn of(name: &Name) -> Self {
        Self(name.caseless_key())
    }

    /// The key's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
