//! What is kept of a user: the value of a line in the data file.

use std::io;

use base64ct::{Base64UrlUnpadded, Encoding};
use proto::Name;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use trust::random;

use crate::hashing::StoredHash;
use crate::known_networks::KnownNetworks;
use crate::user_key::UserKey;

/// A user, as the data file has it under the name's [`UserKey`].
///
/// Further fields, from a person who edits the file or from a newer version, are kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct User {
    /// The name as it was registered.
    #[serde(deserialize_with = "proto::stored_name")]
    pub name: Name,
    /// The password's hash.
    pub hash: StoredHash,
    /// Which of the user's passwords that is.
    #[serde(rename = "generation")]
    pub password_version: PasswordVersion,
    /// Where the user has logged in from lately. Older files have none.
    #[serde(default, skip_serializing_if = "KnownNetworks::is_empty")]
    pub networks: KnownNetworks,
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

impl User {
    /// A new user.
    #[must_use]
    pub fn new(name: Name, hash: StoredHash, password_version: PasswordVersion) -> Self {
        Self {
            name,
            hash,
            password_version,
            networks: KnownNetworks::default(),
            unknown: Map::new(),
        }
    }

    /// The key that the user is stored under.
    #[must_use]
    pub fn key(&self) -> UserKey {
        UserKey::of(&self.name)
    }
}

/// Identifies a password from the moment it is set until another one is. A session is valid only while its user has the
/// password version that the session began with. So one line on disk changes a password and ends all sessions of the
/// old one, and registering a removed user's name again does not revive that user's sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordVersion(String);

impl PasswordVersion {
    /// A new version, different from all before.
    ///
    /// # Errors
    ///
    /// When the operating system gives no random bytes.
    pub fn new() -> io::Result<Self> {
        Ok(Self(Base64UrlUnpadded::encode_string(&random::<9>()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_whose_name_is_refused_now_is_still_read() {
        let hash = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo";
        let line = serde_json::json!({"name": "Anna\u{fffe}", "hash": hash, "generation": "x"});
        let user: User = serde_json::from_value(line).unwrap();
        assert_eq!(user.name.as_str(), "Anna\u{fffd}");
    }
}
