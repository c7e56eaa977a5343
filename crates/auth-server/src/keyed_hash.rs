//! Keyed hashes: what the throttle knows names, networks and sessions by. People type passwords where a name belongs,
//! so neither its memory nor its file has names.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Makes 64-bit keys. Without the secret a key can neither be computed nor be used to test a guess at the name.
#[derive(Clone)]
pub(crate) struct KeyedHash(Hmac<Sha256>);

impl KeyedHash {
    /// Bytes of the secret.
    pub(crate) const SECRET_BYTES: usize = 32;

    pub(crate) fn new(secret: &[u8; Self::SECRET_BYTES]) -> Self {
        Self(Hmac::new_from_slice(secret).expect("HMAC takes keys of any length"))
    }

    /// The hash of some texts. Each is preceded by its length, so that no two lists of texts are hashed alike.
    pub(crate) fn of(&self, texts: &[&str]) -> u64 {
        let mut mac = self.0.clone();
        for text in texts {
            mac.update(&(text.len() as u64).to_be_bytes());
            mac.update(text.as_bytes());
        }
        let hash = mac.finalize().into_bytes();
        let (first, _) = hash.split_at(8);
        u64::from_be_bytes(
            first
                .try_into()
                .expect("`first` has 8 bytes, as a u64 does"),
        )
    }
}

/// The secret is shown by its file alone.
impl fmt::Debug for KeyedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyedHash(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_depends_on_the_secret_and_on_each_text() {
        let (one, other) = (KeyedHash::new(&[1; 32]), KeyedHash::new(&[2; 32]));
        let hash = one.of(&["name", "anna"]);
        assert_eq!(hash, one.of(&["name", "anna"]));
        for different in [
            other.of(&["name", "anna"]),
            one.of(&["name", "bo"]),
            one.of(&["pair", "anna"]),
            one.of(&["namea", "nna"]),
            one.of(&["name", "anna", ""]),
        ] {
            assert_ne!(hash, different);
        }
        assert_eq!(format!("{one:?}"), "KeyedHash(..)");
    }
}
