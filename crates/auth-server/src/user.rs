//! What is kept of a user: the value of a line in the data file.

use std::io;

use base64ct::{Base64UrlUnpadded, Encoding};
use proto::Name;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::hashing::StoredHash;
use crate::random::random;
use crate::user_key::UserKey;

/// A user, as the data file has it under the name's [`UserKey`].
///
/// Fields beside these, of a person who edits the file or of a newer version, stay with the user.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct User {
    /// The name as it was registered.
    pub name: Name,
    /// The password's hash.
    pub hash: StoredHash,
    /// Which of the user's passwords that is.
    pub generation: Generation,
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

impl User {
    /// A new user.
    #[must_use]
    pub fn new(name: Name, hash: StoredHash, generation: Generation) -> Self {
        Self {
            name,
            hash,
            generation,
            unknown: Map::new(),
        }
    }

    /// What the user is found by.
    #[must_use]
    pub fn key(&self) -> UserKey {
        UserKey::of(&self.name)
    }
}

/// Marks a password from when it is chosen until another is. A session opens its user's account only in the generation in
/// which it began, so that one line on disk both changes a password and ends all sessions of the old one, and nobody comes by
/// the sessions of a removed user by registering the name again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(String);

impl Generation {
    /// A generation that there was never before.
    ///
    /// # Errors
    ///
    /// When the operating system gives no random bytes.
    pub fn new() -> io::Result<Self> {
        Ok(Self(Base64UrlUnpadded::encode_string(&random::<9>()?)))
    }
}
