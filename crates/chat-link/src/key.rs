//! Static X25519 keys, and the short name of a person that is derived from one.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};
use sha2::{Digest, Sha256};
use snow::params::DHChoice;
use snow::resolvers::{CryptoResolver, DefaultResolver};

/// Bytes of a key, private or public (RFC 7748).
pub const KEY_BYTES: usize = 32;

/// Bytes of the digest in a [`KeyId`]. Finding a second key for one takes 2^96 tries.
const KEY_ID_BYTES: usize = 12;

/// Characters of a [`KeyId`]: base64url of its bytes, without padding.
const KEY_ID_CHARS: usize = KEY_ID_BYTES / 3 * 4;

/// A peer's long-lived X25519 key. Its `Debug` form shows no private bytes.
#[derive(Clone)]
pub struct StaticKey {
    private: [u8; KEY_BYTES],
    public: PublicKey,
}

/// The public half of a [`StaticKey`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey([u8; KEY_BYTES]);

/// Names a person in messages: the first 12 bytes of the SHA-256 of the public key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId([u8; KEY_ID_BYTES]);

impl StaticKey {
    /// The key pair with these private bytes, which must come from the operating system's randomness.
    #[must_use]
    pub fn from_private(private: [u8; KEY_BYTES]) -> Self {
        let mut dh = DefaultResolver
            .resolve_dh(&DHChoice::Curve25519)
            .expect("the resolver is built with Curve25519");
        dh.set(&private);
        let mut public = [0; KEY_BYTES];
        public.copy_from_slice(dh.pubkey());
        Self {
            private,
            public: PublicKey(public),
        }
    }

    /// The half that peers see.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.public
    }

    pub(crate) fn private(&self) -> &[u8; KEY_BYTES] {
        &self.private
    }
}

impl PublicKey {
    /// Wraps the bytes of a public key.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes of the key.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// The short name of the person who holds this key.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        let digest = Sha256::digest(self.0);
        let mut id = [0; KEY_ID_BYTES];
        id.copy_from_slice(&digest[..KEY_ID_BYTES]);
        KeyId(id)
    }
}

impl fmt::Debug for StaticKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StaticKey({})", self.public.key_id())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.key_id())
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; KEY_ID_CHARS];
        f.write_str(
            Base64UrlUnpadded::encode(&self.0, &mut text).expect("the buffer has its length"),
        )
    }
}

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut id = [0; KEY_ID_BYTES];
        match Base64UrlUnpadded::decode(&text, &mut id) {
            Ok(bytes) if bytes.len() == KEY_ID_BYTES => Ok(Self(id)),
            _ => Err(de::Error::custom("16 characters of base64url expected")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Alice's keys of RFC 7748, section 6.1.
    const PRIVATE: [u8; 32] = [
        0x77, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d, 0x3c, 0x16, 0xc1, 0x72, 0x51, 0xb2, 0x66,
        0x45, 0xdf, 0x4c, 0x2f, 0x87, 0xeb, 0xc0, 0x99, 0x2a, 0xb1, 0x77, 0xfb, 0xa5, 0x1d, 0xb9,
        0x2c, 0x2a,
    ];
    const PUBLIC: [u8; 32] = [
        0x85, 0x20, 0xf0, 0x09, 0x89, 0x30, 0xa7, 0x54, 0x74, 0x8b, 0x7d, 0xdc, 0xb4, 0x3e, 0xf7,
        0x5a, 0x0d, 0xbf, 0x3a, 0x0d, 0x26, 0x38, 0x1a, 0xf4, 0xeb, 0xa4, 0xa9, 0x8e, 0xaa, 0x9b,
        0x4e, 0x6a,
    ];

    #[test]
    fn the_public_half_is_x25519s() {
        let key = StaticKey::from_private(PRIVATE);
        assert_eq!(key.public(), PublicKey::from_bytes(PUBLIC));
        let shown = format!("{key:?}");
        assert!(shown.len() < 30 && !shown.contains("119"), "{shown}");
    }

    #[test]
    fn a_key_id_survives_json_and_other_text_is_refused() {
        let id = PublicKey::from_bytes(PUBLIC).key_id();
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json.len(), 18);
        assert_eq!(serde_json::from_str::<KeyId>(&json).unwrap(), id);
        for bad in [
            "\"\"",
            "\"AAAA\"",
            "\"AAAAAAAAAAAAAAA=\"",
            "\"AAAAAAAAAAAAAAAAAAAA\"",
            "7",
        ] {
            assert!(serde_json::from_str::<KeyId>(bad).is_err(), "{bad}");
        }
    }
}
